"""Definitions of kinds that this toolkit's objects have and that somebody else makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from madeploy.names.kubernetes import crd
from madeploy.releases import Release


@dataclass(frozen=True)
class Definitions:
    """CustomResourceDefinitions to wait for, how long, and what to do when they do not come."""

    name: str
    """Name of the wait, unique in a program."""

    names: tuple[str, ...]
    """Of the CustomResourceDefinitions."""

    limit_seconds: float
    hint: str
    """One or two sentences; `{namespace}` stands for the control plane's."""


def platform(release: Release) -> Definitions:
    """Those that a release's API server creates."""
    return Definitions(
        "platform-definitions",
        tuple(crd(kind) for kind in release.kinds),
        180.0,
        "The Michelangelo API server creates them when it starts; see "
        "`kubectl -n {namespace} logs deployment/michelangelo-apiserver`.",
    )


MODEL: Final = Definitions(
    "model-definition",
    (crd("Model"),),
    180.0,
    "The model registry is nothing but this definition, which the Michelangelo API server creates when it "
    "starts; see `kubectl -n {namespace} logs deployment/michelangelo-apiserver`.",
)
CERT_MANAGER: Final = Definitions(
    "cert-manager-definitions",
    ("clusterissuers.cert-manager.io", "certificates.cert-manager.io"),
    15.0,
    "They come with cert-manager, which issues the certificates of tls.mode acme and internalCa. Install "
    "it: `helm install cert-manager oci://quay.io/jetstack/charts/cert-manager -n cert-manager "
    "--create-namespace --set crds.enabled=true`; or set tls.mode: provided.",
)
GATEWAY_API: Final = Definitions(
    "gateway-api-definitions",
    ("gateways.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io"),
    15.0,
    "They come with the Gateway API, standard channel, 1.1 or later, which frontDoor.kind gatewayApi needs; "
    "install it with your gateway implementation, or set frontDoor.kind: ingress.",
)
GATEWAY_API_BACKEND_TLS: Final = Definitions(
    "gateway-api-backend-tls-definitions",
    (*GATEWAY_API.names, "backendtlspolicies.gateway.networking.k8s.io"),
    15.0,
    "They come with the Gateway API, standard channel, 1.4 or later, which a gateway that calls Envoy by TLS "
    "needs; install it with your gateway implementation, or set tls.envoy.enabled: false.",
)
PROMETHEUS: Final = Definitions(
    "prometheus-definitions",
    ("prometheusrules.monitoring.coreos.com",),
    15.0,
    "They come with the Prometheus operator, which network.alerts needs; install it or set "
    "network.alerts: false.",
)
