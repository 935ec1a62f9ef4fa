"""One registration for all tests of verification: each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from madeploy.sandbox.environment import Environment
from tests.support.registrations import Registration, registered
from tests.support.shared import Shared


@pytest.fixture(scope="package")
def shared_registration(environment: Environment) -> Iterator[Shared[Registration]]:
    """Made when the first test asks for it, and anew after one that failed."""
    shared = Shared(environment, registered)
    yield shared
    shared.remove()


@pytest.fixture
def registration(shared_registration: Shared[Registration], request: pytest.FixtureRequest) -> Registration:
    """A registration that the played controller manager has reached."""
    return shared_registration.get(request.node)
