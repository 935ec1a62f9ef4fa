"""What each service's configuration file may hold: one table per platform generation.

A service reads the sections it knows strictly: a key inside them that it does not know stops it at
start-up (facts 2.1, V2). Sections that nobody reads are ignored, which is no better: what they say
never takes effect. Both are refused before anything is deployed. Source of every row: facts 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Type = Literal[
    "text", "whole number", "number", "true or false", "duration", "bind address", "encoding",
    "counts by kind", "durations by kind", "CRD versions",
]  # fmt: skip


@dataclass(frozen=True)
class Key:
    """One key of a service's configuration."""

    type: Type
    meaning: str
    owner: str = ""
    """The setting that decides it, where an override would contradict other places; empty when the
    override decides."""

    secret: str = ""
    """Where its value goes instead, because it is a secret."""


_DERIVED_STORAGE: Final = "storage"
_WORKFLOW: Final = "workflow"
_OBJECT_STORE: Final = "michelangelo:objectStore"

_LOGGING: Final = {
    "logging.level": Key("text", "lowest level that is logged", owner="logLevel"),
    "logging.development": Key("true or false", "encoder settings for development"),
    "logging.encoding": Key("encoding", "form of log lines, json or console"),
}
_THROTTLE: Final = {
    "k8s.qps": Key("number", "requests per second to the Kubernetes API; 0 means 5"),
    "k8s.burst": Key("whole number", "requests above that rate in one burst; 0 means 10"),
}
_METADATA: Final = {
    "metadataStorage.enableMetadataStorage": Key("true or false", "mirror in a database; stays false"),
    "metadataStorage.deletionDelay": Key("duration", "read and not used"),
    "metadataStorage.enableResourceVersionCache": Key("true or false", "read and not used"),
}
_MINIO: Final = {
    "minio.awsEndpointUrl": Key("text", "host of the object store", owner=_DERIVED_STORAGE),
    "minio.secure": Key("true or false", "TLS to the object store", owner=_DERIVED_STORAGE),
    "minio.awsRegion": Key("text", "read and not used", owner=f"{_DERIVED_STORAGE}.region"),
    "minio.useEnvAws": Key("true or false", "credentials from the environment", owner=_DERIVED_STORAGE),
    "minio.useIam": Key("true or false", "credentials of the pod's role", owner=_DERIVED_STORAGE),
    "minio.awsAccessKeyId": Key("text", "static key", secret=f"{_OBJECT_STORE}.accessKeyId"),
    "minio.awsSecretAccessKey": Key("text", "static key", secret=f"{_OBJECT_STORE}.secretAccessKey"),
}

_APISERVER: Final = {
    "apiserver.yarpc.host": Key("text", "address to bind", owner="the Service michelangelo-apiserver"),
    "apiserver.yarpc.port": Key("whole number", "gRPC port", owner="the Service michelangelo-apiserver"),
    "apiserver.crdSync.enableCRDUpdate": Key("true or false", "installs and upgrades CRDs at start"),
    "apiserver.crdSync.enableCRDDeletion": Key("true or false", "deletes CRDs it does not know"),
    "apiserver.crdSync.skipIncompatibleCheck": Key("true or false", "allows CRD changes that break objects"),
    "apiserver.crdSync.crdVersions": Key("CRD versions", "versions by full CRD name"),
    **_THROTTLE,
    **_METADATA,
    **_LOGGING,
}

_CONTROLLERMGR: Final = {
    "controllermgr.metricsBindAddress": Key(
        "bind address", "metrics listener", owner="the Service michelangelo-controllermgr"
    ),
    "controllermgr.healthProbeBindAddress": Key("bind address", "probe listener, 404 on every path"),
    "controllermgr.leaderElection": Key(
        "true or false", "one active replica", owner="controlPlane.controllermgr.leaderElection"
    ),
    "controllermgr.leaderElectionID": Key(
        "text", "name of the Lease", owner="controlPlane.controllermgr.leaderElectionId"
    ),
    "controllers.rayCluster.k8sQps": Key("number", "requests per second to compute clusters"),
    "controllers.rayCluster.k8sBurst": Key("whole number", "requests above that rate in one burst"),
    "workflowClient.provider": Key("text", "engine", owner=f"{_WORKFLOW}.engine"),
    "workflowClient.host": Key("text", "host:port of the engine", owner=f"{_WORKFLOW}.host"),
    "workflowClient.transport": Key("text", "Cadence's protocol", owner=f"{_WORKFLOW}.transport"),
    "workflowClient.domain": Key("text", "domain or namespace", owner=f"{_WORKFLOW}.domain"),
    "workflowClient.taskList": Key("text", "queue of last resort", owner=f"{_WORKFLOW}.taskList"),
    "workflowClient.service": Key("text", "read and not used", owner=f"{_WORKFLOW}.engine"),
    "workflowClient.useTLS": Key("true or false", "TLS to the engine", owner=f"{_WORKFLOW}.tls"),
    "workflowClient.executionUrlFormat": Key("text", "link", owner=f"{_WORKFLOW}.executionUrlFormat"),
    "mysql.enabled": Key("true or false", "whether the section counts as present"),
    "mysql.host": Key("text", "host of the database"),
    "mysql.port": Key("whole number", "port of the database; no default, 3306 is usual"),
    "mysql.user": Key("text", "user of the database"),
    "mysql.password": Key("text", "password of the database", secret="nothing"),
    "mysql.database": Key("text", "name of the database"),
    "mysql.maxOpenConns": Key("whole number", "open connections; 25"),
    "mysql.maxIdleConns": Key("whole number", "idle connections; 5"),
    "mysql.connMaxLifetime": Key("duration", "age of a connection; 5m"),
    "ingester.concurrentReconciles": Key("whole number", "workers per kind; 0 means 1"),
    "ingester.requeuePeriod": Key("duration", "period of a repeat; 0 means 30s"),
    "ingester.concurrentReconcilesMap": Key("counts by kind", "workers of single kinds"),
    "ingester.requeuePeriodMap": Key("durations by kind", "periods of single kinds"),
    **_THROTTLE,
    **_METADATA,
    **_MINIO,
    **_LOGGING,
}

