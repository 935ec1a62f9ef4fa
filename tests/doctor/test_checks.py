"""Checks are made side by side, none can hold the others up, and what was not looked at is never passed."""

from __future__ import annotations

import threading
import time

import pytest

from madeploy.clients.errors import ClientError
from madeploy.doctor.checks import Check, NotCheckedError, NotNeededError, Seen, run
from madeploy.engine.commands import forget, update
from madeploy.errors import ToolkitError
from madeploy.findings import find


def passes() -> Seen:
    return "all is well"


def finds(code: str) -> Seen:
    return [find(code, "x", "is wrong")]


def raises(error: Exception) -> Seen:
    raise error


def states(*checks: Check) -> dict[str, str]:
    report = run("doctor", "prod", checks, seconds=5)
    return {outcome.check: outcome.state for outcome in report.outcomes}


def check(name: str, look: object) -> Check:
    return Check(name, f"what {name} looks at", look)  # type: ignore[arg-type]


def test_every_way_to_end_is_a_state_of_its_own() -> None:
    """UX-2, UX-8: what could not be looked at, and what is not there to look at, are no passes."""
    assert states(
        check("good", passes),
        check("bad", lambda: finds("MA430")),
        check("known", lambda: finds("MA457")),
        check("blocked", lambda: raises(NotCheckedError("no kubeconfig"))),
        check("silent", lambda: raises(ClientError("https://a:6443", "timeout"))),
        check("tool", lambda: raises(ToolkitError("no", "the CLI is missing", "install it"))),
        check("absent", lambda: raises(NotNeededError("no cluster is registered"))),
    ) == {
        "good": "passed",
        "bad": "failed",
        "known": "warned",
        "blocked": "notChecked",
        "silent": "notChecked",
        "tool": "notChecked",
        "absent": "notNeeded",
    }


def test_a_defect_of_one_check_is_said_without_its_words_and_ends_no_other() -> None:
    """UX-3, REG-10: an exception's text may hold anything, a secret too."""
    report = run("doctor", "prod", [check("odd", lambda: raises(ValueError("s3cr3t"))), check("b", passes)])
    odd, other = report.outcomes
    assert (odd.state, other.state) == ("notChecked", "passed")
    assert "ValueError" in odd.detail
    assert "s3cr3t" not in str(report.to_data())


def test_a_check_that_says_nothing_has_not_passed() -> None:
    """UX-8: an empty list of findings is no sight of anything."""
    assert states(check("mute", list)) == {"mute": "notChecked"}


def test_checks_that_hang_are_left_and_the_rest_is_reported() -> None:
    """REG-10, UX-2: each has its own limit, all of them one together; they run side by side."""
    never, together = threading.Event(), threading.Barrier(2)

    def hang() -> Seen:
        together.wait(10)
        never.wait(60)
        return "too late"

    began = time.monotonic()
    report = run("doctor", "prod", [check("a", hang), check("b", passes), check("c", hang)], seconds=0.5)
    never.set()
    assert {outcome.check: outcome.state for outcome in report.outcomes} == {
        "a": "notChecked",
        "b": "passed",
        "c": "notChecked",
    }
    assert "no answer within 0.5 s" in report.outcomes[0].detail
    assert time.monotonic() - began < 30


def test_all_checks_together_have_a_limit() -> None:
    """REG-10: however many hang, one after the other too."""
    never = threading.Event()

    def hang() -> Seen:
        never.wait(60)
        return "too late"

    report = run("doctor", "prod", [check(f"c{n}", hang) for n in range(70)], seconds=30, overall=0.5)
    never.set()
    assert report.counted() == {"notChecked": 70}


