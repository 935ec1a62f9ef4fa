"""The end of a deployed sandbox."""

from __future__ import annotations

import json
import socket

import pytest

from tests.support.proves import proves
from tests.support.sandbox import Deployed, deletions, processes_of

pytestmark = pytest.mark.sandbox


@proves("CP-8")
def test_down_removes_the_registration_first_and_the_api_server_last_and_leaves_nothing(
    deployed: Deployed,
) -> None:
    """UX-1, CP-8, REG-4: the finalizer of the `Cluster` needs the controller manager (V16); no process and no
    port is left."""
    state = json.loads((deployed.state / "state.json").read_text())
    known = len(deletions(deployed.state))
    down = deployed.madeploy("sandbox", "down")
    assert down.returncode == 0, down.stdout[-3000:] + down.stderr[-3000:]
    deleted = deletions(deployed.state)[known:]
    assert deleted[-1] == ("namespaces", "ma-system")
    order = [name for kind, name in deleted if kind in ("clusters", "deployments")]
    assert order.index("compute-0") < order.index("michelangelo-controllermgr")
    assert order.index("michelangelo-controllermgr") < order.index("michelangelo-apiserver")
    assert processes_of(deployed.state) == []
    for name, port in state["ports"].items():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"{name} still listens on {port}"
