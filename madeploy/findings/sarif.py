"""Findings as SARIF 2.1.0 (OASIS standard), which code review shows beside the line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from madeploy.findings.codes import CODES
from madeploy.findings.model import Finding, in_order

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def _rule(code: str) -> dict[str, Any]:
    known = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.why},
        "help": {"text": known.fix},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
    }


def _result(finding: Finding, rules: list[str]) -> dict[str, Any]:
    parts = [f"{finding.subject}: {finding.evidence}."]
    if finding.accepted:
        parts.append(f"Accepted: {finding.accepted}.")
    parts.append(f"Fix: {finding.fix}")
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rules.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": " ".join(parts)},
    }
    place = finding.location
    if place:
        region: dict[str, Any] = {"startLine": place.line, "startColumn": place.column}
        result["locations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place.file.replace("\\", "/"))},
                    "region": region,
                },
                "logicalLocations": [{"fullyQualifiedName": finding.subject}],
            }
        ]
    return result


def to_sarif(findings: Iterable[Finding], version: str, not_checked: Iterable[str] = ()) -> str:
    """One run of the tool `madeploy` of that version, as JSON text ending in a newline. `not_checked` says of
    each check that could not be made why: a notification of the run (SARIF 3.20.21)."""
    ordered = in_order(findings)
    notes = [{"level": "warning", "message": {"text": text}} for text in not_checked]
    invocation = {"executionSuccessful": not notes, "toolExecutionNotifications": notes}
    rules = sorted({item.code for item in ordered})
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "madeploy",
                        "version": version,
                        "rules": [_rule(code) for code in rules],
                    }
                },
                **({"invocations": [invocation]} if notes else {}),
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, rules) for item in ordered],
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
