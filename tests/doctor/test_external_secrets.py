"""Secrets that come from a store: the store and what is read from it, in the operator's own words."""

from __future__ import annotations

from typing import Any

import pytest

from madeploy.doctor import external_secrets
from madeploy.settings import CONTROL_PLANE
from manifests.secret_references import API_VERSION
from tests.doctor.answers import codes, look
from tests.support.environments import environment
from tests.support.furnished import FurnishedSite, named

CLUSTER = {"gpu": {"server": "https://gpu.example.com:6443"}}


def site(**secrets: Any) -> FurnishedSite:
    given = {"kind": "externalSecrets", "store": "vault", **secrets}
    return FurnishedSite(
        environment(
            gitops={"secrets": given},
            clusters=CLUSTER,
            storage={"kind": "s3Compatible", "endpoint": "https://s3.example.com"},
        )
    )


def ready(status: str, message: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": "Ready", "status": status, "message": message}]}


@pytest.mark.parametrize("kind", ["ClusterSecretStore", "SecretStore"])
def test_a_store_is_there_and_ready(kind: str) -> None:
    """OPS-8, UX-8: of the whole cluster, or one in each namespace."""
    made = site(storeKind=kind)
    answer = lambda: external_secrets.stores(made.site, CONTROL_PLANE)  # noqa: E731
    assert set(codes(answer)) == {"MA504"}
    spaces = [None] if kind == "ClusterSecretStore" else ["default", "ma-system"]
    for space in spaces:
        made.hub.hold(named(kind, "vault", space, API_VERSION, status=ready("False", "403: no such role")))
    assert "403: no such role" in look(answer).detail
    assert len(look(answer).findings) == len(spaces)
    for space in spaces:
        made.hub.hold(named(kind, "vault", space, API_VERSION, status=ready("True")))
    assert look(answer).state == "passed"


def test_a_compute_cluster_has_a_store_where_one_is_named() -> None:
    """REG-4, UX-8."""
    without = site().site
    assert look(lambda: external_secrets.stores(without, "gpu")).state == "notNeeded"
    assert look(lambda: external_secrets.synced(without, "gpu")).state == "notNeeded"
    made = site(computeStore="vault-gpu")
    (finding,) = look(lambda: external_secrets.stores(made.site, "gpu")).findings
    assert "gitops.secrets.computeStore" in finding.fix


def test_what_was_not_read_says_why_and_how_to_have_it_read_again() -> None:
    """OPS-8, UX-3: the commands are the operator's own."""
    made = site()
    answer = lambda: external_secrets.synced(made.site, CONTROL_PLANE)  # noqa: E731
    for path in [path for path in made.hub.objects if "/secrets/" in path]:
        del made.hub.objects[path]
    assert set(codes(answer)) == {"MA505"}
    for secret in external_secrets.wanted_secrets(made.environment):
        if secret.cluster == CONTROL_PLANE:
            made.hub.hold(
                named("ExternalSecret", secret.name, secret.namespace, API_VERSION, status=ready("True"))
            )
    assert look(answer).state == "passed"
    refused = named("ExternalSecret", "cluster-gpu-client-token", "default", API_VERSION)
    made.hub.hold(refused | {"status": ready("False", "could not get secret data from provider")})
    (finding,) = look(answer).findings
    assert "could not get secret data" in finding.evidence
    assert [command.split()[5] for command in finding.commands] == ["describe", "annotate"]


def test_secrets_that_an_update_made_need_no_operator() -> None:
    """CARD-4, UX-8."""
    made = site()
    for secret in external_secrets.wanted_secrets(made.environment):
        if secret.cluster == CONTROL_PLANE:
            made.hub.hold(named("Secret", secret.name, secret.namespace, data={"a": "eA=="}))
    assert look(lambda: external_secrets.synced(made.site, CONTROL_PLANE)).state == "passed"


def test_without_the_operator_nothing_is_asked() -> None:
    """UX-8."""
    made = FurnishedSite(environment())
    assert look(lambda: external_secrets.stores(made.site, CONTROL_PLANE)).state == "notNeeded"
