"""Stacks that an earlier version of the program made are taken over by this one as they are.

`earlier_stacks.json` has of each its settings, the URN of each resource without stack and project, and the
fields whose change replaces it: of `sandbox` from the state of a real update, of the others from what the
program registered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.platform import Platform
from madeploy.settings import Environment
from tests.support.programs import configuration
from tests.support.proves import proves
from tests.support.recording import Registration, record

pytestmark = pytest.mark.whole

EARLIER: dict[str, Any] = json.loads(
    Path(__file__).with_name("earlier_stacks.json").read_text(encoding="utf-8")
)


def at(value: Any, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


@pytest.fixture(scope="module", params=EARLIER)
def earlier(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One of these stacks."""
    stack: dict[str, Any] = EARLIER[request.param] | {"name": request.param}
    return stack


@pytest.fixture(scope="module")
def now(earlier: dict[str, Any]) -> dict[str, Registration]:
    """What the program registers for the same settings, by URN without stack and project."""
    text = json.dumps(earlier["settings"])
    environment = Environment.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    recording = record(
        lambda: Platform("michelangelo", configuration(environment)),
        stack="sandbox" if earlier["name"] == "sandbox" else "test",
    )
    by_urn = {made.urn: made for made in recording.resources}

    def types(made: Registration) -> str:
        above = by_urn.get(made.parent)
        return f"{types(above)}${made.type}" if above is not None else made.type

    return {f"{types(made)}::{made.name}": made for made in recording.resources}


@proves("UX-6", played="the engine")
def test_nothing_of_it_is_deleted(earlier: dict[str, Any], now: dict[str, Registration]) -> None:
    """UX-6: a resource under another URN is another one, and the old one goes."""
    there = [resource["urn"] for resource in earlier["resources"]]
    assert len(there) > 50
    assert [urn for urn in there if urn not in now] == []


def test_nothing_of_it_is_replaced(earlier: dict[str, Any], now: dict[str, Registration]) -> None:
    """UX-6: names, selectors and the like are what they were."""
    changed = [
        f"{resource['urn']}: {path} was {was}, is {at(now[resource['urn']].inputs, path)}"
        for resource in earlier["resources"]
        for path, was in resource.get("fixed", {}).items()
        if resource["urn"] in now and at(now[resource["urn"]].inputs, path) != was
    ]
    assert changed == []
