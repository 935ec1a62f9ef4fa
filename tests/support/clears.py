"""`@clears("MA937")`: the mark of a test that brings a fault about, finds it by this code, does what the
finding says to the letter, and finds it no more.

`docs/faults.md` is made of these marks. Where a test brings several faults about, the mark names all of their
codes: `@clears(*(case.code for case in CASES))`.
"""

from __future__ import annotations

import pytest

clears = pytest.mark.clears
