"""Makes the environment `.venv` of a checkout, for the launcher: by the standard library alone.

What is installed is `requirements-dev.txt`, checksums included.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

_UNWANTED: Final = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"} | {
    f"PIP_{option}" for option in ("USER", "TARGET", "PREFIX", "ROOT", "PYTHON", "REQUIRE_VIRTUALENV")
}
"""What would redirect an installation, or another Python's imports."""

PATH_FILE: Final = """{root}
import os, sys; os.environ.get("PYTHONDONTWRITEBYTECODE") and sys.dont_write_bytecode and (setattr(sys, \
"pycache_prefix", sys.pycache_prefix or os.path.join(sys.prefix, "pycache")), \
setattr(sys, "dont_write_bytecode", False))
"""
"""Read by Python at each start. Containers tell it not to write bytecode, which is then compiled anew in each
of our processes: it gets a cache folder in the environment instead, and the checkout stays as it is."""

_COMMAND_FILE: Final = """#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys

from madeploy.__main__ import main

sys.exit(main())
"""
"""Read by the shell first: the kernel's limit on the length of a `#!` line is shorter than some paths."""

_DISK_FULL: Final = r"no space left on device|disk quota exceeded"
_TAMPERED: Final = r"DO NOT MATCH THE HASHES|hash mismatch"
_FIXES: Final = (
    (_DISK_FULL, "free about 2 GB on the disk of {root} and run the same command again"),
    (r"^\[Errno", "make {root} writable for you (or use a checkout that is) and run the same command again"),
    (
        _TAMPERED,
        "do not work around it: a downloaded package is not what requirements-dev.txt says it must be. Look "
        "at the package index in use (pip and uv settings) and at what stands between it and this machine",
    ),
    (
        r"ensurepip is not available|No module named '?(venv|ensurepip)|ensurepip is disabled",
        "install your system's venv package (Debian, Ubuntu: apt install python3-venv) or uv "
        "(https://docs.astral.sh/uv/), and run the same command again",
    ),
    (
        r"resol(ve|ution)|connect|timed out|unreachable|error sending request|dns|certificate|proxy|"
        r"failed to fetch|No matching distribution",
        "check that this machine reaches its Python package index (HTTPS_PROXY, SSL_CERT_FILE, PIP_INDEX_URL "
        "or UV_DEFAULT_INDEX where there is a company proxy or mirror) and run the same command again",
    ),
    ("", "remove the cause the log names and run the same command again"),
)
"""What the log says of a failed step, and what to do about it; the first that matches counts."""

_SHOWN_LINES: Final = 12
_HEARTBEAT_SECONDS: Final = 15


class StepError(Exception):
    """A step ended with an error. Arguments: what could not be done, and the end of the log."""


def make(root: Path, is_current: Callable[[], bool], stamp: Callable[[], str]) -> None:
    """Make a checkout's environment, or bring it up to date if it was complete for another lock file.

    `stamp` says what a finished one was made of, `is_current` whether there is one. Ends the process with 3
    and what to do where that is not possible.
    """
    making = _Making(root)
    try:
        with making.locked():
            # Whoever held the lock may just have made it.
            if not is_current():
                making.make(stamp)
    except StepError as error:
        _explain(root, *error.args)
    except OSError as error:
        _explain(root, f"make the environment {making.environment}", str(error))
    except KeyboardInterrupt:
        _say("interrupted; the next run makes the environment anew")
        sys.exit(130)


