"""`madeploy upgrade` as it is typed, as far as no cluster answers."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from madeploy.cli.app import app
from madeploy.errors import ToolkitError
from tests.support.stacks import stack_text


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack file of release 2026.04 whose control plane is a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = tmp_path / "Pulumi.prod.yaml"
    sections = {
        "platform": {"release": "2026.04"},
        "images": {"tag": "sha-cbf5720"},
        "controlPlane": {"kubeconfigContext": "a"},
        "kubeconfigs": ...,
    }
    path.write_text(stack_text(sections))
    kubeconfig = {
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": f"https://127.0.0.1:{port}"}}],
        "users": [{"name": "a", "user": {"token": "example"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    return path


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--to", "0.11"], 2, "there are 0.12, 2026.04"),
        (["--until", "nowhere"], 2, "rights, apiserver, controllermgr, worker, envoy, clusters"),
        ([], 3, "the control plane of prod does not answer"),
        (["--check"], 3, "nothing listens"),
    ],
    ids=lambda value: " ".join(value) or "plain" if isinstance(value, list) else None,
)
def test_what_cannot_be_begun_is_said_and_nothing_written(
    stack: Path, arguments: list[str], code: int, said: str
) -> None:
    """REL-3, UX-2, UX-3."""
    before = stack.read_text()
    dump = stack.parent / "before.json"
    done = CliRunner().invoke(app, ["upgrade", str(stack), "--dump", str(dump), *arguments])
    assert isinstance(done.exception, ToolkitError), done.output
    assert done.exception.exit_code == code
    assert said in str(done.exception)
    assert stack.read_text() == before
    assert not dump.exists()
