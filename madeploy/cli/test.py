"""`madeploy test`: the quick tests and checks first, then those on the real engine and API servers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Optional

import typer

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("layers", ("lint-imports",)),
)


def _run(title: str, command: list[str]) -> bool:
    print(f"== {title}", flush=True)  # noqa: T201
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test(
    quick: bool = typer.Option(False, "--quick", help="Only what needs nothing but Python."),
    keyword: Optional[str] = typer.Option(None, "-k", help="Only tests that match, as pytest's -k."),
) -> None:
    """Run the project's checks and tests: quick ones first, then those on real clusters."""
    bin_dir = Path(sys.executable).parent
    selection = ["-k", keyword] if keyword else []
    passed = keyword is not None or all(
        [_run(title, [str(bin_dir / arguments[0]), *arguments[1:]]) for title, arguments in CHECKS]
    )
    pytest = [sys.executable, "-m", "pytest", "-q", *selection]
    passed = _run("quick tests", [*pytest, "-m", "not sandbox"]) and passed
    if not quick:
        passed = _run("sandbox tests", [*pytest, "-m", "sandbox", "--durations=15"]) and passed
    raise typer.Exit(0 if passed else 1)
