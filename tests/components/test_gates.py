"""Waiting for definitions that nothing in the program stands for."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from unittest import mock

import pytest

from components.gates import APART_SECONDS, after_credentials, missing_definitions
from madeploy.clients.definitions import wait_for_definitions
from madeploy.clients.errors import ClientError
from madeploy.releases import RELEASES
from manifests.definitions import GATEWAY_API, platform
from tests.support.proves import proves


@pytest.mark.parametrize(("release", "count"), [("2026.04", 14), ("0.12", 15)])
def test_the_platforms_gate_names_every_definition_of_the_release(release: str, count: int) -> None:
    """CP-8, REL-1: as the API server installs them (V1), the irregular plural included."""
    definitions = platform(RELEASES[release]).names
    assert len(definitions) == count
    assert "modelfamilys.michelangelo.api" in definitions
    assert ("evaluationreports.michelangelo.api" in definitions) == (release == "0.12")


def definition(name: str, *fields: str, established: str = "True") -> dict[str, Any]:
    """A CustomResourceDefinition with fields in `spec`, as an API server lists it."""
    spec = {"type": "object", "properties": {field: {"type": "string"} for field in fields}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "metadata": {"name": name},
        "spec": {"versions": [{"name": "v2", "storage": True, "schema": schema}]},
        "status": {"conditions": [{"type": "Established", "status": established}]},
    }


def test_definitions_of_an_earlier_release_are_not_those_of_the_next() -> None:
    """CP-8, REL-3: all are there and established when a release is taken over; what tells is a field."""
    wanted = platform(RELEASES["0.12"])
    there = {name: definition(name) for name in wanted.names}
    (missing,) = wanted.missing(there.values())
    assert missing == "inferenceservers.michelangelo.api (an earlier one, without clusterTargets)"
    there["inferenceservers.michelangelo.api"] = definition(
        "inferenceservers.michelangelo.api", "clusterTargets"
    )
    assert wanted.missing(there.values()) == []
    there["projects.michelangelo.api"] = definition("projects.michelangelo.api", established="False")
    assert wanted.missing(there.values()) == ["projects.michelangelo.api"]
    assert platform(RELEASES["2026.04"]).missing(map(definition, wanted.names)) == []


def test_a_wait_ends_as_soon_as_nothing_is_missing() -> None:
    """CP-8."""
    answers = [["a", "b"], ["b"], []]
    wait_for_definitions(lambda: answers.pop(0), 5, "hint", poll_seconds=0)
    assert answers == []


@proves("CP-8")
def test_a_definition_that_never_comes_is_named_with_what_to_do() -> None:
    """CP-8, UX-3."""
    with pytest.raises(TimeoutError, match=r"clusters\.michelangelo\.api\. See the log"):
        wait_for_definitions(lambda: ["clusters.michelangelo.api"], 0, "See the log.", poll_seconds=0)


def test_an_api_server_that_does_not_answer_for_a_moment_does_not_end_the_wait() -> None:
    """CP-8."""
    answers: list[list[str] | None] = [None, []]

    def find() -> list[str]:
        answer = answers.pop(0)
        if answer is None:
            raise ClientError("https://control-plane.example.com:6443", "reset")
        return answer

    wait_for_definitions(find, 5, "hint", poll_seconds=0)
    assert answers == []


def test_what_asks_a_cluster_fails_in_the_way_that_the_wait_goes_on_from() -> None:
    """CP-8, UX-3: nothing listens at the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    kubeconfig = {
        "clusters": [{"name": "a", "cluster": {"server": f"https://127.0.0.1:{port}"}}],
        "users": [{"name": "a", "user": {}}],
    }
    with pytest.raises(TimeoutError, match=r"does not say \(https://127\.0\.0\.1:\d+: nothing listens"):
        wait_for_definitions(lambda: missing_definitions(kubeconfig, GATEWAY_API), 0, "hint", poll_seconds=0)


def test_pods_that_read_a_credential_are_seen_to_be_younger_than_it() -> None:
    """REG-8 (V14): times of objects are whole seconds; pods of the same one would be rolled once more."""
    happened: list[str] = []

    async def moved() -> str:
        happened.append("moved")
        return "default/token"

    async def sleep(seconds: float) -> None:
        happened.append(f"{seconds} s later")

    secret = mock.Mock()
    secret.id.future = moved
    for moving in ([secret], []):
        with mock.patch("pulumi.ResourceHook") as hook, mock.patch("asyncio.sleep", sleep):
            after_credentials(moving)
            _, wait = hook.call_args.args
            asyncio.run(wait(mock.Mock()))
    assert happened == ["moved", f"{APART_SECONDS} s later"]
    assert APART_SECONDS >= 1
