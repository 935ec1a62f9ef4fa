"""Which fields of which kinds cannot be changed in place, so that a change replaces the object.

The table is that of pulumi-kubernetes 4 (its "Resource replacement" behaviour), not the longer list of what
an API server refuses: a change the official plugin would try and fail at must fail in the sandbox as well.
"""

from __future__ import annotations

from typing import Any

from madeploy.sandbox.plugins.comparing import EVERY_ITEM, Path

Pattern = tuple[str, ...]

_IDENTITY = ("metadata.name", "metadata.namespace")
_CONTAINER = (
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
)
_POD = (
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
)
_PERSISTENT_VOLUME_SOURCES = (
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
)

_BY_GROUP_AND_KIND: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "PersistentVolume"): tuple(f"spec.{source}" for source in _PERSISTENT_VOLUME_SOURCES),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): (
        *(f"spec.{field}" for field in _POD),
        *(
            f"spec.{containers}.*.{field}"
            for containers in ("containers", "initContainers")
            for field in _CONTAINER
        ),
    ),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Service"): ("spec.clusterIP",),
}


def replaced_by(
    target: dict[str, Any], mutable_secrets: bool, mutable_config_maps: bool
) -> tuple[Pattern, ...]:
    """Patterns of the fields of `target` whose change replaces the object.

    Args:
        target: the object as it shall be.
        mutable_secrets, mutable_config_maps: the provider's options of these names; without them, and for
            objects marked `immutable`, changed contents replace the object.
    """
    api_version, kind = str(target.get("apiVersion", "")), target.get("kind")
    group = api_version.rpartition("/")[0]
    immutable = target.get("immutable") is True
    fields: tuple[str, ...] = _BY_GROUP_AND_KIND.get((group, str(kind)), ())
    if (group, kind) == ("", "Secret"):
        fields = ("type",) if mutable_secrets and not immutable else ("type", "stringData", "data")
    elif (group, kind) == ("", "ConfigMap") and (immutable or not mutable_config_maps):
        fields = ("binaryData", "data")
    return tuple(tuple(field.split(".")) for field in (*_IDENTITY, *fields))


def touches(path: Path, value: Any, patterns: tuple[Pattern, ...]) -> bool:
    """Whether setting `path` to `value` (`None` where it is removed) changes a field that `patterns` name."""
    return any(_touches(path, value, pattern) for pattern in patterns)


def _touches(path: Path, value: Any, pattern: Pattern) -> bool:
    for step, expected in zip(path, pattern, strict=False):
        if step != expected and not (expected == EVERY_ITEM and isinstance(step, int)):
            return False
    return len(path) >= len(pattern) or _holds(value, pattern[len(path) :])


def _holds(value: Any, pattern: Pattern) -> bool:
    if not pattern:
        return True
    if pattern[0] == EVERY_ITEM:
        return isinstance(value, list) and any(_holds(item, pattern[1:]) for item in value)
    return isinstance(value, dict) and pattern[0] in value and _holds(value[pattern[0]], pattern[1:])
