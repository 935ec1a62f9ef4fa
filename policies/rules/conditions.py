"""Conditions of IAM policy statements: what they compare, and whom they leave (AWS IAM user guide)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from .model import Path, mapping, sequence

_WILDCARD: Final = re.compile(r"[*?]")
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_OWNER: Final = re.compile(r"\$\{aws:Resource(OrgID|OrgPaths|Account)\}(/\*)?", re.IGNORECASE)
"""Variables whose value the resource's owner decides, and not whoever calls."""

_ARN: Final = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:(?P<account>[^:]*):(?P<rest>.*)")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_SHORTEST: Final = {4: 8, 6: 32}
"""Shortest network prefixes that S3 does not call public, by version of IP."""

_EQUAL: Final = frozenset({"stringequals", "stringequalsignorecase"})
_LIKE: Final = frozenset({"stringlike"})
_ARNS: Final = frozenset({"arnequals", "arnlike"})
_ADDRESSES: Final = frozenset({"ipaddress"})
_LITERAL: Final = _EQUAL | {"stringnotequals", "stringnotequalsignorecase"}

_FIXED: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
"""Keys that name a caller, an organisation or a network by one value without a wildcard."""

_PATHS: Final = frozenset({"aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"})
"""Keys that name an organisation before the first slash."""

_ARN_KEYS: Final = frozenset(
    {"aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "s3:dataaccesspointarn"}
)
_USER_IDS: Final = frozenset({"aws:userid"})
_NETWORKS: Final = frozenset({"aws:sourceip"})


class Comparison(NamedTuple):
    """One key of a condition with one operator."""

    operator: str
    """In lower case, without what stands before and after it: `stringequals`."""

    key: str
    """As it is written. IAM reads it without regard to case."""

    values: tuple[str, ...]
    """One of them has to fit."""

    path: Path
    """Below the statement."""

    if_exists: bool
    """Whether a request without the key fits too."""

    quantifier: str
    """`foranyvalue`, `forallvalues` (which a request without the key fits too) or empty."""


def comparisons(statement: Mapping[str, Any]) -> Iterator[Comparison]:
    """Every comparison of a statement. All of them have to fit."""
    for name, keys in mapping(statement.get("Condition")).items():
        quantifier, _, operator = str(name).lower().rpartition(":")
        bare = operator.removesuffix("ifexists")
        for key, value in mapping(keys).items():
            values = [value] if isinstance(value, (str, bool, int)) else sequence(value)
            path = ("Condition", str(name), str(key))
            texts = tuple(str(item) for item in values)
            yield Comparison(bare, str(key), texts, path, bare != operator, quantifier)


def narrowed(statement: Mapping[str, Any]) -> bool:
    """Whether a statement for every principal is left to callers, organisations or networks it names.

    The keys and values are those that S3's Block Public Access and IAM Access Analyzer count; a wildcard in
    the part that names somebody, or a comparison that a request without the key passes, narrows nothing.
    """
    present = {
        item.key.lower()
        for item in comparisons(statement)
        if item.operator == "null" and item.values and all(value.lower() == "false" for value in item.values)
    }
    for item in comparisons(statement):
        optional = item.if_exists or item.quantifier == "forallvalues"
        if optional and item.key.lower() not in present:
            continue
        if item.values and all(_names(item.operator, item.key.lower(), value) for value in item.values):
            return True
    return False


def _names(operator: str, key: str, value: str) -> bool:
    """Whether a value of a key names somebody."""
    if key in _NETWORKS:
        return operator in _ADDRESSES and _narrow_network(value)
    if operator not in _EQUAL | _LIKE | _ARNS:
        return False
    if _VARIABLE.search(value):
        return _OWNER.fullmatch(value) is not None
    if key in _FIXED:
        fixed = value
    elif key in _PATHS:
        fixed = value.partition("/")[0]
    elif key in _USER_IDS:
        fixed = value.partition(":")[0]
    elif key in _ARN_KEYS:
        arn = _ARN.fullmatch(value)
        if arn is None:
            return False
        fixed = value if not arn["account"] else arn["account"]
        if arn["account"] and _ACCOUNT.fullmatch(fixed) is None:
            return False
    else:
        return False
    return bool(fixed) and _WILDCARD.search(fixed) is None


def _narrow_network(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _SHORTEST[network.version]


def literal_wildcards(statement: Mapping[str, Any]) -> Iterator[tuple[Comparison, str]]:
    """Comparisons that take `*` and `?` as themselves, and a value that has one."""
    for item in comparisons(statement):
        for value in item.values:
            if item.operator in _LITERAL and _WILDCARD.search(_VARIABLE.sub("", value)):
                yield item, value
