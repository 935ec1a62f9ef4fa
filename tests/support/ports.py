"""Ports of the loopback interface for servers of tests."""

from __future__ import annotations

import itertools
import os

from madeploy.sandbox.ports import RANGE, is_free

_FIRST, _OF_EACH, _PROCESSES = RANGE.stop, 300, 9
"""Above those of sandboxes and below those that systems hand to connections: 32768 and up. Each of pytest's
processes has its own."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
# Two runs of the tests on one machine begin at different places.
_next = (
    _FIRST + _worker * _OF_EACH + number % _OF_EACH for number in itertools.count(os.getpid() % _OF_EACH)
)


def free_port() -> int:
    """A port that nothing listens at. It is given to no other test process, and here not again soon: what it
    is for may begin to listen a while later."""
    return next(filter(is_free, itertools.islice(_next, _OF_EACH)))
