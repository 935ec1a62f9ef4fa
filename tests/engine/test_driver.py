"""The environment that the engine and its plugins run in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from madeploy.engine.driver import ROOMY, Engine


@pytest.mark.parametrize("own", [{}, {"GOGC": "50"}, {"GOGC": "off", "GOMEMLIMIT": "512MiB"}])
def test_the_engine_has_room_unless_its_caller_says_how_much(tmp_path: Path, own: dict[str, str]) -> None:
    """UX-2: in short commands and in updates, which start a plugin for each cluster."""
    pulumi = tmp_path / "pulumi"
    pulumi.write_text("#!/bin/sh\necho $GOGC $GOMEMLIMIT\n", encoding="utf-8")
    pulumi.chmod(0o755)
    (tmp_path / "logs").mkdir()
    engine = Engine(pulumi, {"PATH": os.environ["PATH"], **own}, tmp_path)
    expected = " ".join((ROOMY | own).values())

    assert engine.ask("stack", where=tmp_path).split("\n")[0] == expected
    result = engine.run("up", where=tmp_path, name="lab")
    assert result.code == 0
    assert result.log is not None
    assert expected in result.log.read_text(encoding="utf-8")
