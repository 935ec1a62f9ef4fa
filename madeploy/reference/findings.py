"""`docs/findings.md`, generated from the registry of codes."""

from __future__ import annotations

from madeploy import rules as _rules  # noqa: F401 - rules bring their codes' words
from madeploy.findings.codes import CODES

_HEAD = """# Findings

Everything the checks report, by code. A code keeps its meaning for good. Generated from
`madeploy/findings/codes/` and `madeploy/rules/` by `bin/madeploy schema`.

Exit codes of commands that report: 0 nothing to report, 1 findings, 2 a stack file that cannot be used,
3 an environment that cannot be reached.

| Codes | Area |
|---|---|
| MA1xx | configuration |
| MA2xx | network and TLS |
| MA3xx | storage and IAM |
| MA4xx | clusters |
| MA5xx | security and policies |
| MA6xx | observability |
| MA7xx | compliance |
| MA8xx | upgrades |
| MA9xx | whole environments: before they are deployed, after, and when something breaks |
"""


def findings_reference() -> str:
    """Text of `docs/findings.md`; each code's anchor is the code in lower case."""
    lines = [_HEAD]
    for code, known in sorted(CODES.items()):
        lines += [f"## {code}", "", f"**{known.title}** ({known.severity})", "", f"Why: {known.why}", ""]
        first, *rest = known.fix.splitlines()
        lines += [
            f"Fix: {first}",
            *(f"`{line}`" if line.startswith("pulumi ") else line for line in rest),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"
