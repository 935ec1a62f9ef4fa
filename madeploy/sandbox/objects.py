"""What an embedded cluster holds before anything is deployed to it: nodes, classes and definitions of
custom resources."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.schemas import open_kinds, platform

INGRESS_CONTROLLER = "k8s.io/ingress-nginx"
GATEWAY_CONTROLLER = "madeploy.sandbox/gateway-controller"
KUBERAY_VERSION = "1.7.1"
REGION = "sandbox"
ZONES = ("a", "b", "c")


FIELD_MANAGER = "madeploy-sandbox"
_PLURALS = {
    "Namespace": "namespaces",
    "Node": "nodes",
    "Secret": "secrets",
    "Certificate": "certificates",
    "CustomResourceDefinition": "customresourcedefinitions",
    "IngressClass": "ingressclasses",
    "GatewayClass": "gatewayclasses",
    "Deployment": "deployments",
}
"""Kinds that the sandbox writes itself."""


def write(api: Kubernetes, item: Object) -> None:
    """Server-side apply of an object of the sandbox's own. Raises ClientError."""
    version, metadata = item["apiVersion"], item["metadata"]
    group = "/api/" if "/" not in version else "/apis/"
    namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    path = f"{group}{version}{namespace}/{_PLURALS[item['kind']]}/{quote(metadata['name'])}"
    api.apply(path, item, FIELD_MANAGER, force=True)


def nodes(cluster: str) -> list[Object]:
    """Three nodes in three zones, which kwok keeps Ready and on which it plays the pods."""
    return [_node(f"{cluster}-{zone}", f"{REGION}-{zone}") for zone in ZONES]


def _node(name: str, zone: str) -> Object:
    room = {"cpu": "32", "memory": "128Gi", "ephemeral-storage": "500Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": "played-by-kwok",
                "topology.kubernetes.io/region": REGION,
                "topology.kubernetes.io/zone": zone,
            },
        },
        "status": {"allocatable": room, "capacity": room},
    }


def definitions(is_control_plane: bool) -> Iterator[Object]:
    """CustomResourceDefinitions in the small form the sandbox needs.

    A real control plane gets those of `michelangelo.api` from the platform's API server, a real compute
    cluster those of `ray.io` from the KubeRay operator, and both the rest from whoever runs them.
    """
    if is_control_plane:
        yield from platform.definitions()
    own = open_kinds.PLATFORM if is_control_plane else (*open_kinds.KUBERAY, *open_kinds.KUEUE)
    yield from open_kinds.definitions(
        open_kinds.CERT_MANAGER, open_kinds.GATEWAY_API, open_kinds.MONITORING, own
    )


def classes() -> list[Object]:
    """The classes that `actors` serves."""
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "nginx"},
            "spec": {"controller": INGRESS_CONTROLLER},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "sandbox"},
            "spec": {"controllerName": GATEWAY_CONTROLLER},
        },
    ]


def operators() -> list[Object]:
    """KubeRay's operator on a compute cluster, as its chart names and labels it; kwok plays its pod, so that
    it is available and does nothing."""
    name, namespace = "kuberay-operator", "ray-system"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/component": name}
    container = {"name": name, "image": f"quay.io/kuberay/operator:v{KUBERAY_VERSION}"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
    ]


def namespaces() -> list[Object]:
    """Namespaces that exist wherever an ingress controller and cert-manager run; charts and policies name
    them."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in ("ingress-nginx", "cert-manager")
    ]
