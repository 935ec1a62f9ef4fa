"""The one builder of AWS policy documents: statements as plain data, in the order AWS documents them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

Document = dict[str, Any]
Statement = dict[str, Any]
Condition = Mapping[str, Mapping[str, Any]]
"""Operator, then condition key, then value or values."""

VERSION: Final = "2012-10-17"
"""Version of the policy language (IAM user guide, Version)."""


def statement(
    sid: str,
    effect: Literal["Allow", "Deny"],
    actions: Sequence[str],
    *,
    resources: Sequence[str] = (),
    principal: Any = None,
    condition: Condition | None = None,
) -> Statement:
    """One statement.

    Args:
        sid: its name, unique in the document.
        effect: `Allow` or `Deny`.
        actions: such as `s3:GetObject`.
        resources: ARNs; none in a trust policy, which is about the role it belongs to. One alone stands as
            text, as AWS writes it.
        principal: who, in a policy of a resource; none in an identity's policy.
        condition: all of it must hold.
    """
    made: Statement = {"Sid": sid, "Effect": effect}
    if principal is not None:
        made["Principal"] = principal
    made["Action"] = list(actions)
    if resources:
        made["Resource"] = list(resources) if len(resources) > 1 else resources[0]
    if condition:
        made["Condition"] = {operator: dict(keys) for operator, keys in condition.items()}
    return made


def document(*statements: Statement) -> Document:
    """A policy of these statements."""
    return {"Version": VERSION, "Statement": list(statements)}
