"""`madeploy models` on a real API server and moto; `madeploy lint` and what a real API server does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from click.testing import Result
from kubernetes import client, config
from kubernetes.client import ApiException
from typer.testing import CliRunner

from madeploy.cli.app import app
from madeploy.errors import ToolkitError
from madeploy.registry.lint import lint
from madeploy.sandbox.environment import Environment
from madeploy.settings import CONTROL_PLANE
from tests.registry.manifests import GOOD
from tests.support.old_models import Store, stored
from tests.support.proves import proves

TEAM, OTHER = "command-test-a", "command-test-b"
MODELS, WORKSPACE = "command-test-models", "command-test-workspace"
OBJECTS = [f"s3://{MODELS}/churn/raw/{n}" for n in range(3)] + [f"s3://{WORKSPACE}/churn/package"]
Run = Callable[..., Result]

STACK: dict[str, Any] = {
    "michelangelo:platform": {"tier": "development"},
    "michelangelo:domains": {"api": "api.ml.example.com", "app": "app.ml.example.com"},
    "michelangelo:tls": {"mode": "provided"},
    "michelangelo:images": {"tag": "sha-cbf5720"},
    "michelangelo:controlPlane": {"kubeconfigContext": CONTROL_PLANE},
    "michelangelo:workflow": {"engine": "temporal", "host": "temporal.example.com:7233"},
    "michelangelo:storage": {
        "kind": "existing",
        "region": "eu-west-1",
        "buckets": {"workspace": WORKSPACE, "models": MODELS},
    },
    "michelangelo:modelRegistry": {"retentionDays": 30},
}


@pytest.fixture(scope="module")
def filled(environment: Environment) -> Iterator[None]:
    """Namespaces and buckets."""
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    s3 = boto3.client("s3", endpoint_url=environment.aws_endpoint, region_name="eu-west-1", **keys)
    for bucket in (MODELS, WORKSPACE):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for uri in OBJECTS:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        s3.put_object(Bucket=bucket, Key=key, Body=b"0123456789")
    with config.new_client_from_config(str(environment.kubeconfig), CONTROL_PLANE) as api:
        core = client.CoreV1Api(api)
        for namespace in (TEAM, OTHER):
            core.create_namespace({"metadata": {"name": namespace}})
        churn = stored("churn", TEAM, 40, [f"s3://{MODELS}/churn/raw"], [f"s3://{WORKSPACE}/churn/package"])
        churn["spec"] |= {"kind": "MODEL_KIND_REGRESSION", "revisionId": 3}
        fresh = stored("fresh", OTHER, 1, [f"s3://{MODELS}/fresh"])
        Store(environment.clusters[CONTROL_PLANE]).put([churn, fresh])
        yield
        for namespace in (TEAM, OTHER):
            core.delete_namespace(namespace)


@pytest.fixture
def run(environment: Environment, filled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in a project whose stack `prod` is this environment."""
    for name, value in environment.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stacks").mkdir()
    write(tmp_path, {})
    return lambda *arguments: CliRunner().invoke(app, ["models", *arguments, "--stack", "prod"])


def write(folder: Path, changes: dict[str, Any]) -> None:
    """The stack file, with sections changed."""
    text = yaml.safe_dump({"config": {**STACK, **changes}})
    (folder / "stacks/Pulumi.prod.yaml").write_text(text)


def test_models_are_listed_with_what_tells_them_apart(run: Run) -> None:
    """MR-5: as a table and as JSON, of one namespace or of all."""
    done = run("list", "-n", TEAM)
    header, row = done.stdout.splitlines()
    assert header.split() == ["NAMESPACE", "NAME", "KIND", "PACKAGE", "REVISION", "AGE", "RAW", "DEPLOYABLE"]
    assert row.split() == [TEAM, "churn", "REGRESSION", "-", "3", "40d", "1", "1"]
    found = {item["name"]: item for item in json.loads(run("list", "--json").stdout)}
    assert found["fresh"]["modelArtifactUri"] == [f"s3://{MODELS}/fresh"]
    assert found["churn"]["namespace"] == TEAM
    empty = run("list", "-n", "default", "--json")
    assert (empty.exit_code, json.loads(empty.stdout)) == (0, [])
    assert "No models in namespace default" in empty.stderr


def test_one_model_is_shown_with_what_its_registration_left_out(run: Run) -> None:
    """MR-5, MR-10."""
    done = run("show", "churn", "-n", TEAM)
    assert f"s3://{WORKSPACE}/churn/package" in done.stdout
    assert done.stderr == ""
    done = run("show", "fresh", "-n", OTHER, "--json")
    assert json.loads(done.stdout)["deployableArtifactUri"] == []
    assert "warning MA343" in done.stderr
    gone = run("show", "nowhere", "-n", TEAM)
    assert (gone.exit_code, gone.stdout) == (1, "")
    assert f"no Model nowhere in namespace {TEAM}" in gone.stderr


