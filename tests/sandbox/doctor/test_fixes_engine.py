"""The Pulumi CLI, plugins, backend, stack and secrets: each fault by its code, and what is printed clears it.

The CLI is real; plugins come from a server of this machine in the place of Pulumi's own.
"""

from __future__ import annotations

import contextlib
import io
import os
import platform
import shlex
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from madeploy.doctor import engine
from madeploy.doctor.checks import Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding
from tests.doctor.answers import look
from tests.support.clears import clears
from tests.support.environments import environment
from tests.support.furnished import FurnishedSite
from tests.support.http_double import Answer, http_double

pytestmark = pytest.mark.sandbox

STACK = "prod"


@pytest.fixture
def project(tool_paths: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pulumi project with the CLI at hand, a backend that has the stack, and its passphrase."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "backend").mkdir()
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "pulumi").symlink_to(tool_paths["pulumi"])
    text = "name: michelangelo\nruntime: python\nstackConfigDir: stacks\n"
    (tmp_path / "Pulumi.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "PATH": f"{tmp_path / 'path'}:/usr/bin:/bin",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "only-for-this-test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", raising=False)
    return tmp_path


def site() -> Site:
    return FurnishedSite(environment(), STACK).site


def typed(*lines: str) -> None:
    """Commands as they stand, without a person to ask."""
    for line in lines:
        done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def found(code: str, answer: Callable[[], Seen]) -> Finding:
    """The one finding there is."""
    (finding,) = look(answer).findings
    assert finding.code == code
    return finding


@clears("MA900")
def test_the_cli_is_found_once_it_is_installed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CARD-3, UX-8: where it is to be had is what the fix says."""
    whole = os.environ["PATH"]
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "pulumi.com/docs/install" in found("MA900", engine.cli).fix
    monkeypatch.setenv("PATH", whole)
    assert look(engine.cli).state == "passed"


@contextlib.contextmanager
def plugins_server() -> Iterator[str]:
    """Has every plugin that is asked for, as archives with a program in them; gives its address."""

    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        name = path.rpartition("/")[2]
        assert name.startswith("pulumi-resource-")
        assert name.endswith(f"-{platform.system().lower()}-amd64.tar.gz") or "arm64" in name
        program = b"#!/bin/sh\n"
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            entry = tarfile.TarInfo(name.partition("-v")[0])
            entry.size, entry.mode = len(program), 0o755
            archive.addfile(entry, io.BytesIO(program))
        return 200, {}, stream.getvalue()

    with http_double(answer) as address:
        yield f"http://{address}"


@pytest.mark.long
@clears("MA901")
def test_a_plugin_is_there_once_it_is_fetched(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CARD-3, UX-8: in the version that the program is made for."""
    with plugins_server() as address:
        monkeypatch.setenv("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES", f".*={address}")
        finding = found("MA901", lambda: engine.plugins(site()))
        assert version("pulumi-kubernetes") in finding.commands[0]
        typed(*finding.commands)
        assert look(lambda: engine.plugins(site())).state == "passed"


@pytest.mark.long
@clears("MA902", "MA935")
def test_a_backend_takes_the_login_and_gets_the_stack(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CARD-3, UX-8: whose state it is, is told by whoever logs in."""
    right = os.environ["PULUMI_BACKEND_URL"]
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{project / 'nowhere'}")
    finding = found("MA902", lambda: engine.backend(site()))
    monkeypatch.setenv("PULUMI_BACKEND_URL", right)
    typed(*finding.commands)
    finding = found("MA935", lambda: engine.backend(site()))
    typed(*finding.commands)
    assert look(lambda: engine.backend(site())).state == "passed"


@pytest.mark.long
@clears("MA903")
def test_secrets_are_read_once_their_passphrase_is_given(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-3, UX-3, UX-8: in a file, as the fix says."""
    typed(
        f"pulumi stack init {STACK}", f"pulumi config set --secret --stack {STACK} some:key value-of-a-test"
    )
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another")
    finding = found("MA903", lambda: engine.secrets(site()))
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in finding.fix
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    (project / "passphrase").write_text("only-for-this-test")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(project / "passphrase"))
    outcome = look(lambda: engine.secrets(site()))
    assert outcome.state == "passed", outcome.detail
    assert "value-of-a-test" not in outcome.detail
