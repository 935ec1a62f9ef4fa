"""A machine of the tests' own: its PATH and its cache are empty, and its Go toolchain is a script."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from madeploy.sandbox.tools import FAMILIES, TOOLS, releases
from madeploy.sandbox.tools.edits import Registration, Substitution
from madeploy.sandbox.tools.transfer import Transfer
from tests.sandbox_tools.downloads import LINUX
from tests.sandbox_tools.mirror import Mirror, serving

FAKE_GO = """#!{python} -IS
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent
with (here / "go.calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "env":
    print(os.environ.get("FAKE_GO_VERSION", "go1.26.8"))
    print(os.environ.get("GOTOOLCHAIN", "auto"))
elif sys.argv[1:3] == ["mod", "edit"]:
    pass
elif sys.argv[1] == "mod":
    print(json.dumps({{"Dir": str(here / "module")}}))
else:
    (here / "go.environment").write_text("\\n".join(f"{{k}}={{v}}" for k, v in os.environ.items()))
    print("\\n".join("some/package" for _ in range(int(os.environ.get("FAKE_GO_PACKAGES", "1")))), flush=True)
    time.sleep(float(os.environ.get("FAKE_GO_SECONDS", "0")))
    if "FAKE_GO_ERROR" in os.environ and os.environ.get("FAKE_GO_FAILS_AT", "") in " ".join(sys.argv):
        print(os.environ["FAKE_GO_ERROR"])
        sys.exit(1)
    versions = {versions!r}
    target = sys.argv[sys.argv.index("-o") + 1]
    packages = [a for a in sys.argv[sys.argv.index("-o") + 2:]]
    for package in packages:
        program = pathlib.Path(target)
        if target.endswith("/"):
            program /= package.split("/")[-1]
        program.write_text(f"#!/bin/sh\\necho v{{versions[program.name]}}\\n")
        program.chmod(0o755)
"""


def registering(edit: Registration) -> str:
    """A file in which `edit` finds what it looks for."""
    return "".join(f'\t"{edit.prefix}{package}"\n' for package in edit.packages)


def put_text(path: Path, text: str, appending: bool = False) -> None:
    """Write `text` to `path`; `appending`: after what is there, unless that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if appending and path.exists() else ""
    path.write_text(before if text in before else before + text, encoding="utf-8")


@dataclass
class Machine:
    """What the tools are looked for on."""

    bin: Path
    cache: Path

    def put(self, name: str, says: str, directory: Path | None = None) -> Path:
        """A program that prints `says`, whatever it is asked."""
        path = (directory or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def put_go(self, versions: Mapping[str, str] | None = None) -> None:
        """A go command that "builds" programs saying `versions` (the catalog's, if left out)."""
        built = {name: tool.version for name, tool in TOOLS.items()} | dict(versions or {})
        go = self.bin / "go"
        go.write_text(FAKE_GO.format(python=sys.executable, versions=built), encoding="utf-8")
        go.chmod(0o755)
        module = self.bin / "module"
        for family in FAMILIES.values():
            for file in (*family.scripts, *family.embedded):
                put_text(module / file.path, "#!/bin/sh\n")
            for edit in (edit for edited in family.edited for edit in edited.edits):
                text = edit.old if isinstance(edit, Substitution) else registering(edit)
                put_text(module / edit.file, f"{text}\n", appending=isinstance(edit, Substitution))

    def go_calls(self, verb: str) -> list[str]:
        """The lines with which go was called for `verb`."""
        calls = self.bin / "go.calls"
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        return [line for line in lines if line.split()[0] == verb]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with nothing on it, and no downloads."""
    machine = Machine(tmp_path / "bin", tmp_path / "cache")
    machine.bin.mkdir()
    # The fakes are shell scripts, but /bin itself may hold a real kubectl.
    tools = tmp_path / "system"
    tools.mkdir()
    (tools / "cat").symlink_to("/bin/cat")
    monkeypatch.setenv("PATH", f"{machine.bin}:{tools}")
    monkeypatch.setenv("MADEPLOY_CACHE", str(machine.cache))
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", "off")
    for name in ("GOTOOLCHAIN", "GOFLAGS"):
        monkeypatch.delenv(name, raising=False)
    return machine


@pytest.fixture
def mirror(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror with every release for Linux, and a machine that downloads from it.

    Its patience is a user's: a server in a busy process is slow, and must not count as silent.
    """
    monkeypatch.setattr("madeploy.sandbox.tools.resolve.Transfer", partial(Transfer, pause_seconds=0.05))
    monkeypatch.setattr(releases, "this_platform", lambda: LINUX)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(Mirror()) as mirror:
        mirror.publish_all(LINUX)
        monkeypatch.setenv("MADEPLOY_DOWNLOADS", mirror.address)
        yield mirror


@pytest.fixture
def impatient(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that takes a mirror's short silence for a long one: for tests in which it is silent."""
    quick = partial(Transfer, probe_seconds=0.3, silence_seconds=0.4, pause_seconds=0.05)
    monkeypatch.setattr("madeploy.sandbox.tools.resolve.Transfer", quick)
