"""Parse a YAML file and do nothing else: `python -m benchmarks.sides.parse FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

if __name__ == "__main__":
    yaml.load(Path(sys.argv[1]).read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
