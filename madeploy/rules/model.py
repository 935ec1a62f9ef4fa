"""A rule between sections declares its codes with their words, and what it reads, so that it runs as soon
as just those sections are valid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from madeploy.documents.paths import Path
from madeploy.findings.codes import register
from madeploy.findings.codes.code import Code
from madeploy.findings.model import Severity

SECRETS: Final = "secrets"
"""Stands among a rule's sections when it needs the names of all secrets."""

SecretNames = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Violation:
    """A violation of a rule, by its configuration path."""

    code: str
    path: Path
    evidence: str
    fix: str = ""
    accepted: str = ""
    why: str = ""
    severity: Severity | None = None
    key: bool = False
    """Whether the key rather than the value is at fault."""


Check = Callable[..., Iterable[Violation]]
"""Takes the environment and the names of secrets; one that asks for it, the stack's name besides."""


@dataclass(frozen=True)
class Rule:
    """A check and the sections it reads."""

    check: Check
    sections: tuple[str, ...]
    codes: tuple[str, ...]
    named: bool = False
    """Whether it asks for the stack's name."""

    @property
    def name(self) -> str:
        """Name of the rule's function."""
        return self.check.__name__


RULES: Final[list[Rule]] = []
"""Every rule, filled as the modules of `madeploy.rules` are imported."""


def rule(
    *reports: Mapping[str, Code] | str, reads: tuple[str, ...], named: bool = False
) -> Callable[[Check], Check]:
    """Make a rule of a function.

    Args:
        reports: codes it may report, each with its words; a code alone has them in `madeploy.findings.codes`,
            because others report it too.
        reads: sections it reads (Python names).
        named: whether it asks for the stack's name.
    """
    codes: list[str] = []
    for item in reports:
        if isinstance(item, str):
            codes.append(item)
        else:
            register(item)
            codes += item

    def made(check: Check) -> Check:
        RULES.append(Rule(check, reads, tuple(codes), named))
        return check

    return made
