"""Control by control: the settings that decide it, the objects that carry it out, the policies that look at
these, what live systems answer, and what follows."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from madeploy.compliance.live import Answer
from madeploy.documents.paths import dotted
from madeploy.policy.service_files import EVERY_RULE
from madeploy.rules.controls import CONTROLS, TITLES, Chosen, Control, Question, cited, violations
from madeploy.rules.controls_shown import MANUAL
from madeploy.settings import Environment
from policies.rules.evaluation import Outcome
from policies.rules.model import Resource

Result = Literal["failed", "not shown", "configured", "passed", "manual"]

RESULTS: Final[Mapping[Result, str]] = {
    "failed": "a setting, an object or a live system contradicts it",
    "not shown": "decided elsewhere, or there was no answer",
    "configured": "settings and objects keep it; live systems were not asked",
    "passed": "settings and objects keep it, and live systems where there are any to ask",
    "manual": "no software shows it: a person has to",
}
"""What each result means, the worst first."""


_NAMES: Final = {rule.code: rule.name for rule in EVERY_RULE}


@dataclass(frozen=True)
class Row:
    """One control."""

    control: str
    title: str
    clauses: str
    settings: tuple[str, ...]
    """Each setting that decides it and what it says."""

    objects: tuple[str, ...]
    """Each kind that carries it out, and how many there are."""

    policies: tuple[str, ...]
    """Each policy, and what it found."""

    live: tuple[str, ...]
    """What live systems answered."""

    result: Result
    reasons: tuple[str, ...]
    """Why it is not passed; what a person has to show."""


@dataclass(frozen=True)
class Evidence:
    """Compliance evidence of one stack."""

    stack: str
    date: datetime.datetime
    """When it was collected, UTC."""

    frameworks: tuple[str, ...]
    toolkit: str
    """Version."""

    asked: bool
    """Whether live systems were asked."""

    rows: tuple[Row, ...]

    @property
    def counts(self) -> dict[Result, int]:
        """Rows by result, the worst first."""
        counted = Counter(row.result for row in self.rows)
        return {name: counted[name] for name in RESULTS if counted[name]}

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON; keys are constant."""
        data = asdict(self) | {"date": self.date.isoformat(), "counts": self.counts}
        return data | {"meanings": dict(RESULTS)}


def collect(
    stack: str,
    environment: Environment,
    judged: tuple[Sequence[Resource], Outcome],
    ask: Callable[[Question, Environment], tuple[Answer, ...]] | None,
    now: datetime.datetime,
    toolkit: str,
) -> Evidence:
    """Evidence of an environment's frameworks.

    Args:
        stack: its name.
        environment: its settings.
        judged: its objects, and what the policies found.
        ask: asks live systems; None where they are not to be asked.
        now: time of collection, UTC.
        toolkit: version of the toolkit.
    """
    chosen: Chosen = frozenset(environment.compliance.frameworks)
    controls = [item for item in CONTROLS if chosen & item.clauses.keys()]
    questions = dict.fromkeys(question for item in controls for question in item.questions)
    answers = {question: ask(question, environment) for question in questions} if ask else {}
    rows = [_row(item, chosen, environment, judged, answers if ask else None) for item in controls]
    manual = [
        Row(item.name, item.title, cited(item.clauses, chosen), (), (), (), (), "manual", (item.evidence,))
        for item in MANUAL
        if chosen & item.clauses.keys()
    ]
    names = tuple(TITLES[name] for name in environment.compliance.frameworks)
    return Evidence(stack, now, names, toolkit, ask is not None, (*rows, *manual))


def _row(
    item: Control,
    chosen: Chosen,
    environment: Environment,
    judged: tuple[Sequence[Resource], Outcome],
    answers: Mapping[Question, tuple[Answer, ...]] | None,
) -> Row:
    resources, outcome = judged
    wrong: list[str] = []
    unclear: list[str] = []
    for said in violations(item, environment):
        place = f"{dotted(said.path)} {said.evidence.rpartition(' (')[0]}"
        (unclear if said.severity == "warning" else wrong).append(place)
    broken = Counter(found.rule.code for found in outcome.found if found.severity != "info")
    hidden = Counter(found.rule.code for found, _ in outcome.suppressed)
    policies = []
    for code in item.policies:
        judgement = f"{code} {_NAMES[code]}: {broken[code] or 'no'} violations"
        policies.append(judgement + (f", {hidden[code]} accepted by suppressions" if hidden[code] else ""))
        if broken[code]:
            wrong.append(f"policy {code} {_NAMES[code]} is violated {broken[code]} times")
    seen = [answer for question in item.questions for answer in (answers or {}).get(question, ())]
    wrong += [f"{answer.subject}: {answer.said}" for answer in seen if answer.kept is False]
    unclear += [f"{answer.subject}: {answer.said}" for answer in seen if answer.kept is None]
    if answers is not None:
        silent = [question for question in item.questions if not answers.get(question)]
        unclear += [f"{question}: the settings name nothing that could be asked" for question in silent]
    kinds = Counter(resource.kind.rpartition("/")[2] for resource in resources)
    return Row(
        item.name,
        item.title,
        cited(item.clauses, chosen),
        tuple(f"{name}: {_said(environment, name)}" for name in item.settings),
        tuple(f"{kind}: {kinds[kind]}" if ":" not in kind else kind for kind in item.objects),
        tuple(policies),
        tuple(f"{answer.subject}: {answer.said}" for answer in seen),
        _result(wrong, unclear, asked=answers is not None or not item.questions),
        (*wrong, *unclear),
    )


def _result(wrong: Sequence[str], unclear: Sequence[str], asked: bool) -> Result:
    if wrong:
        return "failed"
    if unclear:
        return "not shown"
    return "passed" if asked else "configured"


def _said(environment: Environment, setting: str) -> str:
    """What the stack file says at a dotted setting, defaults included; `*` stands for every entry."""
    data: Any = environment.model_dump(mode="json", by_alias=True)
    found: list[tuple[str, Any]] = [("", data)]
    for step in setting.split("."):
        following: list[tuple[str, Any]] = []
        for name, value in found:
            if not isinstance(value, dict):
                continue
            if step == "*":
                following += [(key, item) for key, item in value.items()]
            elif step in value:
                following.append((name, value[step]))
        found = following
    values = [f"{name} {_short(value)}".strip() for name, value in found]
    return ", ".join(values) or "none"


def _short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        said = {key: item for key, item in value.items() if item not in (None, "", [], {})}
        inner = ", ".join(f"{key} {_short(item)}" for key, item in said.items())
        return f"({inner})" if inner else "none"
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value) or "none"
    return str(value)
