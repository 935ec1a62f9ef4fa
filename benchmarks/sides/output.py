"""Run a command with its output in a file: `python -m benchmarks.sides.output OUT COMMAND...`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    out, *command = sys.argv[1:]
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), sys.stdout.fileno())
    # The process becomes the command, so nothing of this one is measured but its start.
    os.execv(command[0], command)
