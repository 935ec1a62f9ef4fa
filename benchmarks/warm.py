"""What `sandbox up` takes where all tools are there: `python -m benchmarks.warm`. A sandbox of its own, ended
afterwards; one line of JSON. Processor time is that of the command and of what it waited for, without the
servers that it leaves running."""

from __future__ import annotations

import json
import os
import sys
import tempfile

from benchmarks.commands import python
from benchmarks.measure import run

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="madeploy-warm-") as state:
        up, down = (
            python("-m", "madeploy", "sandbox", verb, MADEPLOY_STATE=os.path.join(state, "state"))
            for verb in ("up", "down")
        )
        try:
            taken = run(up)
        finally:
            run(down)
    sys.stdout.write(json.dumps({"seconds": round(taken.wall, 1), "cpuSeconds": round(taken.cpu, 1)}) + "\n")