def test_progress_counts_every_check() -> None:
    """UX-2."""
    told: list[int] = []
    run("doctor", "prod", [check(f"c{n}", passes) for n in range(4)], note=told.append)
    assert told == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("looks", "plain", "strict"),
    [
        ([passes], 0, 0),
        ([passes, lambda: finds("MA457")], 0, 1),
        ([passes, lambda: raises(NotCheckedError("no login"))], 0, 1),
        ([passes, lambda: raises(NotNeededError("none"))], 0, 0),
        ([lambda: finds("MA430"), lambda: finds("MA457")], 1, 1),
    ],
    ids=["passed", "warned", "not checked", "not needed", "failed"],
)
def test_exit_codes_follow_what_was_found(looks: list[object], plain: int, strict: int) -> None:
    """UX-2."""
    report = run("doctor", "prod", [check(f"c{n}", look) for n, look in enumerate(looks)])
    assert (report.exit_code(), report.exit_code(strict=True)) == (plain, strict)


def test_a_fleet_has_the_time_that_its_checks_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-12: each its own limit, as many at a time as there are workers, however many there are."""
    given: list[float] = []

    def recorded(tasks: object, late: object, seconds: float, **more: float) -> dict[str, object]:
        given.append(more["overall"])
        return {}

    monkeypatch.setattr("madeploy.doctor.checks.run_bounded", recorded)
    for count in (5, 5000):
        run("doctor", "prod", [check(f"c{n}", passes) for n in range(count)], seconds=15)
    assert given == [60.0, 15.0 * 157]


def told(**fixes: str) -> dict[str, str]:
    """Fixes as a report of all these findings has them, by check."""
    checks = [check(name, lambda fix=fix: [find("MA936", "x", "y", fix=fix)]) for name, fix in fixes.items()]
    report = run("verify", "prod", checks)
    return {outcome.check: outcome.findings[0].fix for outcome in report.outcomes}


def test_updates_of_one_stack_are_told_as_one() -> None:
    """UX-3: an update stops at a field that somebody else has set, so whatever it is to make besides is made
    by the one that takes such fields back; other stacks' updates, and other words, stay."""
    plain, forced = update("prod"), update("prod", take_back=True)
    fixes = {
        "changed": f"Put it into the stack file, or undo it:\n{forced}",
        "elsewhere": f"Make it again:\n{update('prod-shard-00')}",
        "words": f"Never type {plain} by hand",
    }
    gone = f"Make it again:\n{plain}"
    assert told(gone=gone) == {"gone": gone}
    assert told(gone=gone, **fixes) == {"gone": f"Make it again:\n{forced}", **fixes}


def test_what_an_update_cannot_look_at_is_forgotten_before_any_update() -> None:
    """UX-3, MR-1: whichever finding is followed first; once for each, of the same stack only."""
    models, workspace = (forget(f"urn:pulumi:prod::{name}", "prod") for name in ("models", "workspace"))
    up, other = update("prod"), update("prod-shard-00")
    assert told(
        models=f"Make it:\n{models}\n{up}",
        workspace=f"Make it:\n{workspace}\n{up}",
        gone=f"Make it again:\n{up}",
        elsewhere=other,
    ) == {
        "models": f"Make it:\n{models}\n{workspace}\n{up}",
        "workspace": f"Make it:\n{models}\n{workspace}\n{up}",
        "gone": f"Make it again:\n{models}\n{workspace}\n{up}",
        "elsewhere": other,
    }


def test_what_an_update_waits_for_is_done_before_any_update() -> None:
    """UX-3, CP-8: a definition that the API server makes when it starts."""
    restart = "kubectl -n ma-system rollout restart deployment/michelangelo-apiserver"
    checks = [
        check("definitions", lambda: [find("MA940", "x", "y", fix=f"Start it again:\n{restart}")]),
        check("objects", lambda: [find("MA936", "x", "y", fix=f"Make it again:\n{update('prod')}")]),
    ]
    definitions, objects = run("verify", "prod", checks).outcomes
    assert definitions.findings[0].fix == f"Start it again:\n{restart}"
    assert objects.findings[0].fix == f"Make it again:\n{restart}\n{update('prod')}"
