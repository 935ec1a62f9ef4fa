"""Configuration files of the API server, the controller manager and the worker (facts 2.2, 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from madeploy.names import addresses
from madeploy.names.storage import s3_endpoint
from madeploy.settings import Environment
from madeploy.settings.control_plane import ConfiguredService
from madeploy.settings.storage import S3CompatibleStorage
from manifests.objects import to_yaml

Data = dict[str, Any]

ConfiguredName = Literal["apiserver", "controllermgr", "worker"]
CONFIGURED: Final[tuple[ConfiguredName, ...]] = ("apiserver", "controllermgr", "worker")
"""Services that read `base.yaml`."""

BASE_FILE: Final = "base.yaml"
CONFIG_FOLDER: Final = "/config"
"""Where the images look for it (facts 1.1); a ConfigMap mounted there hides the file built in."""

PLATFORM_TASK_LISTS: Final = ("trigger_run", "pipeline_run")
"""Queues the controller manager uses by these very names, for triggers and for notifications
(facts 2.2): without pollers, nothing scheduled ever starts."""

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
        "metadataStorage": {"enableMetadataStorage": False},
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
        "metadataStorage": {"enableMetadataStorage": False},
        "minio": _object_store(environment),
        "workflowClient": client,
    }


def _worker(environment: Environment) -> Data:
    workflow = environment.workflow
    address, tls = addresses.worker_address(environment)
    task_lists = dict.fromkeys((*PLATFORM_TASK_LISTS, workflow.task_list, *workflow.additional_task_lists))
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
