"""Manifests of models and inference servers, checked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from madeploy.cli.app import app
from madeploy.errors import ToolkitError
from madeploy.registry.lint import KINDS, lint
from madeploy.releases import ReleaseName
from madeploy.schemas import platform
from tests.registry.manifests import GOOD, codes, found


def test_manifests_as_the_platform_wants_them_have_no_findings() -> None:
    """MR-9: both documents; keys inside free-form values keep their author's spelling."""
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "fix"),
    [
        ("packageType: D", "package_type: D", "MA353", "Write packageType."),
        ("  revisionId: 3", "  revision_id: 3", "MA353", "Write revisionId."),
        ("modelArtifactUri", "model_artifact_uri", "MA353", "Write modelArtifactUri."),
        ("deployableArtifactUri", "deployable_artifact_uri", "MA353", "Write deployableArtifactUri."),
        ("inputSchema", "input_schema", "MA353", "Write inputSchema."),
        ("schemaItems", "schema_items", "MA353", "Write schemaItems."),
        ("dataType: D", "data_type: D", "MA353", "Write dataType."),
        ("dataType: D", "dtype: D", "MA354", '"dataType"'),
        ("numInstances: 1", "num_instances: 1", "MA353", "Write numInstances."),
        ("numInstances: 1", "replicas: 1", "MA354", "spec.initSpec.numInstances"),
        ("tenancyType: T", "modelVersion: 1\n  tenancyType: T", "MA354", "spec.desiredRevision"),
        ("memory: 4Gi", "memory: 4GB", "MA360", "Gi"),
        ("memory: 4Gi", "memory: 4", "MA355", "quotes"),
        ("cpu: 2", 'cpu: "2"', "MA355", "without quotes"),
        ("cpu: 2", "cpu: 1.5", "MA355", ""),
        ("cpu: 2", "cpu: -1", "MA362", ""),
        ("numInstances: 1", "numInstances: -1", "MA362", ""),
        ("revisionId: 3", "revisionId: 3000000000", "MA362", "32 bits"),
        ("decommission: false", "decommission: no", "MA355", ""),
        ("version: latest", "version: 1.0", "MA355", "quotes"),
        ("BACKEND_TYPE_TRITON", "triton", "MA356", '"BACKEND_TYPE_TRITON"'),
        ("BACKEND_TYPE_TRITON", "BACKEND_TYPE_DYNAMO", "MA359", "BACKEND_TYPE_TRITON"),
        ("BACKEND_TYPE_TRITON", "BACKEND_TYPE_LLM_D", "MA359", "BACKEND_TYPE_TRITON"),
        ("BACKEND_TYPE_TRITON", "BACKEND_TYPE_INVALID", "MA357", ""),
        ("MODEL_KIND_BINARY_CLASSIFICATION", "BINARY_CLASSIFICATION", "MA356", "MODEL_KIND_BINARY"),
        ("MODEL_KIND_BINARY_CLASSIFICATION", "MODEL_KIND_BINARY", "MA356", "Did you mean"),
        ("MODEL_KIND_BINARY_CLASSIFICATION", "3", "MA355", ""),
        (
            "michelangelo.api/v2\nkind: Model",
            "michelangelo.ai/v2\nkind: Model",
            "MA352",
            "michelangelo.api/v2",
        ),
        (
            "michelangelo.api/v2\nkind: Model",
            "michelangelo.api/v1\nkind: Model",
            "MA352",
            "michelangelo.api/v2",
        ),
        ("kind: Model\n", "kind: ModelVersion\n", "MA352", "spec.revisionId"),
        ("kind: Model\n", "kind: Modell\n", "MA352", '"Model"'),
        ("name: fraud-detector\n", "name: Fraud_detector\n", "MA361", ""),
        ("name: fraud-detector\n", "name: 7\n", "MA361", ""),
        ("name: fraud-detector-server\n", f"name: {'a' * 46}\n", "MA361", ""),
        ("name: fraud-detector-server\n", "name: 1a\n", "MA361", ""),
        ("name: fraud-detector-server\n", "name: a.b\n", "MA361", ""),
        ("namespace: ml-team\n  labels", "namespace: ml.team\n  labels", "MA361", ""),
        ("algorithm: xgboost\nspec", "algorithm: 3\nspec", "MA355", "quotes"),
        ("  labels:", "  label:", "MA354", '"labels"'),
        ("s3://example-ml-models/fraud/raw", "s3://example-ml-models", "MA363", "s3://"),
        ("    - s3://example-ml-models/fraud/raw", "    s3://example-ml-models/fraud/raw", "MA355", ""),
        ("spec:\n  owner:", "specs:\n  owner:", "MA354", '"spec"'),
        ("\nmetadata:\n  name: fraud-detector\n", "\nmetadata:\n", "MA350", ""),
    ],
)
def test_one_mistake_is_one_finding_that_says_what_to_write(old: str, new: str, code: str, fix: str) -> None:
    """MR-9, UX-3: at the place where the mistake is."""
    assert GOOD.count(old) >= 1
    text = GOOD.replace(old, new, 1)
    (finding,) = lint("x.yaml", text.encode())
    assert finding.code == code
    assert fix in f"{finding.fix} {finding.accepted}"
    assert finding.location is not None
    shown = text.splitlines()[finding.location.line - 1]
    assert shown not in GOOD.splitlines() or code == "MA350"


