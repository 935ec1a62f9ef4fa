"""Objects to a file of YAML documents, the same way on both sides."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml


def write(objects: Iterable[Any], path: Path) -> None:
    """One document per object, by libyaml's emitter where PyYAML was built with it."""
    with path.open("w", encoding="utf-8") as file:
        yaml.dump_all(objects, file, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
