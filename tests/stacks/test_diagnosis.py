"""Whom a failed update is explained by, and what when nobody answers."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.rollouts import Reason
from madeploy.errors import ToolkitError
from madeploy.stacks import diagnosis
from madeploy.stacks.diagnosis import MOST, explainer


def resource(name: str, cluster: str = "control-plane", kind: str = "apps/v1:Deployment") -> dict[str, Any]:
    provider = f"urn:pulumi:lab::michelangelo::pulumi:providers:kubernetes::k8s-{cluster}::a-b-c"
    token = f"kubernetes:{kind}"
    return {
        "urn": f"urn:pulumi:lab::michelangelo::{token}::{name}",
        "type": token,
        "id": f"ma-system/{name}",
        "provider": provider,
    }


class Cluster:
    """An API server with warnings and nothing else."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, path: str) -> None:
        self.asked.append(path)

    def items(self, path: str, **_: Any) -> list[dict[str, Any]]:
        about = {"kind": "Ingress", "name": "door"}
        return [{"involvedObject": about, "reason": "Rejected", "message": "no such class"}]


def test_each_object_is_asked_of_its_own_cluster() -> None:
    """UX-3: by its provider; resources of other providers are left out."""
    clusters: dict[str, Cluster] = {}

    def client_of(name: str) -> Any:
        return clusters.setdefault(name, Cluster())

    bucket = {"urn": "u", "type": "aws:s3/bucket:Bucket", "id": "b", "provider": "urn::aws::1"}
    door = resource("door", kind="networking.k8s.io/v1:Ingress")
    said = explainer(client_of)([resource("a"), resource("b", "gpu"), door, bucket])
    assert clusters["control-plane"].asked == ["/apis/apps/v1/namespaces/ma-system/deployments/a"]
    assert clusters["gpu"].asked == ["/apis/apps/v1/namespaces/ma-system/deployments/b"]
    assert said[door["urn"]] == ("Rejected: no such class (remove the cause that the event names)",)
    assert said[resource("a")["urn"]] == ()


def test_the_last_words_of_a_container_are_told_with_their_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-8, UX-3: by the code under which the cause is explained."""
    said = "container app ended, saying: field bogus not found in type controllermgr.Config"
    reason = Reason("crash", said, 1)
    monkeypatch.setattr(diagnosis, "explain", lambda client, workload: (reason,))
    ((told,),) = explainer(lambda _: Cluster())([resource("a")]).values()  # type: ignore[arg-type, return-value]
    assert told.startswith(f"1 pod: {said}")
    assert told.endswith("; MA988: the service does not know the key bogus in controllermgr.Config")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ClientError("https://api:6443", "refused"), "nothing listens at its port"),
        (ClientError("https://api:6443", "forbidden"), "may not do this"),
        (ToolkitError("clusters cannot be reached", "no context", "name one", 2), "no context"),
    ],
    ids=["down", "forbidden", "no kubeconfig"],
)
def test_a_cluster_that_cannot_be_asked_is_said_so(error: Exception, words: str) -> None:
    """UX-3: the update's own failure is told all the same."""

    def client_of(_: str) -> Kubernetes:
        raise error

    ((said,),) = explainer(client_of)([resource("a")]).values()
    assert words in said


def test_a_cluster_that_is_silent_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-2: bounded, and of many failures some are looked at."""
    monkeypatch.setattr(diagnosis, "LIMIT_SECONDS", 0.3)

    def client_of(_: str) -> Kubernetes:
        threading.Event().wait(30)
        raise AssertionError

    began = time.monotonic()
    said = explainer(client_of)([resource(f"a-{number}") for number in range(3 * MOST)])
    assert time.monotonic() - began < 10
    assert set(said.values()) == {("its cluster does not say why in time",)}
    assert len(said) == MOST
