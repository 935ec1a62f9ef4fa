"""What holds for every test."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import shell

shell.settle()
shell.hear_signals()

# How long an example takes says more about the machine than about the code; speed is shown in benchmarks/.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples every time: a change is judged by what it changed.
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files to one worker: those that share what takes long to start, too."""
    from tests.support.schedule import ByDeployment

    return ByDeployment(config, log) if config.getoption("dist") == "loadfile" else None
