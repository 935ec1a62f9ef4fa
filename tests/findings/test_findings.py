"""Findings: one shape, one order, and the same content as text, table, JSON and SARIF."""

from __future__ import annotations

import ast
import io
import json
import re
from functools import cache
from pathlib import Path

import pytest

from madeploy.findings import CODES, Finding, Location, exit_code, find, in_order
from madeploy.findings.codes import GROUPS, register
from madeploy.findings.sarif import to_sarif
from madeploy.findings.text import aligned, report, summary, to_json, write
from madeploy.policy.codes import POLICIES
from madeploy.reference.findings import findings_reference
from madeploy.rules import RULES

ROOT = Path(__file__).parents[2]
PLACE = Location("stacks/Pulumi.prod.yaml", 7, 5, "    apiHost: x", 5)


def findings() -> list[Finding]:
    return [
        find("MA133", "michelangelo:images.tag", "main is a floating tag", severity="warning"),
        find("MA110", "michelangelo:domains.apiHost", "is no setting", accepted="api, app", location=PLACE),
        find("MA118", "stacks/Pulumi.prod.yaml", "imports an environment"),
    ]


@cache
def codes_in(path: Path) -> frozenset[str]:
    """Codes that stand in a module as texts of their own."""
    text = path.read_text(encoding="utf-8")
    if not re.search(r"MA[0-9]{3}", text):
        return frozenset()
    constants = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    return frozenset(
        each for each in constants if isinstance(each, str) and re.fullmatch(r"MA[0-9]{3}", each)
    )


def test_codes_are_unique_and_explained() -> None:
    """UX-3: one title, one reason and one way out for each code, in its area's hundred."""
    ours = [code for group in GROUPS for code in group]
    of_rules = {code for rule in RULES for code in rule.codes} - set(ours)
    assert set(CODES) == {*ours, *of_rules, *POLICIES}
    assert len({known.title for known in CODES.values()}) == len(CODES)
    for code, known in CODES.items():
        assert re.fullmatch(r"MA[1-9][0-9]{2}", code)
        assert known.why.endswith(".")
        assert known.fix
        assert len(known.title) <= 72
        assert not known.title.endswith(".")
    assert ours == sorted(set(ours))


def test_a_code_has_one_meaning() -> None:
    """UX-3: words at two places would say two things."""
    register({"MA133": CODES["MA133"]})
    with pytest.raises(ValueError, match="MA133 has two meanings"):
        register({"MA133": CODES["MA110"]})


def test_codes_of_rules_and_policies_are_reported_by_these_alone() -> None:
    """UX-3: whoever else reports a code must not depend on the rules or policies being there."""
    everywhere = {code for group in GROUPS for code in group}
    for path in (ROOT / "madeploy").rglob("*.py"):
        if "rules" in path.parts or path.parent.name == "codes":
            continue
        ours = everywhere | POLICIES.keys() if path.parent.name == "policy" else everywhere
        for code in codes_in(path):
            assert code in ours, f"{path.relative_to(ROOT)}: {code}"


def test_every_code_is_reported_somewhere() -> None:
    """UX-3: no code that nothing reports, and none reported that is not registered."""
    reported = {
        code
        for package in ("madeploy", "manifests", "components", "policies")
        for path in (ROOT / package).rglob("*.py")
        if path.parent.name != "codes"
        for code in codes_in(path)
    }
    assert reported == set(CODES)


def test_an_unknown_code_is_refused() -> None:
    """UX-3: findings cannot be made up."""
    with pytest.raises(ValueError, match="MA000"):
        find("MA000", "x", "y")
    with pytest.raises(ValueError, match="MA000"):
        Finding("MA000", "error", "x", "y", "z", "f")


def test_the_order_does_not_depend_on_the_order_found() -> None:
    """UX-3: the same findings give the same report."""
    forwards = report("x", findings())
    assert forwards == report("x", reversed(findings() + findings()))
    assert [item.code for item in in_order(findings())] == ["MA133", "MA118", "MA110"]


