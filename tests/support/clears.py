"""`@clears("MA937")`: the mark of a test that brings a fault about, finds it by this code, does what the
finding says to the letter, and finds it no more.

`docs/faults.md` is made of these marks. Where a test brings several faults about, the mark names all of their
codes: `@clears(*(case.code for case in CASES))`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

clears = pytest.mark.clears


def cases(named: Mapping[str, tuple[Any, ...]], everyday: Collection[str]) -> list[Any]:
    """Parameters of a test by their ids; of those that are not `everyday`, `bin/madeploy test --all` runs
    them. An id that is not there is a KeyError."""
    known = {name: named[name] for name in everyday}
    return [
        pytest.param(*values, id=name, marks=() if name in known else pytest.mark.long)
        for name, values in named.items()
    ]
