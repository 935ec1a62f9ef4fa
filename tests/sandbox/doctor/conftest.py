"""One deployed environment for all tests of printed fixes: each leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from madeploy.sandbox.environment import Environment
from tests.support.bench import Bench
from tests.support.shared import Shared, has_failed


@pytest.fixture(scope="package")
def shared_bench(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shared[Bench]]:
    """Made when the first test asks for it, and anew after one that failed."""

    def make(embedded: Environment) -> Bench:
        made = Bench(embedded, tmp_path_factory.mktemp("bench") / "checkout")
        made.up()
        made.certify()
        return made

    shared = Shared(environment, make)
    yield shared
    shared.remove()


@pytest.fixture
def bench(shared_bench: Shared[Bench], request: pytest.FixtureRequest) -> Iterator[Bench]:
    """An environment whose objects are all there, with the certificates of its front door; what the stack
    says is put back after each test."""
    made = shared_bench.get(request.node)
    yield made
    if not has_failed(request.node):
        made.restore()
