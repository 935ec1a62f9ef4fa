"""The job that removes old models every night (model-registry guide, retention; requirement MR-8).

It runs `madeploy.registry.retention`, mounted from a ConfigMap, in an image that holds Python and nothing of
ours: that package says why. Its text is part of this program, as constant as any other module's, and is
read once, when this module is imported.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from typing import Any, Final

from madeploy.names.aws import ROLE_ARN_ANNOTATION, service_host
from madeploy.names.images import retention_reference
from madeploy.names.kubernetes import API_GROUP, PLURALS, common_labels, workload
from madeploy.names.models import RETENTION, artifact_buckets
from madeploy.names.storage import s3_url
from madeploy.settings import Environment
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage
from manifests.credentials import SECRETS_FILE
from manifests.inputs import Inputs
from manifests.objects import Object, metadata
from manifests.pods import config_volume, container_security, pod_security
from manifests.rbac import account, cluster_role, cluster_role_binding, role, role_binding
from manifests.storage_clients import CA_FILE, CA_FOLDER, SECRETS_FOLDER, client_files

_PACKAGE: Final = "madeploy.registry.retention"
_MODULES: Final = (
    "__init__.py",
    "__main__.py",
    "engine.py",
    "registry.py",
    "s3.py",
    "signing.py",
    "terms.py",
    "transport.py",
    "uris.py",
)


def _text(module: str) -> str:
    data = pkgutil.get_data(_PACKAGE, module)
    assert data is not None
    return data.decode()


PROGRAM: Final = {module: _text(module) for module in _MODULES}
"""The job's program, text by module."""

FOLDER: Final = "/opt/madeploy"
"""Working directory of the job; its program is the package `retention` in it."""

DEADLINE_SECONDS: Final = 4 * 3600
"""How long a run may take. One that is stopped is taken up by the next."""

_ATTEMPTS: Final = 3
_GRACE_SECONDS: Final = 5
"""The job may be killed at any point, so there is nothing to wait for."""


def retention(inputs: Inputs) -> tuple[Object, ...]:
    """CronJob, program, ServiceAccount and rights; nothing while models are kept for good."""
    environment = inputs.environment
    if environment.model_registry.retention_days is None:
        return ()
    name, namespace = workload(RETENTION), environment.platform.namespace
    return (
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(name, namespace, RETENTION),
            "data": dict(PROGRAM),
        },
        _service_account(inputs),
        *_rights(environment),
        _cron_job(environment),
    )


def _service_account(inputs: Inputs) -> Object:
    arn, namespace = inputs.role_arn(RETENTION), inputs.environment.platform.namespace
    annotations = None if arn is None else {ROLE_ARN_ANNOTATION: arn}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(workload(RETENTION), namespace, RETENTION, annotations),
        "automountServiceAccountToken": True,
    }


def _rights(environment: Environment) -> tuple[Object, ...]:
    """Reading models everywhere, for those of any namespace may need the objects of another's, and what is
    deployed; deleting models where the settings say so."""
    name, namespaces = workload(RETENTION), environment.model_registry.retention.namespaces
    subject = account(name, environment.platform.namespace)
    everywhere = ["get", "list"] if namespaces else ["get", "list", "delete"]
    rules = [_rule("Model", everywhere), _rule("Deployment", ["list"])]
    objects: list[Object] = [
        cluster_role(name, rules, RETENTION),
        cluster_role_binding(name, name, subject, RETENTION),
    ]
    for namespace in namespaces:
        objects.append(role(name, namespace, [_rule("Model", ["delete"])], RETENTION))
        objects.append(role_binding(name, namespace, name, subject, RETENTION))
    return tuple(objects)


def _rule(kind: str, verbs: Sequence[str]) -> dict[str, Any]:
    return {"apiGroups": [API_GROUP], "resources": [PLURALS[kind]], "verbs": list(verbs)}


def _cron_job(environment: Environment) -> Object:
    settings = environment.model_registry.retention
    exits = {"containerName": RETENTION, "operator": "In", "values": [1]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(workload(RETENTION), environment.platform.namespace, RETENTION),
        "spec": {
            "schedule": settings.schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            # A control plane that was down at the hour runs it when it is back, but not at noon.
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "metadata": {"labels": common_labels(RETENTION)},
                "spec": {
                    "backoffLimit": _ATTEMPTS - 1,
                    "activeDeadlineSeconds": DEADLINE_SECONDS,
                    # What a person has to look into does not go away by trying again.
                    "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": exits}]},
                    "template": {
                        "metadata": {"labels": common_labels(RETENTION)},
                        "spec": _pod(environment),
                    },
                },
            },
        },
    }


def _pod(environment: Environment) -> dict[str, Any]:
    volumes, mounts, env = _mounted(environment)
    spec: dict[str, Any] = {
        "serviceAccountName": workload(RETENTION),
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": pod_security({}),
        "containers": [
            {
                "name": RETENTION,
                "image": retention_reference(environment),
                "imagePullPolicy": environment.images.pull_policy,
                "command": ["python3", "-B", "-s", "-m", "retention"],
                "workingDir": FOLDER,
                "env": [{"name": key, "value": value} for key, value in env.items()],
                # 10,000 models take 30 MiB.
                "resources": {
                    "requests": {"cpu": "50m", "memory": "128Mi", "ephemeral-storage": "16Mi"},
                    "limits": {"memory": "128Mi", "ephemeral-storage": "64Mi"},
                },
                "securityContext": container_security(),
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }
    if environment.images.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in environment.images.pull_secrets]
    return spec


def _mounted(environment: Environment) -> tuple[list[Object], list[Object], dict[str, str]]:
    """Volumes, mounts and environment variables."""
    storage, registry = environment.storage, environment.model_registry
    volume, mount = config_volume("program", workload(RETENTION), f"{FOLDER}/retention")
    files = client_files(environment)
    buckets = artifact_buckets(storage)
    by_path = isinstance(storage, S3CompatibleStorage) or (
        # The certificate of S3's bucket host names covers one label more, not two.
        (isinstance(storage, AwsStorage) and storage.path_style) or any("." in name for name in buckets)
    )
    env = {
        "RETENTION_DAYS": str(registry.retention_days),
        "BUCKETS": ",".join(buckets),
        "NAMESPACES": ",".join(registry.retention.namespaces),
        "DRY_RUN": _word(registry.retention.dry_run),
        "S3_ENDPOINT": s3_url(storage),
        "S3_REGION": storage.region,
        "S3_PATH_STYLE": _word(by_path),
    }
    if not isinstance(storage, S3CompatibleStorage):
        env["AWS_ENDPOINT_URL_STS"] = f"https://{service_host('sts', storage.region)}"
    if files.keys:
        env["OBJECT_STORE_SECRETS"] = f"{SECRETS_FOLDER}/{SECRETS_FILE}"
    if files.authorities:
        env["CA_FILE"] = f"{CA_FOLDER}/{CA_FILE}"
    return [volume, *files.volumes], [mount, *files.mounts], env


def _word(switch: bool) -> str:
    return "true" if switch else "false"
