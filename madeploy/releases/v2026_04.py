"""Release 2026.04: the services of April 2026 that the operator guides describe. It was never published under
a version; images have the tags `main` and `sha-<7 hexadecimal digits>` (facts 1.1)."""

from __future__ import annotations

from typing import Final

from madeploy.releases.keys import Key
from madeploy.releases.model import ComputeClusters, EnvoyProtocol, Grant, Release

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

APISERVER: Final = {
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

CONTROLLERMGR: Final = {
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

WORKER: Final = {
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

REFUSED: Final = {
    "apiserver.k8s": "Write `k8s` at the top; below `apiserver` it is never read.",
    "apiserver.metadataStorage": "Leave it out: metadata storage stays off.",
    "apiserver.auth": "This release has no authentication of its own; protect the front door.",
    "azure": "No shipped service reads it; use an S3-compatible store.",
    "webhook": "It is not wired into the shipped API server.",
}
"""Sections that guides or sources mention but no service reads, and what to do."""

KINDS: Final = {
    "CachedOutput": "cachedoutputs",
    "Cluster": "clusters",
    "Deployment": "deployments",
    "InferenceServer": "inferenceservers",
    "Model": "models",
    "ModelFamily": "modelfamilys",
    "Pipeline": "pipelines",
    "PipelineRun": "pipelineruns",
    "Project": "projects",
    "RayCluster": "rayclusters",
    "RayJob": "rayjobs",
    "Revision": "revisions",
    "SparkJob": "sparkjobs",
    "TriggerRun": "triggerruns",
}
"""`modelfamilys` is spelt so (facts 4.2)."""

RECONCILED: Final = (
    "Cluster",
    "Deployment",
    "InferenceServer",
    "Pipeline",
    "PipelineRun",
    "RayCluster",
    "RayJob",
    "SparkJob",
    "TriggerRun",
)

READ: Final = ("get", "list", "watch")

RELEASE: Final = Release(
    name="2026.04",
    newest=None,
    keys={"apiserver": APISERVER, "controllermgr": CONTROLLERMGR, "worker": WORKER},
    refused=REFUSED,
    kinds=KINDS,
    services=tuple(sorted(KINDS)),
    # For triggers, and for notifications of pipeline runs (facts 2.2).
    task_lists=("trigger_run", "pipeline_run"),
    temporal_tls=False,
    execution_url_variables=("Domain", "ExecutionID"),
    envoy=EnvoyProtocol(
        filters=("grpc_web", "cors"),
        # Of the network guide; they cover what the browser application sends (facts 1.1).
        allow_headers=(
            "content-type",
            "context-ttl-ms",
            "grpc-timeout",
            "rpc-caller",
            "rpc-encoding",
            "rpc-service",
            "x-grpc-web",
            "x-user-agent",
        ),
    ),
    descriptor_marks=(),
    apiserver_rights=(),
    reconciled=RECONCILED,
    created=(),
    read_only=("CachedOutput", "Model", "ModelFamily", "Project", "Revision"),
    # What it makes of the platform's objects (facts 1.3).
    controllermgr_rights=(
        Grant("", ("configmaps",), (*READ, "create", "update", "delete")),
        Grant("", ("services",), (*READ, "create", "delete")),
        Grant("apps", ("deployments",), (*READ, "create", "delete")),
        Grant("", ("events",), ("create", "patch")),
        Grant("sparkoperator.k8s.io", ("sparkapplications",), ("get", "create")),
        Grant("gateway.networking.k8s.io", ("httproutes",), ("get", "create", "update", "delete")),
    ),
    serving_reads_secrets=False,
    compute=ComputeClusters(kuberay="1.4.2", registry_endpoint=False),
    reflector_errors="cr_unmarshal_errors_total",
    cascades=False,
    consistent_queries=False,
    required_fields={},
    removed_fields={},
)
"""What its services read, need and refuse."""
