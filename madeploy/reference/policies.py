"""The generated part of `docs/policies.md`: every rule, by area."""

from __future__ import annotations

from itertools import groupby

from madeploy.policy.service_files import EVERY_RULE


def policies_reference() -> str:
    """What is generated of `docs/policies.md`."""
    parts: list[str] = []
    for area, rules in groupby(EVERY_RULE, lambda rule: rule.area):
        parts += [
            f"### {area[0].upper()}{area[1:]}",
            "",
            "| Code | Rule | Reports | Development | Staging | Production |",
            "|---|---|---|---|---|---|",
        ]
        for rule in rules:
            weights = " | ".join(severity or "–" for severity in rule.severities)
            code = f"[{rule.code}](findings.md#{rule.code.lower()})"
            parts.append(f"| {code} | `{rule.name}` | {rule.title} | {weights} |")
        parts.append("")
    return "\n".join(parts)
