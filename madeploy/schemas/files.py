"""The JSON Schemas of this folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

Schema = dict[str, Any]

FOLDER: Final = Path(__file__).parent


def read(path: Path) -> Schema:
    """A schema, or what is written like one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(yaml.load(path.read_bytes(), Loader=loader))


@cache
def schema(name: str) -> Schema:
    """The schema in `<name>.yaml`. Whoever gets it leaves it as it is."""
    return read(FOLDER / f"{name}.yaml")
