"""Build every object of an environment and write them: `python -m benchmarks.sides.build SETTINGS OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.sides.documents import write
from madeploy.settings import Environment
from manifests import catalog

if __name__ == "__main__":
    settings, out = map(Path, sys.argv[1:])
    environment = Environment.model_validate_json(settings.read_bytes(), by_alias=True, by_name=False)
    write(catalog.objects(environment), out)
