"""Updates that several findings ask for, told as one."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from madeploy.engine.commands import FORGETTING, TAKING_BACK
from madeploy.findings import Finding
from madeploy.findings.outcomes import Outcome

_UPDATE: Final = re.compile(rf"(?:{re.escape(TAKING_BACK)} )?(pulumi up .*--stack (\S+).*)")
_FORGET: Final = re.compile(rf"{re.escape(FORGETTING)} .*--stack (\S+).*")


def told_as_one(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Let every finding name the same update of a stack.

    Where one of them needs fields of others to be taken back, an update without would stop at their conflict;
    where one needs something forgotten first, any update would stop at that: before it does what the others
    ask for.
    """
    typed = {line for outcome in outcomes for finding in outcome.findings for line in finding.commands}

    def mended(finding: Finding) -> Finding:
        return dataclasses.replace(finding, fix="\n".join(_told(finding.fix.splitlines(), typed)))

    return tuple(
        dataclasses.replace(outcome, findings=tuple(map(mended, outcome.findings))) for outcome in outcomes
    )


def _told(fix: Iterable[str], typed: set[str]) -> Iterator[str]:
    """Lines of a fix, for all that is typed for other findings."""
    for line in fix:
        if update := _UPDATE.fullmatch(line):
            plain, stack = update.groups()
            yield from sorted(each for each in typed if (one := _FORGET.fullmatch(each)) and one[1] == stack)
            taking_back = f"{TAKING_BACK} {plain}"
            yield taking_back if taking_back in typed else line
        elif not _FORGET.fullmatch(line):
            yield line
