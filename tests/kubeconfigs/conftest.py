"""A stack file with one cluster, its secrets, and `madeploy clusters` run on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from madeploy.cli.app import main
from madeploy.cli.clusters import add as add_module
from madeploy.clusters import onboarding, sources
from madeploy.findings import Finding
from madeploy.stackfile.edit import remove, set_value
from tests.kubeconfigs.documents import STACK, Command, document, good


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A stack file with one cluster, and comments in every place."""
    path = tmp_path / "Pulumi.lab.yaml"
    path.write_text(STACK)
    return path


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, stack: Path) -> dict[str, str]:
    """The stack's kubeconfigs, in place of what the Pulumi CLI would encrypt and decrypt."""
    held = {"control-plane": json.dumps(document({"server": "https://control.example.com"}))}

    def store(_: str, path: tuple[str, ...], value: str) -> None:
        held[path[1]] = value
        stack.write_text(set_value(stack.read_text(), path, {"secure": "v1:stored"}))

    def take_back(_: str, path: tuple[str, ...]) -> None:
        del held[path[1]]
        stack.write_text(remove(stack.read_text(), path))

    for module in (onboarding, sources):
        monkeypatch.setattr(module, "secret_section", lambda *_: dict(held))
    monkeypatch.setattr(onboarding, "set_secret", store)
    monkeypatch.setattr(onboarding, "remove_secret", take_back)
    return held


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Prerequisites the new cluster lacks; none unless a test adds some."""
    found: list[Finding] = []
    monkeypatch.setattr(add_module, "prerequisites_of", lambda *_: found)
    return found


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: Path, lacking: list[Finding]
) -> Command:
    """Run `madeploy clusters …` on that stack: exit code, output, errors."""

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["madeploy", "clusters", *arguments, "--stack", str(stack)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return command


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """A good kubeconfig in a file. It is judged by the present, so its authority has no early end."""
    path = tmp_path / "east.yaml"
    path.write_bytes(good())
    return str(path)
