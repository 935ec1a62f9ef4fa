"""Definitions of kinds that this toolkit's objects have and that somebody else makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from madeploy.names.kubernetes import crd
from madeploy.releases import Release
from madeploy.settings import Environment

DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
"""Where a Kubernetes API server lists them."""


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

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields of `spec` without which a definition is an earlier one, by its name."""

    def missing(self, there: Iterable[Mapping[str, Any]]) -> list[str]:
        """Which of them are not established among the CustomResourceDefinitions `there`, in words."""
        found = {item["metadata"]["name"]: item for item in there}
        lacking = []
        for name in self.names:
            if name not in found or not _is_established(found[name]):
                lacking.append(name)
            elif earlier := [step for step in self.fields.get(name, ()) if not _has(found[name], step)]:
                lacking.append(f"{name} (an earlier one, without {', '.join(earlier)})")
        return lacking


def lack(definition: Mapping[str, Any] | None, versions: Iterable[str]) -> str:
    """What a CustomResourceDefinition lacks to take objects of these versions, in words; empty for
    nothing."""
    if definition is None:
        return "is not there"
    if not _is_established(definition):
        return "is not established"
    served = [item["name"] for item in definition["spec"]["versions"] if item.get("served")]
    unserved = [version for version in versions if version not in served]
    return f"serves {', '.join(served) or 'no version'}, not {', '.join(unserved)}" if unserved else ""


def _is_established(definition: Mapping[str, Any]) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Established" and item["status"] == "True" for item in conditions)


def _has(definition: Mapping[str, Any], name: str) -> bool:
    """Whether the version that is stored has a field of this name in `spec`."""
    (stored,) = (version for version in definition["spec"]["versions"] if version["storage"])
    spec = stored["schema"]["openAPIV3Schema"]["properties"].get("spec") or {}
    return name in (spec.get("properties") or {})


def platform(release: Release) -> Definitions:
    """Those that a release's API server creates."""
    return Definitions(
        "platform-definitions",
        tuple(crd(kind) for kind in release.kinds),
        180.0,
        "The Michelangelo API server makes them when it starts; see "
        "`kubectl -n {namespace} logs deployment/michelangelo-apiserver`.",
        {crd(kind): names for kind, names in release.required_fields.items()},
    )


MODEL: Final = Definitions(
    "model-definition",
    (crd("Model"),),
    180.0,
    "The model registry is nothing but this definition, which the Michelangelo API server creates when it "
    "starts; see `kubectl -n {namespace} logs deployment/michelangelo-apiserver`.",
)
PROJECT: Final = Definitions(
    "project-definition",
    (crd("Project"),),
    180.0,
    "Tenants are Projects, whose definition the Michelangelo API server creates when it starts; see "
    "`kubectl -n {namespace} logs deployment/michelangelo-apiserver`.",
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
_TLS_ROUTES: Final = "tlsroutes.gateway.networking.k8s.io"


def gateway_api(environment: Environment) -> Definitions:
    """Those of the kinds that a Gateway and its routes are of."""
    found = GATEWAY_API_BACKEND_TLS if environment.tls.envoy.enabled else GATEWAY_API
    if environment.front_door.api_tls != "passthrough":
        return found
    hint = (
        "They come with the Gateway API, standard channel, 1.5 or later, which passes TLS through "
        "(frontDoor.apiTls); install it with your gateway implementation, or set frontDoor.apiTls: terminate."
    )
    return Definitions("gateway-api-tls-route-definitions", (*found.names, _TLS_ROUTES), 15.0, hint)


PROMETHEUS_RULES: Final = Definitions(
    "prometheus-definitions",
    ("prometheusrules.monitoring.coreos.com",),
    15.0,
    "They come with the Prometheus operator; install it, or set monitoring.kind: files for a plain "
    "Prometheus.",
)


def monitoring_kinds(environment: Environment) -> Definitions | None:
    """Those of the objects of `monitoring`."""
    monitoring = environment.monitoring
    if monitoring is None:
        return None
    operator = monitoring.kind == "operator"
    grafana = monitoring.dashboards.kind == "grafanaOperator"
    names = (
        *(("podmonitors.monitoring.coreos.com",) if operator else ()),
        *(("grafanadashboards.grafana.integreatly.org",) if grafana else ()),
    )
    hint = (
        "They come with the Prometheus operator (monitoring.kind) and the Grafana operator "
        "(monitoring.dashboards.kind); install them, or set monitoring.kind: files and "
        "monitoring.dashboards.kind: sidecar."
    )
    return Definitions("monitoring-definitions", names, 15.0, hint) if names else None


def serving_gateway(environment: Environment) -> Definitions | None:
    """Those of the Gateway of models, and of the routes that the platform makes to them."""
    if environment.serving is None:
        return None
    return Definitions(
        "serving-definitions",
        ("gateways.gateway.networking.k8s.io", "httproutes.gateway.networking.k8s.io"),
        15.0,
        "They come with the Gateway API, standard channel, which serving needs with an implementation such "
        "as Istio; install both, or leave michelangelo:serving out.",
    )
