"""The commands as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from madeploy.cli.app import app
from madeploy.cli.asking import age_of, limit_of
from madeploy.clusters.session import next_revision
from madeploy.errors import ToolkitError
from madeploy.stacks import files
from madeploy.stacks.session import DELETE_UNREACHABLE, StackSession, forgetting
from tests.support.stacks import stack_text

CLUSTERS: dict[str, Any] = {"gpu": {"kubeconfigContext": "gpu"}, "cpu": {"kubeconfigContext": "cpu"}}


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack file with two clusters, and a kubeconfig with the control plane's context alone."""
    path = tmp_path / "Pulumi.prod.yaml"
    sections = {"clusters": CLUSTERS, "controlPlane": {"kubeconfigContext": "a"}, "kubeconfigs": ...}
    path.write_text(f"# ours\n{stack_text(sections)}")
    server = {"server": "https://a.example.com", "certificate-authority-data": "e30="}
    kubeconfig = {
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": server}],
        "users": [{"name": "a", "user": {"token": "example"}}],
    }
    (tmp_path / "kubeconfig").write_text(str(kubeconfig).replace("'", '"'))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rotate"], "which clusters"),
        (["rotate", "gpu", "--all"], "which clusters"),
        (["rotate", "gpu", "--older-than", "90d"], "--older-than chooses among all"),
        (["rotate", "tpu"], "has no cluster tpu"),
        (["rotate", "--all", "--older-than", "90 days"], "no age"),
        (["drain", "tpu"], "has no cluster tpu"),
        (["drain", "gpu", "--timeout", "soon"], "no length of time"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_use_is_said_before_anything_is_asked(stack: Path, arguments: list[str], said: str) -> None:
    """REG-8, REG-9, UX-2: no cluster is called."""
    done = CliRunner().invoke(app, ["clusters", *arguments, "--stack", str(stack)])
    assert isinstance(done.exception, ToolkitError), done.output
    assert (done.exception.exit_code, said in str(done.exception)) == (2, True), str(done.exception)


@pytest.mark.parametrize(("text", "seconds"), [("90d", 7_776_000), ("12h", 43_200), ("5m", 300)])
def test_an_age_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    """REG-8."""
    assert age_of(text) == seconds


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90s", 90), ("30m", 1800), ("2h", 7200)])
def test_a_limit_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    """REG-9."""
    assert limit_of(text) == seconds


def test_edits_are_made_together_and_comments_stay(stack: Path) -> None:
    """REG-8, REG-9: a step that is taken twice changes no byte the second time."""
    session = StackSession(str(stack), ["gpu"])
    edits: Any = [(("clusters", "gpu", "credential"), {"generation": 2}), (("clusters", "cpu"), None)]
    session.edit(edits)
    once = stack.read_bytes()
    assert once.startswith(b"# ours\n")
    assert session.settings().clusters.keys() == {"gpu"}
    assert session.settings().clusters["gpu"].credential.generation == 2
    session.edit(edits)
    assert stack.read_bytes() == once


def test_unreachable_clusters_are_let_go_within_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-9: for this run, never from then on."""
    import os

    monkeypatch.setenv(DELETE_UNREACHABLE, "false")
    with forgetting(True):
        assert os.environ[DELETE_UNREACHABLE] == "true"
    assert os.environ[DELETE_UNREACHABLE] == "false"
    with forgetting(False):
        assert os.environ[DELETE_UNREACHABLE] == "false"


def test_a_stack_file_is_read_once_and_again_after_an_edit(
    stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-8: a rotation asks for the settings at every step."""
    reads: list[str] = []
    read = files.load_environment

    def counted(path: Path, *others: Any) -> Any:
        reads.append(path.name)
        return read(path, *others)

    monkeypatch.setattr(files, "load_environment", counted)
    session = StackSession(str(stack), [])
    assert [session.settings().control_plane.controllermgr.credentials_revision for _ in range(5)] == [0] * 5
    assert len(reads) == 1
    session.edit([next_revision(session.settings())])
    assert [session.settings().control_plane.controllermgr.credentials_revision for _ in range(5)] == [1] * 5
    assert len(reads) == 2
    session.edit([])
    assert len(reads) == 2
