"""Evidence as JSON, CSV and one HTML page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from madeploy.compliance.evidence import RESULTS, Evidence, Row
from madeploy.findings.html import page

COLUMNS: Final = (
    "control",
    "title",
    "clauses",
    "settings",
    "objects",
    "policies",
    "live",
    "result",
    "reasons",
)

_STYLE: Final = """\
body { max-width: 80rem; }
.failed { color: var(--red); } .not-shown, .configured { color: var(--amber); }
.passed { color: var(--green); } .manual { color: var(--violet); }
section { border-top: 1px solid var(--line); padding: .8rem 0; break-inside: avoid; }
dl { grid-template-columns: 7rem 1fr; font-size: .92rem; }
"""


def to_json(evidence: Evidence) -> str:
    """Everything, keys constant."""
    return json.dumps(evidence.to_data(), indent=2, ensure_ascii=False) + "\n"


def to_csv(evidence: Evidence) -> str:
    """One line for each control. Cells that a spreadsheet would compute are written as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("stack", "date", *COLUMNS))
    for row in evidence.rows:
        cells = (_cell(getattr(row, name)) for name in COLUMNS)
        writer.writerow((evidence.stack, evidence.date.date().isoformat(), *cells))
    return out.getvalue()


def _cell(value: str | tuple[str, ...]) -> str:
    text = value if isinstance(value, str) else "; ".join(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def table(evidence: Evidence) -> str:
    """Lines for a terminal: each control with its result, then why some are not passed."""
    width = max(len(row.control) for row in evidence.rows)
    lines = [f"{row.result:<10}  {row.control:<{width}}  {row.clauses}" for row in evidence.rows]
    for row in evidence.rows:
        if row.result in ("failed", "not shown"):
            lines += ["", f"{row.control}: {row.title}", *(f"  {reason}" for reason in row.reasons)]
    counted = ", ".join(f"{number} {name}" for name, number in evidence.counts.items())
    said = f"{' and '.join(evidence.frameworks)} of {evidence.stack}: {counted}"
    return "\n".join([*lines, "", said]) + "\n"


def to_html(evidence: Evidence) -> str:
    """A page that opens without network and scripts, prints, and follows the reader's light and dark."""
    title = f"Evidence of {evidence.stack}: {', '.join(evidence.frameworks)}"
    asked = "were asked" if evidence.asked else "were not asked"
    counted = "".join(
        f'<li class="{_class(name)}">{number} {name}</li>' for name, number in evidence.counts.items()
    )
    return page(
        title,
        _STYLE,
        [
            f"<h1>{escape(title)}</h1>",
            f'<p class="soft">{evidence.date:%Y-%m-%d %H:%M:%S} UTC, madeploy {escape(evidence.toolkit)}; '
            f"live systems {asked}</p>",
            f'<ul class="counts">{counted}</ul>',
            "<dl>",
            *(f"<dt>{name}</dt><dd>{escape(meaning)}</dd>" for name, meaning in RESULTS.items()),
            "</dl>",
            *_sections(evidence.rows),
        ],
    )


def _class(result: str) -> str:
    return result.replace(" ", "-")


def _sections(rows: Iterable[Row]) -> Iterator[str]:
    yield "<h2>Controls</h2>"
    for row in rows:
        yield "<section>"
        yield (
            f'<h3>{escape(row.title)} <span class="state {_class(row.result)}">{row.result}</span></h3>'
            f'<p class="soft">{escape(row.control)}: {escape(row.clauses)}</p>'
        )
        yield "<dl>"
        reasons = "to be shown" if row.result == "manual" else "why"
        for name, texts in (
            ("settings", row.settings),
            ("objects", row.objects),
            ("policies", row.policies),
            ("live", row.live),
            (reasons, row.reasons),
        ):
            if texts:
                yield f"<dt>{name}</dt><dd>{'<br>'.join(escape(text) for text in texts)}</dd>"
        yield "</dl></section>"
