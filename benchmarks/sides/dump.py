"""Write objects that are built already: `python -m benchmarks.sides.dump OBJECTS OUT`."""

from __future__ import annotations

import marshal
import sys
from pathlib import Path

from benchmarks.sides.documents import write

if __name__ == "__main__":
    objects, out = map(Path, sys.argv[1:])
    # The quickest way there is to have them: what is measured is writing.
    write(marshal.loads(objects.read_bytes()), out)
