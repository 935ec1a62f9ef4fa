"""Each rule finds what it is for, and nothing in what the toolkit makes itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.bundles import type_token
from madeploy.settings import Environment
from manifests import catalog
from policies.rules import RULES
from tests.support import environments

CLUSTER = "kubernetes:michelangelo.api/v2:Cluster"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


def deployment(image: str = "example.com/app:v1", **container: Any) -> dict[str, Any]:
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    containers = [{"name": "c", "image": image, "securityContext": {**context, **container}}]
    return {"metadata": {"name": "d"}, "spec": {"template": {"spec": {"containers": containers}}}}


VIOLATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "cluster-without-labels-and-annotations",
        CLUSTER,
        {"metadata": {"name": "a", "namespace": "ma-system", "labels": {"x": "y"}}},
    ),
    ("cluster-in-its-namespace", CLUSTER, {"metadata": {"name": "a", "namespace": "default"}}),
    ("no-wildcard-rights", ROLE, {"metadata": {"name": "r"}, "rules": [{"verbs": ["*"]}]}),
    ("no-secrets-in-config-maps", CONFIG_MAP, {"metadata": {"name": "c"}, "data": {"DB_PASSWORD": "x"}}),
    ("no-floating-images", DEPLOYMENT, deployment(image="example.com:5000/app")),
    ("no-floating-images", DEPLOYMENT, deployment(image="envoyproxy/envoy:v1.29-latest")),
    ("restricted-pods", DEPLOYMENT, deployment(runAsNonRoot=False)),
    ("restricted-pods", DEPLOYMENT, deployment(capabilities={})),
    ("no-public-buckets", BLOCK, {"bucket": "b", "blockPublicAcls": True}),
]


def violations(token: str, properties: dict[str, Any]) -> set[str]:
    return {rule.name for rule in RULES for _ in rule.check(token, properties)}


@pytest.mark.parametrize(("name", "token", "properties"), VIOLATIONS)
def test_a_rule_finds_what_it_is_for(name: str, token: str, properties: dict[str, Any]) -> None:
    """CARD-1, CP-7, CP-9, MR-1, UX-3."""
    assert violations(token, properties) == {name}


def test_every_rule_has_a_violation_among_the_fixtures() -> None:
    """CARD-1: a rule without one might never fire."""
    assert {name for name, _, _ in VIOLATIONS} == {rule.name for rule in RULES}


@pytest.mark.parametrize(
    "build", [environments.minimal, environments.production_aws, environments.gateway_minio]
)
def test_what_the_toolkit_makes_breaks_no_rule(build: Callable[[], Environment]) -> None:
    """CP-7, CP-9, REG-4: the same objects that are rendered and applied."""
    for obj in catalog.objects(build()):
        assert violations(type_token(obj), obj) == set(), obj["metadata"]


def test_a_digest_pins_an_image_whatever_its_tag_says() -> None:
    """CP-9."""
    image = f"example.com/app:latest@sha256:{'0' * 64}"
    assert violations(DEPLOYMENT, deployment(image=image)) == set()
