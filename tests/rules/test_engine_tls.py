"""Workflow engines and TLS: what can work in each release, and what an operator is told of the rest."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.findings.codes import CODES
from madeploy.reference.keys import find_key
from madeploy.releases import RELEASES
from madeploy.rules.model import Violation
from madeploy.rules.services import (
    the_engine_takes_what_the_services_offer,
    tls_to_the_engine_is_honoured,
)
from madeploy.settings import shape
from tests.support.environments import environment

LABEL = st.from_regex(r"[a-z][a-z0-9]{0,12}", fullmatch=True)
CLOUD = st.one_of(
    st.builds("{}.{}.tmprl.cloud".format, LABEL, LABEL),
    st.builds("{}.aws.api.temporal.io".format, st.sampled_from(["us-east-1", "eu-west-1", "ap-south-1"])),
    st.builds("{}.gcp.api.temporal.io".format, st.sampled_from(["us-central1", "europe-west3"])),
    st.builds("{}.{}.tmprl-test.cloud".format, LABEL, LABEL),
)
HONOURED = {
    ("2026.04", "temporal"): False,
    ("0.12", "temporal"): True,
    ("2026.04", "grpc"): True,
    ("0.12", "grpc"): True,
    ("2026.04", "tchannel"): False,
    ("0.12", "tchannel"): False,
}
"""Whether both services speak TLS to an engine, by release and by engine or by transport (facts 2.2)."""


def told(release: str, client: str, host: str, tls: bool) -> list[Violation]:
    """What is said of a workflow engine."""
    engine: dict[str, Any] = {"engine": "temporal"}
    if client != "temporal":
        engine = {"engine": "cadence", "transport": client}
    stack = environment(
        platform={"tier": "staging", "release": release}, workflow=engine | {"host": host, "tls": tls}
    )
    return [*tls_to_the_engine_is_honoured(stack, {}), *the_engine_takes_what_the_services_offer(stack, {})]


def test_the_table_below_knows_every_release() -> None:
    """CP-3: a new release has to say what its services honour."""
    assert {release for release, _ in HONOURED} == set(RELEASES)


@pytest.mark.parametrize(("release", "client"), HONOURED)
def test_tls_is_an_error_exactly_where_a_service_ignores_it(release: str, client: str) -> None:
    """CP-3: each release, engine and transport."""
    found = {item.code for item in told(release, client, "engine.example.com:7000", True)}
    assert found == (set() if HONOURED[release, client] else {"MA137"})
    assert told(release, client, "engine.example.com:7000", False) == []


@pytest.mark.parametrize(("release", "client"), HONOURED)
def test_a_way_to_a_port_that_only_takes_tls_is_named_where_there_is_one(release: str, client: str) -> None:
    """CP-3: `workflow.tls` where both services honour it; a proxy otherwise."""
    (warning,) = told(release, client, "engine.example.com:443", False)
    assert (warning.code, warning.severity) == ("MA141", "warning")
    assert ("workflow.tls" in warning.fix) == HONOURED[release, client]


@settings(max_examples=30)
@given(host=CLOUD, port=st.sampled_from([443, 7233]), upper=st.booleans())
def test_temporal_cloud_is_an_error_with_every_release_and_setting(host: str, port: int, upper: bool) -> None:
    """CP-3: it wants a client certificate or an API key, and no release can be given either."""
    address = f"{host.upper() if upper else host}:{port}"
    for (release, client), tls in itertools.product(HONOURED, (True, False)):
        (found,) = [item for item in told(release, client, address, tls) if item.code == "MA141"]
        assert (found.severity or CODES["MA141"].severity) == "error"
        assert "Temporal Cloud" in found.evidence


@pytest.mark.parametrize("engine", ["temporal", "cadence"])
@pytest.mark.parametrize("key", ["domain", "tls"])
def test_the_keys_of_each_engine_say_what_holds_for_it(engine: str, key: str) -> None:
    """UX-3, CP-3: `explain` reads these texts."""
    (match,) = [item for item in find_key(f"workflow.{key}") if item.choices == {"workflow": engine}]
    text = shape.meaning(match.section, key)
    assert engine in text.lower()
    if (engine, key) == ("temporal", "tls"):
        assert all(release in text for release in RELEASES)
