"""One embedded environment for all tests on real clusters."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from madeploy.sandbox.environment import TOOLS, Environment
from madeploy.sandbox.state import StateDirectory
from tests.support.sandbox import ROOT, Deployed, sandbox
from tests.support.schedule import in_order
from tests.support.shared import FAILED, has_failed

# For the engine and its plugins, which live for seconds: collecting garbage is a fourteenth of what they do.
os.environ.setdefault("GOGC", "400")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that asks for real clusters, so that `--quick` leaves it out, and put all in order."""
    for item in items:
        if {"environment", "tool_paths"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.sandbox)
        elif item.get_closest_marker("long") and not item.get_closest_marker("sandbox"):
            raise pytest.UsageError(f"{item.nodeid} is marked long and asks for no real cluster")
    in_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which tests failed: what they shared with others is brought back."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(autouse=True)
def brought_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """The deployed sandbox as it was before the test, if the test fails."""
    if "deployed" not in request.fixturenames:
        yield
        return
    shared: Deployed = request.getfixturevalue("deployed")
    before = shared.stack_file.read_text()
    yield
    if has_failed(request.node):
        shared.bring_back(before)


@pytest.fixture(scope="session")
def tool_paths() -> dict[str, Path]:
    """Paths of all tools by name; built when neither PATH nor the cache has them."""
    from madeploy.sandbox import tools

    return {name: tool.path for name, tool in tools.ensure().items()}


@pytest.fixture(scope="session")
def deployed(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The platform, deployed by `sandbox up` as a user types it, the tools being there.

    Modules share it (`tests.support.schedule`): each leaves it as it found it
    (`tests.support.sandbox.restored`). API servers write audit logs.
    """
    made = sandbox(tmp_path_factory.mktemp("deployed"))
    committed = ROOT / "stacks" / "Pulumi.sandbox.yaml"
    before = committed.read_bytes()
    try:
        made.deploy()
        assert committed.read_bytes() == before, "the committed stack file was written to"
        yield made
    finally:
        made.madeploy("sandbox", "stop")


@pytest.fixture(scope="session")
def environment(
    tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    """The embedded environment, running, in a temporary state directory, shared by the whole session.

    Two clusters (`environment.clusters["control-plane"]`, `["compute-0"]`), each with `.server` (URL) and
    `.api` (a client with administrator's rights); `environment.kubeconfig` has a context of the same
    name for each; `environment.aws_endpoint` is moto; `environment.variables` are the variables by which
    kubectl and boto3 reach all of it. API servers write audit logs (`cluster.audit_log`, JSON lines, writes
    only).

    Tests share it: use namespaces and bucket names of your own, and leave no cluster-scoped object behind.
    It ends with the session, and with the test process however that ends.
    """
    directory = StateDirectory(tmp_path_factory.mktemp("environment"))
    running = Environment(
        directory, {name: tool_paths[name] for name in TOOLS}, audit=True, die_with_parent=True
    )
    with directory.locked("test"):
        running.start()
        yield running
        running.stop()
