"""Configuration files of the API server, the controller manager and the worker (facts 2.2, 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from madeploy.names import addresses
from madeploy.names.images import other_reference
from madeploy.names.kubernetes import SERVING_GATEWAY
from madeploy.names.storage import s3_endpoint
from madeploy.releases.keys import Key
from madeploy.settings import Environment
from madeploy.settings.control_plane import ConfiguredService
from madeploy.settings.ray_logs import COLLECTOR
from madeploy.settings.serving import TRITON, Serving
from madeploy.settings.storage import S3CompatibleStorage
from manifests.objects import to_yaml

Data = dict[str, Any]

ConfiguredName = Literal["apiserver", "controllermgr", "worker"]
CONFIGURED: Final[tuple[ConfiguredName, ...]] = ("apiserver", "controllermgr", "worker")
"""Services that read `base.yaml`."""

BASE_FILE: Final = "base.yaml"
CONFIG_FOLDER: Final = "/config"
"""Where the images look for it (facts 1.1); a ConfigMap mounted there hides the file built in."""

NOTIFICATIONS: Final = "notification_worker"
"""Queue of notifications; the worker polls it, as one of the release's own."""

_THROTTLE: Final = {"qps": 300, "burst": 600}
"""Requests per second to the Kubernetes API. Left out, the client library's 5 apply, and creating the
definitions on a first start may outlast the 15 s a start may take (facts 1.1)."""


def base_config(environment: Environment, service: ConfiguredName) -> Data:
    """Configuration of one service: the safe profile (facts 2.4) with the environment's own `config`
    merged over it as the services merge files, maps key by key, anything else replaced (facts 2.1)."""
    builders = {"apiserver": _apiserver, "controllermgr": _controllermgr, "worker": _worker}
    settings: ConfiguredService = getattr(environment.control_plane, service)
    generated = builders[service](environment) | {
        "logging": {"level": settings.log_level, "development": False, "encoding": "json"}
    }
    return _merge(generated, settings.config)


