"""Ports on the loopback interface: chosen once, remembered, chosen again only if somebody else took them."""

from __future__ import annotations

import random
import socket

from madeploy.sandbox.errors import SandboxError

HOST = "127.0.0.1"
RANGE = range(20_000, 30_000)
"""Below the ports that systems hand to outgoing connections (32768 and up on Linux, 49152 and up
elsewhere), so that a remembered port stays free while the sandbox is stopped."""


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(remembered: int | None, taken: set[int]) -> int:
    """The remembered port if it is still free, else a new one that is neither in use nor in `taken`.

    Raises:
        SandboxError: no free port was found.
    """
    if remembered is not None and is_free(remembered):
        return remembered
    for port in random.sample(RANGE, 200):
        if port not in taken and is_free(port):
            return port
    raise SandboxError(
        "no free port was found for the sandbox",
        f"200 ports between {RANGE.start} and {RANGE.stop} are all in use on {HOST}",
        "end what listens there, or `madeploy sandbox down` in checkouts no longer used",
    )
