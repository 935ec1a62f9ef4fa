"""The generated part of `docs/troubleshooting.md`: what is seen, what it comes from, what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from madeploy.findings.codes import CODES
from madeploy.findings.symptoms import SYMPTOMS, Symptom

_AREAS: Final = (
    ("Model registry", "model-registry guide"),
    ("Registration of compute clusters", "registration guide"),
    ("Network", "network guide"),
    ("Services whose configuration follows the guides", "differences"),
    ("Kubernetes, the object store, Pulumi", ""),
)


def troubleshooting_reference() -> str:
    """What is generated of `docs/troubleshooting.md`."""
    lines: list[str] = []
    left = list(SYMPTOMS)
    for title, start in _AREAS:
        rows = [symptom for symptom in left if symptom.row.startswith(start)]
        left = [symptom for symptom in left if symptom not in rows]
        lines += [f"## {title}", "", "| Row | What is seen | Code | Comes from |", "|---|---|---|---|"]
        lines += [_row(symptom) for symptom in rows]
        lines += ["", *_fixes(rows)]
    return "\n".join(lines).rstrip() + "\n"


def _row(symptom: Symptom) -> str:
    seen = symptom.example.replace("|", "\\|")
    words = symptom.match(symptom.example) or {}
    code = f"[{symptom.code}](findings.md#{symptom.code.lower()})"
    return f"| {symptom.row} | `{seen}` | {code} | {symptom.cause.format(**words)} |"


def _fixes(rows: list[Symptom]) -> Iterator[str]:
    for code in dict.fromkeys(symptom.code for symptom in rows):
        yield f"- {code}, {CODES[code].title[:1].lower()}{CODES[code].title[1:]}: {CODES[code].why}"
    yield ""
