"""A report as JUnit's XML, which continuous integration shows as tests: one a check.

JUnit has no standard; this is the form that Jenkins, GitLab and GitHub's reporters read. What could not be
checked is `skipped`, which none of them counts as passed.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

from madeploy.findings.outcomes import STATES, Outcome, Report
from madeploy.findings.text import one

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, escaped or not (XML 1.0, 2.2)."""


def to_junit(report: Report) -> str:
    """One suite of the report's checks, ending in a newline."""
    counted = report.counted()
    totals = {
        "tests": str(len(report.outcomes)),
        "failures": str(counted.get("failed", 0)),
        "errors": "0",
        "skipped": str(counted.get("notChecked", 0) + counted.get("notNeeded", 0)),
        "time": f"{report.seconds:.3f}",
    }
    suites = ElementTree.Element("testsuites", totals)
    named = {"name": f"{report.command} {report.stack}", "timestamp": f"{report.began:%Y-%m-%dT%H:%M:%S}"}
    suite = ElementTree.SubElement(suites, "testsuite", {**named, **totals})
    if report.facts:
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in report.facts.items():
            ElementTree.SubElement(properties, "property", {"name": _clean(name), "value": _clean(value)})
    for outcome in report.outcomes:
        _case(suite, report.command, outcome)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, command: str, outcome: Outcome) -> None:
    attributes = {
        "classname": f"madeploy.{command}",
        "name": _clean(f"{outcome.check}: {outcome.title}"),
        "time": f"{outcome.seconds:.3f}",
    }
    case = ElementTree.SubElement(suite, "testcase", attributes)
    text = _clean("\n\n".join(map(one, outcome.findings)))
    if outcome.state == "failed":
        codes = " ".join(dict.fromkeys(finding.code for finding in outcome.findings))
        said = {"message": _clean(outcome.detail), "type": codes}
        ElementTree.SubElement(case, "failure", said).text = text
    elif outcome.state in ("notChecked", "notNeeded"):
        said = {"message": _clean(f"{STATES[outcome.state]}: {outcome.detail}")}
        ElementTree.SubElement(case, "skipped", said)
    else:
        ElementTree.SubElement(case, "system-out").text = text or _clean(outcome.detail)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
