"""Cases of codes MA26x."""

from __future__ import annotations

from tests.rules.cases.sections import (
    FLAVOR,
    KUEUE,
    QUEUES,
    Allowed,
    Broken,
    cluster,
    temporal,
    tenants,
)

LONG = "a" * 61

BROKEN: list[Broken] = [
    # code, severity, subject, sections
    ("MA260", "error", "tenants.ma-system", tenants("ma-system")),
    ("MA260", "error", "tenants.kube-public", tenants("kube-public")),
    ("MA260", "error", "tenants.ingress-nginx", tenants("ingress-nginx")),
    (
        "MA260",
        "error",
        "tenants.monitoring",
        tenants("monitoring") | {"network": {"monitoringNamespace": "monitoring"}},
    ),
    (
        "MA260",
        "error",
        "tenants.ci",
        tenants("ci") | {"modelRegistry": {"ciReader": {"namespace": "ci"}}},
    ),
    ("MA261", "error", "tenants.vision.workerQueue", tenants("vision", workerQueue="vision")),
    ("MA263", "warning", "clusters.gpu.queues", cluster(queues={"flavors": [FLAVOR]}) | KUEUE),
    ("MA264", "error", f"tenants.{LONG}", cluster(queues=QUEUES) | KUEUE | tenants(LONG)),
    (
        "MA264",
        "error",
        "clusters.gpu.queues.projects[0]",
        cluster(queues=QUEUES | {"projects": [LONG]}) | KUEUE,
    ),
    ("MA262", "error", "network.policies", tenants("a", "b") | {"network": {"policies": False}}),
]

ALLOWED: list[Allowed] = [
    ("MA260", tenants("vision")),
    ("MA263", cluster(queues={"flavors": [FLAVOR]}) | KUEUE | tenants("vision")),
    ("MA264", tenants(LONG)),
    ("MA264", cluster(queues=QUEUES) | KUEUE | tenants("vision")),
    (
        "MA261",
        tenants("vision", workerQueue="vision") | {"workflow": temporal(additionalTaskLists=["vision"])},
    ),
    ("MA262", tenants("a") | {"network": {"policies": False}}),
]
