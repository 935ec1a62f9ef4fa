"""Image references."""

from __future__ import annotations

import pytest

from madeploy.names.services import SERVICES
from manifests import catalog
from tests.support.environments import (
    DIGEST,
    environment,
    minimal,
    production_aws,
)
from tests.support.objects import container, deployment, pod_spec
from tests.support.proves import proves


@proves("CP-9")
def test_images_come_from_one_place() -> None:
    """CP-9."""
    images = {
        service: container(deployment(catalog.objects(production_aws()), service))["image"]
        for service in SERVICES
    }
    registry = "registry.example.com/michelangelo"
    assert images == {
        "apiserver": f"{registry}/apiserver:sha-cbf5720",
        "controllermgr": f"{registry}/controllermgr:sha-cbf5720",
        "worker": f"{registry}/worker:sha-cbf5720",
        "ui": f"{registry}/ui:sha-cbf5720",
        "envoy": f"registry.example.com/envoyproxy/envoy:v1.40.0@{DIGEST}",
    }


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "ghcr.io/michelangelo-ai/worker:sha-cbf5720"),
        ({"tag": "sha-0000000"}, "ghcr.io/michelangelo-ai/worker:sha-0000000"),
        ({"digest": DIGEST}, f"ghcr.io/michelangelo-ai/worker@{DIGEST}"),
        ({"repository": "example.com/worker"}, "example.com/worker:sha-cbf5720"),
    ],
)
def test_a_service_may_differ_from_the_common_version(image: dict[str, str], reference: str) -> None:
    """CP-9: a digest alone is not mixed with the common tag, which may name another build."""
    chosen = environment(controlPlane={"worker": {"image": image}})
    assert container(deployment(catalog.objects(chosen), "worker"))["image"] == reference


def test_envoy_is_never_taken_from_the_platforms_registry_or_version() -> None:
    """CP-9: whatever part of its entry is left out."""
    for image, reference in (
        ({"tag": "v1.35.0"}, "envoyproxy/envoy:v1.35.0"),
        ({"repository": "example.com/envoy"}, "example.com/envoy:v1.40.0"),
    ):
        chosen = environment(controlPlane={"envoy": {"image": image}})
        assert container(deployment(catalog.objects(chosen), "envoy"))["image"] == reference


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("image", [{"tag": "v1.2.3"}, {"digest": DIGEST}, {"repository": "example.com/a"}])
def test_an_image_said_at_its_older_place_is_the_same_image(image: dict[str, str], service: str) -> None:
    """CP-9: stack files from before it stood at the service."""
    older = environment(images={"tag": "sha-cbf5720", service: image})
    assert catalog.objects(older) == catalog.objects(environment(controlPlane={service: {"image": image}}))


def test_pull_secrets_and_policy_are_those_of_the_environment() -> None:
    """CP-9."""
    objects = catalog.objects(production_aws())
    for service in SERVICES:
        assert pod_spec(deployment(objects, service))["imagePullSecrets"] == [{"name": "registry-pull"}]
        assert container(deployment(objects, service))["imagePullPolicy"] == "IfNotPresent"
        assert "imagePullSecrets" not in pod_spec(deployment(catalog.objects(minimal()), service))
