"""Credentials in the program: awaited, handed over, secret wherever they are, and what rolls for them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.compute_cluster import registered_token
from components.platform import Platform
from tests.support import environments
from tests.support.programs import CANARY, STORE_CANARY, configuration, deploy
from tests.support.recording import TOKEN, Recording, record

pytestmark = pytest.mark.whole


def test_the_token_is_awaited_and_reaches_the_control_plane_as_a_secret(
    aws: tuple[Recording, dict[str, Any]],
) -> None:
    """REG-2, REG-4, REG-5."""
    recording = aws[0]
    name = sorted(environments.production_aws().clusters)[0]
    request = recording.one("kubernetes:core/v1:Secret", f"{name}-token")
    assert request.provider == f"k8s-{name}"
    assert request.inputs["metadata"]["annotations"]["pulumi.com/waitFor"] == "jsonpath={.data.token}"
    stored = recording.one("kubernetes:core/v1:Secret", f"{name}-secret-default-cluster-{name}-client-token")
    assert stored.provider == "k8s-control-plane"
    assert "data" in stored.secret_inputs
    assert base64.b64decode(stored.inputs["data"]["token"]).decode() == TOKEN


def test_a_cluster_that_serves_hands_over_the_token_of_serving_too() -> None:
    """OPS-5: awaited like the other, secret on the control plane, on the generation that is registered."""
    made = environments.environment(
        serving={"namespace": "serving"},
        clusters={
            "gpu": {
                "kubeconfigContext": "gpu",
                "serving": True,
                "credential": {"generation": 2, "keep": [{"generation": 1}]},
            }
        },
    )
    recording, _ = deploy(made)
    asked = recording.one("kubernetes:core/v1:Secret", "gpu-inference-server-manager-token-2")
    assert asked.provider == "k8s-gpu"
    assert asked.inputs["metadata"]["annotations"] == {
        "kubernetes.io/service-account.name": "inference-server-manager",
        "pulumi.com/waitFor": "jsonpath={.data.token}",
    }
    assert recording.one("kubernetes:core/v1:Secret", "gpu-inference-server-manager-token")
    stored = recording.one("kubernetes:core/v1:Secret", "gpu-secret-default-cluster-gpu-is-token")
    assert stored.provider == "k8s-control-plane"
    assert "data" in stored.secret_inputs
    assert base64.b64decode(stored.inputs["data"]["token"]).decode() == TOKEN


def test_the_token_of_serving_is_there_before_the_first_registration() -> None:
    """OPS-5: the rotation that registers the cluster proves it first."""
    credential = {"generation": 0, "kind": "bounded", "keep": [{"generation": 1, "kind": "bounded"}]}
    made = environments.environment(
        serving={"namespace": "serving"},
        clusters={"gpu": {"kubeconfigContext": "gpu", "serving": True, "credential": credential}},
    )
    recording, _ = deploy(made)
    assert recording.one("kubernetes:core/v1:Secret", "gpu-inference-server-manager-token")
    names = {item.inputs["metadata"]["name"] for item in recording.of_type("kubernetes:core/v1:Secret")}
    assert "cluster-gpu-is-token" not in names


def test_the_end_of_a_bounded_token_is_alerted_on() -> None:
    """OPS-3: by a rule of the update's own, in which nothing of the token stands."""
    bounded = {"kubeconfigContext": "gpu", "credential": {"kind": "bounded"}}
    made = environments.environment(
        monitoring={}, clusters={"gpu": bounded, "cpu": {"kubeconfigContext": "cpu"}}
    )
    recording, _ = deploy(made)
    kind = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
    (rule,) = [item for item in recording.of_type(kind) if "token" in item.inputs["metadata"]["name"]]
    assert rule.inputs["metadata"]["name"] == "michelangelo-token-gpu"
    (alert,) = rule.inputs["spec"]["groups"][0]["rules"]
    # The token of these tests has no end.
    assert alert["expr"] == "vector(time()) > +Inf"
    assert TOKEN not in json.dumps(rule.inputs)
    assert not rule.secret_inputs


@pytest.mark.parametrize("data", [None, {}, {"token": ""}, {"token": "!"}, {"token": "bm90IGEgdG9rZW4="}])
def test_a_secret_without_a_token_is_explained_and_not_registered(data: dict[str, str] | None) -> None:
    """REG-5, REG-11: and what it holds is not repeated."""
    with pytest.raises(ValueError, match="ray-manager-token on cluster a") as caught:
        registered_token(data, "a")
    assert "bm90IGEgdG9rZW4" not in str(caught.value)


def test_a_token_with_a_newline_is_refused() -> None:
    """REG-5: it would make an invalid header (facts 3.1)."""
    with pytest.raises(ValueError, match="white space"):
        registered_token({"token": base64.b64encode(f"{TOKEN}\n".encode()).decode()}, "a")


def test_secret_values_are_secret_in_every_resource_they_reach(
    minio: tuple[Recording, dict[str, Any]],
) -> None:
    """REG-3, CP-7: object-store keys and kubeconfigs, plain and in base64."""
    for resource in minio[0].resources:
        for key, value in resource.inputs.items():
            text = json.dumps(value)
            encoded = base64.b64encode(STORE_CANARY.encode()).decode()
            if any(secret in text for secret in (CANARY, STORE_CANARY, encoded)):
                assert key in resource.secret_inputs, f"{resource.identity} shows {key}"


def test_pods_roll_when_object_store_keys_change(minio: tuple[Recording, dict[str, Any]]) -> None:
    """CP-7: by a fingerprint that does not make the whole template secret."""

    def program() -> None:
        keys = {"accessKeyId": "id", "secretAccessKey": "another"}
        store = {name: pulumi.Output.secret(value) for name, value in keys.items()}
        Platform("michelangelo", replace(configuration(environments.gateway_minio()), object_store=store))

    changed = record(program)
    for service in ("controllermgr", "worker"):
        deployment = minio[0].one(
            "kubernetes:apps/v1:Deployment", f"{service}-deployment-michelangelo-michelangelo-{service}"
        )
        assert "spec" not in deployment.secret_inputs
        other = changed.one(deployment.type, deployment.name)
        assert (
            other.inputs["spec"]["template"]["metadata"] != deployment.inputs["spec"]["template"]["metadata"]
        )
