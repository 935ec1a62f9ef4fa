"""Comparisons over a generated stack with many clusters: rendering it and checking it."""

from __future__ import annotations

import json
import marshal
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks import others
from benchmarks.commands import python, side
from benchmarks.measure import Command
from benchmarks.rows import Sides
from benchmarks.series import stack_of
from madeploy.render.tree import Tree, tree
from madeploy.sandbox.tools import ensure
from madeploy.settings import Environment
from madeploy.stackfile.loader import load_environment
from manifests import catalog


def valid(stack: Path) -> tuple[str, Environment]:
    """Name and environment of a stack file. Raises ValueError for one that is not valid."""
    environment = load_environment(stack).environment
    if environment is None:
        raise ValueError("the generated stack is not valid")
    return stack.name.split(".")[1], environment


def rendered(stack: Path) -> Tree:
    """What `render` writes of a stack."""
    name, environment = valid(stack)
    return tree(environment, name)


def render_command(stack: Path) -> Command:
    """`madeploy render` of a stack file, to its output."""
    return python("-m", "madeploy", "render", stack)


def to_file(out: Path, *command: str | Path) -> Command:
    """A command with its output in a file."""
    return side("output", out, *command)


def render(scratch: Path, clusters: int) -> Sides:
    """`render`, and libyaml writing the same objects."""
    stack, built = stack_of(scratch, clusters), scratch / "objects.marshal"
    ours, theirs = scratch / "rendered.yaml", scratch / "dumped.yaml"
    name, environment = valid(stack)
    built.write_bytes(marshal.dumps(catalog.objects(environment, name)))
    return Sides(
        to_file(ours, sys.executable, "-m", "madeploy", "render", stack),
        {"libyaml": side("dump", built, theirs)},
        lambda: not_the_same(ours, theirs),
    )


def render_helm(scratch: Path, clusters: int) -> Sides:
    """`render`, and `helm template` of a chart with the same objects."""
    stack, chart = stack_of(scratch, clusters), scratch / "chart"
    ours, theirs = scratch / "rendered.yaml", scratch / "helm.yaml"
    others.chart(chart, rendered(stack))
    helm = ensure(["helm"]).path("helm")
    return Sides(
        to_file(ours, sys.executable, "-m", "madeploy", "render", stack),
        {"helm": to_file(theirs, helm, "template", "fleet", chart)},
        lambda: not_the_same(ours, theirs),
    )


def render_kustomize(scratch: Path, clusters: int) -> Sides:
    """`render`, and `kustomize build` of files with the same objects."""
    stack, files = stack_of(scratch, clusters), scratch / "kustomization"
    ours, theirs = scratch / "rendered.yaml", scratch / "kustomize.yaml"
    others.kustomization(files, rendered(stack))
    kustomize = ensure(["kustomize"]).path("kustomize")

    def difference() -> str:
        named = [others.without_suffix(obj) for obj in documents(theirs)]
        return unequal(documents(ours), named)

    return Sides(
        to_file(ours, sys.executable, "-m", "madeploy", "render", stack),
        {"kustomize": to_file(theirs, kustomize, "build", files)},
        difference,
    )


def checks(scratch: Path, clusters: int) -> Sides:
    """`validate`, which proves what it checks, and `policy` one after the other, and `render`."""
    stack = stack_of(scratch, clusters)
    return _beside_render(scratch, stack, *_both(stack))


def checks_at_once(scratch: Path, clusters: int) -> Sides:
    """The same in one interpreter, which starts once."""
    stack = stack_of(scratch, clusters)
    return _beside_render(scratch, stack, sys.executable, "-m", "benchmarks.sides.checks", stack)


def _beside_render(scratch: Path, stack: Path, *command: str | Path) -> Sides:
    said, out = scratch / "checked.txt", scratch / "rendered.yaml"

    def difference() -> str:
        # The commands have ended with 0: what is left to compare is how much they looked at.
        count = len(documents(out))
        objects = int(said.read_text(encoding="utf-8").split("rules")[0].split()[-3].replace(",", ""))
        return "" if objects >= count else f"{objects} objects checked, {count} rendered"

    return Sides(
        to_file(said, *command),
        {"render": to_file(out, sys.executable, "-m", "madeploy", "render", stack)},
        difference,
    )


def checks_checkov(scratch: Path, clusters: int) -> Sides:
    """The same checks, and checkov over the rendered files."""
    stack, files, report = stack_of(scratch, clusters), scratch / "files", scratch / "checkov.json"
    for path, text in rendered(stack).files.items():
        target = files / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    program = others.checkov(lambda _: None)
    options = ("--framework", "kubernetes", "--compact", "--quiet", "--soft-fail", "--skip-download")
    return Sides(
        to_file(scratch / "checked.txt", *_both(stack)),
        {"checkov": to_file(report, program, "-d", files, *options, "-o", "json")},
        lambda: others.unread_by_checkov(report),
    )


def _both(stack: Path) -> tuple[str, ...]:
    madeploy = f"{sys.executable} -m madeploy"
    script = f'{madeploy} validate "$1" && {madeploy} policy "$1"'
    return ("/bin/sh", "-c", script, "sh", str(stack))


def documents(path: Path) -> list[Any]:
    """Every object of a file of YAML documents."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(path.read_bytes(), Loader=loader) if each is not None]


def unequal(ours: list[Any], theirs: list[Any]) -> str:
    """How two lists of objects differ, whatever their order; empty when they do not."""
    left, right = (sorted(json.dumps(obj, sort_keys=True) for obj in objects) for objects in (ours, theirs))
    return "" if left == right else f"{len(left)} objects rendered, {len(right)} beside, not all equal"


def not_the_same(ours: Path, theirs: Path) -> str:
    """How two files of objects differ."""
    return unequal(documents(ours), documents(theirs))
