"""For each compliance framework a stack that keeps it."""

from __future__ import annotations

from typing import Any

from madeploy.settings.compliance import Framework
from tests.support.environments import MINIMAL


def aws(**more: Any) -> dict[str, Any]:
    """Storage made on AWS for an EKS cluster's pods."""
    return {
        "kind": "aws",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-a", "models": "example-b"},
        "identity": {"kind": "podIdentity", "clusterName": "control"},
    } | more


BOUNDED = {"kubeconfigContext": "gpu", "region": "eu-west-1", "credential": {"kind": "bounded"}}
EVERYBODY: dict[str, Any] = {
    "workflow": MINIMAL["workflow"] | {"tls": True},
    "clusters": {"gpu": BOUNDED},
    "network": {"monitoringNamespace": "monitoring"},
    "monitoring": {},
    "access": {
        "browser": {
            "kind": "oidc",
            "provider": "okta",
            "issuer": "https://example.okta.com",
            "clientId": "michelangelo",
            "editors": {"groups": ["ml"]},
        },
        "api": {"kind": "guarded", "trustedCidrs": ["203.0.113.0/28"]},
    },
}
ENDS = {"lifecycle": {"workspace": [{"prefix": "", "expireDays": 90}]}}
KEPT: dict[Framework, dict[str, Any]] = {
    "soc2": EVERYBODY
    | {"storage": aws(accessLogs={"bucket": "example-c"}, auditLogs={"bucket": "example-d", "days": 365})},
    "gdpr": EVERYBODY | {"storage": aws(**ENDS), "modelRegistry": {"retentionDays": 90}},
    "hipaa": EVERYBODY
    | {
        "storage": aws(
            kmsKey={},
            accessLogs={"bucket": "example-c", "expireDays": 2190},
            auditLogs={"bucket": "example-d"},
        ),
        "tls": {"mode": "provided", "envoy": {"enabled": True}},
    },
}
"""A stack that keeps each framework."""


def stack(framework: Framework, **changes: Any) -> dict[str, Any]:
    """The stack that keeps a framework, with sections changed."""
    regions = {"regions": ["eu-west-1"]} if framework == "gdpr" else {}
    return KEPT[framework] | {"compliance": {"frameworks": [framework]} | regions} | changes
