"""Sections of stack files that cases are written with."""

from __future__ import annotations

from typing import Any

SECURE = {"secure": "v1:placeholder"}
REGISTRY = {"modelRegistry": {"endpoint": "api.internal.example.com:15566"}}
MYSQL = {"host": "mysql.example.com", "credentialsSecret": "michelangelo-mysql"}
SCRAPED = {"monitoringNamespace": "monitoring"}
ARN = "arn:aws:iam::123456789012:role/example"


def aws(**more: Any) -> dict[str, Any]:
    return {
        "kind": "aws",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-a", "models": "example-b"},
        "identity": {"kind": "podIdentity", "clusterName": "control"},
    } | more


def minio(**more: Any) -> dict[str, Any]:
    return {
        "kind": "s3Compatible",
        "endpoint": "https://minio.example.com",
        "credentialsSecret": "minio",
    } | more


def existing(**buckets: str) -> dict[str, Any]:
    return {
        "kind": "existing",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-a", "models": "example-b"} | buckets,
    }


def lifecycle(purpose: str, **more: Any) -> dict[str, Any]:
    return {"lifecycle": {purpose: [{"prefix": "old/"} | more]}}


def moves(*steps: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"days": days, "storageClass": name} for days, name in steps]


def lock(days: int, *purposes: str) -> dict[str, Any]:
    return {"mode": "governance", "days": days} | ({"buckets": list(purposes)} if purposes else {})


def irsa(name: str, account: str = "123456789012") -> dict[str, Any]:
    return {"kind": "irsa", "oidcProviderArn": f"arn:aws:iam::{account}:oidc-provider/{name}"}


def temporal(**more: Any) -> dict[str, Any]:
    return {"engine": "temporal", "host": "temporal.example.com:7233"} | more


def service(name: str, **more: Any) -> dict[str, Any]:
    return {"controlPlane": {name: more}}


def override(name: str, **config: Any) -> dict[str, Any]:
    return service(name, config=config)


def cluster(**more: Any) -> dict[str, Any]:
    return {"clusters": {"gpu": {"kubeconfigContext": "gpu"} | more}}


def beside_control_plane(context: str, server: str) -> dict[str, Any]:
    """A cluster at an address, and the control plane's own context; no encrypted kubeconfig."""
    return cluster(server=server) | {"controlPlane": {"kubeconfigContext": context}, "kubeconfigs": ...}


def clusters(**more: dict[str, Any]) -> dict[str, Any]:
    return {"clusters": {name: {"kubeconfigContext": name} | entry for name, entry in more.items()}}


def sharded(configuration: dict[str, Any], size: int = 50) -> dict[str, Any]:
    return configuration | {"fleet": {"layout": "sharded", "shardSize": size}}


def together(configuration: dict[str, Any], **more: Any) -> dict[str, Any]:
    return configuration | {"fleet": {"layout": "sharded", "halves": "together", **more}}


def credential(**more: Any) -> dict[str, Any]:
    return cluster(credential=more)


def tier(name: str) -> dict[str, Any]:
    return {"platform": {"tier": name}}


def origins(*listed: str, **more: Any) -> dict[str, Any]:
    return {"cors": {"additionalOrigins": list(listed)} | more}


FLAVOR = {"name": "cpu", "quotas": {"cpu": "64", "memory": "256Gi"}}
QUEUES: dict[str, Any] = {"projects": ["fraud"], "flavors": [FLAVOR]}
SERVING = {"serving": {"namespace": "serving"}}


def synced(**more: Any) -> dict[str, Any]:
    """Serving with model-sync."""
    return {"namespace": "serving", "modelSync": {"servers": ["example"]} | more}


KUEUE = {"controlPlane": {"controllermgr": {"scheduler": "kueue"}}}


def queues(*quotas: dict[str, str]) -> dict[str, Any]:
    """Queues of flavors with these quotas."""
    flavors = [{"name": f"flavor-{number}", "quotas": item} for number, item in enumerate(quotas)]
    return {"projects": ["fraud"], "flavors": flavors}


ACME = {"mode": "acme", "email": "platform@example.com"}


def login(**more: Any) -> dict[str, Any]:
    """Sign-in at a Keycloak, with settings put over it."""
    own = {
        "kind": "oidc",
        "provider": "keycloak",
        "issuer": "https://login.example.com/realms/ml",
        "clientId": "michelangelo",
        "editors": {"groups": ["ml-platform"]},
    }
    return {"access": {"browser": own | more}}


def guarded(**more: Any) -> dict[str, Any]:
    """Authentication at the API's host."""
    return {"access": {"api": {"kind": "guarded"} | more}}


CALLERS = {"editors": {"groups": ["deployers"]}}


def passing(door: str = "gatewayApi", **more: Any) -> dict[str, Any]:
    """A door that passes the API's TLS through, and certificates of callers behind it; `apiAnnotations` are
    the door's."""
    gateway = {"className": "eg", "controllerNamespace": "envoy-gateway-system"}
    front = {"kind": door, "apiTls": "passthrough"} | (gateway if door == "gatewayApi" else {})
    if "apiAnnotations" in more:
        front["apiAnnotations"] = more.pop("apiAnnotations")
    return guarded(**({"certificates": CALLERS} | more)) | {"frontDoor": front}


def tokens(**more: Any) -> dict[str, Any]:
    """The same with tokens, with settings put over them."""
    own = {
        "issuer": "https://login.example.com/realms/ml",
        "keys": "https://login.example.com/realms/ml/protocol/openid-connect/certs",
        "audiences": ["michelangelo-api"],
        "editors": {"groups": ["ml-platform"]},
    }
    return guarded(tokens=own | more)


def tenants(*names: str, **more: Any) -> dict[str, Any]:
    """Tenants of these names, alike, with settings put over them."""
    own = {
        "team": "00000000-0000-4000-8000-000000000001",
        "description": "Example",
        "gitRepo": "https://git.example.com/models",
    }
    return {"tenants": dict.fromkeys(names, own | more)}


def entra(**more: Any) -> dict[str, Any]:
    tenant = "00000000-0000-0000-0000-000000000001"
    return login(provider="entra", issuer=f"https://login.example.com/{tenant}/v2.0", **more)


def release(name: str, tier: str = "production") -> dict[str, Any]:
    return {"platform": {"release": name, "tier": tier}}


def descriptors(file: str) -> dict[str, Any]:
    """One of the files that `tests.support.stacks` puts beside the stack file."""
    return service("envoy", descriptors=file)


Broken = tuple[str, str, str, dict[str, Any]]
"""Code, severity, subject, sections."""

Allowed = tuple[str, dict[str, Any]]
"""Code that is not found, sections."""
