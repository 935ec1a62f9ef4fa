"""The annotation `pulumi.com/waitFor`: what a resource is waited for, in its author's words.

Forms, as pulumi-kubernetes documents them: `jsonpath={.status.phase}=Running`, `jsonpath={.data.token}`
(anything there), `condition=Ready`, `condition=Ready=False`, and a JSON list of such strings, all of which
must hold. JSONPath is what kubectl understands for one place in an object: fields, `['quoted.fields']`,
positions, `[*]` and equality filters."""

from __future__ import annotations

import json
import re
from typing import Any

from madeploy.sandbox.plugins.kubernetes.client import Client, Object
from madeploy.sandbox.plugins.kubernetes.readiness import Rule, condition

WAIT_FOR = "pulumi.com/waitFor"


class ConditionError(Exception):
    """The annotation cannot be understood."""


def parse(annotation: str) -> Rule:
    """The rule that the annotation's value states.

    Raises:
        ConditionError: it is none of the forms above.
    """
    try:
        values = json.loads(annotation)
    except ValueError:
        values = annotation
    expressions = values if isinstance(values, list) else [annotation]
    if not expressions:
        raise ConditionError(f"{WAIT_FOR}: at least one condition must be specified")
    rules = [_parse_one(str(expression)) for expression in expressions]
    return lambda client, live: [reason for rule in rules for reason in rule(client, live)]


def _parse_one(expression: str) -> Rule:
    form, _, rest = expression.partition("=")
    if form == "condition" and rest:
        return _condition_rule(rest)
    if form == "jsonpath" and rest:
        return _path_rule(rest)
    raise ConditionError(f'{WAIT_FOR}: expected a "jsonpath=" or "condition=" prefix, got {expression!r}')


def _condition_rule(text: str) -> Rule:
    kind, _, status = text.partition("=")
    wanted = (status or "True").lower()

    def rule(client: Client, live: Object) -> list[str]:
        found = condition(live, kind)
        seen = found.get("observedGeneration")
        if isinstance(seen, int) and seen < live["metadata"].get("generation", 0):
            return [f"condition {kind} is not of this generation yet"]
        if str(found.get("status", "")).lower() == wanted:
            return []
        told = (
            f", it is {found['status']}: {found.get('message') or found.get('reason') or ''}" if found else ""
        )
        return [f"waiting for condition {kind}={status or 'True'}{told}".rstrip(": ")]

    return rule


def _path_rule(text: str) -> Rule:
    if text.startswith("{"):
        path, closed, rest = text[1:].partition("}")
        if not closed or (rest and not rest.startswith("=")):
            raise ConditionError(f"{WAIT_FOR}: {text!r} is not of the form {{.path}} or {{.path}}=value")
        value = rest[1:] if rest else None
    else:
        path, equals, right = text.partition("=")
        value = right if equals else None
    steps = _steps(path)
    wanted = value.strip("'\"") if value is not None else None

    def rule(client: Client, live: Object) -> list[str]:
        found = [item for item in _walk(live, steps) if item is not None]
        if wanted is None:
            return [] if any(item != "" for item in found) else [f"waiting for {{{path}}} to be set"]
        if len(found) == 1 and not isinstance(found[0], dict | list) and _shown(found[0]) == wanted:
            return []
        # Not what it is now: the path may lead into a Secret.
        return [f"waiting for {{{path}}} to be {wanted}"]

    return rule


_STEP = re.compile(
    r"""\.(?P<field>(?:[\w-]|\\.)+)|\[(?P<position>-?\d+)\]|\[(?P<every>\*)\]|\.(?P<all>\*)"""
    r"""|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]"""
    r"""|\[\?\(\s*@\.(?P<key>[\w.-]+)\s*==\s*(?P<q>['"]?)(?P<equal>[^'")]*)(?P=q)\s*\)\]"""
)

Step = tuple[str, Any]


def _steps(path: str) -> list[Step]:
    text = path.strip().removeprefix("$")
    if text and text[0] not in ".[":
        text = f".{text}"
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if not match:
            raise ConditionError(
                f"{WAIT_FOR}: JSONPath {path!r} is not supported from {text[position:]!r} on"
            )
        groups = match.groupdict()
        if groups["field"] is not None:
            steps.append(("field", groups["field"].replace("\\.", ".").replace("\\", "")))
        elif groups["quoted"] is not None:
            steps.append(("field", groups["quoted"]))
        elif groups["position"] is not None:
            steps.append(("position", int(groups["position"])))
        elif groups["key"] is not None:
            steps.append(("filter", (groups["key"].split("."), groups["equal"])))
        else:
            steps.append(("every", None))
        position = match.end()
    if not steps:
        raise ConditionError(f"{WAIT_FOR}: JSONPath {path!r} names no field")
    return steps


def _walk(value: Any, steps: list[Step]) -> list[Any]:
    if not steps:
        return [value]
    (form, detail), rest = steps[0], steps[1:]
    if form == "field":
        return _walk(value[detail], rest) if isinstance(value, dict) and detail in value else []
    if form == "position":
        inside = isinstance(value, list) and -len(value) <= detail < len(value)
        return _walk(value[detail], rest) if inside else []
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if form == "filter":
        keys, wanted = detail
        path = [("field", key) for key in keys]
        items = [item for item in items if [_shown(found) for found in _walk(item, path)] == [wanted]]
    return [found for item in items for found in _walk(item, rest)]


def _shown(value: Any) -> str:
    """A scalar as kubectl prints it."""
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)
