"""Release 0.12: the released line, published as 0.12.0 in October 2026. What it has beyond 2026.04, with the
numbers of the changes in github.com/michelangelo-ai/michelangelo."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from madeploy.releases import v2026_04
from madeploy.releases.keys import Key
from madeploy.releases.model import ComputeClusters, DescriptorMark, EnvoyProtocol, Grant
from madeploy.releases.v2026_04 import READ

_STORAGE: Final = "metadataStorage"
_LOGS: Final = "rayLogs"
KEPT_LOGS: Final = "jobs.k8sengine.mapper.logPersistence"

# Both services read them since the ingester works again (#1153), and must say the same.
_DATABASE: Final = {
    "metadataStorage.enableMetadataStorage": Key("true or false", "mirror in a database", owner=_STORAGE),
    "metadataStorage.deletionDelay": Key("duration", "read and not used"),
    "metadataStorage.enableResourceVersionCache": Key("true or false", "read and not used"),
    "mysql.enabled": Key("true or false", "whether the section counts as present", owner=_STORAGE),
    "mysql.host": Key("text", "host of the database", owner=f"{_STORAGE}.host"),
    "mysql.port": Key("whole number", "port of the database", owner=f"{_STORAGE}.port"),
    "mysql.user": Key("text", "user of the database", owner=f"{_STORAGE}.user"),
    "mysql.password": Key(
        "text", "password of the database", secret="the Secret metadataStorage.credentialsSecret"
    ),
    "mysql.database": Key("text", "name of the database", owner=f"{_STORAGE}.database"),
    "mysql.maxOpenConns": Key("whole number", "open connections; 25"),
    "mysql.maxIdleConns": Key("whole number", "idle connections; 5"),
    "mysql.connMaxLifetime": Key("duration", "age of a connection; 5m"),
}

_APISERVER: Final = {
    **v2026_04.APISERVER,
    **_DATABASE,
    "apiserver.pipelineRunDefaults.environment": Key(
        "text", "label michelangelo/environment of runs and models that have none (#1945)"
    ),
}

_CONTROLLERMGR: Final = {
    **v2026_04.CONTROLLERMGR,
    **_DATABASE,
    "pipelineRun.ttlDays": Key(
        "whole number", "days until finished runs leave Kubernetes (#1117)", owner=f"{_STORAGE}.runDays"
    ),
    "pipeline.revisioningEnabled": Key(
        "true or false",
        "records each version of a pipeline (#1268)",
        owner="controlPlane.controllermgr.pipelineRevisions",
    ),
    "notification.taskList": Key("text", "queue of notifications (#1283)", owner="notifications"),
    "notification.studioBaseURL": Key("text", "start of their links", owner="notifications.studioBaseUrl"),
    "notification.senderEmail": Key("text", "sender of mails", owner="notifications.senderEmail"),
    # One unknown or missing key of these, and the logs of Ray are not kept, without a word (#1124).
    f"{KEPT_LOGS}.enabled": Key("true or false", "keeps logs of Ray's pods", owner=_LOGS),
    f"{KEPT_LOGS}.storageEndpoint": Key("text", "host:port of the store", owner=_LOGS),
    f"{KEPT_LOGS}.bucket": Key("text", "bucket of the logs", owner=f"{_LOGS}.bucket"),
    f"{KEPT_LOGS}.pathPrefix": Key("text", "folder in it", owner=f"{_LOGS}.prefix"),
    f"{KEPT_LOGS}.region": Key("text", "region of the store", owner="storage.region"),
    f"{KEPT_LOGS}.credentialsSecret": Key("text", "Secret with keys", owner=f"{_LOGS}.credentialsSecret"),
    f"{KEPT_LOGS}.collectorImage": Key("text", "collector", owner=f"{_LOGS}.collectorImage"),
    f"{KEPT_LOGS}.s3DisableSSL": Key("true or false", "plain HTTP to the store", owner="storage"),
    f"{KEPT_LOGS}.logURLFormat": Key("text", "link to logs", owner=f"{_LOGS}.logUrlFormat"),
    f"{KEPT_LOGS}.exposableEventTypes": Key("text", "events, by commas", owner=f"{_LOGS}.eventTypes"),
    "jobs.scheduler.backend": Key(
        "text",
        "default or kueue; another value stops the service",
        owner="controlPlane.controllermgr.scheduler",
    ),
    "jobs.scheduler.kueue.localQueueTemplate": Key("text", "name of a project's queue; ma-{project}"),
    "jobs.scheduler.kueue.localQueueOverrides": Key("texts by name", "queues of single projects"),
    "jobs.scheduler.kueue.apiVersion": Key("text", "version of Kueue's API; v1beta2"),
    "inferenceServer.gateway.name": Key("text", "Gateway of the routes to models (#1140)", owner="serving"),
    "inferenceServer.gateway.serviceName": Key(
        "text", "Service of that Gateway", owner="serving.gatewayService"
    ),
    "inferenceServer.gateway.serviceNamespace": Key(
        "text", "namespace of that Service", owner="serving.namespace"
    ),
    "inferenceServer.gateway.portName": Key("text", "name of its port", owner="serving.portName"),
    "inferenceServer.triton.defaultImage": Key(
        "text", "image of Triton; the built-in is private (#2114)", owner="serving.tritonImage"
    ),
}

_REFUSED: Final = {
    "apiserver.k8s": "Write `k8s` at the top; below `apiserver` it is never read.",
    "apiserver.metadataStorage": "Set `metadataStorage` in the stack file; below `apiserver` it is never "
    "read.",
    "apiserver.auth": "Upstream has not released authentication (#1989 to #1992); 0.12 ignores the section "
    "and lets everybody in. Protect the front door.",
    "apiserver.tls": "No code of 0.12 reads a certificate: the API server stays on plaintext, and whoever "
    "calls it by TLS fails. End TLS at the front door.",
    "apiserver.pipelineRunDefaults.restrictedBranches": "It comes after 0.12, and stops services of 0.12 "
    "(#2155).",
    "secrets": "Upstream has not released external secrets for clusters (#1864, #1704); 0.12 ignores the "
    "section.",
    "secrets.provider": "Upstream has not released external secrets for clusters (#1864, #1704); 0.12 "
    "ignores the section.",
    "metadataStorage.driver": "0.12 knows MySQL only; Postgres is an option of the chart that no service "
    "reads.",
    "postgres": "0.12 knows MySQL only; no service reads the section.",
    "watchNamespace": "It changes rights in the chart and nothing in the services, which still watch every "
    "namespace and then fail.",
    "controllermgr.watchNamespace": "No service reads it, and the controller manager stops at it.",
    "controllermgr.cascadeDelete": "The controller manager stops at it. Deleting a Pipeline always deletes "
    "its runs.",
    "worker.runnerToken": "Upstream has not released tokens of runners (#1990); the worker stops at it.",
    "jobs.k8sengine.mapper.rayJobTTLSeconds": "Upstream has not released it (commit ff23398a); Ray jobs are "
    "removed after 300 seconds.",
    "notification.image": "Upstream has not released a worker for notifications of its own (commit "
    "4b0a958f); the ordinary worker sends them.",
    "inferenceServer.triton.readinessProbe": "It comes after 0.12, and stops services of 0.12.",
    "inferenceServer.triton.probes": "It comes after 0.12, and stops services of 0.12.",
    "inferenceServer.triton.drain": "It comes after 0.12, and stops services of 0.12.",
    "deployment": "It comes after 0.12; no service of 0.12 reads it.",
    "azure": "No shipped service reads it; use an S3-compatible store.",
    "webhook": "It is not wired into the shipped API server.",
}

_HEADERS: Final = ("connect-protocol-version", "connect-timeout-ms", "x-user-email", "x-user-name")

_ALL: Final = (*READ, "create", "update", "patch", "delete")

# Runs get their Pipeline as owner, and block its deletion until they are gone. Where the admission plugin
# OwnerReferencesPermissionEnforcement is on, saying so takes this right.
_OWNERS: Final = Grant("michelangelo.api", ("pipelines/finalizers",), ("update",))

RELEASE: Final = replace(
    v2026_04.RELEASE,
    name="0.12",
    newest="0.12.0",
    keys={"apiserver": _APISERVER, "controllermgr": _CONTROLLERMGR, "worker": v2026_04.WORKER},
    refused=_REFUSED,
    kinds=dict(sorted({**v2026_04.KINDS, "EvaluationReport": "evaluationreports"}.items())),
    # Reports have a definition and no service.
    services=tuple(sorted(v2026_04.KINDS)),
    # The last for notifications (#1283).
    task_lists=("trigger_run", "pipeline_run", "notification_worker"),
    temporal_tls=True,
    execution_url_variables=("Domain", "ExecutionID", "RunID"),
    envoy=EnvoyProtocol(
        # CORS first, so that answers of the transcoder's own can be read by pages. The released chart has no
        # gRPC-Web any more (#1468). Here it stays: it touches no JSON, and pages that a browser still has
        # open from before an update go on working with the new Envoy.
        filters=("cors", "grpc_web", "grpc_json_transcoder"),
        # Without those of the user every call of the application fails its preflight (#1552, #1558).
        allow_headers=tuple(sorted((*v2026_04.RELEASE.envoy.allow_headers, *_HEADERS))),
        # Those the application calls (files/transcoder-services.json, #1814).
        transcoded=(
            "Cluster",
            "Deployment",
            "InferenceServer",
            "Model",
            "ModelFamily",
            "Pipeline",
            "PipelineRun",
            "Project",
            "Revision",
            "TriggerRun",
        ),
        shows_callers=True,
    ),
    descriptor_marks=(
        DescriptorMark("RevisionSpec", "git_commit", True, "2026.04", True),
        DescriptorMark("RevisionSpec", "git_ref", False, "2026.04", True),
        DescriptorMark("InferenceServerSpec", "cluster_targets", True, "2026.04", True),
        DescriptorMark("ClusterSpec", "scheduler_type", True, "0.11 or earlier", False),
    ),
    apiserver_rights=(_OWNERS,),
    reconciled=tuple(sorted((*v2026_04.RECONCILED, "Revision"))),
    created=("Revision",),
    read_only=("CachedOutput", "Model", "ModelFamily", "Project"),
    controllermgr_rights=(
        Grant("", ("configmaps",), (*READ, "create", "update", "delete")),
        Grant("apps", ("deployments",), (*READ, "create", "delete")),
        Grant("", ("events",), ("create", "patch")),
        # Runs that end early take their Spark application with them.
        Grant("sparkoperator.k8s.io", ("sparkapplications",), ("get", "create", "delete")),
        # Serving publishes models of all target clusters on the control plane (#1139, #1140).
        Grant("", ("services",), _ALL),
        Grant("discovery.k8s.io", ("endpointslices",), _ALL),
        Grant("gateway.networking.k8s.io", ("httproutes",), _ALL),
        replace(
            _OWNERS,
            resources=("pipelines/finalizers", "pipelineruns/finalizers", "triggerruns/finalizers"),
        ),
    ),
    serving_reads_secrets=True,
    compute=ComputeClusters(kuberay="1.7.1", registry_endpoint=True),
    reflector_errors="cr_reflector_errors_total",
    cascades=True,
    # #1234.
    consistent_queries=True,
    required_fields={"InferenceServer": ("clusterTargets",)},
    removed_fields={"Revision": ("gitRef", "gitBranch", "reviewToolUrl", "commit")},
)
"""What its services read, need and refuse."""