@pytest.mark.parametrize(
    ("cut", "missing"),
    [
        (("initSpec",), "spec.initSpec"),
        (("initSpec", "resourceSpec"), "spec.initSpec.resourceSpec"),
        (("backendType",), "spec.backendType"),
    ],
)
def test_what_the_controller_manager_takes_for_granted_must_be_there(
    cut: tuple[str, ...], missing: str
) -> None:
    """MR-9, facts 3.5: without it there is a nil pointer, not an error. Null is as good as nothing."""
    for value in ("absent", None):
        server = list(yaml.safe_load_all(GOOD))[1]
        holder = server["spec"]
        for step in cut[:-1]:
            holder = holder[step]
        if value is None:
            holder[cut[-1]] = None
        else:
            del holder[cut[-1]]
        ((code, subject, _),) = found(yaml.safe_dump(server))
        assert (code, subject) == ("MA358", f"InferenceServer ml-team/fraud-detector-server {missing}")


def test_a_misspelt_required_field_is_one_finding_and_its_content_is_checked() -> None:
    """MR-9."""
    text = GOOD.replace("    resourceSpec:", "    resource_spec:").replace("4Gi", "4GB")
    assert codes(text) == ["MA353", "MA360"]


def test_every_finding_of_a_file_is_there_with_line_and_column() -> None:
    """MR-9, UX-3: all documents, all depths."""
    text = GOOD.replace("packageType", "package_type").replace("dataType", "data_type").replace("Gi", "GB")
    lines = text.splitlines()
    expected = [
        (code, next(n for n, line in enumerate(lines, 1) if word in line), column)
        for code, word, column in (
            ("MA353", "package_type", 3),
            ("MA353", "data_type", 9),
            ("MA360", "4GB", 15),
        )
    ]
    assert found(text) == [
        (code, subject, f"x.yaml:{line}:{column}")
        for (code, line, column), (_, subject, _) in zip(expected, found(text), strict=True)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_fields_are_camel_case_and_no_two_are_alike(kind: str) -> None:
    """MR-9: else a misspelt one could mean either."""

    def walk(schema: Any) -> None:
        fields = schema.get("properties", {})
        assert len({name.lower() for name in fields}) == len(fields)
        for name in fields:
            assert name == "@type" or (name.isalnum() and name[0].islower())
        assert len(set(schema.get("enum", ()))) == len(schema.get("enum", ()))
        below = (schema.get("items"), schema.get("additionalProperties"))
        for inner in (*fields.values(), *(inner for inner in below if inner)):
            walk(inner)

    walk(platform.shape(kind))


def test_the_command_ends_with_what_it_found_in_the_form_asked_for(tmp_path: Path) -> None:
    """MR-9, UX-2: 0, 1 and 2; text, JSON and SARIF; files and input."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace("BACKEND_TYPE_TRITON", "triton"))

    def run(*arguments: str, given: str = "") -> Result:
        return CliRunner().invoke(app, ["lint", *arguments], input=given)

    done = run(str(good), str(bad), "--json", "--sarif", str(tmp_path / "out.sarif"))
    assert done.exit_code == 1
    ((code, line),) = [(f["code"], f["location"]["line"]) for f in json.loads(done.stdout)]
    assert (code, bad.read_text().splitlines()[line - 1]) == ("MA356", "  backendType: triton")
    sarif = json.loads((tmp_path / "out.sarif").read_text())
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["MA356"]
    done = run("-", given=GOOD)
    assert (done.exit_code, done.stdout) == (0, "standard input: no findings\n")
    missing = run(str(tmp_path / "nowhere.yaml")).exception
    assert isinstance(missing, ToolkitError)
    assert missing.exit_code == 2


SERVER = GOOD.split("---\n")[1]
REVISION = """\
apiVersion: michelangelo.api/v2
kind: Revision
metadata: {name: train-3, namespace: ml-team}
spec:
  revisionId: "3"
"""


def for_release(text: str, release: ReleaseName) -> dict[str, str]:
    """Codes by the field they are about."""
    return {item.subject.rpartition(" ")[2]: item.code for item in lint("x.yaml", text.encode(), release)}


@pytest.mark.parametrize("targets", ["", "  clusterTargets: []\n"])
def test_servers_of_release_0_12_need_a_cluster_and_those_before_know_none(targets: str) -> None:
    """MR-9, REL-1: without one it serves nothing, and no API server says so."""
    written = re.sub(r"  clusterTargets:\n(    .*\n)+", targets, SERVER)
    assert for_release(written, "0.12") == {"spec.clusterTargets": "MA358"}
    assert for_release(SERVER, "0.12") == {}
    assert for_release(SERVER, "2026.04") == {"spec.clusterTargets": "MA354"}
    if not targets:
        assert for_release(written, "2026.04") == {}


@pytest.mark.parametrize(
    ("spec", "release", "codes"),
    [
        ("  source: git\n  gitCommit: {branch: main, gitRef: abc}\n", "0.12", {}),
        ("  gitRef: abc\n", "0.12", {"spec.gitRef": "MA354", "spec.source": "MA358"}),
        ("  gitRef: abc\n  commit: {branch: main}\n", "2026.04", {}),
        ("  source: git\n", "2026.04", {"spec.source": "MA354"}),
    ],
)
def test_revisions_have_the_fields_of_their_release(
    spec: str, release: ReleaseName, codes: dict[str, str]
) -> None:
    """MR-9, REL-1: fields of the earlier release are dropped when the object is next written."""
    assert for_release(REVISION + spec, release) == codes
