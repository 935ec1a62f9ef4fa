"""The history server of Ray, which shows logs and events of Ray clusters that are gone, on a compute cluster
whose collectors keep them (release 0.12; KubeRay, history server)."""

from __future__ import annotations

from typing import Any, Final

from madeploy.names.images import other_reference
from madeploy.names.kubernetes import RAY_NAMESPACE, common_labels, selector_labels, workload
from madeploy.names.storage import s3_endpoint
from madeploy.settings import Environment
from madeploy.settings.ray_logs import HISTORY_SERVER as IMAGE
from madeploy.settings.ray_logs import HistoryServer, RayLogs
from manifests import network_policies
from manifests.flows import HISTORY_PORT, HISTORY_SERVER
from manifests.objects import Object, metadata
from manifests.pods import container_security, http_probe, pod_security, spread
from manifests.rbac import READ, account, cluster_role, cluster_role_binding

ACCOUNT: Final = "historyserver"
READER: Final = "raycluster-reader"
"""Names that KubeRay's own manifests give them."""

_PROBES: Final = {
    "startupProbe": http_probe("http", "/livez", period_seconds=2, failure_threshold=30),
    "readinessProbe": http_probe("http", "/readz", period_seconds=10, failure_threshold=3),
    "livenessProbe": http_probe("http", "/livez", period_seconds=20, failure_threshold=3),
}


def history_server(environment: Environment, name: str) -> tuple[Object, ...]:
    """Deployment, Service, ServiceAccount, rights, disruption budget and NetworkPolicy on compute cluster
    `name`; nothing where `rayLogs.historyServer` is not set. It asks for no login: whoever can connect to it
    sees everything."""
    logs = environment.ray_logs
    if logs is None or logs.history_server is None:
        return ()
    subject = account(ACCOUNT, RAY_NAMESPACE)
    rule = {"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": list(READ)}
    return (
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(ACCOUNT, RAY_NAMESPACE),
            "automountServiceAccountToken": False,
        },
        cluster_role(READER, [rule]),
        cluster_role_binding(ACCOUNT, READER, subject),
        _deployment(environment, logs, logs.history_server),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _metadata(),
            "spec": {
                "type": "ClusterIP",
                "selector": selector_labels(HISTORY_SERVER),
                "ports": [{"name": "http", "port": HISTORY_PORT, "targetPort": "http", "protocol": "TCP"}],
            },
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": _metadata(),
            "spec": {
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
                "selector": {"matchLabels": selector_labels(HISTORY_SERVER)},
            },
        },
        *network_policies.history_server(environment, name),
    )


def _metadata() -> dict[str, Any]:
    return metadata(workload(HISTORY_SERVER), RAY_NAMESPACE, HISTORY_SERVER)


def _deployment(environment: Environment, logs: RayLogs, server: HistoryServer) -> Object:
    container = {
        "name": HISTORY_SERVER,
        "image": other_reference(server.image, IMAGE),
        "imagePullPolicy": environment.images.pull_policy,
        # Half of the memory: the cache is bounded softly, and what is being read comes on top.
        "args": [f"--session-cache-max-memory={server.memory_gib * 512}Mi"],
        "env": _variables(environment, logs),
        "ports": [{"name": "http", "containerPort": HISTORY_PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": "100m", "memory": f"{server.memory_gib}Gi", "ephemeral-storage": "128Mi"},
            "limits": {"memory": f"{server.memory_gib}Gi", "ephemeral-storage": "1Gi"},
        },
        "securityContext": container_security(),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        **_PROBES,
    }
    pod = {
        "serviceAccountName": ACCOUNT,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "securityContext": pod_security({}),
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
        "topologySpreadConstraints": spread(HISTORY_SERVER, ()),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(),
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": selector_labels(HISTORY_SERVER)},
            "template": {"metadata": {"labels": common_labels(HISTORY_SERVER)}, "spec": pod},
        },
    }


def _variables(environment: Environment, logs: RayLogs) -> list[dict[str, Any]]:
    """The store as the collectors see it; keys by reference to the Secret that they read."""
    host, tls = s3_endpoint(environment.storage)
    plain = {
        "STORAGE_BACKEND": "s3",
        "STORAGE_ROOT_DIR": logs.prefix,
        "S3_BUCKET": logs.bucket,
        "S3_ENDPOINT": host,
        "S3_REGION": environment.storage.region,
        # Collectors write so, whatever the store.
        "S3FORCE_PATH_STYLE": "true",
        "S3DISABLE_SSL": "false" if tls else "true",
    }
    keys = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": logs.credentials_secret, "key": name}}}
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    ]
    return [*({"name": name, "value": value} for name, value in plain.items()), *keys]
