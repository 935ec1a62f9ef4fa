"""Serving: the Gateway of models, and on target clusters the account by which the platform runs inference
servers there (serving guide, cluster set-up; release 0.12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from madeploy.names.kubernetes import (
    CREDENTIALS_NAMESPACE,
    SERVING_GATEWAY,
    SERVING_MANAGER,
    cluster_serving_token_secret,
    serving_manager_token,
)
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.serving import Serving
from manifests.inputs import Inputs
from manifests.model_sync import model_sync
from manifests.objects import Object, metadata
from manifests.rbac import READ, account, cluster_role, cluster_role_binding
from manifests.registration import credentials

TOKEN: Final = "servingToken"
"""Where the token stands in the credential that a compute cluster hands to the control plane."""

_WRITE: Final = [*READ, "create", "update", "patch", "delete"]
_RULES: Final[Sequence[tuple[str, list[str], list[str]]]] = (
    ("apps", ["deployments"], _WRITE),
    ("", ["services", "configmaps"], _WRITE),
    ("discovery.k8s.io", ["endpointslices"], _WRITE),
    ("gateway.networking.k8s.io", ["httproutes"], _WRITE),
    # Readiness of models is asked for through the Kubernetes API.
    ("", ["services/proxy", "pods/proxy"], ["get", "create"]),
    ("", ["pods"], ["get", "list"]),
    # Where models are reached: the Gateway's node port, on a node's own address.
    ("", ["nodes"], list(READ)),
)
"""What the platform's code does on a target cluster (release 0.12)."""


def serving(inputs: Inputs) -> tuple[Object, ...]:
    """Namespace, Gateway and model-sync on the control plane's cluster; nothing without `serving`."""
    if inputs.environment.serving is None:
        return ()
    return (*_side(inputs.environment.serving), *model_sync(inputs, CONTROL_PLANE))


def target_side(inputs: Inputs, name: str) -> tuple[Object, ...]:
    """The same on compute cluster `name` with the account `inference-server-manager` and its rights; nothing
    unless the cluster serves. Raises KeyError when the environment has no such cluster."""
    settings = inputs.environment.serving
    if settings is None or not inputs.environment.clusters[name].serving:
        return ()
    subject = account(SERVING_MANAGER, CREDENTIALS_NAMESPACE)
    rules = [{"apiGroups": [group], "resources": what, "verbs": verbs} for group, what, verbs in _RULES]
    return (
        *_side(settings),
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(SERVING_MANAGER, CREDENTIALS_NAMESPACE),
            # It stands for the control plane, never for a pod.
            "automountServiceAccountToken": False,
        },
        cluster_role(SERVING_MANAGER, rules),
        cluster_role_binding(SERVING_MANAGER, SERVING_MANAGER, subject),
        *model_sync(inputs, name),
    )


def token_requests(environment: Environment, name: str) -> tuple[Object, ...]:
    """Secrets on compute cluster `name` that Kubernetes writes the account's tokens into: one for each
    generation of the cluster's credential, so that both turn together. Nothing unless the cluster serves."""
    if environment.serving is None or not environment.clusters[name].serving:
        return ()
    annotations = {"kubernetes.io/service-account.name": SERVING_MANAGER}
    return tuple(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(
                serving_manager_token(item.generation), CREDENTIALS_NAMESPACE, annotations=annotations
            ),
            "type": "kubernetes.io/service-account-token",
        }
        for item in credentials(environment, name)
    )


def token_secret(name: str, token: Any) -> Object:
    """Secret of the control plane with the token, in base64, that an InferenceServer's `clusterTargets` name
    as `tokenTag`. It may be the engine's output."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(cluster_serving_token_secret(name), CREDENTIALS_NAMESPACE),
        "type": "Opaque",
        "data": {"token": token},
    }


def _side(settings: Serving) -> tuple[Object, ...]:
    # Other clusters come in by a node's port, which the firewall between them has to admit.
    annotations = {"networking.istio.io/service-type": "NodePort"}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": metadata(SERVING_GATEWAY, settings.namespace, annotations=annotations),
        "spec": {
            "gatewayClassName": settings.gateway_class,
            "listeners": [
                {
                    "name": settings.port_name,
                    "protocol": "HTTP",
                    "port": 80,
                    "allowedRoutes": {"namespaces": {"from": "All"}},
                }
            ],
        },
    }
    if not settings.create_namespace:
        return (gateway,)
    made = metadata(settings.namespace, None)
    made["labels"] |= {"pod-security.kubernetes.io/enforce": "privileged"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": made}, gateway
