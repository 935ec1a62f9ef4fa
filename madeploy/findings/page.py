"""A report as one HTML file: opens without network and without scripts, prints, and follows the reader's
width and choice of light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from madeploy.findings.html import page
from madeploy.findings.model import Finding
from madeploy.findings.outcomes import STATES, Outcome, Report

_STYLE: Final = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1b2733; --soft: #53626f; --line: #d5dce2;
  --card: #f5f7f9; --failed: #b3261e; --warned: #8a5a00; --notChecked: #5b3fa8; --passed: #1a6b3c;
  --notNeeded: #53626f; }
@media (prefers-color-scheme: dark) { :root { --page: #10161c; --text: #e6edf3; --soft: #aab7c3;
  --line: #33404c; --card: #18212a; --failed: #ff8a80; --warned: #ffc46b; --notChecked: #c3b1ff;
  --passed: #7ddba3; --notNeeded: #aab7c3; } }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem;
  background: var(--page); color: var(--text); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
p { margin: .2rem 0; }
.soft { color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: 1rem 0; list-style: none; }
.counts li, .state { border: 1px solid currentColor; border-radius: 1rem; padding: .05rem .7rem;
  font-size: .85rem; white-space: nowrap; }
.failed { color: var(--failed); } .warned { color: var(--warned); } .passed { color: var(--passed); }
.notChecked { color: var(--notChecked); } .notNeeded { color: var(--notNeeded); }
article { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid currentColor;
  border-radius: .4rem; padding: .7rem 1rem; margin: .7rem 0; break-inside: avoid; }
article > * { color: var(--text); }
article h3 { font-size: 1rem; margin: 0 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .4rem 0 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
pre { margin: 0; white-space: pre-wrap; font: .85rem/1.5 ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
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