@dataclass
class _Making:
    root: Path
    lock: int = -1
    """Descriptor of the lock file. Steps inherit it: should this process be killed, no other starts before
    the step has ended."""

    def __post_init__(self) -> None:
        self.environment = self.root / ".venv"
        self.python = self.environment / "bin" / "python"
        self.packages = self.root / "requirements-dev.txt"
        self.stamp_file = self.environment / "madeploy-stamp"
        self.state = self.root / ".madeploy" / "launcher"
        self.incomplete = self.state / "incomplete"
        self.log = self.state / "log"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other launchers of this checkout out; wait for one that is at work."""
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("another madeploy is making the environment; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            self.lock = file.fileno()
            yield

    def make(self, stamp: Callable[[], str]) -> None:
        began = time.monotonic()
        is_recent = asked(self.python, "import sys; print(sys.version_info >= (3, 10))") == "True"
        is_ours = self.made_for() in (None, str(self.root))
        keep = is_recent and is_ours and not self.incomplete.exists()
        _say(f"{'updating' if keep else 'making'} the environment {self.environment}")
        self.log.write_text("", encoding="utf-8")
        uv = shutil.which("uv")
        if uv and not asked(uv, "--version"):
            uv = None  # a version manager's shim, with no uv behind it
        if keep:
            self.incomplete.touch()
        else:
            target = self.emptied()
            by_uv = [uv or "", "venv", "--python", sys.executable]
            maker = by_uv if uv else [sys.executable, "-m", "venv", "--without-pip"]
            self.run("create the environment", "creating it", [*maker, target])
        self.install(uv)
        self.add_project()
        temporary = self.stamp_file.with_name("madeploy-stamp.new")
        temporary.write_text(stamp(), encoding="utf-8")
        os.replace(temporary, self.stamp_file)
        self.incomplete.unlink()
        _say(f"the environment is ready ({time.monotonic() - began:.0f} s)")

    def made_for(self) -> str | None:
        """The checkout a finished environment was made for, whose scripts hold its path."""
        with contextlib.suppress(OSError):
            text = self.stamp_file.read_text(encoding="utf-8")
            if match := re.search(r"^checkout (.*)$", text, re.MULTILINE):
                return match[1]
        return None

    def emptied(self) -> str:
        """Make `.venv` an empty directory and return its path; a link stays, and its target is what is
        emptied (Python makes no environment at a link). Ends with an error if that is not ours."""
        target, other = Path(os.path.realpath(self.environment)), self.made_for()
        if self.environment.is_symlink() and target.exists():
            holds = ""
            if other not in (None, str(self.root)) and Path(other or "", "bin", "madeploy").exists():
                holds = f"the environment of the checkout {other}"
            elif not target.is_dir() or (any(target.iterdir()) and not (target / "pyvenv.cfg").exists()):
                holds = "something else than an environment"
            if holds:
                _fail(
                    "could not make the environment of this checkout",
                    f"{self.environment} is a link to {target}, which is {holds}",
                    "remove the link or point it at an empty directory, and run the same command again",
                )
        # Before anything is removed: until it is complete again, it does not count.
        self.incomplete.touch()
        if target.exists():
            shutil.rmtree(target)
        target.mkdir(parents=True)
        return str(target)

    def install(self, uv: str | None) -> None:
        """Install the lock file's packages: by uv, by one that pip installs first, or by pip (minutes)."""
        task = "install the packages"
        if uv is None:
            text = self.packages.read_text(encoding="utf-8")
            match = re.search(r"^uv==.*(?:\n[ \t]+.*)*", text, re.MULTILINE)
            wanted = self.state / "uv.txt"
            wanted.write_text(f"{match[0]}\n" if match else "", encoding="utf-8")
            with contextlib.suppress(StepError):
                self.pip(task, "installing uv", wanted)
                uv = str(self.environment / "bin" / "uv")
        sync = ("pip", "sync", "--require-hashes", "--python", str(self.python), str(self.packages))
        try:
            if uv is not None:
                return self.run(task, "installing packages", [uv, *sync])
        except StepError:
            # uv knows nothing of pip's settings: a mirror or a certificate may be configured for pip only.
            _say("uv could not install the packages; trying pip, which takes some minutes")
        self.pip(task, "installing packages with pip (some minutes)", self.packages)

    def pip(self, task: str, what: str, requirements: Path) -> None:
        """Install `requirements` by pip, which Python brings along."""
        python = str(self.python)
        if not asked(python, "import pip; print(pip)"):
            self.run(task, "adding pip", [python, "-m", "ensurepip"])
        quiet = ["--no-input", "--no-compile", "--disable-pip-version-check"]
        exact = ["--no-deps", "--require-hashes", "-r", str(requirements)]
        self.run(task, what, [python, "-m", "pip", "install", *quiet, *exact])

    def add_project(self) -> None:
        """Make the project importable and its command available, as an editable installation would; that
        needs a build backend, this does not. Then compile what its commands import."""
        packages = asked(self.python, "import sysconfig; print(sysconfig.get_path('purelib'))")
        Path(packages, "madeploy.pth").write_text(PATH_FILE.format(root=self.root), encoding="utf-8")
        command = self.environment / "bin" / "madeploy"
        command.write_text(_COMMAND_FILE.format(python=shlex.quote(str(self.python))), encoding="utf-8")
        command.chmod(0o755)
        self.run("compile the project", "compiling it", [str(self.python), "-m", "madeploy.bytecode"])

    def run(self, task: str, what: str, argv: Sequence[str]) -> None:
        """Run one step of `task` with its output in the log, saying now and then that it is still at it."""
        began = time.monotonic()
        _say(what)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(argv)}\n")
            log.flush()
            process = subprocess.Popen(
                argv,
                cwd=self.root,
                env=clean(),
                pass_fds=(self.lock,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while not has_ended(process):
                    _say(f"still {what}, {time.monotonic() - began:.0f} s")
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode == 0:
            return
        # pip names every package that another Python would need.
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        lines = [line for line in text.splitlines() if not line.startswith("Ignoring ")]
        why = "\n".join([f"the end of {self.log}:", *lines[-_SHOWN_LINES:]])
        if re.search(f"{_DISK_FULL}|{_TAMPERED}", why, re.IGNORECASE):
            # Another way to install would meet the same.
            _explain(self.root, task, why)
        raise StepError(task, why)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a step has ended, asked for as long as people like to wait for a sign of life."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_HEARTBEAT_SECONDS)
    return process.returncode is not None


def asked(program: str | Path, question: str) -> str:
    """What a program answers: an interpreter to code, another to an option. Empty if it does not run."""
    argv = [str(program), *([] if question.startswith("-") else ["-c"]), question]
    try:
        output = subprocess.check_output(argv, env=clean(), stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return output.decode(errors="replace").strip()


def clean() -> dict[str, str]:
    """The user's environment without what would redirect an installation or another Python's imports."""
    return {name: value for name, value in os.environ.items() if name not in _UNWANTED}


def _say(text: str) -> None:
    print(f"madeploy: {text}", file=sys.stderr, flush=True)  # noqa: T201


def _fail(what: str, why: str, fix: str) -> NoReturn:
    reason = why.replace("\n", "\n       ")
    print(f"{what}\n  why: {reason}\n  fix: {fix}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(3)


def _explain(root: Path, task: str, why: str) -> NoReturn:
    """End with what happened and what to do about it."""
    fix = next(fix for pattern, fix in _FIXES if re.search(pattern, why, re.IGNORECASE))
    _fail(f"could not {task}", why, fix.format(root=root))
