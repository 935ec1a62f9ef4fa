"""`madeploy schema`: write what is generated from settings and rules, or check that it is up to date."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from madeploy.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


MARK = "<!-- All below is written by `bin/madeploy schema`. -->"
"""Ends the part of a document that people write."""


def _page(name: str, part: str) -> str:
    """A document with its generated part. Raises ToolkitError where the document does not say where that
    begins."""
    path = ROOT / name
    head, mark, _ = (path.read_text(encoding="utf-8") if path.is_file() else "").partition(MARK)
    if not mark:
        raise UsageError(f"{name} cannot be written", f"it has no line {MARK}", f"git checkout {name}")
    return f"{head}{MARK}\n\n{part}"


def generated() -> Mapping[str, str]:
    """Every generated file by its path in the project, with the text it should have."""
    from madeploy.reference.configuration import configuration_reference
    from madeploy.reference.example import example_stack
    from madeploy.reference.findings import findings_reference
    from madeploy.reference.iam import iam_reference
    from madeploy.reference.performance import performance_plots, performance_reference
    from madeploy.reference.policies import policies_reference
    from madeploy.reference.releases import releases_reference
    from madeploy.reference.stack_schema import stack_schema
    from madeploy.reference.topology import topology_reference
    from madeploy.reference.troubleshooting import troubleshooting_reference

    pages = {
        "docs/configuration.md": configuration_reference(),
        "docs/findings.md": findings_reference(),
        "docs/iam.md": iam_reference(),
        "docs/performance.md": performance_reference(),
        "docs/policies.md": policies_reference(),
        "docs/releases.md": releases_reference(),
        "docs/topology.md": topology_reference(),
        "docs/troubleshooting.md": troubleshooting_reference(),
    }
    return {
        "stacks/schema.json": json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n",
        "stacks/Pulumi.example.yaml": example_stack(),
        **{name: _page(name, part) for name, part in pages.items()},
        **performance_plots(),
    }


def stale(root: Path) -> list[str]:
    """Paths of generated files that are missing below `root` or differ from the settings."""

    def current(name: str) -> str | None:
        path = root / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    return [name for name, text in generated().items() if current(name) != text]


def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a file is out of date.")
    ] = False,
) -> None:
    """Write the JSON Schema, the example stack and the references from the settings.

    Ends with 1 under --check when one of them is out of date.
    """
    if check:
        old = stale(ROOT)
        for name in old:
            print(f"{name} is out of date; write it anew: bin/madeploy schema", file=sys.stderr)  # noqa: T201
        raise typer.Exit(1 if old else 0)
    for name, text in generated().items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(name)  # noqa: T201
