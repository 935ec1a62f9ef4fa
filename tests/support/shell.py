"""The shell that tests run in: whatever starts them, they find the same signals and variables."""

from __future__ import annotations

import os
import signal
from collections.abc import MutableMapping
from pathlib import Path

LEADING_ELSEWHERE = ("AWS_", "KUBECONFIG", "MADEPLOY_", "PULUMI_")
"""Starts of the names of variables by which a shell works on somebody's stack, clusters or account."""
OF_THE_MACHINE = ("MADEPLOY_CACHE", "MADEPLOY_DOWNLOADS", "MADEPLOY_TEST_FULL")
"""Variables of ours that say where things are kept and how much is tried; they lead nowhere."""
DRESS = ("CLICOLOR_FORCE", "FORCE_COLOR")
"""Variables that colour what commands print into a pipe."""
LOOPBACK = ("127.0.0.1", "localhost")


def settle(environ: MutableMapping[str, str] = os.environ) -> None:
    """Take away what leads to somebody's stack, clusters or account, programs of a sandbox in use included,
    and what keeps tests from their own servers."""
    state = environ.get("MADEPLOY_STATE")
    if state and "PATH" in environ:
        entries = [Path(entry) for entry in environ["PATH"].split(os.pathsep) if entry]
        environ["PATH"] = os.pathsep.join(str(entry) for entry in entries if Path(state) not in entry.parents)
    for name in list(environ):
        if name in DRESS or (name.startswith(LEADING_ELSEWHERE) and name not in OF_THE_MACHINE):
            del environ[name]
    exempt = [host for host in environ.get("NO_PROXY", environ.get("no_proxy", "")).split(",") if host]
    environ["NO_PROXY"] = ",".join(dict.fromkeys([*exempt, *LOOPBACK]))
    environ.pop("no_proxy", None)


def hear_signals() -> None:
    """React to signals as a program in a terminal does: background jobs and some CI runners start ignoring
    Ctrl-C, `nohup` ignores the hang-up, and what tests start would inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
