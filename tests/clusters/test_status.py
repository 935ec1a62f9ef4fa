"""What status says of a cluster when something is wrong with it, and of jobs that have ended."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clusters import status
from madeploy.clusters.registration import cluster_path, secret_path
from madeploy.clusters.remedies import remedies
from madeploy.clusters.status import ClusterStatus, assignments, cluster_status, late_status
from tests.clusters.test_credential import REVIEWS, SETTINGS, Dated
from tests.kubeconfigs.test_tokens import BOUND, LONG_LIVED, token
from tests.support.answers import Answers

NOW = 2000.0
USER = "system:serviceaccount:default:ray-manager"
REMEDIES = remedies(SETTINGS, "a", "prod")
RAY = "/apis/ray.io/v1/namespaces/default"
UNAUTHORIZED = ClientError("https://compute:6443", "unauthorized", status=401)


def shown(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], text: str = "", compute: Answers | None = None
) -> ClusterStatus:
    """The status of a cluster whose API server answers this to the registered credential."""

    def value(key: str, plain: str) -> dict[str, Any]:
        metadata = {"creationTimestamp": "1970-01-01T00:10:00Z"}
        return {"metadata": metadata, "data": {key: base64.b64encode(plain.encode()).decode()}}

    hub = Answers(
        {
            cluster_path("a"): {
                "metadata": {"name": "a", "creationTimestamp": "1970-01-01T00:10:00Z"},
                "spec": {"kubernetes": {"rest": {"host": "https://compute", "port": "6443"}}},
                "status": {
                    "statusConditions": [
                        {"type": "Ready", "status": "CONDITION_STATUS_TRUE", "lastUpdatedTimestamp": "1990"}
                    ]
                },
            },
            secret_path("cluster-a-ca-data"): value("cadata", ""),
            secret_path("cluster-a-client-token"): value("token", text or token(**LONG_LIVED)),
        },
        "https://hub:6443",
    )
    monkeypatch.setattr(status, "registered_client", lambda registered: Dated(answers))
    return cluster_status(hub, compute, REMEDIES, in_stack=True, assigned=2, now=NOW)


def accepted(**changed: Any) -> dict[str, Any]:
    return {REVIEWS: {"status": {"userInfo": {"username": USER}}}} | changed


def test_jobs_that_have_ended_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-9."""
    jobs = [{"status": {"jobStatus": state}} for state in ("RUNNING", "SUCCEEDED", "FAILED", "STOPPED")]
    found = shown(monkeypatch, accepted(**{f"{RAY}/rayjobs": [*jobs, {}], f"{RAY}/rayclusters": [{}]}))
    assert (found.ray_clusters, found.ray_jobs, found.assigned) == (1, 2, 2)
    assert (found.reachable, found.ready, found.proof_age, found.findings) == (True, True, 10, ())


@pytest.mark.parametrize(
    ("answers", "text", "code"),
    [
        ({REVIEWS: UNAUTHORIZED}, token(**LONG_LIVED), "MA437"),
        ({REVIEWS: UNAUTHORIZED}, token(**BOUND | {"exp": 1400}), "MA438"),
        ({REVIEWS: ClientError("https://compute:6443", "timeout")}, "", "MA432"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_shown_with_the_reason(
    answers: dict[str, Any], text: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-9, REG-10: its last proof beside it."""
    found = shown(monkeypatch, answers, text)
    assert (found.reachable, found.ready, found.ray_clusters) == (False, True, None)
    assert [finding.code for finding in found.findings] == [code]


@pytest.mark.parametrize(
    ("text", "compute", "age", "left"),
    [
        (token(**BOUND), None, 1000, 2600),
        (token(**LONG_LIVED), None, 1400, None),
        ("nothing", None, None, None),
        (
            token(**LONG_LIVED),
            Answers(
                {
                    "/api/v1/namespaces/default/secrets/ray-manager-token": {
                        "metadata": {"creationTimestamp": "1970-01-01T00:01:40Z"}
                    },
                    "/api/v1/namespaces/default/serviceaccounts/ray-manager": {"metadata": {"uid": "u-1"}},
                }
            ),
            1900,
            None,
        ),
    ],
    ids=["bound", "long-lived-by-its-registration", "none", "long-lived-by-its-secret"],
)
def test_a_tokens_age_is_its_own_or_its_secrets(
    text: str, compute: Answers | None, age: float | None, left: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-8, REG-9."""
    found = shown(monkeypatch, accepted(), text, compute)
    assert (found.token_age, found.token_left) == (age, left)


def test_assignments_count_what_has_not_ended() -> None:
    """REG-9, facts 4.4."""

    def assigned(cluster: str, state: str) -> dict[str, Any]:
        return {"status": {"assignment": {"cluster": cluster}, "state": f"RAY_CLUSTER_STATE_{state}"}}

    hub = Answers(
        {
            "/apis/michelangelo.api/v2/rayclusters": [
                assigned("a", "READY"),
                assigned("a", "PROVISIONING"),
                assigned("a", "TERMINATED"),
                assigned("b", "FAILED"),
                {},
            ]
        }
    )
    assert assignments(hub) == {"a": 2}


def test_a_late_cluster_is_a_row_like_any_other() -> None:
    """REG-10."""
    data = late_status("a", True, 30).to_data()
    assert (data["name"], data["reachable"], data["findings"][0]["code"]) == ("a", False, "MA432")
