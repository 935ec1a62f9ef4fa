"""The tasks' storage configuration on a compute cluster (registration guide, step 1)."""

from __future__ import annotations

from typing import Any

import yaml

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import secret_value
from madeploy.clusters.registration import secret_path
from madeploy.clusters.remedies import Remedies
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import RAY_NAMESPACE, TASK_CONFIG, TASK_CREDENTIALS
from madeploy.settings import Environment
from madeploy.settings.storage import S3CompatibleStorage
from manifests.credentials import SECRETS_FILE, object_store_secret_name
from manifests.registration import task_config, task_credentials_data


def storage_findings(
    control_plane: Kubernetes, compute: Kubernetes, environment: Environment, remedies: Remedies
) -> list[Finding]:
    """Findings for ConfigMap `michelangelo-config` and, where tasks have static keys, Secret
    `aws-credentials`: missing, or other than the stack says. Keys are compared with those the control
    plane itself uses; no value of a Secret is shown. Raises ClientError."""
    found: list[Finding] = []
    path = f"/api/v1/namespaces/{RAY_NAMESPACE}/configmaps/{TASK_CONFIG}"
    expected = task_config(environment, remedies.name)
    config = compute.find(path)
    if config is None:
        found.append(_finding(f"ConfigMap {RAY_NAMESPACE}/{TASK_CONFIG}", "is not there", remedies))
    else:
        given = config.get("data") or {}
        wrong = [
            f"{key} is {given[key]!r}, not {value!r}" if key in given else f"{key} is missing"
            for key, value in expected.items()
            if given.get(key) != value
        ]
        if wrong:
            found.append(_finding(f"ConfigMap {RAY_NAMESPACE}/{TASK_CONFIG}", "; ".join(wrong), remedies))
    if isinstance(environment.storage, S3CompatibleStorage):
        found += _credentials(control_plane, compute, environment, remedies)
    return found


def _credentials(
    control_plane: Kubernetes, compute: Kubernetes, environment: Environment, remedies: Remedies
) -> list[Finding]:
    subject = f"Secret {RAY_NAMESPACE}/{TASK_CREDENTIALS}"
    secret = compute.find(secret_path(TASK_CREDENTIALS, RAY_NAMESPACE))
    if secret is None:
        return [_finding(subject, "is not there", remedies)]
    given = secret.get("data") or {}
    names = task_credentials_data("", "", "")
    lacking = [key for key in names if not given.get(key)]
    if lacking:
        return [_finding(subject, f"{', '.join(lacking)} missing or empty", remedies)]
    name = object_store_secret_name(environment)
    own = control_plane.find(secret_path(str(name), environment.platform.namespace))
    keys = _minio(own)
    if keys is None:
        return []
    expected = task_credentials_data(*keys, environment.storage.region)
    other = [key for key, value in expected.items() if given[key] != value]
    if other:
        evidence = f"{', '.join(other)} differ from what the control plane uses (Secret {name})"
        return [_finding(subject, evidence, remedies)]
    return []


def _minio(secret: Object | None) -> tuple[str, str] | None:
    """The two keys in the services' `secrets.yaml`; None where it is not to be understood."""
    try:
        data: Any = yaml.safe_load(secret_value(secret, SECRETS_FILE))
        minio = data["minio"]
        return str(minio["awsAccessKeyId"]), str(minio["awsSecretAccessKey"])
    except (yaml.YAMLError, TypeError, KeyError):
        return None


def _finding(subject: str, evidence: str, remedies: Remedies) -> Finding:
    return find("MA445", f"{remedies.name}: {subject}", evidence, fix=remedies.take_back)
