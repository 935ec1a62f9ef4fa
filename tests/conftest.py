"""What holds for every test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import shell
from tests.support.scale import scale

shell.settle()
shell.hear_signals()

# How long an example takes says more about the machine than about the code; speed is shown in benchmarks/.
# The examples are the same every time, so that a change is judged by what it changed; others are tried where
# somebody asks for it.
settings.register_profile(
    "tests",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(scale(True, False)),
)
settings.load_profile("tests")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays to the end: no garbage is looked for while it is made, nor in it later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files to one worker: those that share what takes long to start, too."""
    from tests.support.schedule import ByDeployment

    return ByDeployment(config, log) if config.getoption("dist") == "loadfile" else None
