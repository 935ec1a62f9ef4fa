"""Definitions of kinds whose content is somebody else's: an API server with them takes any object of them.

What this project itself writes of these kinds is checked by the closed schemas in `definitions/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_UNAPPROVED: Final = {"api-approved.kubernetes.io": "unapproved, a small form for embedded clusters"}


@dataclass(frozen=True)
class OpenKind:
    """A kind by its names alone."""

    group: str
    kind: str
    plural: str
    version: str = "v1"
    is_namespaced: bool = True
    has_status: bool = True

    def definition(self) -> dict[str, Any]:
        """Its CustomResourceDefinition: `spec` and `status` of any content."""
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        parts = ("spec", "status") if self.has_status else ("spec",)
        singular = self.kind.lower()
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{self.plural}.{self.group}",
                # API servers take definitions of Kubernetes' own groups with it only.
                **({"annotations": _UNAPPROVED} if self.group.endswith(".k8s.io") else {}),
            },
            "spec": {
                "group": self.group,
                "scope": "Namespaced" if self.is_namespaced else "Cluster",
                "names": {
                    "kind": self.kind,
                    "listKind": f"{self.kind}List",
                    "plural": self.plural,
                    "singular": singular,
                },
                "versions": [
                    {
                        "name": self.version,
                        "served": True,
                        "storage": True,
                        **({"subresources": {"status": {}}} if self.has_status else {}),
                        "schema": {
                            "openAPIV3Schema": {
                                "type": "object",
                                "properties": dict.fromkeys(parts, anything),
                            }
                        },
                    }
                ],
            },
        }


def _kinds(group: str, *names: tuple[str, str], **more: Any) -> tuple[OpenKind, ...]:
    return tuple(OpenKind(group, kind, plural, **more) for kind, plural in names)


CERT_MANAGER: Final = (
    OpenKind("cert-manager.io", "ClusterIssuer", "clusterissuers", is_namespaced=False),
    *_kinds("cert-manager.io", ("Issuer", "issuers"), ("Certificate", "certificates")),
)
GATEWAY_API: Final = (
    OpenKind("gateway.networking.k8s.io", "GatewayClass", "gatewayclasses", is_namespaced=False),
    *_kinds(
        "gateway.networking.k8s.io",
        ("Gateway", "gateways"),
        ("HTTPRoute", "httproutes"),
        ("GRPCRoute", "grpcroutes"),
        ("TLSRoute", "tlsroutes"),
        ("BackendTLSPolicy", "backendtlspolicies"),
    ),
)
MONITORING: Final = (
    *_kinds(
        "monitoring.coreos.com",
        ("PrometheusRule", "prometheusrules"),
        ("ServiceMonitor", "servicemonitors"),
        ("PodMonitor", "podmonitors"),
        has_status=False,
    ),
    OpenKind("grafana.integreatly.org", "GrafanaDashboard", "grafanadashboards", "v1beta1", has_status=False),
)
PLATFORM: Final = _kinds(
    "michelangelo.api",
    ("CachedOutput", "cachedoutputs"),
    ("Deployment", "deployments"),
    ("EvaluationReport", "evaluationreports"),
    ("ModelFamily", "modelfamilys"),
    ("Pipeline", "pipelines"),
    ("PipelineRun", "pipelineruns"),
    ("RayCluster", "rayclusters"),
    ("RayJob", "rayjobs"),
    ("SparkJob", "sparkjobs"),
    ("TriggerRun", "triggerruns"),
    version="v2",
)
"""Kinds of the platform beside those of `platform.definitions`; its API server brings its own."""

KUBERAY: Final = _kinds("ray.io", ("RayCluster", "rayclusters"), ("RayJob", "rayjobs"))
KUEUE: Final = (
    *_kinds(
        "kueue.x-k8s.io",
        ("ResourceFlavor", "resourceflavors"),
        ("ClusterQueue", "clusterqueues"),
        version="v1beta2",
        is_namespaced=False,
    ),
    OpenKind("kueue.x-k8s.io", "LocalQueue", "localqueues", "v1beta2"),
)


def definitions(*groups: tuple[OpenKind, ...]) -> Iterator[dict[str, Any]]:
    """The definitions of these kinds."""
    return (kind.definition() for group in groups for kind in group)
