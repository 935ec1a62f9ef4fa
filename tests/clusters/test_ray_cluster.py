"""The last check: what a refusal of a RayCluster means."""

from __future__ import annotations

from typing import Any

import pytest

from madeploy.clients.errors import Cause, ClientError
from madeploy.clients.kubernetes import Object
from madeploy.clusters.checks.ray_cluster import NoDryRunError, create_ray_cluster
from madeploy.clusters.remedies import remedies
from tests.support.answers import Answers
from tests.support.environments import environment

REMEDIES = remedies(environment(clusters={"a": {"kubeconfigContext": "a"}}), "a", "prod")


class Refusing(Answers):
    """An API server that fails to create, or to delete."""

    def __init__(self, create: ClientError | None = None, delete: ClientError | None = None) -> None:
        super().__init__()
        self._create, self._delete = create, delete
        self.created: list[Object] = []
        self.deleted: list[str] = []

    def create(self, path: str, item: Object, **query: Any) -> Object:
        """Remember what was created."""
        if self._create is not None:
            raise self._create
        self.created.append(item)
        return item

    def delete(self, path: str, options: Object | None = None) -> bool:
        """True, or the failure."""
        if self._delete is not None:
            raise self._delete
        self.deleted.append(path)
        return True


def failure(cause: Cause, message: str = "") -> ClientError:
    return ClientError("https://compute:6443", cause, message)


@pytest.mark.parametrize(
    ("cause", "code"), [("forbidden", "MA458"), ("invalid", "MA458"), ("notFound", "MA446")]
)
def test_a_refusal_is_named_with_what_the_server_said(cause: Cause, code: str) -> None:
    """REG-6."""
    _, finding = create_ray_cluster(Refusing(failure(cause, "exceeded quota")), REMEDIES, for_real=False)
    assert finding is not None
    assert finding.code == code


def test_a_webhook_without_dry_runs_is_no_refusal() -> None:
    """REG-6: nothing is known then, and the check says how to find out."""
    message = "admission webhook x does not support dry run"
    with pytest.raises(NoDryRunError, match="--create-ray-cluster"):
        create_ray_cluster(Refusing(failure("invalid", message)), REMEDIES, for_real=False)


def test_a_failure_that_is_no_refusal_is_not_taken_for_one() -> None:
    """REG-6, REG-10: and what may have been created is deleted."""
    client = Refusing(failure("timeout"))
    with pytest.raises(ClientError):
        create_ray_cluster(client, REMEDIES, for_real=True)
    assert len(client.deleted) == 1


def test_what_could_not_be_deleted_again_is_named_with_the_command() -> None:
    """REG-6, UX-6."""
    client = Refusing(delete=failure("timeout"))
    _, finding = create_ray_cluster(client, REMEDIES, for_real=True)
    (made,) = client.created
    assert finding is not None
    assert (
        f"kubectl --context a -n default delete rayclusters.ray.io {made['metadata']['name']}" in finding.fix
    )
    assert made["spec"]["suspend"] is True