@proves("MR-5")
def test_artifact_uris_are_printed_for_scripts_and_none_is_a_failure(run: Run) -> None:
    """MR-5: one per line and nothing else on standard output."""
    assert run("artifacts", "churn", "-n", TEAM).stdout == f"s3://{WORKSPACE}/churn/package\n"
    assert run("artifacts", "churn", "-n", TEAM, "--kind", "raw").stdout == f"s3://{MODELS}/churn/raw\n"
    assert json.loads(run("artifacts", "churn", "-n", TEAM, "--json").stdout) == [
        f"s3://{WORKSPACE}/churn/package"
    ]
    none = run("artifacts", "fresh", "-n", OTHER)
    assert (none.exit_code, none.stdout) == (1, "")
    assert "MA343" in none.stderr
    assert run("artifacts", "nowhere", "-n", OTHER).exit_code == 1


@proves("MR-3")
def test_a_cluster_without_the_definition_says_so(run: Run, tmp_path: Path) -> None:
    """MR-3, MR-10: the compute cluster stands for a control plane whose API server never ran."""
    write(tmp_path, {"michelangelo:controlPlane": {"kubeconfigContext": "compute-0"}})
    for arguments in (("list",), ("show", "x", "-n", TEAM), ("retention", "--dry-run")):
        done = run(*arguments)
        assert done.exit_code == 1
        assert "MA340: models.michelangelo.api" in done.stderr


