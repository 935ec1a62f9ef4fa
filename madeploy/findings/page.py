"""A report as one HTML file: opens without network and without scripts, prints, and follows the reader's
width and choice of light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from madeploy.findings.html import page
from madeploy.findings.model import Finding
from madeploy.findings.outcomes import STATES, Outcome, Report

_STYLE: Final = """\
body { max-width: 72rem; }
.failed { color: var(--red); } .warned { color: var(--amber); } .passed { color: var(--green); }
.notChecked { color: var(--violet); } .notNeeded { color: var(--soft); }
article { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid currentColor;
  border-radius: .4rem; padding: .7rem 1rem; margin: .7rem 0; break-inside: avoid; }
article > * { color: var(--text); }
dl { grid-template-columns: max-content 1fr; }
pre { margin: 0; white-space: pre-wrap; font: .85rem/1.5 ui-monospace, monospace; }
table { width: 100%; }
td:last-child, th:last-child { text-align: right; padding-right: 0; white-space: nowrap; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dt { margin-top: .4rem; }
  thead { display: none; } tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td { display: block; border: 0; padding: .05rem 0; } td:last-child { text-align: left; } }
"""


def to_html(report: Report) -> str:
    """The whole page, ending in a newline."""
    title = f"{report.command} {report.stack}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{report.began:%Y-%m-%d %H:%M:%S %Z}, {report.seconds:.1f} s</p>',
        '<ul class="counts">',
        *(f'<li class="{state}">{count} {STATES[state]}</li>' for state, count in report.counted().items()),
        "</ul>",
        *_facts(report),
        *_findings(report),
        *_checks(report),
    ]
    return page(f"{title}: {report.verdict}", _STYLE, body)


def _facts(report: Report) -> Iterator[str]:
    if report.facts:
        yield "<dl>"
        yield from (
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in report.facts.items()
        )
        yield "</dl>"


def _findings(report: Report) -> Iterator[str]:
    found = report.findings
    if found:
        yield "<h2>Findings</h2>"
        for finding in sorted(found, key=lambda item: item.severity != "error"):
            yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[str]:
    colour = "failed" if finding.severity == "error" else "warned"
    yield f'<article class="{colour}">'
    yield f"<h3>{escape(finding.code)} {escape(finding.subject)}</h3>"
    yield f"<p>{escape(finding.evidence)}</p>"
    yield "<dl>"
    where = str(finding.location) if finding.location else ""
    for label, text in (("where", where), ("accepted", finding.accepted), ("why", finding.why)):
        if text:
            yield f"<dt>{label}</dt><dd>{escape(text)}</dd>"
    yield f"<dt>fix</dt><dd><pre>{escape(finding.fix)}</pre></dd>"
    yield f"<dt>see</dt><dd>{escape(finding.documentation)}</dd>"
    yield "</dl>"
    yield "</article>"


def _checks(report: Report) -> Iterator[str]:
    yield "<h2>Checks</h2>"
    yield "<table>"
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Check", "State", "What was seen", "Time"))
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    order = list(STATES)
    for outcome in sorted(report.outcomes, key=lambda item: order.index(item.state)):
        yield _row(outcome)
    yield "</tbody>"
    yield "</table>"


def _row(outcome: Outcome) -> str:
    state = f'<span class="state {outcome.state}">{STATES[outcome.state]}</span>'
    cells = (
        f"<strong>{escape(outcome.check)}</strong><br>{escape(outcome.title)}",
        state,
        escape(outcome.detail),
        f"{outcome.seconds:.1f} s",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
