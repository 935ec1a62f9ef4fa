"""What a failed update waited for in vain is asked about, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from madeploy.engine.driver import require_success
from madeploy.engine.events import Failure, Result
from madeploy.engine.stack import Explain, Stack
from madeploy.errors import ToolkitError
from madeploy.fleet.roles import StackRole
from madeploy.stacks.updates import failures


def urn(name: str) -> str:
    return f"urn:pulumi:lab::michelangelo::kubernetes:apps/v1:Deployment::{name}"


WAITED, REFUSED, FINE = urn("waited-for"), urn("refused"), urn("fine")
STATE = [
    {"urn": WAITED, "initErrors": ["timed out waiting to be Ready"]},
    {"urn": REFUSED},
    {"urn": FINE, "initErrors": ["of an earlier update"]},
]


class FakeEngine:
    """An engine whose update fails at two resources."""

    def run(self, verb: str, *arguments: str, **_: Any) -> Result:
        said = [Failure("timed out", WAITED), Failure("field is immutable", REFUSED), Failure("and no more")]
        return Result(failures=said, code=1)


class FakeStack(Stack):
    """A stack with a state."""

    def __init__(self, explain: Explain | None) -> None:
        super().__init__(FakeEngine(), "lab", Path(), explain=explain)  # type: ignore[arg-type]

    def resources(self) -> list[dict[str, Any]]:
        return STATE


def reasons(resources: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[str]]:
    return {item["urn"]: ("no node takes it", "its quota is small") for item in resources}


def test_objects_that_were_made_and_did_not_become_ready_are_asked_about() -> None:
    """UX-3: not what the API server refused: that says itself why."""
    asked: list[str] = []

    def explain(resources: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[str]]:
        asked.extend(item["urn"] for item in resources)
        return reasons(resources)

    result = FakeStack(explain).run("up")
    assert asked == [WAITED]
    waited, refused, rest = result.failures
    assert str(waited) == "waited-for: timed out\n  why: no node takes it\n  why: its quota is small"
    assert str(refused) == "refused: field is immutable"
    assert str(rest) == "and no more"


def test_reasons_stand_in_the_error_and_in_the_finding() -> None:
    """UX-3: however long what the engine said is."""
    result = FakeStack(reasons).run("up")
    result.failures[0] = Failure("timed out " * 200, WAITED, result.failures[0].reasons)
    with pytest.raises(ToolkitError, match="why: no node takes it"):
        require_success("up", result)
    (finding,) = failures(StackRole("environment", "lab"), result, []).values()
    assert "Why: waited-for: no node takes it; waited-for: its quota is small" in finding.evidence


def test_an_engine_that_crashed_is_told_by_its_own_words_and_put_in_order(tmp_path: Path) -> None:
    """UX-3, REG-9: without the trace that follows them."""
    log = tmp_path / "log"
    trace = "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x82\n" * 40
    log.write_text(f"Updating (lab):\n@ updating....panic: nil pointer dereference\n\n{trace}")
    (finding,) = failures(StackRole("environment", "lab"), Result(code=2, log=log), []).values()
    assert finding.code == "MA486"
    assert finding.evidence.startswith("panic: nil pointer dereference (the whole output")
    assert finding.commands == ("bin/madeploy recover lab",)


def test_without_somebody_to_ask_and_in_a_preview_nothing_is_asked() -> None:
    """UX-3: a preview waits for nothing."""
    assert all(not failure.reasons for failure in FakeStack(None).run("up").failures)
    assert all(not failure.reasons for failure in FakeStack(reasons).run("preview").failures)
