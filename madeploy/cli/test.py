"""`madeploy test`: the checks, then tests, those on Python alone first."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import typer

from madeploy.errors import UsageError
from madeploy.sandbox import tools

ROOT = Path(__file__).resolve().parents[2]
CHECKS = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("layers", ("lint-imports",)),
)


def _run(title: str, command: list[str]) -> int:
    print(f"== {title}", flush=True)  # noqa: T201
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _checks() -> bool:
    bin_dir = Path(sys.executable).parent

    def check(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(bin_dir / program), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )

    # Side by side, each with one processor; every one runs, so that one stop shows all there is to mend.
    with ThreadPoolExecutor() as pool:
        running = {title: pool.submit(check, *command) for title, command in CHECKS}
        for title, future in running.items():
            print(f"== {title}", flush=True)  # noqa: T201
            print(future.result().stdout + future.result().stderr, end="", flush=True)  # noqa: T201
    return not any(future.result().returncode for future in running.values())


def run(
    quick: bool = typer.Option(False, "--quick", help="Only what needs nothing but Python."),
    everything: bool = typer.Option(False, "--all", help="Stories of minutes on real clusters too."),
    keyword: str | None = typer.Option(None, "-k", help="Only tests that match, as pytest's -k."),
) -> None:
    """Run the project's checks and the tests that every change must pass: those on Python alone first, then
    those on real clusters."""
    if quick and everything:
        raise UsageError("--quick and --all exclude each other", "", "Give one of them, or none.")
    selection = ["-k", keyword] if keyword else []
    passed = keyword is not None or _checks()
    # Tests wait as much as they work, so more run at a time than there are cores.
    pytest = [sys.executable, "-m", "pytest", "-q", *selection, "-n", str(min((os.cpu_count() or 1) + 1, 4))]
    if quick:
        only = ["-m", "not sandbox and not whole", "--dist", "worksteal"]
        code = _run("quick tests", [*pytest, *only])
    else:
        # Here and not in a fixture: building them takes minutes, and workers of tests show no progress.
        tools.ensure(tools.TESTED_TOOLS)
        # Files go whole to one worker: their tests share what they deploy. Those on Python alone come first,
        # then the longest. A run of its own for these would collect everything again.
        by_file = ["--dist", "loadfile", "--no-loadscope-reorder", "--durations=15"]
        chosen = [] if everything else ["-m", "not long"]
        code = _run("tests", [*pytest, *by_file, *chosen])
    raise typer.Exit(0 if passed and code == 0 else 1)
