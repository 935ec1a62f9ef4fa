"""`@proves("REG-6")`: the mark of a test that shows a requirement.

Whoever names a requirement in a docstring says what a test is for; whoever is marked shows the row of
`docs/requirements.md`. `played` names what takes a real part's place in it, so that the page can say so:
`@proves("NET-9", played="cert-manager")`. `pytest -m proves` runs exactly these tests.
"""

from __future__ import annotations

import pytest

proves = pytest.mark.proves
