"""What `bin/madeploy bench` and `python -m benchmarks` do."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.catalogue import ROWS
from benchmarks.measure import CommandFailed
from benchmarks.rows import SidesDiffer
from madeploy import progress
from madeploy.errors import ToolkitError
from madeploy.sandbox.errors import SandboxError

DIFFERENT, WRONG_USE, UNREACHABLE = 1, 2, 3
"""Exit codes: sides did different work or a command failed; no such row; nothing could be measured here."""


def bench(names: Sequence[str], rounds: int, as_json: bool, keep: bool) -> int:
    """Measure rows, print them, and say how it went as an exit code.

    Args:
        names: rows; none for all.
        rounds: of A-B-B-A, for each.
        as_json: whether to print JSON.
        keep: whether to put the rows into the record that the page is made from.

    Raises ToolkitError for a name that no row has, and where a measurement fails.
    """
    unknown = sorted(set(names) - ROWS.keys())
    if unknown:
        raise ToolkitError(
            f"there is no row {', '.join(unknown)}",
            f"rows are {', '.join(ROWS)}",
            "name some of these",
            WRONG_USE,
        )
    rows: dict[str, dict[str, Any]] = {}
    for name in names or ROWS:
        rows[name] = _measured(name, rounds)
        if keep:
            report.record({name: rows[name]})
    if as_json:
        sys.stdout.write(json.dumps(report.as_data(rows), indent=2, ensure_ascii=False) + "\n")
    else:
        report.show(rows)
    return 0 if any(row["figures"] for row in rows.values()) else UNREACHABLE


def _measured(name: str, rounds: int) -> dict[str, Any]:
    row = ROWS[name]
    load = os.getloadavg()[0]
    try:
        if why := row.obstacle():
            return report.left_out(row, why)
        with tempfile.TemporaryDirectory(prefix="madeploy-bench-") as scratch, progress.phase(name) as phase:
            result = row.measure(Path(scratch), rounds, phase.note)
    except SidesDiffer as error:
        raise ToolkitError(
            f"{name} was not measured", f"the sides did different work: {error}", "mend that first", DIFFERENT
        ) from None
    except CommandFailed as error:
        raise ToolkitError(
            f"{name} was not measured", str(error), "run that command by itself", DIFFERENT
        ) from None
    except SandboxError as error:
        # A tool that is on request and cannot be had here.
        return report.left_out(row, f"{error.what}: {error.why}")
    return report.measured(row, result, load)
