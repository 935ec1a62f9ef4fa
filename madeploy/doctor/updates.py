"""Updates that several findings ask for, told as one."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from madeploy.engine.commands import FORGETTING, TAKING_BACK
from madeploy.findings import Finding
from madeploy.findings.outcomes import Outcome

_UPDATE: Final = re.compile(rf"(?:{re.escape(TAKING_BACK)} )?(pulumi up .*--stack (\S+).*)")
_FORGET: Final = re.compile(rf"{re.escape(FORGETTING)} .*--stack (\S+).*")
_NO_DEFINITION: Final = "MA940"
"""Updates wait for the platform's definitions, which its API server makes when it starts."""


def told_as_one(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Let every finding name the same update of a stack, and what has to come before it.

    Where one of them needs fields of others to be taken back, an update without would stop at their conflict;
    where one needs something forgotten first, or the API server restarted, any update would stop or wait
    there: before it does what the others ask for.
    """
    found = [finding for outcome in outcomes for finding in outcome.findings]
    typed = {line for finding in found for line in finding.commands}
    missing = [finding for finding in found if finding.code == _NO_DEFINITION]
    restarts = {line for finding in missing for line in finding.commands if " rollout restart " in line}

    def mended(finding: Finding) -> Finding:
        lines = _told(finding.fix.splitlines(), typed, sorted(restarts))
        return dataclasses.replace(finding, fix="\n".join(lines))

    return tuple(
        dataclasses.replace(outcome, findings=tuple(map(mended, outcome.findings))) for outcome in outcomes
    )


def _told(fix: Iterable[str], typed: Collection[str], restarts: Iterable[str]) -> Iterator[str]:
    """Lines of a fix, for all that is typed for other findings."""
    for line in fix:
        if update := _UPDATE.fullmatch(line):
            plain, stack = update.groups()
            yield from restarts
            yield from sorted(each for each in typed if (one := _FORGET.fullmatch(each)) and one[1] == stack)
            taking_back = f"{TAKING_BACK} {plain}"
            yield taking_back if taking_back in typed else line
        elif not _FORGET.fullmatch(line):
            yield line
