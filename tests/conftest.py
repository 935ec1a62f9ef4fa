"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.support import shell

shell.settle()
shell.hear_signals()

# How long an example takes says more about the machine than about the code; speed is shown in benchmarks/.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples every time: a change is judged by what it changed.
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
