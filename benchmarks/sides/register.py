"""Run the checkout's Pulumi program against the recording mock and write what it registered:
`python -m benchmarks.sides.register CONFIGURATION OUT`."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pulumi

from benchmarks.sides.recordings import write
from madeploy.settings import PROJECT, SECRET_KEYS
from tests.support.recording import record

PROGRAM = Path(__file__).resolve().parents[2] / "__main__.py"

if __name__ == "__main__":
    configuration, out = map(Path, sys.argv[1:])
    values = json.loads(configuration.read_text(encoding="utf-8"))
    pulumi.runtime.set_all_config(values, [f"{PROJECT}:{name}" for name in SECRET_KEYS])
    write(record(lambda: runpy.run_path(str(PROGRAM))), out)
