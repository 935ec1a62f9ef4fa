"""`madeploy test`: checks and tests on Python alone first, then those on real engine and API servers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import typer

from madeploy.sandbox import tools

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("layers", ("lint-imports",)),
)


NOTHING_SELECTED = 5
"""pytest's exit code when no test was selected."""


def _run(title: str, command: list[str]) -> int:
    print(f"== {title}", flush=True)  # noqa: T201
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _checks() -> bool:
    bin_dir = Path(sys.executable).parent
    # Every check runs, so that one stop shows all there is to mend.
    results = [_run(title, [str(bin_dir / program), *arguments]) for title, (program, *arguments) in CHECKS]
    return not any(results)


def _workers(number: int, *distribution: str) -> list[str]:
    return ["-n", str(number), "--dist", *distribution]


def run(
    quick: bool = typer.Option(False, "--quick", help="Only what needs nothing but Python."),
    keyword: str | None = typer.Option(None, "-k", help="Only tests that match, as pytest's -k."),
) -> None:
    """Run the project's checks and tests: those on Python alone first, then those on real clusters."""
    selection = ["-k", keyword] if keyword else []
    passed = keyword is not None or _checks()
    pytest = [sys.executable, "-m", "pytest", "-q", *selection]
    cores = os.cpu_count() or 1
    kinds, title = (
        ("not sandbox and not whole", "quick tests") if quick else ("not sandbox", "tests on Python")
    )
    # Tests wait as much as they work, so more run at a time than there are cores.
    workers = min(cores + 1, 4)
    codes = [_run(title, [*pytest, "-m", kinds, *_workers(workers, "worksteal")])]
    if not quick:
        # Here and not in a fixture: building them takes minutes, and workers of tests show no progress.
        tools.ensure(tools.TESTED_TOOLS)
        # Each worker starts clusters of its own, 1.3 GB. Tests of one file share what they deploy, and files
        # stand in the order of how long they take.
        by_file = _workers(workers, "loadfile", "--no-loadscope-reorder")
        codes.append(_run("sandbox tests", [*pytest, "-m", "sandbox", "--durations=15", *by_file]))
    # A narrowed run may select tests of one kind only, but not of neither.
    ran = [code for code in codes if not (keyword and code == NOTHING_SELECTED)]
    raise typer.Exit(0 if passed and ran and not any(ran) else 1)
