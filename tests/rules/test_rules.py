"""Rules between sections: each is broken once, and the minimal stack breaks none."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from madeploy.rules.controls import CONTROLS
from madeploy.rules.model import RULES, SECRETS, Rule
from madeploy.settings import SECRET_KEYS, Environment
from madeploy.stackfile.loader import CheckedStack
from tests.rules.cases.sections import service
from tests.rules.rule_cases import ALLOWED, BROKEN
from tests.support.environments import ALL
from tests.support.proves import proves
from tests.support.stacks import load


def _found(stack: CheckedStack) -> set[tuple[str, str, str]]:
    return {(item.code, item.severity, item.subject.removeprefix("michelangelo:")) for item in stack.findings}


def test_the_minimal_stack_has_no_findings(tmp_path: Path) -> None:
    """CARD-5: what has a default need not be said, in production either."""
    stack = load(tmp_path)
    assert stack.findings == ()
    assert stack.environment is not None


@pytest.mark.parametrize(
    ("code", "severity", "subject", "sections"),
    BROKEN,
    ids=[f"{row[0]}-{row[1]}-{i}" for i, row in enumerate(BROKEN)],
)
@proves("CP-9")
def test_a_broken_rule_is_reported_at_its_setting(
    code: str, severity: str, subject: str, sections: dict[str, Any], tmp_path: Path
) -> None:
    """CP-2, CP-3, CP-6, CP-9, NET-3, NET-12, MR-1, MR-2, REG-1, REG-4: each rule, its place and severity."""
    stack = load(tmp_path, sections)
    assert (code, severity, subject) in _found(stack)
    assert (stack.environment is None) == any(item.severity == "error" for item in stack.findings)


@pytest.mark.parametrize(
    ("code", "sections"), ALLOWED, ids=[f"{row[0]}-{i}" for i, row in enumerate(ALLOWED)]
)
def test_what_a_rule_allows_is_not_reported(code: str, sections: dict[str, Any], tmp_path: Path) -> None:
    """CP-9, NET-3, NET-12, MR-1: the near misses of the rules."""
    stack = load(tmp_path, sections)
    assert code not in {item.code for item in stack.findings}
    assert not {item.code for item in stack.findings} & {f"MA11{digit}" for digit in range(7)}


def test_every_code_of_every_rule_is_broken_above() -> None:
    """UX-3: no rule without a test. Those of compliance are broken by control, in a file of their own."""
    controls = {item.code for item in CONTROLS if item.code is not None}
    assert {code for rule in RULES for code in rule.codes} - controls == {row[0] for row in BROKEN}


def test_an_error_in_one_section_leaves_the_rules_of_the_others(tmp_path: Path) -> None:
    """UX-3: everything at once, not one section after the other."""
    stack = load(
        tmp_path,
        {"domains": {"api": "API.example.com", "app": "app.example.com"}, "images": {"tag": "main"}}
        | service("controllermgr", leaderElection=False, typo=1)
        | {"clusters": {"bad": {"server": "x"}, "gpu": {}}},
    )
    codes = {item.code for item in stack.findings}
    assert {"MA113", "MA133", "MA130", "MA110", "MA402"} <= codes


class _Watching(Environment):
    """An environment that notes which sections are read."""

    def __getattribute__(self, name: str) -> Any:
        if name in Environment.model_fields:
            READ.add(name)
        return super().__getattribute__(name)


READ: set[str] = set()


@cache
def _watching() -> tuple[_Watching, ...]:
    """Every environment of the tests, and the minimal one with each rule broken."""
    minimal = ALL["minimal"]().to_yaml_data()
    environments = [make() for make in ALL.values()]
    for _, _, _, sections in BROKEN:
        plain = {key: value for key, value in sections.items() if key not in SECRET_KEYS and value is not ...}
        environments.append(Environment.model_validate(minimal | plain))
    return tuple(_Watching.model_construct(None, **dict(environment)) for environment in environments)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_reads_the_sections_it_declares_and_no_other(rule: Rule) -> None:
    """UX-3: a rule runs as soon as its sections are valid, so it must not touch others."""
    watched = _watching()
    READ.clear()
    for environment in watched:
        list(rule.check(environment, {"kubeconfigs": frozenset({"x"})}))
    assert set(rule.sections) - {SECRETS} == READ
