"""Checks side by side, each within a time limit: what every one of them came to, whatever the others do."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from madeploy.clients.bounded import WORKERS, run_bounded
from madeploy.clients.errors import ClientError
from madeploy.doctor.updates import told_as_one
from madeploy.documents.redaction import masked_words
from madeploy.errors import ToolkitError
from madeploy.findings import Finding
from madeploy.findings.outcomes import Outcome, Report, outcome_of
from madeploy.kubeconfigs import KubeconfigError

SECONDS: Final = 15.0
"""Time limit of one check."""
OVERALL_SECONDS: Final = 60.0
"""Time limit of all checks together, where they are few enough to be made at once."""

Seen = str | Iterable[Finding]
"""What a check saw where nothing is wrong, in one sentence without its full stop; else what it found."""


class NotCheckedError(Exception):
    """Something stands in the way of a check, which its text names: nothing is known of what it looks at."""


class NotNeededError(Exception):
    """The environment has nothing that the check could look at; the text says what it does not have."""


@dataclass(frozen=True)
class Check:
    """One question about an environment. It only reads."""

    name: str
    """Constant, such as `dns`; of one cluster: `clusters/<cluster>`."""

    title: str
    """What it looks at, in a few words."""

    look: Callable[[], Seen]
    """Answers it. May raise NotCheckedError and NotNeededError; a client's failure counts as the first."""


def run(
    command: str,
    stack: str,
    checks: Sequence[Check],
    *,
    facts: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    overall: float | None = None,
    note: Callable[[int], None] = lambda _: None,
) -> Report:
    """Make all checks, side by side, and report on each.

    Args:
        command: the verb that is running.
        stack: name of the stack.
        checks: what to look at; their names are unique.
        facts: what else the report says.
        seconds: time limit of one check; one that is not done by then counts as not checked.
        overall: time limit of all of them. Default: a minute, or, for a fleet, what they take in the worst
            case, as many at a time as there are workers.
        note: told how many are done.
    """
    began = time.monotonic()
    titles = {check.name: check.title for check in checks}

    def late(name: str) -> Outcome:
        taken = min(time.monotonic() - began, seconds)
        return Outcome(name, titles[name], "notChecked", f"no answer within {seconds:g} s", (), taken)

    rounds = math.ceil(len(checks) / WORKERS)
    limit = max(OVERALL_SECONDS, seconds * rounds) if overall is None else overall
    outcomes = run_bounded(
        {check.name: partial(_made, check) for check in checks}, late, seconds, note=note, overall=limit
    )
    taken = time.monotonic() - began
    return Report(command, stack, told_as_one(list(outcomes.values())), facts or {}, seconds=taken)


def masked(finding: Finding) -> Finding:
    """A finding whose evidence shows no value that looks like a secret."""
    return dataclasses.replace(finding, evidence=masked_words(finding.evidence))


def _made(check: Check) -> Outcome:
    began = time.monotonic()

    def without_answer(why: str) -> Outcome:
        said = masked_words(why)
        return Outcome(check.name, check.title, "notChecked", said, (), time.monotonic() - began)

    try:
        seen = check.look()
        # Findings may be found while they are gone through. Whatever they repeat of what servers said, or of
        # live objects, no value that looks like a secret is shown.
        shown = masked_words(seen) if isinstance(seen, str) else tuple(map(masked, seen))
        return outcome_of(check.name, check.title, shown, time.monotonic() - began)
    except NotNeededError as error:
        why = masked_words(str(error))
        return Outcome(check.name, check.title, "notNeeded", why, (), time.monotonic() - began)
    except (NotCheckedError, ClientError, KubeconfigError) as error:
        return without_answer(str(error))
    except ToolkitError as error:
        return without_answer(f"{error.what}: {error.why}")
    except Exception as error:
        # One check's own defect must not take the others' answers away; its text may hold anything.
        return without_answer(f"the check itself failed ({type(error).__name__})")
