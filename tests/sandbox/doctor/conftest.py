"""One deployed environment for all tests of printed fixes: each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from madeploy.sandbox.environment import Environment
from tests.support.bench import Bench


@pytest.fixture(scope="package")
def deployed_bench(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """An environment whose objects are all there, with the certificates of its front door."""
    made = Bench(environment, tmp_path_factory.mktemp("bench") / "checkout")
    made.up()
    made.certify()
    yield made
    made.remove()


@pytest.fixture
def bench(deployed_bench: Bench) -> Iterator[Bench]:
    """The same, with what the stack says put back after each test."""
    yield deployed_bench
    deployed_bench.restore()
