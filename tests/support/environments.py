"""Three representative environments of each release, as small as their purpose allows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

from madeploy.releases import DEFAULT, RELEASES, ReleaseName
from madeploy.settings import Environment
from tests.support.descriptors import beside

DIGEST = f"sha256:{'0' * 63}1"


MINIMAL: dict[str, Any] = {
    "domains": {"api": "api.ml.example.com", "app": "app.ml.example.com"},
    "tls": {"mode": "provided"},
    "images": {"tag": "sha-cbf5720"},
    "workflow": {"engine": "temporal", "host": "temporal.example.com:7233"},
    "storage": {
        "kind": "existing",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-ml-workspace", "models": "example-ml-models"},
    },
}
"""Sections that have no default, as a stack file writes them."""


def environment(**sections: Any) -> Environment:
    """The smallest environment there is, with sections put over it as a stack file writes them."""
    return Environment.model_validate(MINIMAL | sections)


def aws_storage(**more: Any) -> dict[str, Any]:
    """Storage made on AWS, as a stack file writes it, with settings put over it."""
    return {
        "kind": "aws",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-ml-workspace", "models": "example-ml-models"},
        "identity": {
            "kind": "irsa",
            "oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A",
        },
    } | more


def minimal(release: ReleaseName = DEFAULT) -> Environment:
    """Nothing said that has a default: what an operator starts from."""
    return environment(platform={"release": release})


def production_aws(release: ReleaseName = DEFAULT) -> Environment:
    """EKS with IRSA, ACME certificates, Ingress, three zones, Cadence, images by digest, two registered
    clusters (one managed, one not), alerts, teams that read models."""
    return environment(
        platform={"release": release},
        tls={"mode": "acme", "email": "platform@example.com"},
        cors={"additionalOrigins": ["https://studio.example.com", "https://*.preview.example.com"]},
        images={
            "registry": "registry.example.com/michelangelo",
            "tag": "sha-cbf5720",
            "pullSecrets": ["registry-pull"],
        },
        controlPlane={
            "envoy": {
                "image": {
                    "repository": "registry.example.com/envoyproxy/envoy",
                    "tag": "v1.40.0",
                    "digest": DIGEST,
                },
                **({"descriptors": beside()} if RELEASES[release].envoy.transcoded else {}),
            },
            "apiserver": {"replicas": 3, "resources": {"cpu": "500m", "memory": "512Mi"}},
            "controllermgr": {
                "replicas": 3,
                "leaderElectionId": "michelangelo.example.com",
                "resources": {"cpu": "1", "memory": "1Gi", "cpuLimit": "2"},
            },
            "worker": {"replicas": 5, "logLevel": "warn"},
            "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        },
        workflow={
            "engine": "cadence",
            "host": "cadence.example.com:7833",
            "domain": "uniflow",
            "taskList": "production-uniflow",
            "additionalTaskLists": ["team-a", "pipeline_run"],
            "tls": True,
            "executionUrlFormat": "https://cadence.example.com/{{.Domain}}/{{.ExecutionID}}?a=$b",
        },
        storage=aws_storage(),
        modelRegistry={"namespaces": ["team-a", "team-b"], "ciReader": {}},
        network={
            "monitoringNamespace": "monitoring",
            "egressCidrs": ["203.0.113.0/28"],
            "alerts": True,
        },
        clusters={
            "gpu-west": {
                "server": "https://gpu-west.example.com:6443",
                "management": "selfManaged",
                "region": "eu-west-1",
                "zone": "eu-west-1a",
                "sla": "production",
                "skus": [{"cpu": 96, "memoryGb": "1152G", "gpu": 8, "gpuSku": "H100"}],
            },
            "cpu-east": {"kubeconfigContext": "cpu-east"},
        },
    )


def gateway_minio(release: ReleaseName = DEFAULT) -> Environment:
    """Private cluster: Gateway API, internal CA, MinIO with static keys, Temporal, Envoy ending TLS, a
    private authority, namespace of its own, single replicas."""
    small = {"replicas": 1}
    return environment(
        platform={"release": release, "tier": "development", "namespace": "michelangelo"},
        tls={"mode": "internalCa", "envoy": {"enabled": True}},
        frontDoor={
            "kind": "gatewayApi",
            "className": "eg",
            "controllerNamespace": "envoy-gateway-system",
        },
        controlPlane={
            "apiserver": small | {"config": {"apiserver": {"crdSync": {"skipIncompatibleCheck": True}}}},
            "controllermgr": small | {"leaderElection": False},
            "worker": small | {"apiAccess": "public"},
            "ui": small,
            "envoy": small,
            "caBundleConfigMap": "company-ca",
        },
        storage={"kind": "s3Compatible", "endpoint": "http://minio.storage.example.com:9000"},
        clusters={"local": {"kubeconfigContext": "local"}},
    )


QUEUES: dict[str, Any] = {
    "projects": ["fraud", "search"],
    "flavors": [
        {"name": "cpu", "quotas": {"cpu": "64", "memory": "256Gi"}},
        {
            "name": "a100",
            "nodeLabels": {"node.kubernetes.io/instance-type": "p4d.24xlarge"},
            "quotas": {"cpu": "96", "memory": "1152Gi"},
        },
    ],
}


def every_part() -> Environment:
    """Every part of release 0.12 that is off by default, on an S3-compatible store with one cluster."""
    return environment(
        storage={"kind": "s3Compatible", "endpoint": "https://minio.example.com"},
        clusters={"local": {"kubeconfigContext": "local", "queues": QUEUES, "serving": True}},
        serving={"namespace": "serving", "createNamespace": True},
        tracking={"uri": "https://tracking.example.com", "cidrs": ["192.0.2.0/28"]},
        controlPlane={
            "controllermgr": {"pipelineRevisions": True, "scheduler": "kueue"},
            "envoy": {"descriptors": beside()},
        },
        notifications={"enabled": True, "senderEmail": "ml@example.com"},
        metadataStorage={"host": "mysql.example.com", "credentialsSecret": "mysql", "runDays": 30},
        rayLogs={"bucket": "ray-history", "historyServer": {}},
        modelRegistry={"endpoint": "api.internal.example.com:15566"},
        network={"monitoringNamespace": "monitoring"},
        monitoring={
            "labels": {"release": "kube-prometheus-stack"},
            "servingNamespaces": ["team-a"],
            "kuberay": True,
            "dashboards": {"kind": "grafanaOperator"},
        },
        compliance={"frameworks": ["soc2", "gdpr", "hipaa"], "regions": ["eu-west-1"]},
    )


def guarded() -> Environment:
    """Sign-in and authentication, behind an Ingress."""
    return environment(
        access={
            "browser": {
                "kind": "oidc",
                "provider": "okta",
                "issuer": "https://example.okta.com",
                "clientId": "0oa1example",
                "viewers": {"groups": ["analysts"], "claims": {"email": ["guest@example.com"]}},
                "editors": {"groups": ["ml-platform", "ml-research"]},
            },
            "api": {
                "kind": "guarded",
                "trustedCidrs": ["203.0.113.0/28", "2001:db8::/48"],
                "tokens": {
                    "issuer": "https://example.okta.com/oauth2/api",
                    "keys": "https://example.okta.com/oauth2/api/v1/keys",
                    "audiences": ["michelangelo-api"],
                    "viewers": {"groups": ["ci"]},
                    "editors": {"claims": {"sub": ["deployer"]}},
                },
            },
        },
        controlPlane={"envoy": {"descriptors": beside()}},
        modelRegistry={"ciReader": {}},
        tenants={
            "vision": {
                "team": "00000000-0000-4000-8000-000000000001",
                "description": "Vision models",
                "gitRepo": "https://git.example.com/vision",
                "owners": ["ann@example.com"],
                "workerQueue": "default",
                "quota": {"cpu": "32", "memory": "128Gi", "gpus": 4},
                "viewers": {"groups": ["oidc:analysts"]},
                "editors": {"groups": ["oidc:vision"], "users": ["oidc:eve@example.com"]},
            },
            "speech": {
                "team": "00000000-0000-4000-8000-000000000002",
                "description": "Speech models",
                "gitRepo": "https://git.example.com/speech",
                "podSecurity": "privileged",
                "editors": {"groups": ["oidc:speech"]},
            },
        },
    )


_MAKERS: dict[str, Callable[[ReleaseName], Environment]] = {
    "minimal": minimal,
    "production_aws": production_aws,
    "gateway_minio": gateway_minio,
}

ALL: dict[str, Callable[[], Environment]] = {
    name if release == DEFAULT else f"{name}_{release.replace('.', '_')}": partial(make, release)
    for release in get_args(ReleaseName)
    for name, make in _MAKERS.items()
}
"""Every environment by name; those of an older release end in it."""

ALL["every_part"] = every_part
ALL["guarded"] = guarded