_WORKER: Final = {
    "worker.address": Key("text", "API server", owner="controlPlane.worker.apiAccess"),
    "worker.useTLS": Key("true or false", "TLS to the API server", owner="controlPlane.worker.apiAccess"),
    "worker.maApiServiceName": Key("text", "name callers must send", owner="the platform's code"),
    "workflow-engine.provider": Key("text", "engine", owner=f"{_WORKFLOW}.engine"),
    "workflow-engine.host": Key("text", "host:port of the engine", owner=f"{_WORKFLOW}.host"),
    "workflow-engine.transport": Key("text", "Cadence's protocol", owner=f"{_WORKFLOW}.transport"),
    "workflow-engine.useTLS": Key("true or false", "TLS to the engine", owner=f"{_WORKFLOW}.tls"),
    "workflow-engine.workers": Key("text", "queues", owner=f"{_WORKFLOW}.additionalTaskLists"),
    "workflow-engine.client.domain": Key("text", "domain or namespace", owner=f"{_WORKFLOW}.domain"),
    **_MINIO,
    **_LOGGING,
}

KEYS: Final[Mapping[str, Mapping[str, Mapping[str, Key]]]] = {
    "2026.04": {"apiserver": _APISERVER, "controllermgr": _CONTROLLERMGR, "worker": _WORKER},
}
"""Keys by generation, service and dotted path."""

UNREAD: Final[Mapping[str, str]] = {
    "apiserver.k8s": "Write `k8s` at the top; below `apiserver` it is never read.",
    "apiserver.metadataStorage": "Leave it out: metadata storage stays off.",
    "apiserver.auth": "This generation has no authentication of its own; protect the front door.",
    "azure": "No shipped service reads it; use an S3-compatible store.",
    "webhook": "It is not wired into the shipped API server.",
}
"""Sections that guides or sources mention but no service of the generation reads, and what to do."""

_DURATION: Final = re.compile(
    r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?)(ns|us|µs|ms|s|m|h))*$"
)
_BIND: Final = re.compile(r"^[^\s:]*:[0-9]{1,5}$")

FORMS: Final[Mapping[Type, str]] = {
    "text": "text",
    "whole number": "a whole number",
    "number": "a number",
    "true or false": "true or false",
    "duration": "a duration with its unit, as text: 30s, 5m, 1h30m",
    "bind address": 'address and port as text, the address may be empty: ":8083"',
    "encoding": "json, console",
    "counts by kind": "a mapping from kinds to whole numbers: Pipeline: 3",
    "durations by kind": "a mapping from kinds to durations: Pipeline: 30s",
    "CRD versions": "a mapping from CRD names to {versions: [v2], storageVersion: v2}",
}
"""What each type accepts, in words."""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _duration(value: Any) -> bool:
    return isinstance(value, str) and _DURATION.match(value) is not None


def _bind(value: Any) -> bool:
    return isinstance(value, str) and _BIND.match(value) is not None and int(value.rpartition(":")[2]) < 65536


def _versions(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(item, Mapping)
        and set(item) <= {"versions", "storageVersion"}
        and isinstance(item.get("versions", ()), (list, tuple))
        and all(isinstance(version, str) for version in item.get("versions", ()))
        and isinstance(item.get("storageVersion", ""), str)
        for item in value.values()
    )


def fits(kind: Type, value: Any) -> bool:
    """Whether a value is of a key's type, as the service would read it."""
    if kind in ("counts by kind", "durations by kind"):
        each = _whole if kind == "counts by kind" else _duration
        return isinstance(value, Mapping) and all(each(item) for item in value.values())
    checks = {
        "text": lambda: isinstance(value, str),
        "whole number": lambda: _whole(value),
        "number": lambda: isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0,
        "true or false": lambda: isinstance(value, bool),
        "duration": lambda: _duration(value),
        "bind address": lambda: _bind(value),
        "encoding": lambda: value in ("json", "console"),
        "CRD versions": lambda: _versions(value),
    }
    return checks[kind]()


@dataclass(frozen=True)
class Entry:
    """One place in an override: its path, the key it is, if any, and its value."""

    path: tuple[str, ...]
    key: Key | None
    value: Any
    siblings: tuple[str, ...]
    """Names that are possible at this place."""


def entries(
    keys: Mapping[str, Key], config: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[Entry]:
    """Every key an override gives, and every place where it leaves what the service reads. A place that
    should hold a mapping and does not is an entry without a key, its name among its own siblings."""
    prefix = "".join(f"{step}." for step in path)
    possible = tuple(
        dict.fromkeys(name[len(prefix) :].split(".")[0] for name in keys if name.startswith(prefix))
    )
    for name, value in config.items():
        here = (*path, name)
        dotted = ".".join(here)
        if dotted in keys:
            yield Entry(here, keys[dotted], value, possible)
        elif name in possible and isinstance(value, Mapping):
            yield from entries(keys, value, here)
        else:
            yield Entry(here, None, value, possible)
