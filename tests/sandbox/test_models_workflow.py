"""The example of a workflow in the documentation, run against a real API server up to its last step."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config, dynamic

from madeploy.sandbox.environment import Environment
from madeploy.settings import CONTROL_PLANE
from manifests.model_registry import readers
from tests.support.environments import environment as settings
from tests.support.http_servers import HttpServer, served
from tests.support.proves import proves
from tests.support.workflow import Run

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
WORKFLOW = EXAMPLES / "github-actions-model.yaml"
TEAM = "workflow-test"
URI = "s3://example-ml-models/churn/package"


@pytest.fixture(scope="module")
def kubeconfig(environment: Environment) -> Iterator[dict[str, Any]]:
    """A kubeconfig with the workflow's AWS role as the cluster knows it; models in a team's namespace."""
    with config.new_client_from_config(str(environment.kubeconfig), CONTROL_PLANE) as api:
        core, kinds = client.CoreV1Api(api), dynamic.DynamicClient(api)
        for namespace in ("ci-namespace", TEAM):
            core.create_namespace({"metadata": {"name": namespace}})
        objects = [
            *yaml.safe_load_all((EXAMPLES / "ci-token-role.yaml").read_text()),
            *readers(settings(modelRegistry={"namespaces": [TEAM], "ciReader": {}})),
            *(
                _model(name, uris)
                for name, uris in (("churn", [URI]), ("raw-only", []), ("odd", ["s3://x\nPATH=y"]))
            ),
        ]
        for obj in objects:
            resource = kinds.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
            kinds.server_side_apply(resource, body=obj, field_manager="workflow-test")
        yield yaml.safe_load(environment.kubeconfig.read_text())
        for namespace in ("ci-namespace", TEAM):
            core.delete_namespace(namespace)


def _model(name: str, uris: list[str]) -> dict[str, Any]:
    meta = {"name": name, "namespace": TEAM}
    spec = {"modelArtifactUri": ["s3://example-ml-models/raw"], "deployableArtifactUri": uris}
    return {"apiVersion": "michelangelo.api/v2", "kind": "Model", "metadata": meta, "spec": spec}


@pytest.fixture(scope="module")
def issuer() -> Iterator[tuple[str, list[Any]]]:
    """Where a run gets its own token, and what was asked there."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"value": "token-of-this-run"}')

        def log_message(self, *_: Any) -> None:
            return

    server = HttpServer(("127.0.0.1", 0), Handler)
    with served(server):
        yield f"http://127.0.0.1:{server.server_port}/token?version=2", asked


@pytest.fixture
def workflow(
    kubeconfig: dict[str, Any],
    issuer: tuple[str, list[Any]],
    tool_paths: dict[str, Path],
    tmp_path: Path,
) -> Any:
    """A run for a model of that name. Of AWS there is `update-kubeconfig`, which gives what an access entry
    gives: a member of the group."""
    whole = next(entry for entry in kubeconfig["users"] if entry["name"].startswith(CONTROL_PLANE))
    mapped = {
        **whole,
        "user": {**whole["user"], "as": "arn:aws:sts::1:role/ci", "as-groups": ["ci-model-forwarders"]},
    }
    (tmp_path / "given").write_text(
        yaml.safe_dump({**kubeconfig, "current-context": CONTROL_PLANE, "users": [mapped]})
    )
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(
        programs / "aws", f'[ "$1 $2 $3 $4" = "eks update-kubeconfig --name ml" ]\ncp {tmp_path}/given "$8"\n'
    )
    _program(programs / "your-serving-tool", f'printf "%s\\n" "$@" >{tmp_path}/deployed\n')
    (programs / "kubectl").symlink_to(tool_paths["kubectl"])

    def made(model: str) -> Run:
        (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
        url, _ = issuer
        environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "ACTIONS_ID_TOKEN_REQUEST_URL": url,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "right-to-ask",
        }
        variables = {
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci",
            "AWS_REGION": "eu-west-1",
            "EKS_CLUSTER": "ml",
        }
        return Run(job, {"inputs": {"model": model, "namespace": TEAM}, "vars": variables}, environ, tmp_path)

    return made


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\nset -eu\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@proves("MR-7")
def test_a_registered_model_s_uri_reaches_the_tool_that_deploys_it(
    workflow: Any, issuer: tuple[str, list[Any]], tmp_path: Path
) -> None:
    """MR-7, MR-5: by the run's own token, and by no right but the reader's."""
    run = workflow("churn")
    for number in range(len(run.job["steps"])):
        done = run.step(number)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "deployed").read_text().split() == [
        "deploy",
        "--artifact",
        URI,
        "--target",
        "production",
    ]
    assert (tmp_path / "aws-token").read_text() == "token-of-this-run\n"
    assert issuer[1][-1] == ("/token?version=2&audience=sts.amazonaws.com", "bearer right-to-ask")
    for name in ("aws-token", "reader-token", "kubeconfig"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.parametrize(
    ("model", "fails", "said"),
    [
        ("nowhere", 2, "not found"),
        ("raw-only", 3, "no deployable artifact"),
        ("odd", 3, "no deployable artifact"),
    ],
)
def test_the_step_that_finds_no_model_or_no_artifact_fails_and_says_so(
    model: str, fails: int, said: str, workflow: Any
) -> None:
    """MR-7: the guide's own path is taken only when something is there; a URI cannot smuggle in variables."""
    run = workflow(model)
    for number in range(fails):
        assert run.step(number).returncode == 0
    done = run.step(fails)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert run.contexts.get("steps", {}).get("model", {"outputs": {}})["outputs"] == {}


@proves("MR-4")
def test_the_reader_may_read_models_and_nothing_else(workflow: Any, tool_paths: dict[str, Path]) -> None:
    """MR-4, MR-7: what the workflow holds once it is through its first two steps."""
    run = workflow("churn")
    assert [run.step(number).returncode for number in range(2)] == [0, 0]
    for question, answer in (
        (["list", "models.michelangelo.api", "-n", TEAM], True),
        (["delete", "models.michelangelo.api", "-n", TEAM], False),
        (["list", "models.michelangelo.api", "-n", "default"], False),
        (["get", "secrets", "-n", "ci-namespace"], False),
        (["create", "serviceaccounts/token", "-n", "ci-namespace"], False),
    ):
        run.job["steps"][2] = {"run": f"kubectl auth can-i {' '.join(question)}"}
        assert (run.step(2).returncode == 0) == answer, question


def test_the_example_gives_no_more_than_it_needs_and_waits_for_nothing() -> None:
    """MR-7: one permission; no action; inputs reach scripts as variables only; no PATH, no `kubectl wait`."""
    text = WORKFLOW.read_text()
    whole = yaml.safe_load(text)
    assert whole["permissions"] == {}
    (job,) = whole["jobs"].values()
    assert job["permissions"] == {"id-token": "write"}
    for step in job["steps"]:
        assert "uses" not in step
        assert "${{" not in step["run"]
        assert "kubectl wait" not in step["run"]
        assert re.search(r"\bPATH=", step["run"]) is None
        assert "PATH" not in {**job["env"], **step.get("env", {})}
    assert "secrets." not in text
    assert any("ARTIFACT_URI" in step.get("env", {}) for step in job["steps"])
