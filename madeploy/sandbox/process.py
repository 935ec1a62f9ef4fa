"""Processes that outlive the command that started them and are never mistaken for others.

A process is known by its id and its start mark; one whose mark differs is somebody else's and is left
alone. Each also carries `MADEPLOY_SANDBOX_PROCESS=<state directory>|<component>` in its environment, by
which a later command finds on Linux what a killed command had started but not yet written down.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

LABEL = "MADEPLOY_SANDBOX_PROCESS"
TERM_SECONDS = 5.0
"""How long a process may take to end on SIGTERM before it is killed."""
KILL_SECONDS = 5.0
LOG_KEEP_BYTES = 1_000_000
"""A log longer than four times this is cut to its last part when its component starts."""
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_children: list[subprocess.Popen[bytes]] = []
"""Kept so that Python neither complains about processes meant to outlive it nor leaves zombies of those
that ended."""


def start_mark(pid: int) -> str | None:
    """What tells this process from any other of the same id; None when it has ended (a zombie has ended).

    On Linux boot id and start time in clock ticks; elsewhere the start time `ps` gives, in seconds.
    """
    if sys.platform == "linux":
        try:
            # The command name in parentheses may hold spaces and parentheses itself.
            fields = (
                Path(f"/proc/{pid}/stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{_boot_id()}/{fields[19]}"
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    status, _, started = answer.partition(" ")
    return None if not status or status.startswith("Z") else started.strip()


@lru_cache(maxsize=1)
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def is_alive(pid: int, mark: str) -> bool:
    """Whether the process that was given this mark still runs."""
    return start_mark(pid) == mark


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C, SIGTERM and SIGHUP off until the block is over.

    An interrupt between the start of a process and the note of it would leave one that nobody knows.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread only
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _INTERRUPTS}
    for number in _INTERRUPTS:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for arrived in came:
            signal.raise_signal(arrived)


def spawn(
    component: str,
    argv: Sequence[str],
    state: Path,
    log: Path,
    environment: Mapping[str, str],
    working_directory: Path | None = None,
    parent_death_signal: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Start a component in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Args:
        component: its name, `control-plane/etcd`.
        argv: program (absolute path) and arguments.
        state: the sandbox's state directory.
        log: file its output is appended to.
        environment: its whole environment.
        working_directory: where it runs; the state directory when None.
        parent_death_signal: what it gets when the thread that calls this ends. Linux only: elsewhere it
            lives on, and the next command finds it.

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
        output.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} starting {component}\n".encode())
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=working_directory or state,
            env={**environment, LABEL: f"{state}|{component}"},
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


def labelled(state: Path) -> dict[int, str]:
    """Processes of this sandbox by their label: process id to component name. Empty without /proc."""
    found: dict[int, str] = {}
    prefix = f"{LABEL}={state}|".encode()
    proc = Path("/proc")
    if not proc.is_dir():
        return found
    for entry in proc.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or another user's
            continue
        for variable in environment:
            if variable.startswith(prefix) and start_mark(int(entry.name)) is not None:
                found[int(entry.name)] = variable[len(prefix) :].decode("utf-8", "replace")
    return found


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
    """The end of a log, for an error message."""
    try:
        with open(log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(line[:300] for line in lines[-count:])
