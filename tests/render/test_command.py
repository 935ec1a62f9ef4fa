"""`madeploy render`, as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from madeploy.cli.app import app
from madeploy.errors import ToolkitError
from tests.render.environments import CLUSTERS, MINIO, REPOSITORY
from tests.support.stacks import stack_text

RUNNER = CliRunner()
SECTIONS: dict[str, Any] = {
    "storage": MINIO,
    "clusters": CLUSTERS,
    "network": {"egressCidrs": ["203.0.113.0/28"]},
    "kubeconfigs": {name: {"secure": "v1:placeholder"} for name in ("control-plane", *CLUSTERS)}
    | {"unknown": ...},
    "objectStore": {key: {"secure": "v1:placeholder"} for key in ("accessKeyId", "secretAccessKey")},
}


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A stack file with clusters and static keys."""
    return written(tmp_path)


def written(folder: Path, **sections: Any) -> Path:
    path = folder / "Pulumi.prod.yaml"
    given = SECTIONS | sections
    given["kubeconfigs"] = {key: value for key, value in given["kubeconfigs"].items() if value is not ...}
    path.write_text(stack_text(given))
    return path


def run(*arguments: str | Path) -> Result:
    return RUNNER.invoke(app, ["render", *map(str, arguments)])


def test_without_a_folder_one_stream_of_documents_is_printed(stack: Path) -> None:
    """CARD-4: remarks go to standard error."""
    done = run(stack)
    assert done.exit_code == 0, done.output
    kinds = [document["kind"] for document in yaml.safe_load_all(done.stdout)]
    assert kinds[0] == "Namespace"
    assert kinds.count("Deployment") == 5
    assert "MA156" in done.stderr
    assert "MA156" not in done.stdout


def test_a_folder_is_written_and_passes_its_own_check_of_drift(stack: Path, tmp_path: Path) -> None:
    """CARD-4, UX-2."""
    out = tmp_path / "out"
    done = run(stack, "-o", out)
    assert done.exit_code == 0, done.output
    assert "added, 0 changed, 0 removed" in done.stdout
    assert (out / "control-plane" / "kustomization.yaml").exists()
    again = run(stack, "-o", out, "--json")
    data = json.loads(again.stdout)
    assert data["written"]["added"] == data["written"]["changed"] == data["written"]["removed"] == []
    assert data["written"]["unchanged"] == len(data["files"])


def test_json_names_every_object_and_everything_that_must_exist(stack: Path) -> None:
    """UX-2, CARD-4."""
    data = json.loads(run(stack, "--json").stdout)
    assert {"path", "cluster", "apiVersion", "kind", "namespace", "name"} == data["objects"][0].keys()
    wanted = {(each["cluster"], each["name"]): each["keys"] for each in data["mustExist"]}
    assert wanted["control-plane", "cluster-gpu-west-client-token"] == ["token"]
    assert wanted["control-plane", "michelangelo-object-store"] == ["secrets.yaml"]
    assert "AWS_ACCESS_KEY_ID" in wanted["cpu-east", "aws-credentials"]
    assert [found["code"] for found in data["findings"]] == ["MA156"]
    assert data["written"] is None


def test_an_engines_objects_need_a_repository(tmp_path: Path) -> None:
    """UX-3."""
    with pytest.raises(ToolkitError, match="MA150") as refused:
        app(["render", str(written(tmp_path)), "--format", "flux"], standalone_mode=False)
    assert refused.value.exit_code == 2
    stack = written(tmp_path, gitops={"repository": REPOSITORY})
    assert run(stack, "--format", "flux", "-o", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "flux" / "gitrepository.yaml").exists()


def test_a_broken_stack_file_is_refused_with_its_findings(tmp_path: Path) -> None:
    """UX-3: nothing is rendered."""
    stack = written(tmp_path, tls={"mode": "provded"})
    with pytest.raises(ToolkitError, match="MA1") as refused:
        app(["render", str(stack), "-o", str(tmp_path / "out")], standalone_mode=False)
    assert refused.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_outputs_of_an_update_take_the_place_of_predictions(stack: Path, tmp_path: Path) -> None:
    """CARD-4, REG-4: the address that only a kubeconfig had."""
    outputs = tmp_path / "outputs.json"
    made = {"unknown": {"host": "https://unknown.example.com", "port": "6443", "secret_names": {}}}
    outputs.write_text(json.dumps({"iam_roles": {}, "clusters": made, "urls": {}}))
    done = run(stack, "--outputs", outputs)
    assert done.exit_code == 0, done.output
    assert "https://unknown.example.com" in done.stdout
    assert "MA156" not in done.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"clusters": {"a": {"host": 1, "port": "443"}}}', None])
def test_a_file_that_holds_no_outputs_is_refused(stack: Path, tmp_path: Path, text: str | None) -> None:
    """UX-3: without repeating what is in it."""
    outputs = tmp_path / "outputs.json"
    if text is not None:
        outputs.write_text(text)
    with pytest.raises(ToolkitError, match="cannot be used"):
        app(["render", str(stack), "--outputs", str(outputs)], standalone_mode=False)


@pytest.mark.parametrize("kind", ["sealedSecrets", "sops"])
def test_an_encrypted_file_that_is_not_there_is_named(tmp_path: Path, kind: str) -> None:
    """CARD-4: kustomize would refuse its folder; once it is there, nothing is said and nothing touches it."""
    stack = written(tmp_path, gitops={"secrets": {"kind": kind}})
    out = tmp_path / "out"
    rows = json.loads(run(stack, "-o", out, "--json").stdout)["findings"]
    found = [each for each in rows if each["code"] == "MA154"]
    # Two for each registered cluster, one for each cluster's tasks, one for the control plane.
    assert len(found) == 3 * len(CLUSTERS) + 1
    for each in found:
        (out / each["subject"]).write_text("encrypted\n")
    again = json.loads(run(stack, "-o", out, "--json").stdout)
    assert "MA154" not in {each["code"] for each in again["findings"]}
    assert all((out / each["subject"]).read_text() == "encrypted\n" for each in found)
