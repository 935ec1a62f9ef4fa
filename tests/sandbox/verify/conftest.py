"""One registration for all tests of verification: each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from madeploy.sandbox.environment import Environment
from tests.support.registrations import Registration, registered


@pytest.fixture(scope="package")
def registration(environment: Environment) -> Iterator[Registration]:
    """A registration that the played controller manager has reached."""
    with registered(environment) as made:
        yield made
