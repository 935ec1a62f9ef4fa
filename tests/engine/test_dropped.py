"""What the program has dropped goes, though an update leaves something out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from madeploy.engine.events import Result
from madeploy.engine.stack import Stack

ROOT = "urn:pulumi:lab::michelangelo::pulumi:pulumi:Stack::michelangelo-lab"


def urn(name: str) -> str:
    return f"urn:pulumi:lab::michelangelo::example:index:Thing::{name}"


class FakeEngine:
    """An engine whose update deletes nothing, as the real one with `--exclude-dependents`."""

    def __init__(self, gone: list[str]) -> None:
        self._gone = gone
        self.runs: list[tuple[str, ...]] = []

    def run(self, verb: str, *arguments: str, **_: Any) -> Result:
        self.runs.append((verb, *arguments))
        if verb == "preview":
            return Result(touched=[("delete", item) for item in self._gone])
        return Result(changes={"delete": len(self._gone)} if verb == "destroy" else {"same": 5})


class FakeStack(Stack):
    """A stack with a state."""

    def __init__(self, engine: FakeEngine, resources: list[dict[str, Any]]) -> None:
        super().__init__(engine, "lab", Path())  # type: ignore[arg-type]
        self._state = resources

    def resources(self) -> list[dict[str, Any]]:
        return self._state


STATE = [
    {"urn": ROOT},
    {"urn": urn("provider-b")},
    {"urn": urn("a"), "parent": ROOT},
    {"urn": urn("a-old"), "parent": urn("a")},
    {"urn": urn("b"), "parent": ROOT},
    {"urn": urn("b-old"), "parent": urn("b"), "provider": f"{urn('provider-b')}::id"},
]


def test_what_was_dropped_is_deleted_by_name_except_what_was_left_out() -> None:
    """REG-10, REG-9: neither what is below it, nor the provider that this needs."""
    engine = FakeEngine([urn("a-old"), urn("b-old"), urn("provider-b")])
    result = FakeStack(engine, STATE).run("up", exclude=[urn("b")])
    assert [run[0] for run in engine.runs] == ["up", "preview", "destroy"]
    assert [item for item in engine.runs[-1] if item.startswith("--target")] == [f"--target={urn('a-old')}"]
    assert (result.code, result.changed) == (0, 3)


def test_nothing_more_is_run_where_nothing_was_dropped_or_left_out() -> None:
    """REG-10."""
    engine = FakeEngine([])
    FakeStack(engine, STATE).run("up", exclude=[urn("b")])
    FakeStack(engine, STATE).run("up", exclude=[urn("b")], may_drop=False)
    FakeStack(engine, STATE).run("up")
    assert [run[0] for run in engine.runs] == ["up", "preview", "up", "up"]
