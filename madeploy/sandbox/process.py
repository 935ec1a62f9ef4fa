"""Processes of the sandbox: they outlive the command that started them, and carry
`MADEPLOY_SANDBOX_PROCESS=<state directory>|<component>` in their environment, by which a later command finds
what a killed command had started but not yet written down.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from madeploy.engine import processes
from madeploy.engine.processes import is_alive, last_lines, marked, start_mark, stop

__all__ = [
    "LABEL",
    "is_alive",
    "labelled",
    "last_lines",
    "marked",
    "spawn",
    "start_mark",
    "stop",
    "uninterrupted",
]

LABEL = "MADEPLOY_SANDBOX_PROCESS"
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    parent_death_signal: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Start a component in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Args:
        component: its name, `control-plane/etcd`.
        argv: program (absolute path) and arguments.
        state: the sandbox's state directory, where it runs.
        log: file its output is appended to.
        environment: its whole environment.
        parent_death_signal: what it gets when the thread that calls this ends. Linux only: elsewhere it
            lives on, and the next command finds it.

    Raises:
        OSError: the program cannot be started.
    """
    labelled = {**environment, LABEL: f"{state}|{component}"}
    return processes.spawn(component, argv, log, labelled, state, parent_death_signal)


def labelled(state: Path) -> dict[int, str]:
    """Processes of this sandbox by their label: process id to component name."""
    found: dict[int, str] = {}
    prefix = f"{state}|"
    for pid in processes.own():
        label = processes.variable(pid, LABEL)
        if label is not None and label.startswith(prefix) and start_mark(pid) is not None:
            found[pid] = label[len(prefix) :]
    return found
