"""Findings as text: for a terminal, for a log, and as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TextIO

from madeploy.findings.model import Finding, Location, in_order

_LABELS = ("accepted", "why", "fix", "see")
_WIDTH = max(len(label) for label in _LABELS) + 1


def _source_lines(place: Location) -> list[str]:
    if place.source is None:
        return []
    gutter = len(str(place.line))
    return [
        f"    {place.line} | {place.source}",
        f"    {' ' * gutter} | {' ' * (place.caret - 1)}^",
    ]


def _block(label: str, text: str) -> list[str]:
    if not text:
        return []
    first, *rest = text.splitlines()
    indent = " " * (_WIDTH + 3)
    return [f"  {label + ':':<{_WIDTH}} {first}", *(f"{indent}{line}" for line in rest)]


def one(finding: Finding) -> str:
    """One finding: place, code and evidence on the first line, then the offending line with a caret,
    what is accepted, why, and what to do. No trailing newline."""
    where = f"{finding.location}: " if finding.location else ""
    about = "" if finding.location and finding.location.file == finding.subject else f"{finding.subject}: "
    lines = [f"{where}{finding.severity} {finding.code}: {about}{finding.evidence}"]
    if finding.location:
        lines += _source_lines(finding.location)
    lines += _block("accepted", finding.accepted)
    lines += _block("why", finding.why)
    lines += _block("fix", finding.fix)
    lines += _block("see", finding.documentation)
    return "\n".join(lines)


def summary(findings: Iterable[Finding]) -> str:
    """Counts by severity, such as `2 errors, 1 warning`; `no findings` when there are none."""
    counts: dict[str, int] = {"error": 0, "warning": 0, "info": 0}
    for item in findings:
        counts[item.severity] += 1
    words = {"error": "errors", "warning": "warnings", "info": "notes"}
    parts = [
        f"{count} {words[severity] if count != 1 else words[severity].rstrip('s')}"
        for severity, count in counts.items()
        if count
    ]
    return ", ".join(parts) or "no findings"


def report(subject: str, findings: Iterable[Finding]) -> str:
    """Everything about one subject, ordered, blank lines between, a summary last."""
    ordered = in_order(findings)
    return "\n\n".join([*map(one, ordered), f"{subject}: {summary(ordered)}"])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of a table as lines in aligned columns. Nothing is cut or folded: what scripts take from it is
    whole."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def to_json(findings: Iterable[Finding]) -> str:
    """A JSON array of every finding, ordered, ending in a newline."""
    return json.dumps([item.to_data() for item in in_order(findings)], indent=2, ensure_ascii=False) + "\n"


def write(text: str, stream: TextIO) -> None:
    """Write a report; on a terminal with colours (unless NO_COLOR is set), elsewhere as it is."""
    if not stream.isatty():
        stream.write(text + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    styles: Sequence[tuple[str, str]] = (
        (r"\berror (?=MA\d)", "bold red"),
        (r"\bwarning (?=MA\d)", "bold yellow"),
        (r"\binfo (?=MA\d)", "bold blue"),
        (r"(?m)^ +\d* +\| .*$", "dim"),
        (r"(?m)^  (accepted|why|fix|see):", "cyan"),
    )
    styled = Text(text)
    for pattern, style in styles:
        styled.highlight_regex(pattern, style)
    Console(file=stream, highlight=False, soft_wrap=True).print(styled)