def base_yaml(environment: Environment, service: ConfiguredName) -> str:
    """Text of a service's `base.yaml`. Each `$` is doubled, because the services expand `$NAME` and
    `${NAME}` in this file and stop at names that are not set (facts 2.1)."""
    return to_yaml(base_config(environment, service)).replace("$", "$$")


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Data:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = (
            _merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def _apiserver(environment: Environment) -> Data:
    return {
        "apiserver": {
            "yarpc": {"host": "0.0.0.0", "port": addresses.API_PORT},
            # The image's own file allows deletion, which removes definitions this version does not know.
            "crdSync": {"enableCRDUpdate": True, "enableCRDDeletion": False, "skipIncompatibleCheck": False},
        },
        # At the top: the form below `apiserver` that one guide shows is never read (facts 2.3 row 1).
        "k8s": dict(_THROTTLE),
        **_metadata_storage(environment),
    }


def _controllermgr(environment: Environment) -> Data:
    settings, workflow = environment.control_plane.controllermgr, environment.workflow
    # The provider's spelling differs from the worker's: a capital T, or it is Cadence (facts 2.3 row 5).
    temporal = workflow.engine == "temporal"
    client: Data = {
        "provider": "Temporal" if temporal else "Cadence",
        "service": f"{workflow.engine}-frontend",
        "host": workflow.host,
        "transport": _transport(environment),
        "domain": workflow.domain,
        "taskList": workflow.task_list,
        "useTLS": workflow.tls,
    }
    if workflow.execution_url_format is not None:
        client["executionUrlFormat"] = workflow.execution_url_format
    return {
        "controllermgr": {
            # Both are `host:port`; a bare number fails to bind (facts 2.3 row 3).
            "metricsBindAddress": f":{addresses.METRICS_PORT}",
            "healthProbeBindAddress": f":{addresses.PROBE_PORT}",
            "leaderElection": settings.leader_election,
            "leaderElectionID": settings.leader_election_id,
        },
        "controllers": {"rayCluster": {"k8sQps": _THROTTLE["qps"], "k8sBurst": _THROTTLE["burst"]}},
        "k8s": dict(_THROTTLE),
        **_metadata_storage(environment),
        "minio": _object_store(environment),
        "workflowClient": client,
        **_optional(environment),
    }


def _metadata_storage(environment: Environment) -> Data:
    """The same for both services: a mirror that only one of them uses loses objects."""
    storage = environment.metadata_storage
    if storage is None:
        return {"metadataStorage": {"enableMetadataStorage": False}}
    mysql = {
        "enabled": True,
        "host": storage.host,
        "port": storage.port,
        "user": storage.user,
        "database": storage.database,
    }
    return {"metadataStorage": {"enableMetadataStorage": True}, "mysql": mysql}


def _optional(environment: Environment) -> Data:
    """Sections of parts that are off by default: an absent section is always valid."""
    sections: Data = {}
    if environment.control_plane.controllermgr.pipeline_revisions:
        sections["pipeline"] = {"revisioningEnabled": True}
    notifications = environment.notifications
    if notifications.enabled:
        sections["notification"] = {
            "taskList": NOTIFICATIONS,
            "studioBaseURL": notifications.studio_base_url or addresses.app_url(environment),
        }
        if notifications.sender_email is not None:
            sections["notification"]["senderEmail"] = notifications.sender_email
    if environment.metadata_storage is not None and environment.metadata_storage.run_days > 0:
        sections["pipelineRun"] = {"ttlDays": environment.metadata_storage.run_days}
    jobs: Data = {}
    if environment.ray_logs is not None:
        jobs["k8sengine"] = {"mapper": {"logPersistence": _log_persistence(environment)}}
    if environment.control_plane.controllermgr.scheduler == "kueue":
        jobs["scheduler"] = {"backend": "kueue"}
    if environment.serving is not None and "inferenceServer.gateway.name" in _read(environment):
        sections["inferenceServer"] = _inference(environment.serving)
    return sections | ({"jobs": jobs} if jobs else {})


def _read(environment: Environment) -> Mapping[str, Key]:
    """Keys that the release's controller manager reads."""
    return environment.release.keys["controllermgr"]


def _inference(settings: Serving) -> Data:
    """Where models are reached, and what runs them: without a Gateway's Service no route is published."""
    return {
        "gateway": {
            "name": SERVING_GATEWAY,
            "serviceName": settings.gateway_service,
            "serviceNamespace": settings.namespace,
            "portName": settings.port_name,
        },
        "triton": {"defaultImage": other_reference(settings.triton_image, TRITON)},
    }


def _log_persistence(environment: Environment) -> Data:
    """Every key there is: with one missing or unknown, logs are not kept, and nothing says so (V25)."""
    logs, storage = environment.ray_logs, environment.storage
    assert logs is not None
    host, tls = s3_endpoint(storage)
    return {
        "enabled": True,
        "storageEndpoint": host,
        "bucket": logs.bucket,
        "pathPrefix": logs.prefix,
        "region": storage.region,
        "credentialsSecret": logs.credentials_secret,
        "collectorImage": other_reference(logs.collector_image, COLLECTOR),
        "s3DisableSSL": not tls,
        "logURLFormat": logs.log_url_format or "",
        "exposableEventTypes": logs.event_types,
    }


def _worker(environment: Environment) -> Data:
    workflow = environment.workflow
    address, tls = addresses.worker_address(environment)
    task_lists = dict.fromkeys(
        (*environment.release.task_lists, workflow.task_list, *workflow.additional_task_lists)
    )
    return {
        "worker": {"address": address, "maApiServiceName": addresses.API_SERVICE_NAME, "useTLS": tls},
        "workflow-engine": {
            # Lower case here, or the worker polls nothing and says nothing (facts 2.3 row 6).
            "provider": workflow.engine,
            "host": workflow.host,
            "transport": _transport(environment),
            "useTLS": workflow.tls,
            "client": {"domain": workflow.domain},
            "workers": [{"domain": workflow.domain, "taskList": name} for name in task_lists],
        },
        "minio": _object_store(environment),
    }


def _transport(environment: Environment) -> str:
    return environment.workflow.transport if environment.workflow.engine == "cadence" else "grpc"


def _object_store(environment: Environment) -> Data:
    """`minio` without keys: static ones come from a Secret's file, others from the pod's role."""
    storage = environment.storage
    host, tls = s3_endpoint(storage)
    section: Data = {"awsRegion": storage.region, "awsEndpointUrl": host, "secure": tls}
    if not isinstance(storage, S3CompatibleStorage):
        section["useIam"] = True
    return section
