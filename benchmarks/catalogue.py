"""Every benchmark: what is measured, against what, and the proof that both sides did the same work.

A new one is one function here, one line in `BENCHMARKS`, and a program per side in `sides/`.
"""

from __future__ import annotations

import json
import marshal
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks import fleets
from benchmarks.measure import Command
from benchmarks.preview import obstacle, preview
from madeploy.settings import PROJECT, Environment
from madeploy.stackfile.loader import load_environment
from manifests import catalog
from tests.support.stacks import stack_text

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Sides:
    """Two commands ready to run."""

    measured: Command
    baseline: Command
    difference: Callable[[], str]
    """Called when each has run once: what they did differently, empty when nothing."""


@dataclass(frozen=True)
class Benchmark:
    """One comparison."""

    measured: str
    """What is measured, in words."""

    baseline: str
    """What it is compared with."""

    prepare: Callable[[Path, int], Sides]
    """Writes the inputs into a folder, for this many clusters."""

    clusters: int = 0
    """Compute clusters of the stack; 0 where the stack is a committed one."""

    obstacle: Callable[[], str] = lambda: ""
    """Why it cannot run here; empty when it can."""


def _python(*arguments: str | Path, **variables: str) -> Command:
    argv = (sys.executable, *map(str, arguments))
    return Command(argv, ROOT, {**os.environ, **variables})


def _side(name: str, *arguments: str | Path, **variables: str) -> Command:
    return _python("-m", f"benchmarks.sides.{name}", *arguments, **variables)


def _validate_example(_: Path, __: int) -> Sides:
    return Sides(
        _python("-m", "madeploy", "validate", "example"),
        _python("-c", "import pydantic, yaml"),
        # Importing has no result to compare; that the stack is valid is the command's exit code.
        lambda: "",
    )


def _validate_fleet(scratch: Path, clusters: int) -> Sides:
    stack = scratch / "Pulumi.fleet.yaml"
    stack.write_text(stack_text(fleets.sections(clusters)), encoding="utf-8")

    def difference() -> str:
        validated = load_environment(stack).environment
        parsed = yaml.load(stack.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        ours = {} if validated is None else validated.clusters
        theirs = parsed["config"][f"{PROJECT}:clusters"]
        if {name: cluster.server for name, cluster in ours.items()} == {
            name: cluster["server"] for name, cluster in theirs.items()
        }:
            return ""
        return f"{len(ours)} clusters validated, {len(theirs)} parsed"

    return Sides(
        _python("-m", "madeploy", "validate", stack),
        _side("parse", stack),
        difference,
    )


def _build(scratch: Path, clusters: int) -> Sides:
    settings, built = scratch / "settings.json", scratch / "objects.marshal"
    ours, theirs = scratch / "built.yaml", scratch / "dumped.yaml"
    settings.write_text(fleets.settings(clusters), encoding="utf-8")
    environment = Environment.model_validate_json(settings.read_bytes(), by_alias=True, by_name=False)
    built.write_bytes(marshal.dumps(catalog.objects(environment)))

    def difference() -> str:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        left, right = (list(yaml.load_all(path.read_bytes(), Loader=loader)) for path in (ours, theirs))
        return "" if left == right else f"{len(left)} objects built, {len(right)} dumped, not all equal"

    return Sides(_side("build", settings, ours), _side("dump", built, theirs), difference)


def _render(scratch: Path, clusters: int) -> Sides:
    stack, built = scratch / "Pulumi.fleet.yaml", scratch / "objects.marshal"
    ours, theirs = scratch / "rendered.yaml", scratch / "dumped.yaml"
    stack.write_text(stack_text(fleets.sections(clusters)), encoding="utf-8")
    environment = load_environment(stack).environment
    if environment is None:
        raise ValueError("the generated stack is not valid")
    built.write_bytes(marshal.dumps(catalog.objects(environment, "fleet")))
    return Sides(
        _side("output", ours, sys.executable, "-m", "madeploy", "render", stack),
        _side("dump", built, theirs),
        lambda: _not_the_same_objects(ours, theirs),
    )


def _not_the_same_objects(ours: Path, theirs: Path) -> str:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # The command orders objects by what needs what, and keys as they were built.
    left, right = (
        sorted(json.dumps(each, sort_keys=True) for each in yaml.load_all(path.read_bytes(), Loader=loader))
        for path in (ours, theirs)
    )
    return "" if left == right else f"{len(left)} objects rendered, {len(right)} dumped, not all equal"


def _start(_: Path, __: int) -> Sides:
    return Sides(
        # Importing the program alone would leave out what the SDK loads when resources are made.
        _python("-c", "import components.configuration, components.platform, benchmarks.sides.sdk"),
        _side("sdk"),
        lambda: "",
    )


def _register(scratch: Path, clusters: int) -> Sides:
    configuration, stack = scratch / "configuration.json", scratch / "Pulumi.fleet.yaml"
    ours, theirs = scratch / "registered.json", scratch / "registered-raw.json"
    configuration.write_text(json.dumps(fleets.configuration(clusters)), encoding="utf-8")
    stack.write_text(stack_text(fleets.sections(clusters)), encoding="utf-8")

    def difference() -> str:
        left, right = _registrations(ours), _registrations(theirs)
        names = sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
        return f"not registered alike: {', '.join(names[:5])}" if names else ""

    return Sides(
        _side("register", configuration, ours, PULUMI_OPTION_CONFIG_FILE=str(stack)),
        # What the measured side wrote is what the other registers: it always runs first.
        _side("register_raw", ours, theirs),
        difference,
    )


def _registrations(path: Path) -> dict[str, dict[str, Any]]:
    """Registrations by URN, without hooks: a mock has no engine that could call them."""
    registered: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    hooks = dict.fromkeys(("hooks", "update_hooks", "error_hooks"))
    return {item["urn"]: item | hooks for item in registered}


def _preview(scratch: Path, _: int) -> Sides:
    # Each preview fails unless it finds nothing to do, so both results are the same.
    return Sides(*preview(ROOT, scratch), lambda: "")


BENCHMARKS = {
    "validate": Benchmark(
        "`validate` of the example stack",
        '`python -c "import pydantic, yaml"`',
        _validate_example,
    ),
    "validate-fleet": Benchmark(
        "`validate` of a stack with 1,000 clusters",
        "libyaml parsing the same file",
        _validate_fleet,
        1000,
    ),
    "build": Benchmark(
        "building every object of 1,000 clusters and writing them as YAML",
        "writing the same objects, built before",
        _build,
        1000,
    ),
    "render": Benchmark(
        "`render` of a stack with 1,000 clusters, checked and printed",
        "writing the same objects, built before",
        _render,
        1000,
    ),
    "start": Benchmark(
        "importing all that the Pulumi program imports, with the parts of the SDK that it uses",
        "importing these parts of the SDK alone",
        _start,
    ),
    "register": Benchmark(
        "the Pulumi program registering a platform with 20 clusters, no engine",
        "a program without the toolkit registering the same resources",
        _register,
        20,
    ),
    "preview": Benchmark(
        "`pulumi preview` of the running sandbox, nothing to do",
        "`pulumi preview` of an empty program, nothing to do",
        _preview,
        obstacle=lambda: obstacle(ROOT),
    ),
}
"""By the name the command takes, in the order they run."""
