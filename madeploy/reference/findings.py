"""The generated part of `docs/findings.md`: every code with its words."""

from __future__ import annotations

from madeploy import policy as _policy  # noqa: F401 - so do policies
from madeploy import rules as _rules  # noqa: F401 - rules bring their codes' words
from madeploy.findings.codes import CODES


def findings_reference() -> str:
    """What is generated of `docs/findings.md`; each code's anchor is the code in lower case."""
    lines: list[str] = []
    for code, known in sorted(CODES.items()):
        lines += [f"## {code}", "", f"**{known.title}** ({known.severity})", "", f"Why: {known.why}", ""]
        first, *rest = known.fix.splitlines()
        lines += [
            f"Fix: {first}",
            *(f"`{line}`" if line.startswith("pulumi ") else line for line in rest),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"
