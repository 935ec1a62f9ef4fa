"""MA510 to MA599: codes of the policies, whose words stand at their rules (`policies/rules/`)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes import register
from madeploy.findings.codes.code import Code
from policies.rules import RULES

POLICIES: Final[dict[str, Code]] = {
    **{
        rule.code: Code(rule.title, rule.why, rule.fix, rule.severities.production or "info")
        for rule in RULES
    },
    "MA599": Code(
        "Key that the service does not read",
        "Inside a section it reads, an unknown key stops the service at start; elsewhere what "
        "it says never takes effect.",
        "Correct or remove the key; `bin/madeploy explain` shows what overrides may hold.",
    ),
}
"""Severities are those of production."""

register(POLICIES)
