"""`validate` and `policy` of a stack in one interpreter: `python -m benchmarks.sides.checks STACK`."""

from __future__ import annotations

import sys

from madeploy.cli.app import main

if __name__ == "__main__":
    stack = sys.argv[1]
    for verb in ("validate", "policy"):
        sys.argv = ["madeploy", verb, stack]
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise
