"""`michelangelo:policies`: exceptions from the policies."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from madeploy.settings.base import Accepts, Section


def _check_day(value: str) -> str:
    if len(value) != len("YYYY-MM-DD"):
        raise ValueError("is not a date as YYYY-MM-DD")
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        raise ValueError("is no day of the calendar") from None
    return value


Day = Annotated[str, AfterValidator(_check_day), Accepts("a day as YYYY-MM-DD", "2027-03-31")]
"""A day of the calendar."""


class Suppression(Section):
    """One exception from one policy."""

    rule: Annotated[
        str,
        Field(pattern=r"^(MA[0-9]{3}|[a-z]+(-[a-z]+)*)$", max_length=63),
        Accepts("a policy's name or code; `bin/madeploy policy --list` shows them", "no-host-paths"),
    ]
    """The policy."""

    object: Annotated[
        str,
        Field(min_length=3, max_length=400, pattern=r"^\S+/\S+$"),
        Accepts("Kind/namespace/name, with `*` for any text", "Deployment/serving/triton-*"),
    ]
    """The objects: `Kind/namespace/name`, for those without a namespace `Kind/name`; `*` stands for any
    text."""

    reason: Annotated[
        str, Field(min_length=10, max_length=500), Accepts("a sentence", "Triton reads models from the node.")
    ]
    """Why this is accepted, for whoever looks at it again."""

    expires: Day
    """Last day it holds. From then on the violation is reported again, and that it expired."""


class Policies(Section):
    """Exceptions from the policies that `bin/madeploy policy` and the policy pack check."""

    suppressions: tuple[Suppression, ...] = ()
    """Violations that are accepted for a time. Default: none."""
