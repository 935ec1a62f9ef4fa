"""A run of checks as text: the first screen names everything that is wrong, what follows explains it."""

from __future__ import annotations

from madeploy.findings.outcomes import STATES, Outcome, Report
from madeploy.findings.text import one, summary


def checks(report: Report) -> str:
    """A run of checks: what failed with one line a finding, what could not be checked with its reason, what
    passed in one line; then every finding at length; the counts last."""
    lines = [f"{report.command} {report.stack}: {report.verdict}"]
    by_state = {state: [outcome for outcome in report.outcomes if outcome.state == state] for state in STATES}
    for state, outcomes in by_state.items():
        if state in ("failed", "warned"):
            lines += [line for outcome in outcomes for line in _found(outcome)]
        elif state == "notChecked":
            # Many checks are held up by the same thing.
            for reason in dict.fromkeys(outcome.detail for outcome in outcomes):
                names = ", ".join(outcome.check for outcome in outcomes if outcome.detail == reason)
                lines.append(f"  {STATES[state]}: {names}: {reason}")
        elif outcomes:
            lines.append(f"  {STATES[state]}: {', '.join(outcome.check for outcome in outcomes)}")
    found = report.findings
    details = sorted(found, key=lambda item: item.severity != "error")
    if not details:
        return "\n".join(lines)
    ending = f"{report.command} {report.stack}: {summary(found)}; {report.verdict}"
    return "\n\n".join(["\n".join(lines), *map(one, details), ending])


def _found(outcome: Outcome) -> list[str]:
    check = outcome.check
    # Checks of one cluster have its name already.
    cluster = f"{check.partition('/')[2]}: "
    return [
        f"  {item.severity} {item.code} {check}: {item.subject.removeprefix(cluster)}: {item.evidence}"
        for item in outcome.findings
    ]
