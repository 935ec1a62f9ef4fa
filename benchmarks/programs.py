"""Comparisons of the Pulumi program and of starting it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import fleets
from benchmarks.commands import python, side
from benchmarks.rows import Sides
from tests.support.stacks import stack_text

STACK_FILE = "stacks/Pulumi.example.yaml"

BARE = "the bare program"
GENERIC = "one of generic resources"
ONE_MODEL = "a module of one model with one field"


def nothing_to_compare() -> str:
    """Of commands whose only result is that they end with 0."""
    return ""


def settings(_: Path, __: int) -> Sides:
    """Importing the settings' models."""
    return Sides(
        python("-c", "import madeploy.settings"),
        {
            "pydantic": python("-c", "import pydantic; pydantic.BaseModel"),
            ONE_MODEL: python("-c", "import pydantic\nclass One(pydantic.BaseModel):\n    a: int = 1"),
        },
        nothing_to_compare,
    )


def command(*arguments: str) -> Sides:
    """A command of the toolkit, and an interpreter that does nothing."""
    return Sides(
        python("-m", "madeploy", *arguments), {"`python -c pass`": python("-c", "pass")}, nothing_to_compare
    )


def register(scratch: Path, clusters: int) -> Sides:
    """The program against the recording mock, and one without the toolkit."""
    configuration, stack = scratch / "configuration.json", scratch / "Pulumi.fleet.yaml"
    ours, theirs = scratch / "registered.json", scratch / "registered-raw.json"
    configuration.write_text(json.dumps(fleets.configuration(clusters)), encoding="utf-8")
    stack.write_text(stack_text(fleets.sections(clusters)), encoding="utf-8")

    def difference() -> str:
        left, right = _registrations(ours), _registrations(theirs)
        names = sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
        return f"not registered alike: {', '.join(names[:5])}" if names else ""

    return Sides(
        side("register", configuration, ours, PULUMI_OPTION_CONFIG_FILE=str(stack)),
        # What the measured side wrote is what the other registers: it always runs first.
        {
            BARE: side("register_raw", ours, theirs),
            GENERIC: side("register_raw", ours, theirs, "generic"),
        },
        difference,
    )


def _registrations(path: Path) -> dict[str, dict[str, Any]]:
    """Registrations by URN, without hooks: a mock has no engine that could call them."""
    registered: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    hooks = dict.fromkeys(("hooks", "update_hooks", "error_hooks"))
    return {item["urn"]: item | hooks for item in registered}
