"""Waits that no resource option can express: definitions that the API server itself creates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pulumi

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.names.kubernetes import PLURALS, crd
from madeploy.settings import Environment

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Gate:
    """Definitions to wait for, how long, and what to do when they do not come."""

    name: str
    """Name of the hook, unique in the program."""

    definitions: tuple[str, ...]
    limit_seconds: float
    hint: str
    """One or two sentences; `{namespace}` stands for the control plane's."""


PLATFORM = Gate(
    "platform-definitions",
    tuple(crd(kind) for kind in PLURALS),
    180.0,
    "The Michelangelo API server creates them when it starts; see "
    "`kubectl -n {namespace} logs deployment/michelangelo-apiserver`.",
)
MODEL = Gate(
    "model-definition",
    (crd("Model"),),
    180.0,
    "The model registry is nothing but this definition, which the Michelangelo API server creates when it "
    "starts; see `kubectl -n {namespace} logs deployment/michelangelo-apiserver`.",
)
CERT_MANAGER = Gate(
    "cert-manager-definitions",
    ("clusterissuers.cert-manager.io", "certificates.cert-manager.io"),
    15.0,
    "They come with cert-manager, which issues the certificates of tls.mode acme and internalCa. Install "
    "it: `helm install cert-manager oci://quay.io/jetstack/charts/cert-manager -n cert-manager "
    "--create-namespace --set crds.enabled=true`; or set tls.mode: provided.",
)
GATEWAY_API = Gate(
    "gateway-api-definitions",
    ("gateways.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io"),
    15.0,
    "They come with the Gateway API, standard channel, 1.1 or later, which frontDoor.kind gatewayApi needs; "
    "install it with your gateway implementation, or set frontDoor.kind: ingress.",
)
GATEWAY_API_BACKEND_TLS = Gate(
    "gateway-api-backend-tls-definitions",
    (*GATEWAY_API.definitions, "backendtlspolicies.gateway.networking.k8s.io"),
    15.0,
    "They come with the Gateway API, standard channel, 1.4 or later, which a gateway that calls Envoy by TLS "
    "needs; install it with your gateway implementation, or set tls.envoy.enabled: false.",
)
PROMETHEUS = Gate(
    "prometheus-definitions",
    ("prometheusrules.monitoring.coreos.com",),
    15.0,
    "They come with the Prometheus operator, which network.alerts needs; install it or set "
    "network.alerts: false.",
)


def missing_definitions(kubeconfig: Mapping[str, Any], wanted: Sequence[str]) -> list[str]:
    """Which of the CustomResourceDefinitions `wanted` are not established in a cluster.

    Raises ClientError when the cluster does not answer, or refuses to.
    """
    cluster = Kubernetes.from_kubeconfig(kubeconfig, read_seconds=10)
    established = {
        item["metadata"]["name"]
        for item in cluster.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        for condition in (item.get("status") or {}).get("conditions") or ()
        if condition["type"] == "Established" and condition["status"] == "True"
    }
    return [name for name in wanted if name not in established]


def wait_for_definitions(
    find_missing: Callable[[], list[str]],
    limit_seconds: float,
    hint: str,
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Wait until nothing is missing. Raises TimeoutError naming what is, and `hint`: what to do (CP-8)."""
    deadline = time.monotonic() + limit_seconds
    while True:
        try:
            missing = find_missing()
            trouble = ", ".join(missing)
        except ClientError as error:
            missing, trouble = ["?"], f"unknown, the cluster does not say ({error})"
        if not missing:
            return
        if time.monotonic() >= deadline:
            raise TimeoutError(f"Definitions that are not established: {trouble}. {hint}")
        time.sleep(poll_seconds)


def definitions_established(
    kubeconfig: Mapping[str, Any], gate: Gate, environment: Environment
) -> pulumi.ResourceHookBinding:
    """Hold a resource's creation until definitions exist that this program does not create.

    The platform's are created by its API server when it first starts (V1), the others by what the
    operator installed, so no resource stands for them that could be depended on. Nothing runs in a
    preview.
    """

    hint = gate.hint.format(namespace=environment.platform.namespace)
    waiting: asyncio.Future[None] | None = None

    async def wait(_: pulumi.ResourceHookArgs) -> None:
        # Many resources wait for the same thing: the first asks the cluster, for all of them. It does so
        # in a thread of its own, because those of the loop are all taken by resources that wait for it.
        nonlocal waiting
        if waiting is None:
            waiting = asyncio.get_running_loop().run_in_executor(
                ThreadPoolExecutor(1, thread_name_prefix=gate.name),
                wait_for_definitions,
                lambda: missing_definitions(kubeconfig, gate.definitions),
                gate.limit_seconds,
                hint,
            )
        await asyncio.shield(waiting)

    return pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook(gate.name, wait)])
