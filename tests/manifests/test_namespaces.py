"""Namespaces of the control plane."""

from __future__ import annotations

import pytest

from manifests.namespaces import namespaces
from tests.support.environments import environment, minimal


def test_the_platforms_fixed_namespace_is_made_whatever_the_pods_own_is_called() -> None:
    """CP-8, REG-4 (facts 0.3): `Cluster` objects are looked for in `ma-system` only."""
    assert [obj["metadata"]["name"] for obj in namespaces(minimal())] == ["ma-system"]
    chosen = environment(platform={"namespace": "ml-platform"})
    assert [obj["metadata"]["name"] for obj in namespaces(chosen)] == ["ml-platform", "ma-system"]


@pytest.mark.parametrize("mode", ["enforce", "audit", "warn"])
def test_namespaces_hold_pods_to_restricted_at_a_fixed_version(mode: str) -> None:
    """CP-7, OPS-4: an upgrade of Kubernetes does not change what is admitted."""
    for obj in namespaces(environment(platform={"namespace": "ml-platform"})):
        labels = obj["metadata"]["labels"]
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
        assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.34"
