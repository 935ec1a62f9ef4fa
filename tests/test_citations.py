"""What comments, settings and documents cite can be opened: the platform's behaviour, and requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLATFORM = ROOT / "docs/platform.md"
REQUIREMENTS = ROOT / "docs/requirements.md"
CITING = ("madeploy", "manifests", "components", "policies", "docs", "stacks", "tests", "benchmarks")
SUFFIXES = (".py", ".md", ".yaml", ".json", ".txt")

_ONE = r"(?:rows? \d+|\d(?:\.\d+)?)\b"
_FACTS = re.compile(rf"\bfacts ({_ONE}(?:(?:, and |, | and | to | ){_ONE})*)")
_NUMBER = re.compile(r"rows? (\d+)|(\d+(?:\.\d+)?)")
_TRIED = re.compile(r"\bV\d{1,2}\b")
_REQUIREMENT = re.compile(r"\b(?:ACC|CARD|CP|MR|NET|OPS|REG|REL|UX)-\d{1,2}\b")
_ELSEWHERE = re.compile(
    r"(?:shared|facts|guides)/[\w-]+\.(?:md|txt)|(?i:\b(?:decision|engineering note) \d|\bissue #\d)"
)


def cited(text: str) -> Iterator[str]:
    """Everything a text cites: `2.3`, `2.3 row 16`, `V7`."""
    # Comments are broken into lines anywhere.
    flat = re.sub(r"\s*\n\s*(?:#\s*)?", " ", text)
    for match in _FACTS.finditer(flat):
        section, in_rows = "", False
        for row, number in _NUMBER.findall(match[1]):
            in_rows = bool(row) or (in_rows and "." not in number)
            section = section if in_rows else number
            yield f"{section} row {row or number}" if in_rows else section
    yield from _TRIED.findall(flat)
    yield from _REQUIREMENT.findall(flat)


def anchors(text: str) -> set[str]:
    """Everything docs/platform.md and docs/requirements.md have."""
    sections = re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE)
    differences = text.partition("### 2.3 ")[2].partition("### 2.4 ")[0]
    rows = (f"2.3 row {row}" for row in re.findall(r"^\| (\d+) \|", differences, re.MULTILINE))
    return {*sections, *rows, *re.findall(r"^\| (V\d+|[A-Z]+-\d+) \|", text, re.MULTILINE)}


def files() -> Iterator[Path]:
    """Every text of the project that may cite."""
    for folder in CITING:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES and path != PLATFORM and "__pycache__" not in path.parts:
                yield path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ends its life (facts 3.1).", ["3.1"]),
        ("(facts 2.3 row 16, V7)", ["2.3", "2.3 row 16", "V7"]),
        ("(facts 2.3 rows 5, 6)", ["2.3", "2.3 row 5", "2.3 row 6"]),
        ("(facts 0.3,\n    # 3.1; V5 to V7)", ["0.3", "3.1", "V5", "V7"]),
        ("CP-8, REG-10: by a hook", ["CP-8", "REG-10"]),
        ("CoreV1Api has facts for 3 clusters", []),
    ],
)
def test_a_citation_is_recognised(text: str, expected: list[str]) -> None:
    """UX-3."""
    assert list(cited(text)) == expected


def test_every_citation_can_be_opened() -> None:
    """UX-3: by whoever reads the repository."""
    there = anchors("".join(path.read_text(encoding="utf-8") for path in (PLATFORM, REQUIREMENTS)))
    assert len(there) > 60
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files()
        if path.name != Path(__file__).name
        for name in cited(path.read_text(encoding="utf-8", errors="ignore"))
        if name not in there
    }
    assert missing == set()


def test_no_file_outside_the_repository_is_cited() -> None:
    """UX-3."""
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files()
        if path.name != Path(__file__).name
        for name in _ELSEWHERE.findall(path.read_text(encoding="utf-8", errors="ignore"))
    }
    assert found == set()