def test_text_has_the_place_the_line_and_the_way_out() -> None:
    """UX-3: file, line and column first, as editors and terminals follow them."""
    text = report("stacks/Pulumi.prod.yaml", findings()[1:2])
    assert text.startswith(
        "stacks/Pulumi.prod.yaml:7:5: error MA110: michelangelo:domains.apiHost: is no setting\n"
    )
    assert "    7 |     apiHost: x\n      |     ^\n" in text
    for word in ("accepted: api, app", "why: ", "fix: ", "docs/findings.md#ma110", "1 error"):
        assert word in text


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ([], "no findings"),
        (["MA110"], "1 error"),
        (["MA110", "MA111", "MA131"], "2 errors, 1 warning"),
        (["MA118", "MA119"], "2 notes"),
    ],
)
def test_the_summary_counts(reported: list[str], expected: str) -> None:
    """UX-3: the last line says how much there is."""
    assert summary(find(code, "x", code) for code in reported) == expected


def test_exit_codes_follow_severity() -> None:
    """UX-2: errors fail, warnings only when asked to, notes never."""
    error, warning, note = find("MA110", "x", "y"), find("MA131", "x", "y"), find("MA118", "x", "y")
    assert exit_code([]) == 0
    assert exit_code([note, warning]) == 0
    assert exit_code([note, warning], strict=True) == 1
    assert exit_code([note], strict=True) == 0
    assert exit_code([warning, error]) == 1
    assert exit_code([warning, error], errors=2) == 2


def test_a_table_has_aligned_columns() -> None:
    """UX-2."""
    lines = aligned([("CODE", "SUBJECT"), ("MA133", "images.tag"), ("MA110", "")])
    assert lines == ["CODE   SUBJECT", "MA133  images.tag", "MA110"]


def test_json_has_every_field() -> None:
    """UX-2: what is printed is machine-readable as well."""
    data = json.loads(to_json(findings()))
    assert len(data) == 3
    for item in data:
        assert set(item) == {
            "code", "severity", "title", "subject", "evidence", "accepted", "why", "fix", "documentation",
            "location",
        }  # fmt: skip
    assert data[2]["location"] == {"file": "stacks/Pulumi.prod.yaml", "line": 7, "column": 5}


def test_sarif_is_what_the_standard_asks_for() -> None:
    """UX-2: SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.27 (result), 3.29 (location), 3.30 (region)."""
    log = json.loads(to_sarif(findings(), "1.0"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "madeploy"
    rules = [rule["id"] for rule in driver["rules"]]
    assert rules == sorted(set(rules))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    assert len(run["results"]) == 3
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        for place in result.get("locations", ()):
            physical = place["physicalLocation"]
            assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", physical["artifactLocation"]["uri"])
            assert physical["region"]["startLine"] >= 1
            assert physical["region"]["startColumn"] >= 1
    assert [len(result.get("locations", ())) for result in run["results"]] == [0, 0, 1]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-3: plain text in a log, colours on a terminal, none with NO_COLOR; the words are the same."""
    text = report("x", findings())
    plain, coloured, refused = io.StringIO(), _Terminal(), _Terminal()
    write(text, plain)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    write(text, coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    write(text, refused)
    assert plain.getvalue() == text + "\n"
    assert "\x1b[" in coloured.getvalue()
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured.getvalue()) == text + "\n"
    assert re.sub(r"\x1b\[[12]?[0-9]?m", "", refused.getvalue()).count("\x1b[3") == 0


def test_the_reference_has_an_anchor_for_every_code() -> None:
    """UX-3: `see:` leads somewhere."""
    text = findings_reference()
    headings = set(re.findall(r"^## (MA[0-9]{3})$", text, re.MULTILINE))
    assert headings == set(CODES)
    assert find("MA110", "x", "y").documentation == "docs/findings.md#ma110"
