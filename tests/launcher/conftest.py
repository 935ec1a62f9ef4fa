"""A checkout with the launcher in it, and an interpreter and a uv that are scripts and only pretend."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

LAUNCHER = Path(__file__).resolve().parents[2] / "bin" / "madeploy"

LOCKED_UV = "uv==0.13.8 \\\n    --hash=sha256:cc \\\n    --hash=sha256:dd\n"

# What the launcher asks of an interpreter: its version, to make an environment, pip, and to compile. The
# environment's own interpreter is a link to the same script.
FAKE_PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
here="$(dirname "$0")"
case "$*" in
*"import pip"*) [ -e "$here/pip" ] && echo there ;;
*sysconfig*) mkdir -p "$here/../lib/site-packages"; cd "$here/../lib/site-packages"; pwd ;;
*version_info*) echo "${FAKE_IS_RECENT:-True}" ;;
"-m venv "*) for last; do :; done; mkdir -p "$last/bin"; : >"$last/pyvenv.cfg"
    ln -s "$FAKES/python" "$last/bin/python" ;;
"-m ensurepip"*)
    [ -n "$FAKE_ENSUREPIP_ERROR" ] && { echo "$FAKE_ENSUREPIP_ERROR"; exit 1; }
    : >"$here/pip" ;;
*"pip install"*uv.txt)
    for last; do :; done; cp "$last" "$FAKES/requirement"
    [ -n "$FAKE_UV_INSTALL_ERROR" ] && { echo "$FAKE_UV_INSTALL_ERROR"; exit 1; }
    cp "$FAKES/uv" "$here/uv" ;;
*"pip install"*)
    [ -n "$FAKE_PIP_ERROR" ] && { echo "$FAKE_PIP_ERROR"; exit 1; } ;;
esac
exit 0
"""

FAKE_UV = """#!/bin/sh
echo "uv $*" >>"$CALLS"
case "$*" in
--version) echo uv 0.13.8 ;;
"venv "*) for last; do :; done; mkdir -p "$last/bin"; : >"$last/pyvenv.cfg"
    ln -s "$FAKES/python" "$last/bin/python" ;;
"pip sync "*)
    sleep "${FAKE_UV_SECONDS:-0}"
    [ -n "$FAKE_UV_ERROR" ] && { echo "$FAKE_UV_ERROR"; exit 1; } ;;
esac
exit 0
"""


class HandedOver(Exception):  # noqa: N818
    """The launcher became another program."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        self.argv = argv


@dataclass
class Checkout:
    """A checkout that holds the launcher and a lock file."""

    root: Path
    path: Path
    fakes: Path

    @property
    def environment(self) -> Path:
        return self.root / ".venv"

    @property
    def stamp(self) -> Path:
        return self.environment / "madeploy-stamp"

    @property
    def incomplete(self) -> Path:
        return self.root / ".madeploy" / "launcher" / "incomplete"

    def put_uv(self) -> None:
        """Put uv on PATH."""
        shutil.copy(self.fakes / "uv", self.path / "uv")

    def calls(self, containing: str) -> list[str]:
        """What was called so far: lines such as `uv pip sync …`."""
        calls = self.fakes / "calls"
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        return [line for line in lines if containing in line]

    def load(self) -> ModuleType:
        """The launcher of this checkout as a module."""
        loader = importlib.machinery.SourceFileLoader("launcher", str(self.root / "bin" / "madeploy"))
        spec = importlib.util.spec_from_loader("launcher", loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        return module

    def launch(self, *arguments: str) -> list[str]:
        """Run the launcher; the command line it hands over to."""
        sys.argv = [str(self.root / "bin" / "madeploy"), *arguments]
        with pytest.raises(HandedOver) as handed_over:
            self.load().main()
        return handed_over.value.argv


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A fresh checkout on a machine with Python 3.12 and nothing else."""
    checkout = Checkout(tmp_path / "check out", tmp_path / "path", tmp_path / "fakes")
    for directory in (checkout.root / "bin", checkout.path, checkout.fakes):
        directory.mkdir(parents=True)
    (checkout.root / "madeploy").mkdir()
    for name in ("bin/madeploy", "madeploy/__init__.py", "madeploy/bootstrap.py"):
        shutil.copy(LAUNCHER.parents[1] / name, checkout.root / name)
    (checkout.root / "requirements-dev.txt").write_text(
        f"rich==15.0.0 \\\n    --hash=sha256:aa\n{LOCKED_UV}zict==3.0.0 \\\n    --hash=sha256:bb\n",
        encoding="utf-8",
    )
    for name, text in (("python", FAKE_PYTHON), ("uv", FAKE_UV)):
        (checkout.fakes / name).write_text(text, encoding="utf-8")
        (checkout.fakes / name).chmod(0o755)
    for program in ("cp", "dirname", "ln", "mkdir", "sleep"):
        (checkout.fakes / "system").mkdir(exist_ok=True)
        (checkout.fakes / "system" / program).symlink_to(shutil.which(program) or f"/bin/{program}")
    monkeypatch.setenv("PATH", f"{checkout.path}:{checkout.fakes / 'system'}")
    monkeypatch.setenv("FAKES", str(checkout.fakes))
    monkeypatch.setenv("CALLS", str(checkout.fakes / "calls"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr(sys, "executable", str(checkout.fakes / "python"))
    monkeypatch.setattr(sys, "argv", sys.argv)

    def execv(path: str, argv: list[str]) -> None:
        assert path == argv[0]
        raise HandedOver(argv)

    monkeypatch.setattr(os, "execv", execv)
    return checkout
