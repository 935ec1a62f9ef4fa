"""Cases of codes MA6xx."""

from __future__ import annotations

from typing import Any

from tests.rules.cases.sections import SCRAPED, Allowed, Broken, aws


def writing(account: str = "123456789012", **more: str) -> dict[str, Any]:
    """A Prometheus that writes to a workspace of an account."""
    workspace = f"arn:aws:aps:eu-west-1:{account}:workspace/ws-11111111-2222-3333-4444-555555555555"
    return {"monitoring": {"amazon": {"workspaceArn": workspace, "serviceAccount": "prometheus"} | more}}


OTHER = "210987654321"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A"
KNOWN = {"identity": {"kind": "irsa", "oidcProviderArn": PROVIDER}}
UNKNOWN = {"identity": {"kind": "podIdentity", "clusterName": "control"}}

BROKEN: list[Broken] = [
    # code, severity, subject, sections
    ("MA601", "info", "network.alerts", {"network": {"alerts": True}}),
    ("MA601", "info", "network.alerts", {"network": SCRAPED | {"alerts": True}, "monitoring": {}}),
    ("MA602", "error", "monitoring", {"monitoring": {}}),
    ("MA603", "error", "monitoring.amazon.serviceAccount", {"network": SCRAPED} | writing()),
    (
        "MA603",
        "error",
        "monitoring.amazon.serviceAccount",
        {"network": {"policies": False}, "storage": aws()} | writing(),
    ),
    (
        "MA604",
        "error",
        "monitoring.amazon.workspaceArn",
        {"network": SCRAPED, "storage": aws(**KNOWN)} | writing(OTHER),
    ),
]

ALLOWED: list[Allowed] = [
    ("MA601", {"network": SCRAPED, "monitoring": {}}),
    ("MA602", {"network": SCRAPED, "monitoring": {}}),
    ("MA602", {"network": {"policies": False}, "monitoring": {"kind": "files"}}),
    ("MA603", {"network": SCRAPED, "storage": aws()} | writing()),
    ("MA604", {"network": SCRAPED, "storage": aws(**KNOWN)} | writing()),
    ("MA604", {"network": SCRAPED, "storage": aws(**UNKNOWN)} | writing(OTHER)),
    (
        "MA604",
        {"network": SCRAPED, "storage": aws()} | writing(OTHER, roleArn=f"arn:aws:iam::{OTHER}:role/writer"),
    ),
]
