"""A plan as text, as markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from madeploy.plan.changes import Change, Comparison, Operation
from madeploy.plan.text import Level, Sentence, count

SHOWN_FIELDS: Final = 4
"""Fields of one object that a table shows; JSON has all of them."""

_SIGNS: Final[dict[Operation, str]] = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
_LABELS: Final[dict[Level, str]] = {
    "refused": "REFUSED",
    "loss": "LOSS",
    "outage": "OUTAGE",
    "notice": "notice",
    "quiet": "-",
}


def summary(comparison: Comparison) -> str:
    """`3 to create, 1 to update`, or `no changes`."""
    counts = comparison.counts()
    parts = [f"{number} to {operation}" for operation, number in counts.items()]
    return ", ".join(parts) or "no changes"


def _fields(change: Change) -> str:
    names = _names(change)
    more = len(names) - SHOWN_FIELDS
    return ", ".join(names[:SHOWN_FIELDS]) + (f" and {count(more, 'other')}" if more > 0 else "")


def _names(change: Change) -> list[str]:
    """Paths of the fields that differ, never their values: those of Secrets are nobody's to read."""
    return [*(field.dotted for field in change.fields), *change.hidden]


def to_text(title: str, found: list[Sentence], comparison: Comparison) -> str:
    """Sentences first, then every object that changes, cluster by cluster."""
    width = max(len(_LABELS[sentence.level]) for sentence in found)
    lines = [f"{title}: {summary(comparison)}", ""]
    lines += [f"  {_LABELS[sentence.level]:<{width}}  {sentence.text}" for sentence in found]
    cluster = ""
    for change in comparison.changes:
        if change.identity.cluster != cluster:
            cluster = change.identity.cluster
            lines += ["", f"{cluster}:"]
        fields = _fields(change)
        lines.append(f"  {_SIGNS[change.operation]} {change.identity}" + (f"  {fields}" if fields else ""))
    return "\n".join(lines) + "\n"


def to_markdown(title: str, found: list[Sentence], comparison: Comparison) -> str:
    """For a pull request: sentences as a list, the objects folded away."""
    marks: dict[Level, str] = {
        "refused": "**Refused:** ",
        "loss": "**Loss:** ",
        "outage": "**Outage:** ",
        "notice": "",
        "quiet": "",
    }
    lines = [f"### {_escaped(title)}: {summary(comparison)}", ""]
    lines += [f"- {marks[sentence.level]}{_escaped(sentence.text)}" for sentence in found]
    if comparison.changes:
        lines += ["", "<details>", f"<summary>{count(len(comparison.changes), 'object')}</summary>", ""]
        lines += ["| | Cluster | Object | Fields |", "|---|---|---|---|"]
        for change in comparison.changes:
            cells = (
                f"`{_SIGNS[change.operation]}`",
                _escaped(change.identity.cluster),
                _escaped(str(change.identity)),
                _escaped(_fields(change)),
            )
            lines.append(f"| {' | '.join(cells)} |")
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    for character in "\\`*_|<>[]":
        text = text.replace(character, f"\\{character}")
    return text


def to_json(title: str, found: list[Sentence], comparison: Comparison) -> str:
    """Keys are constant; values of Secrets are left out."""
    data: dict[str, Any] = {
        "title": title,
        "summary": comparison.counts(),
        "sentences": [{"level": sentence.level, "text": sentence.text} for sentence in found],
        "changes": [
            {
                **asdict(change.identity),
                "operation": change.operation,
                "fields": _names(change),
            }
            for change in comparison.changes
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
