"""Processes that are never mistaken for others: known by their id and a start mark. One whose mark differs
is somebody else's and is left alone."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import psutil

TERM_SECONDS = 5.0
"""How long a process may take to end on SIGTERM before it is killed."""
KILL_SECONDS = 5.0
LOG_KEEP_BYTES = 1_000_000
"""A log longer than four times this is cut to its last part when its program starts again."""
CRASH = "panic: "
"""How a program in Go begins to say that it failed by itself; a trace of many lines follows."""
_PR_SET_PDEATHSIG = 1
_children: list[subprocess.Popen[bytes]] = []
"""Kept so that Python neither complains about processes meant to outlive it nor leaves zombies of those
that ended."""


def start_mark(pid: int) -> str | None:
    """What tells this process from any other of the same id; None when it has ended (a zombie has ended).

    On Linux boot id and start time in clock ticks, since the time of day a process started at, which is all
    psutil says, changes when the clock is set. Elsewhere that time.
    """
    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return f"{_boot_id()}/{_start_ticks(pid)}" if sys.platform == "linux" else str(process.create_time())
    return None


def marked(pids: Iterable[int]) -> list[tuple[int, str]]:
    """Processes with their start marks, those that have ended left out."""
    return [(pid, mark) for pid in pids if (mark := start_mark(pid)) is not None]


def started_at(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None when it has ended."""
    with suppress(psutil.Error):
        return float(psutil.Process(pid).create_time())
    return None


def parent(pid: int) -> int | None:
    """Id of a process's parent; None when it has ended."""
    with suppress(psutil.Error):
        return int(psutil.Process(pid).ppid())
    return None


def arguments(pid: int) -> list[str]:
    """A process's command line; empty when it has ended, or is another user's."""
    with suppress(psutil.Error):
        return list(psutil.Process(pid).cmdline())
    return []


def directory(pid: int) -> Path | None:
    """A process's working directory; None when it has ended, or is another user's."""
    with suppress(psutil.Error):
        return Path(psutil.Process(pid).cwd())
    return None


def variable(pid: int, name: str) -> str | None:
    """An environment variable a process was started with; None when it has none or cannot be looked at."""
    with suppress(psutil.Error):
        return psutil.Process(pid).environ().get(name)
    return None


def own() -> list[int]:
    """Ids of this user's processes, this one left out."""
    me, found = os.getuid(), []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.uids().real == me:
                found.append(process.pid)
    return sorted(found)


def _start_ticks(pid: int) -> str:
    # Field 22 of proc(5); the command name in parentheses may hold spaces and parentheses itself.
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()[19]


@lru_cache(maxsize=1)
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def is_alive(pid: int, mark: str) -> bool:
    """Whether the process that was given this mark still runs."""
    return start_mark(pid) == mark


def spawn(
    title: str,
    argv: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    where: Path,
    parent_death_signal: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Args:
        title: what the log calls it.
        argv: program (absolute path) and arguments.
        log: file its output is appended to.
        environment: its whole environment.
        where: its working directory.
        parent_death_signal: what it gets when the thread that calls this ends. Linux only.

    Raises:
        OSError: the program cannot be started.
    """
    _shorten(log)
    global _children
    _children = [child for child in _children if child.poll() is None]
    before = None
    if parent_death_signal is not None and sys.platform == "linux":
        before = _die_with_parent(os.getpid(), parent_death_signal)
    with open(log, "ab", buffering=0) as output:
        output.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} starting {title}\n".encode())
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=where,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=before,
        )
    _children.append(child)
    return child


def _die_with_parent(parent: int, number: signal.Signals) -> Callable[[], None]:
    # Loaded here: between fork and exec nothing may be imported or allocated that another thread could hold.
    prctl = ctypes.CDLL(None).prctl

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # the parent died before the request was made
            os._exit(1)

    return ask_kernel


def stop(processes: Iterable[tuple[int, str]], term_seconds: float = TERM_SECONDS) -> list[int]:
    """End processes given by id and mark, all at once: SIGTERM, and SIGKILL for those that take too long.

    Returns:
        Ids of those that still run (another user's, or stuck in the kernel).
    """
    pending = [(pid, mark) for pid, mark in processes if is_alive(pid, mark)]
    for number, seconds in ((signal.SIGTERM, term_seconds), (signal.SIGKILL, KILL_SECONDS)):
        for pid, mark in pending:
            if is_alive(pid, mark):
                try:
                    os.kill(pid, number)
                except (ProcessLookupError, PermissionError):
                    continue
        deadline = time.monotonic() + seconds
        while pending and time.monotonic() < deadline:
            pending = [(pid, mark) for pid, mark in pending if is_alive(pid, mark)]
            if pending:
                time.sleep(0.02)
        if not pending:
            break
    return [pid for pid, _ in pending]


def _shorten(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        if log.stat().st_size <= 4 * LOG_KEEP_BYTES:
            return
    except FileNotFoundError:
        return
    with open(log, "rb") as file:
        file.seek(-LOG_KEEP_BYTES, os.SEEK_END)
        file.readline()
        kept = file.read()
    log.write_bytes(b"--- older lines were cut\n" + kept)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for an error message; of a program that crashed, what it began its trace with."""
    try:
        with open(log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 65_536))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        if CRASH in line:
            return line[line.index(CRASH) :][:300]
    return "\n".join(line[:300] for line in lines[-count:])
