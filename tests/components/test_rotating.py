"""The program while one credential takes over from another, and while a command asks what it registers."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

import pytest

from components.program import build
from madeploy.engine import partial
from madeploy.settings import Environment
from tests.support.environments import environment
from tests.support.programs import configuration, deploy
from tests.support.recording import record

pytestmark = pytest.mark.whole

CLUSTERS = {name: {"server": f"https://{name}.example.com"} for name in ("steady", "turning")}
HOOK = "after-credentials"


def settings(**credential: Any) -> Environment:
    turning = {**CLUSTERS["turning"], **({"credential": credential} if credential else {})}
    return environment(clusters={**CLUSTERS, "turning": turning})


def test_the_controller_manager_is_rolled_after_a_credential_that_moves() -> None:
    """REG-8 (V14): its update waits for that Secret, and the Secret for nothing of the control plane; only
    then, and for no other cluster."""
    recording, _ = deploy(settings(generation=2, keep=[{"generation": 1}]))
    managers = [each for each in recording.resources if each.name.startswith("controllermgr-deployment")]
    assert [HOOK in each.update_hooks for each in managers] == [True]
    assert not any(HOOK in each.hooks for each in recording.resources), "nothing waits where it is made first"
    tokens = {each.name: each for each in recording.resources if each.name.endswith("-client-token")}
    assert len(tokens) == 2
    for name, token in tokens.items():
        waits = any("::controllermgr-deployment" in need for need in token.dependencies)
        assert waits is name.startswith("steady")
    before, _ = deploy(settings())
    assert not any(HOOK in each.update_hooks for each in before.resources)


def test_a_command_is_told_everything_that_the_program_registers() -> None:
    """REG-9, REG-10: what is not among it is deleted by name, where an update leaves something out."""
    asks_nobody = mock.patch("components.renames.refuse_second_names")
    with partial.exchange([]) as exchange, asks_nobody, mock.patch.dict(os.environ, exchange.variables):
        recording = record(lambda: build(configuration(settings(generation=2, keep=[{"generation": 1}]))))
        told = exchange.registered()
    assert told is not None
    registered = {(each.type, each.name) for each in recording.resources}
    assert {each for each in registered if each[0] != "pulumi:pulumi:Stack"} == set(told)
