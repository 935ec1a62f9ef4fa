"""The order in which a release is taken over, and where it may stop."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.names.images import reference
from madeploy.names.kubernetes import Workload
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.upgrade import steps
from manifests.definitions import platform
from manifests.parts import DEPTHS
from tests.support.descriptors import beside
from tests.support.environments import environment


class Session:
    """A stack in memory: what was applied, and what the API server's definitions are."""

    def __init__(self, fails_at: int = 99, silent: tuple[str, ...] = ()) -> None:
        self.applied: list[tuple[str, ...]] = []
        self.has_definitions = False
        self.makes_definitions = True
        self.rolled: tuple[str, ...] = ()
        self.has_descriptors, self.tier = True, "production"
        self._fails_at = fails_at
        self._silent = silent

    def settings(self) -> Environment:
        return environment(
            platform={"tier": self.tier},
            clusters={"gpu": {"server": "https://gpu.example.com:6443"}},
            controlPlane={"envoy": {"descriptors": beside()}} if self.has_descriptors else {},
        )

    def apply_services(self, held: Collection[str], what: str) -> None:
        if len(self.applied) == self._fails_at:
            raise ToolkitError("the update did not do everything", "", "")
        self.applied.append(tuple(held))
        self.has_definitions = self.makes_definitions and "apiserver" not in held

    def apply(
        self, clusters: Sequence[str], what: str, *, may_drop: bool = False, registers: bool = True
    ) -> Mapping[str, Finding]:
        self.applied.append(("all", *clusters))
        return {name: find("MA484", name, "silent") for name in self._silent}

    def images(self, services: Iterable[Workload]) -> Mapping[str, str]:
        return {name: reference(self.settings(), name) for name in services if name in self.rolled}

    def client(self, cluster: str) -> Any:
        assert cluster == CONTROL_PLANE
        return self

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        assert path.endswith("/customresourcedefinitions")
        field = {"properties": {"clusterTargets": {}}}
        schema = {"openAPIV3Schema": {"properties": {"spec": field}}}
        for name in platform(self.settings().release).names if self.has_definitions else ():
            yield {
                "metadata": {"name": name},
                "spec": {"versions": [{"storage": True, "schema": schema}]},
                "status": {"conditions": [{"type": "Established", "status": "True"}]},
            }


ALL = [
    ("apiserver", "controllermgr", "worker", "envoy", "ui"),
    ("controllermgr", "worker", "envoy", "ui"),
    ("worker", "envoy", "ui"),
    ("envoy", "ui"),
    (),
    ("all", "gpu"),
]


def test_services_follow_each_other_and_nothing_is_left_out() -> None:
    """REL-3: rights, API server, its definitions, controller manager, worker, Envoy and application, then
    compute clusters; in the order of the program, so that a plain `pulumi up` does the same."""
    session, said = Session(), list[str]()
    assert steps.take(session, steps.NAMES[-1], said.append) == {}
    assert session.applied == ALL
    assert [line.partition(", ")[2] for line in said] == [f"{name}: done" for name in steps.NAMES]
    order = [service for step in steps.STEPS for service in step.services]
    assert sorted(order, key=lambda name: DEPTHS[name]) == order


@pytest.mark.parametrize("number", range(len(ALL)))
def test_it_stops_after_any_step(number: int) -> None:
    """REL-3."""
    session = Session()
    steps.take(session, steps.NAMES[number], lambda _: None)
    assert session.applied == ALL[: number + 1]


@pytest.mark.parametrize("number", range(len(ALL) - 1))
def test_after_a_step_that_failed_no_other_is_begun(number: int) -> None:
    """REL-3: a controller manager without its definitions would start and stop for ever."""
    session, said = Session(fails_at=number), list[str]()
    with pytest.raises(ToolkitError):
        steps.take(session, steps.NAMES[-1], said.append)
    assert session.applied == ALL[:number]
    assert len(said) == number


@pytest.mark.parametrize(
    ("rolled", "again"),
    [
        ((), 0),
        # Envoy is the same in both releases, and says nothing.
        (("envoy",), 0),
        (("envoy", "apiserver"), 1),
        (("envoy", "apiserver", "controllermgr", "worker"), 3),
        (("envoy", "apiserver", "controllermgr", "worker", "ui"), 4),
    ],
)
def test_a_run_that_was_ended_is_taken_up_where_it_stood(rolled: tuple[str, ...], again: int) -> None:
    """REL-3: with the step under way, whose end nobody saw; what came before is not looked at again."""
    session, said = Session(), list[str]()
    session.rolled = rolled
    steps.take(session, steps.NAMES[-1], said.append)
    assert session.applied == ALL[again:]
    assert [line.endswith("done before") for line in said] == [number < again for number in range(len(ALL))]


def test_without_a_descriptor_set_envoy_is_not_touched() -> None:
    """REL-3, CP-5, UX-3: the application of before goes on working; how to get a set is said. Nobody is cut
    off in development."""
    session = Session()
    session.has_descriptors = False
    with pytest.raises(ToolkitError, match="no descriptor set") as refusal:
        steps.take(session, steps.NAMES[-1], lambda _: None)
    assert session.applied == ALL[:4]
    assert "--from-api" in refusal.value.fix
    assert "--version 0.12.0" in refusal.value.fix
    session.tier, session.applied = "development", []
    steps.take(session, steps.NAMES[-1], lambda _: None)
    assert session.applied == ALL


def test_definitions_that_do_not_come_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """REL-3, CP-8: with where to look; those of the release before are established, and not enough."""
    session = Session()
    session.makes_definitions = False
    monkeypatch.setattr("madeploy.clients.definitions.time.monotonic", iter(range(0, 10_000, 200)).__next__)
    monkeypatch.setattr("madeploy.clients.definitions.time.sleep", lambda _: None)
    with pytest.raises(ToolkitError, match="has not made its definitions") as refusal:
        steps.take(session, steps.NAMES[-1], lambda _: None)
    assert "logs deployment/michelangelo-apiserver" in str(refusal.value)
    assert session.applied == ALL[:2]


def test_clusters_that_could_not_be_brought_up_are_given_back() -> None:
    """REL-3: the control plane is of the release by then, and the last step is not called done."""
    said: list[str] = []
    failed = steps.take(Session(silent=("gpu",)), steps.NAMES[-1], said.append)
    assert list(failed) == ["gpu"]
    assert len(said) == len(steps.STEPS) - 1
