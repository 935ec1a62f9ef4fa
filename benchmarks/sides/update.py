"""An update of some clusters of a stack, as `fleet up --cluster` makes it once it knows who answers.

    python -m benchmarks.sides.update STACK [--aside NAME] NAME...

Ends with 1 when a cluster that was named is not done.
"""

from __future__ import annotations

import argparse
import sys

from madeploy.findings import find
from madeploy.stacks.apply import apply


def main() -> int:
    """Make it; what is not done goes to standard error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("stack")
    parser.add_argument("--aside", action="append", default=[])
    parser.add_argument("names", nargs="+")
    given = parser.parse_args()
    aside = {name: find("MA432", name, "it is known to be silent") for name in given.aside}
    applied = apply(given.stack, given.names, aside=aside)
    left = [item for item in applied.findings if item.subject not in aside]
    for item in left:
        sys.stderr.write(f"{item.code} {item.subject}: {item.evidence}\n")
    return 1 if left or {*applied.done, *aside} != {*given.names} else 0


if __name__ == "__main__":
    sys.exit(main())
