"""Register recorded resources by hand, with nothing of the toolkit, and write what was registered:
`python -m benchmarks.sides.register_raw RECORDING OUT [generic]`.

Such a program is mostly written with typed classes, which it then imports; `generic` does without. Either way
resources are made as generic ones, which is the cheaper way."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.sides.bare import register
from benchmarks.sides.recordings import write
from tests.support.recording import record

if __name__ == "__main__":
    recording, out = map(Path, sys.argv[1:3])
    if sys.argv[3:] != ["generic"]:
        import benchmarks.sides.sdk  # noqa: F401 - typed classes of what is registered
    recorded = json.loads(recording.read_text(encoding="utf-8"))
    write(record(lambda: register(recorded)), out)
