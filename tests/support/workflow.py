"""GitHub Actions workflows of `run:` steps, run as their runner runs them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_EXPRESSION = re.compile(r"\$\{\{\s*([a-zA-Z0-9_.-]+)\s*\}\}")
_SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""What `shell: bash` stands for (GitHub Actions documentation, workflow syntax)."""


@dataclass
class Run:
    """One run of a workflow's job."""

    job: Mapping[str, Any]
    contexts: dict[str, Any]
    """`inputs` and `vars`."""

    environ: dict[str, str]
    """Of the runner itself."""

    folder: Path
    exported: dict[str, str] = field(default_factory=dict)

    def step(self, number: int) -> subprocess.CompletedProcess[str]:
        """Run one step; what it exports is there for the next ones."""
        step = self.job["steps"][number]
        files = {name: self.folder / f"{name}-{number}" for name in ("GITHUB_ENV", "GITHUB_OUTPUT")}
        for file in files.values():
            file.touch()
        given = {**self.job.get("env", {}), **step.get("env", {})}
        script = self.folder / f"step-{number}.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            [*_SHELL, str(script)],
            env={
                **self.environ,
                **{name: self.resolved(str(value)) for name, value in given.items()},
                **self.exported,
                **{name: str(file) for name, file in files.items()},
                "RUNNER_TEMP": str(self.folder),
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.exported |= _pairs(files["GITHUB_ENV"])
        if "id" in step:
            self.contexts.setdefault("steps", {})[step["id"]] = {"outputs": _pairs(files["GITHUB_OUTPUT"])}
        return done

    def resolved(self, text: str) -> str:
        """Text with its expressions evaluated. Raises KeyError for one that names nothing."""

        def value(found: re.Match[str]) -> str:
            here: Any = self.contexts
            for part in found[1].split("."):
                here = here[part]
            return str(here)

        return _EXPRESSION.sub(value, text)


def _pairs(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())
