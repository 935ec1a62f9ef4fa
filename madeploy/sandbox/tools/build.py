"""Building one family of tools with the Go toolchain from its pinned `go.mod` and `go.sum`.

`-mod=readonly` makes `go.sum` decide what is built: a module whose content differs is refused. `-trimpath`
and the absence of C keep the result independent of the machine it is built on.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from madeploy.progress import Phase, duration
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.tools import cache
from madeploy.sandbox.tools.cancel import Cancel
from madeploy.sandbox.tools.catalog import TOOLS, Family
from madeploy.sandbox.tools.diagnosis import explain, last_lines
from madeploy.sandbox.tools.edits import EditedModule, EditError
from madeploy.sandbox.tools.found import version_of

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 5.0
_TELLING = 20
"""Packages after which the pace says something of the rest."""
_ROOMY = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
"""How the compiler uses memory, unless the user says otherwise: GOMEMLIMIT is for each process, and only
makes it collect more often again."""
# A directive without toolchain switching: before 1.21 the go command does not know how to fetch a newer Go.
_SWITCHES_TOOLCHAIN = (1, 21)


def arguments(family: Family) -> list[str]:
    """Arguments of `go build` but for the output and the packages: part of what names a cache entry."""
    linker = ["-s", "-w", *(f"-X {stamp}" for stamp in family.stamps)]
    return ["build", "-v", "-mod=readonly", "-trimpath", f"-ldflags={' '.join(linker)}"]


def require_go(families: Sequence[Family]) -> str:
    """Path of a Go toolchain that can build `families`.

    Raises:
        SandboxError: there is none on PATH, or it is too old and may not fetch a newer one itself.
    """
    wanted = ", ".join(name for family in families for name in family.packages)
    needed = max(_go_directive(family) for family in families)
    fix = (
        f"install Go {_dotted(needed)} or later (https://go.dev/doc/install, or your package manager) so "
        "that `go version` works in this shell, then run the same command again; or put acceptable versions "
        "of these tools on PATH (`madeploy tools --json` says which are)"
    )
    go = shutil.which("go")
    if go is None:
        raise SandboxError(f"cannot build {wanted}", "there is no Go toolchain on PATH", fix)
    try:
        ran = subprocess.run(
            [go, "env", "GOVERSION", "GOTOOLCHAIN"],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(),
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"cannot build {wanted}", f"{go} does not run: {error}", fix) from None
    version, _, switching = ran.stdout.strip().partition("\n")
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    if ran.returncode != 0 or not match:
        raise SandboxError(
            f"cannot build {wanted}",
            f"`{go} env` failed:\n{(ran.stderr or ran.stdout).strip()[-600:]}",
            fix,
        )
    have = tuple(int(part or 0) for part in match.groups())
    if have < needed and (switching == "local" or have[:2] < _SWITCHES_TOOLCHAIN):
        raise SandboxError(
            f"cannot build {wanted}",
            f"{go} is {_dotted(have)}, and {_dotted(needed)} or later is needed"
            + (" (GOTOOLCHAIN=local keeps it from fetching one)" if switching == "local" else ""),
            fix,
        )
    return go


def environment() -> dict[str, str]:
    """The environment for the go command: the user's, without what would change the result.

    Where modules come from (GOPROXY and the like) and where Go keeps its caches stay the user's choice;
    whatever they choose, `go.sum` vouches for the content.
    """
    result = {
        name: value
        for name, value in os.environ.items()
        if name
        not in {"GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOBIN", "GOEXPERIMENT", "GO111MODULE", "GOFIPS140"}
    }
    # The compiler spends a quarter of its time collecting garbage; with more room it does so seldom. What it
    # makes is the same.
    result = _ROOMY | result
    # Setting GOFLAGS keeps the one of `go env -w` away too; GOWORK keeps a workspace above us away.
    return result | {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}


def build(go: str, family: Family, where: Path, phase: Phase, cancel: Cancel) -> cache.Entry:
    """Build `family` into the cache entry `where`, unless another process has done so in the meantime.

    Raises:
        SandboxError: with the cause, the end of the log and its path.
        Cancelled: `cancel` was set.
    """
    waiting = lambda: phase.note("another madeploy is building it; waiting")  # noqa: E731
    try:
        with cache.lock(family, waiting, cancel) as lock:
            entry = cache.load(where, family)
            if entry is None:
                entry = _build(go, family, where, phase, cancel, lock)
            return entry
    except OSError as error:
        raise cache.unusable(error) from None


def _build(go: str, family: Family, where: Path, phase: Phase, cancel: Cancel, lock: int) -> cache.Entry:
    began = time.monotonic()
    log = cache.log_file(family)
    with cache.work_directory(family) as work, log.open("w", encoding="utf-8") as output:
        source, programs, temporary = work / "source", work / "bin", work / "tmp"
        for path in family.sources:
            copy = source / path.relative_to(family.directory)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        programs.mkdir()
        temporary.mkdir()

        def run(arguments: Sequence[str], stdout: IO[str] = output) -> None:
            output.write(f"$ go {' '.join(arguments)}\n")
            output.flush()
            # In a session of its own, so that Ctrl-C reaches this program first and it can end the whole
            # group.
            process = subprocess.Popen(
                [go, *arguments],
                cwd=source,
                env=environment() | {"GOTMPDIR": str(temporary)},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,
            )
            started = time.monotonic()
            try:
                while not _is_over(process):
                    cancel.check()
                    phase.note(_standing(log, family.compiled, time.monotonic() - started))
            finally:
                _end(process)
            if process.returncode != 0:
                raise explain(family, log, process.returncode)

        for file in family.embedded:
            shutil.copyfile(_fetched(file.module, run, temporary) / file.path, source / file.name)
        for number, module in enumerate(family.edited):
            _edit(module, _fetched(module.module, run, temporary), source / f"edited-{number}", log)
            run(["mod", "edit", f"-replace={module.module}=./edited-{number}"])
        # One package may get any file name; several are named by the last part of their path.
        target = (
            programs / next(iter(family.packages)) if len(family.packages) == 1 else f"{programs}{os.sep}"
        )
        run([*arguments(family), "-o", str(target), *family.packages.values()])
        for script in family.scripts:
            shutil.copyfile(_fetched(script.module, run, temporary) / script.path, programs / script.name)
            (programs / script.name).chmod(0o755)
        _verify(family, programs, log)
        shutil.rmtree(source)
        shutil.rmtree(temporary)
        seconds = time.monotonic() - began
        cache.publish(work, where, seconds)
    entry = cache.load(where, family)
    if entry is None:
        raise SandboxError(
            f"the tools just built in {where} are gone or incomplete",
            "something else writes to the cache",
            "find out what it is, or set MADEPLOY_CACHE to another directory; then run this again",
        )
    return entry


def _fetched(module: str, run: Callable[[Sequence[str], IO[str]], None], temporary: Path) -> Path:
    """Where `module` is in the module cache, into which it is fetched if need be."""
    with (temporary / "module.json").open("w+", encoding="utf-8") as answer:
        run(["mod", "download", "-json", module], answer)
        answer.seek(0)
        return Path(json.load(answer)["Dir"])


def _edit(module: EditedModule, source: Path, target: Path, log: Path) -> None:
    try:
        module.copy(source, target)
    except EditError as error:
        raise SandboxError(
            f"{module.module} is not as the toolkit's changes to it expect",
            f"{error}; the log is {log}",
            "this is a defect of this version of madeploy: report it with the log",
        ) from None


def _verify(family: Family, programs: Path, log: Path) -> None:
    """A tool that does not say the version it was built for would fail later, and less clearly."""
    for name in family.packages:
        tool = TOOLS[name]
        version = version_of(programs / name, tool)
        if tool.version_arguments is not None and version != tool.version:
            raise SandboxError(
                f"{name} was built, but does not run as it should",
                f"it says version {version or '(none)'}, and {tool.version} was built; the end of {log}:\n"
                f"{last_lines(log)}",
                "report this with the log; an acceptable copy on PATH will do meanwhile (`madeploy tools`)",
            )


def _standing(log: Path, packages: int, seconds: float) -> str:
    """Where a build of up to `packages` packages stands after `seconds`, from its log.

    `go build -v` prints a line for each package it compiles, and none for those that Go's cache holds: so it
    may be over before the last.
    """
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if not line.startswith("$ ")]
    if not lines:
        return "looking for modules"
    if lines[-1].startswith("go: downloading"):
        return f"{sum(line.startswith('go: downloading') for line in lines)} modules fetched"
    compiled = sum(not line.startswith("go: ") for line in lines)
    standing = f"{compiled} of at most {packages} packages compiled"
    if compiled < _TELLING:
        return standing
    if (left := seconds / compiled * (packages - compiled)) < 1:
        return f"{standing}, linking"
    return f"{standing}, at most about {duration(left)} left"


def _is_over(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended; waits a moment for it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_POLL_SECONDS)
    return process.poll() is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the go command and its compilers if they still run."""
    if process.poll() is not None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            return


def _go_directive(family: Family) -> tuple[int, ...]:
    text = (family.directory / "go.mod").read_text(encoding="utf-8")
    match = re.search(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", text, re.MULTILINE)
    assert match, f"{family.directory}/go.mod has no go line"
    return tuple(int(part or 0) for part in match.groups())


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
