"""Interrupted creations whose ids nobody knows beforehand: what a person is told."""

from __future__ import annotations

from typing import Any

import pytest

from madeploy.engine.stack import by_hand, physical_id


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        (
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            {"clusterName": "control", "namespace": "ma-system", "serviceAccount": "michelangelo-worker"},
            "by the id `control,<association id>`",
        ),
        (
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            {"clusterName": "gpu-2", "namespace": "default", "serviceAccount": "default"},
            "--cluster-name gpu-2 --namespace default --service-account default",
        ),
        (
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            {"clusterName": "a", "namespace": "b", "serviceAccount": "c", "region": "eu-west-2"},
            "--service-account c --region eu-west-2`",
        ),
        (
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            {"url": "https://oidc.example.com/id/A"},
            "https://oidc.example.com/id/A may have been made",
        ),
        ("aws:kms/key:Key", {"description": "Objects"}, "aws kms list-keys"),
        ("aws:kms/key:Key", {"region": "eu-west-2"}, "aws kms list-keys --region eu-west-2`"),
        ("aws:s3/bucket:Bucket", {"bucket": "example"}, None),
        ("kubernetes:core/v1:Secret", {"metadata": {"name": "a"}}, None),
    ],
)
def test_what_cannot_be_looked_for_is_said_with_how_to_find_it(
    kind: str, inputs: dict[str, Any], said: str | None
) -> None:
    """UX-3: neither adopted under a guessed id nor passed over in silence."""
    resource = {"urn": f"urn:pulumi:prod::michelangelo::{kind}::worker", "type": kind, "inputs": inputs}
    told = by_hand(resource)
    if said is None:
        assert told is None
    else:
        assert told is not None
        assert said in told
        assert physical_id(resource) is None
