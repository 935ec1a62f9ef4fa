"""What the program has dropped goes, though an update leaves something out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from madeploy.engine import partial
from madeploy.engine.events import Result
from madeploy.engine.stack import Stack

ROOT = "urn:pulumi:lab::michelangelo::pulumi:pulumi:Stack::michelangelo-lab"


def urn(name: str) -> str:
    return f"urn:pulumi:lab::michelangelo::example:index:Thing::{name}"


class FakeEngine:
    """An engine whose update deletes nothing, as the real one with `--exclude-dependents`, and a program that
    registers all but what is `gone`, and what it is told not to."""

    def __init__(self, gone: list[str], ends: bool = True) -> None:
        self._gone = gone
        self._ends = ends
        self.runs: list[tuple[str, ...]] = []
        self.unmade: list[frozenset[str]] = []

    def run(self, verb: str, *arguments: str, variables: Mapping[str, str], **_: Any) -> Result:
        self.runs.append((verb, *arguments))
        if verb == "up":
            with mock.patch.dict(os.environ, variables):
                self.unmade.append(partial.left_out())
                if self._ends:
                    names = [item["urn"] for item in STATE if item["urn"] not in self._gone]
                    partial.tell([("example:index:Thing", item.rpartition("::")[2]) for item in names])
        return Result(changes={"delete": len(self._gone)} if verb == "destroy" else {"same": 5})


class FakeStack(Stack):
    """A stack with a state."""

    def __init__(self, engine: FakeEngine, resources: list[dict[str, Any]]) -> None:
        super().__init__(engine, "lab", Path())  # type: ignore[arg-type]
        self._state = resources

    def resources(self) -> list[dict[str, Any]]:
        return self._state


STATE: list[dict[str, Any]] = [
    {"urn": ROOT},
    {"urn": "urn:pulumi:lab::michelangelo::pulumi:providers:pulumi::default"},
    {"urn": "urn:pulumi:lab::michelangelo::pulumi:pulumi:StackReference::b", "external": True},
    {"urn": urn("provider-b")},
    {"urn": urn("needed-by-b")},
    {"urn": urn("a"), "parent": ROOT},
    {"urn": urn("a-old"), "parent": urn("a")},
    {"urn": urn("b"), "parent": ROOT},
    {
        "urn": urn("b-old"),
        "parent": urn("b"),
        "provider": f"{urn('provider-b')}::id",
        "propertyDependencies": {"name": [urn("needed-by-b")]},
    },
    {"urn": urn("b-waits-for-its-deletion"), "delete": True},
]


def test_what_was_dropped_is_deleted_by_name_except_what_was_left_out() -> None:
    """REG-10, REG-9: neither what is below it, nor what this needs; nor what is the engine's own."""
    engine = FakeEngine([urn(name) for name in ("a-old", "b-old", "provider-b", "needed-by-b")])
    result = FakeStack(engine, STATE).run("up", exclude=[urn("b")])
    assert [run[0] for run in engine.runs] == ["up", "destroy"]
    assert [item for item in engine.runs[-1] if item.startswith("--target")] == [f"--target={urn('a-old')}"]
    assert (result.code, result.changed) == (0, 4)


def test_nothing_more_is_run_where_nothing_was_dropped_or_left_out() -> None:
    """REG-10."""
    engine = FakeEngine([])
    FakeStack(engine, STATE).run("up", exclude=[urn("b")])
    FakeStack(engine, STATE).run("up", exclude=[urn("b")], may_drop=False)
    FakeStack(engine, STATE).run("up")
    assert [run[0] for run in engine.runs] == ["up", "up", "up"]


def test_a_program_that_did_not_come_to_its_end_has_dropped_nothing() -> None:
    """REG-9: what it has not said it registers may be what it had still to register."""
    engine = FakeEngine([urn("a-old")], ends=False)
    FakeStack(engine, STATE).run("up", exclude=[urn("b")])
    assert [run[0] for run in engine.runs] == ["up"]


def test_a_program_is_told_what_it_need_not_register_and_a_folder_that_is_gone_tells_nothing() -> None:
    """REG-10: a variable that stayed in somebody's shell leaves nothing out."""
    engine = FakeEngine([])
    FakeStack(engine, STATE).run("up", exclude=[urn("b"), urn("new")], unmade=["new"])
    FakeStack(engine, STATE).run("up")
    assert engine.unmade == [{"new"}, frozenset()]
    with partial.exchange(["new"]) as exchange:
        stale = exchange.variables
    with mock.patch.dict(os.environ, stale):
        assert partial.left_out() == frozenset()
        assert not partial.is_asked()