@proves("MR-10")
def test_a_reader_without_the_role_is_told_which_one_it_needs(
    run: Run, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MR-4, MR-10."""
    kubeconfig = yaml.safe_load(environment.kubeconfig.read_text())
    with config.new_client_from_config(str(environment.kubeconfig), CONTROL_PLANE) as api:
        made = client.CoreV1Api(api).create_namespaced_service_account_token(
            "default", TEAM, {"spec": {"expirationSeconds": 600}}
        )
    for user in kubeconfig["users"]:
        user["user"] = {"token": made.status.token}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    done = run("list", "-n", TEAM)
    assert done.exit_code == 1
    assert "error MA341" in done.stderr
    assert "model-registry-reader" in done.stderr


def test_a_registry_that_does_not_answer_is_an_unreachable_environment(
    run: Run, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-2."""
    kubeconfig = yaml.safe_load(environment.kubeconfig.read_text())
    for cluster in kubeconfig["clusters"]:
        cluster["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    error = run("list").exception
    assert isinstance(error, ToolkitError)
    assert error.exit_code == 3


def test_retention_shows_before_it_removes_and_asks_before_that(run: Run, tmp_path: Path) -> None:
    """MR-8, UX-6."""
    dry = run("retention", "--dry-run", "--json", "-n", TEAM)
    assert dry.exit_code == 0
    data = json.loads(dry.stdout)
    assert data["dryRun"] is True
    (row,) = data["models"]
    assert (row["name"], row["action"], row["objects"], row["bytes"]) == ("churn", "wouldRemove", 4, 40)
    assert "expired" in dry.stderr

    unasked = run("retention", "-n", TEAM)
    assert isinstance(unasked.exception, ToolkitError)
    assert unasked.exception.exit_code == 2
    assert json.loads(run("list", "-n", TEAM, "--json").stdout) != []

    done = run("retention", "-n", TEAM, "--yes")
    assert done.exit_code == 0
    assert "removed" in done.stdout
    assert "1 removed; 4 objects deleted, 40 bytes" in done.stdout
    assert json.loads(run("list", "-n", TEAM, "--json").stdout) == []
    assert [item["name"] for item in json.loads(run("list", "-n", OTHER, "--json").stdout)] == ["fresh"]


def test_retention_that_has_something_left_ends_with_a_finding(
    run: Run, environment: Environment, filled: None
) -> None:
    """MR-8, UX-2: exit code 1."""
    outside = stored("outside", TEAM, 40, ["s3://somebody-elses/bucket"])
    Store(environment.clusters[CONTROL_PLANE]).put([outside])
    for _ in range(100):
        if json.loads(run("list", "-n", TEAM, "--json").stdout):
            break
    done = run("retention", "-n", TEAM, "--yes")
    assert done.exit_code == 1
    assert "none of this environment's buckets" in done.stdout
    assert "warning" not in done.stderr
    assert "MA344" in done.stderr


@pytest.mark.parametrize(
    ("registry", "arguments", "said"),
    [
        ({}, (), "retentionDays is not set"),
        ({"retentionDays": 30, "retention": {"namespaces": [TEAM]}}, ("-n", OTHER), f"has only {TEAM}"),
    ],
)
def test_retention_that_the_settings_do_not_want_is_refused(
    registry: dict[str, Any], arguments: tuple[str, ...], said: str, run: Run, tmp_path: Path
) -> None:
    """MR-8, UX-2."""
    write(tmp_path, {"michelangelo:modelRegistry": registry})
    error = run("retention", "--dry-run", *arguments).exception
    assert isinstance(error, ToolkitError)
    assert error.exit_code == 2
    assert said in str(error)


@pytest.fixture(scope="module")
def typed(environment: Environment) -> Iterator[client.CustomObjectsApi]:
    """An API server with both kinds defined in full, by the files that lint reads."""
    with config.new_client_from_config(str(environment.kubeconfig), CONTROL_PLANE) as api:
        yield client.CustomObjectsApi(api)


def given(api: client.CustomObjectsApi, item: dict[str, Any]) -> dict[str, Any] | None:
    """The object as the API server would keep it; None when it refuses it."""
    item = copy.deepcopy(item)
    item["metadata"] = {"name": item["metadata"]["name"], "namespace": "default"}
    where = ("michelangelo.api", "v2", "default", f"{item['kind'].lower()}s")
    try:
        kept: dict[str, Any] = api.create_namespaced_custom_object(*where, item, dry_run="All")
    except ApiException as error:
        if error.status not in (400, 422):
            raise
        return None
    return kept


MISTAKES: list[tuple[int, tuple[Any, ...], Any]] = [
    (0, ("spec", "package_type"), "DEPLOYABLE_MODEL_PACKAGE_TYPE_TRITON"),
    (0, ("spec", "revision_id"), 3),
    (0, ("spec", "model_artifact_uri"), ["s3://b-1/x"]),
    (0, ("spec", "input_schema"), {"schemaItems": []}),
    (0, ("spec", "inputSchema", "schemaItems", 0, "data_type"), "DATA_TYPE_FLOAT"),
    (0, ("spec", "inputSchema", "schemaItems", 0, "dtype"), "DATA_TYPE_FLOAT"),
    (0, ("spec", "qualityScores", 0, "metadata", "snake_case"), 1),
    (0, ("spec", "kind"), "regression"),
    (0, ("spec", "kind"), "MODEL_KIND_INVALID"),
    (0, ("spec", "revisionId"), "3"),
    (0, ("spec", "revisionId"), 3.5),
    (0, ("spec", "decisionThreshold"), 1),
    (0, ("spec", "sealed"), "yes"),
    (0, ("spec", "modelArtifactUri"), "s3://b-1/x"),
    (0, ("spec", "owner"), None),
    (1, ("spec", "modelVersion"), "3"),
    (1, ("spec", "replicas"), 2),
    (1, ("spec", "initSpec", "num_instances"), 2),
    (1, ("spec", "initSpec", "resourceSpec", "cpu"), "2"),
    (1, ("spec", "initSpec", "resourceSpec", "memory"), 4),
    (1, ("spec", "backendType"), "triton"),
    (1, ("spec", "backendType"), 3),
    (1, ("spec", "tenancyType"), "DEDICATED"),
]


@pytest.mark.parametrize(("document", "path", "value"), MISTAKES, ids=lambda value: str(value)[-40:])
@proves("MR-9")
def test_lint_says_dropped_what_a_real_api_server_drops_and_refused_what_it_refuses(
    document: int, path: tuple[Any, ...], value: Any, typed: client.CustomObjectsApi
) -> None:
    """MR-9: with the definition in full, as the platform has it."""
    item = list(yaml.safe_load_all(GOOD))[document]
    holder = item
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    codes = {finding.code for finding in lint("x.yaml", yaml.safe_dump(item).encode())}
    kept = given(typed, item)
    assert bool(codes & {"MA355", "MA356"}) == (kept is None)
    if kept is not None:
        for step in path[:-1]:
            kept = kept[step]
        assert bool(codes & {"MA353", "MA354"}) == (value is not None and path[-1] not in kept)


def test_a_manifest_without_findings_is_kept_as_it_is(typed: client.CustomObjectsApi) -> None:
    """MR-9: so that the test above can fail."""
    for item in yaml.safe_load_all(GOOD):
        kept = given(typed, item)
        assert kept is not None
        assert kept["spec"] == item["spec"]
