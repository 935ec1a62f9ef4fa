"""A small evaluator of AWS policy documents: the part of the language that the project's policies use.

It follows the evaluation logic of the IAM user guide: what no statement allows is denied, and a statement
that denies wins. Whatever it does not know is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from re import IGNORECASE, compile
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One call to AWS."""

    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    """Condition keys of the request; a list for keys with several values."""
    principal: Any = None
    """Who calls, as a policy names it: `{"AWS": arn}`, `{"Service": name}`, `{"Federated": arn}`."""


@dataclass(frozen=True)
class Decision:
    """What one document says to a request."""

    allowed: bool
    explicitly_denied: bool


def allows(policy: Document, request: Request) -> Decision:
    """What `policy` says; a policy of an identity when its statements have no principal."""
    effects = {item["Effect"] for item in policy["Statement"] if _applies(item, request)}
    return Decision(effects == {"Allow"}, "Deny" in effects)


def _applies(statement: Document, request: Request) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    assert not unknown, f"elements this evaluator does not know: {unknown}"
    return (
        _matches_any(statement["Action"], request.action, ignore_case=True)
        and ("Resource" not in statement or _matches_any(statement["Resource"], request.resource))
        and ("Principal" not in statement or _is_principal(statement["Principal"], request.principal))
        and all(
            _holds(operator, key, wanted, request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _is_principal(named: Any, who: Any) -> bool:
    if named in ("*", {"AWS": "*"}):
        return True
    assert isinstance(named, Mapping), f"a principal this evaluator does not know: {named}"
    if not who:
        return False
    ((kind, name),) = who.items()
    root = f"{':'.join(name.split(':')[:5])}:root"
    return any(item in (name, root) for item in _listed(named.get(kind, [])))


def _holds(operator: str, key: str, wanted: Any, context: Mapping[str, Any]) -> bool:
    quantifier, _, plain = operator.rpartition(":")
    assert quantifier in ("", "ForAnyValue"), operator
    compare = _OPERATORS[plain]
    # A key that the request does not have matches nothing: no operator here ends in IfExists.
    found = _listed(context[key]) if key in context else []
    return any(compare(value, item) for value in found for item in _listed(wanted))


def _matches_any(patterns: Any, value: str, ignore_case: bool = False) -> bool:
    return any(_like(value, pattern, ignore_case) for pattern in _listed(patterns))


def _like(value: str, pattern: str, ignore_case: bool = False) -> bool:
    # fnmatch knows sets in brackets, IAM does not.
    escaped = pattern.replace("[", "[[]")
    return compile(translate(escaped), IGNORECASE if ignore_case else 0).match(value) is not None


def _arn_like(value: str, pattern: str) -> bool:
    # Each of an ARN's first five parts is compared with its own.
    ours, theirs = value.split(":", 5), pattern.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(map(_like, ours, theirs))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnLike": _arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "NumericLessThan": lambda value, wanted: float(value) < float(wanted),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": _like,
}


def weakened(policy: Document) -> Iterator[tuple[str, Document]]:
    """Every policy that lacks one statement, one action, one resource or one condition of `policy`, each
    with what it lacks."""
    statements = list(policy["Statement"])
    for number, statement in enumerate(statements):
        rest = [*statements[:number], *statements[number + 1 :]]
        yield statement["Sid"], {**policy, "Statement": rest}
        for change, changed in _weakened(statement):
            yield f"{statement['Sid']} {change}", {**policy, "Statement": [*rest, changed]}


def _weakened(statement: Document) -> Iterator[tuple[str, Document]]:
    for name in ("Action", "Resource"):
        items = _listed(statement.get(name, []))
        for item in items if len(items) > 1 else ():
            yield f"{name} {item}", {**statement, name: [other for other in items if other != item]}
    conditions = statement.get("Condition", {})
    for operator, keys in conditions.items():
        for key in keys:
            left = {name: value for name, value in keys.items() if name != key}
            others = {name: value for name, value in conditions.items() if name != operator}
            yield f"{operator} {key}", {**statement, "Condition": others | ({operator: left} if left else {})}
