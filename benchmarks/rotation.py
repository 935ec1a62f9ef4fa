"""What the updates of a rotation take, and the four that it once took: `python -m benchmarks.rotation`.

In a sandbox of its own, ended afterwards. One line of JSON. What a rotation asks live systems in between is
no part of it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.commands import ROOT
from benchmarks.measure import Command, CommandFailed, run
from tests.support.sandbox import sandbox

CLUSTER = "compute-0"
ORDER = ("as-it-is", "as-it-was", "as-it-was", "as-it-is")


def main() -> None:
    """Measure, and print the result."""
    taken: dict[str, list[float]] = {mode: [] for mode in ORDER}
    with tempfile.TemporaryDirectory(prefix="madeploy-rotation-") as folder:
        deployed = sandbox(Path(folder) / "state")
        try:
            up = deployed.madeploy("sandbox", "up")
            if up.returncode != 0:
                raise CommandFailed(up.stderr[-2000:])
            for mode in ORDER:
                side = (sys.executable, "-m", "benchmarks.sides.rotation", "sandbox", CLUSTER, mode)
                taken[mode].append(run(Command(side, ROOT, deployed.shell())).cpu)
        finally:
            deployed.madeploy("sandbox", "down")
    sys.stdout.write(
        json.dumps({mode: round(sum(each) / len(each), 2) for mode, each in taken.items()}) + "\n"
    )


if __name__ == "__main__":
    main()
