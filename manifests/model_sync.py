"""model-sync: brings the models that inference servers are told to serve from the bucket to the nodes, where
Triton reads them (serving guide, cluster set-up)."""

from __future__ import annotations

from typing import Any, Final

from madeploy.names import aws
from madeploy.names.images import other_reference
from madeploy.names.kubernetes import common_labels, selector_labels, workload
from madeploy.names.models import MODEL_SYNC
from madeploy.names.storage import s3_url
from madeploy.settings import Environment
from madeploy.settings.serving import MODEL_SYNC as IMAGE
from madeploy.settings.serving import ModelSync
from madeploy.settings.storage import S3CompatibleStorage
from manifests import network_policies
from manifests.inputs import Inputs
from manifests.objects import Object, checksum, metadata
from manifests.pods import checksum_annotation, config_volume, container_security, pod_security

FOLDER: Final = "/var/lib/michelangelo/models"
"""Folder of a node with a folder for each inference server, which Triton mounts (facts 3.5)."""

SCRIPT_FILE: Final = "model-sync.sh"
SCRIPT: Final = r"""#!/bin/bash
# Copies every model that a server's list names from the bucket, and removes those it names no more.
set -euo pipefail
config=${CONFIG:-/config} models=${MODELS:-/models}

field() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" <<< "$2"; }

sync_server() {
  local list=$1 target=$2 wanted=" " entry name path
  mkdir -p "$target"
  while read -r entry; do
    name=$(field name "$entry") path=$(field storage_path "$entry")
    # Both become parts of paths and arguments: whoever writes the list may not name other folders.
    if [[ ! $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ || ! $path =~ ^s3://[A-Za-z0-9._/-]+$ ]]; then
      echo "left out: $entry" >&2
      continue
    fi
    wanted+="$name "
    aws s3 sync --only-show-errors --delete "$path" "$target/$name" ||
      echo "not copied: $name from $path" >&2
  done < <(tr -d '\n' < "$list" | grep -o '{[^}]*}' || true)
  for name in "$target"/*/; do
    name=$(basename "$name")
    [[ -d $target/$name && $wanted != *" $name "* ]] && rm -rf -- "${target:?}/$name"
  done
  return 0
}

while true; do
  for list in "$config"/*/model-list.json; do
    [[ -e $list ]] && sync_server "$list" "$models/$(basename "$(dirname "$list")")"
  done
  sleep "$SECONDS_BETWEEN"
done
"""
"""bash, sed, grep and the AWS CLI are all it takes: nothing is downloaded but models."""


def model_sync(inputs: Inputs, cluster: str) -> tuple[Object, ...]:
    """DaemonSet, script, ServiceAccount and NetworkPolicy on a cluster that serves; nothing unless
    `serving.modelSync` is set."""
    environment = inputs.environment
    settings = environment.serving
    if settings is None or settings.model_sync is None:
        return ()
    sync, namespace = settings.model_sync, settings.namespace
    arn = inputs.role_arn(aws.model_sync(cluster))
    name = workload(MODEL_SYNC)
    annotations = None if arn is None else {aws.ROLE_ARN_ANNOTATION: arn}
    return (
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(name, namespace, MODEL_SYNC, annotations),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(name, namespace, MODEL_SYNC),
            "data": {SCRIPT_FILE: SCRIPT},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": metadata(name, namespace, MODEL_SYNC),
            "spec": {
                "selector": {"matchLabels": selector_labels(MODEL_SYNC)},
                "template": {
                    "metadata": {
                        "labels": common_labels(MODEL_SYNC),
                        "annotations": checksum_annotation(checksum(SCRIPT)),
                    },
                    "spec": _pod(environment, sync),
                },
            },
        },
        *network_policies.model_sync(environment),
    )


def _pod(environment: Environment, sync: ModelSync) -> dict[str, Any]:
    volume, mount = config_volume("script", workload(MODEL_SYNC), "/script")
    lists = [
        # Of a server that is not there yet, too: the list comes with it.
        (
            {"name": f"list-{server}", "configMap": {"name": f"{server}-model-config", "optional": True}},
            {"name": f"list-{server}", "mountPath": f"/config/{server}", "readOnly": True},
        )
        for server in dict.fromkeys(sync.servers)
    ]
    storage = environment.storage
    variables = {
        "SECONDS_BETWEEN": str(sync.interval_seconds),
        "AWS_REGION": storage.region,
        # The CLI writes its caches to its home.
        "HOME": "/tmp",
    }
    if isinstance(storage, S3CompatibleStorage):
        variables["AWS_ENDPOINT_URL_S3"] = s3_url(storage)
    container: dict[str, Any] = {
        "name": MODEL_SYNC,
        "image": other_reference(sync.image, IMAGE),
        "imagePullPolicy": environment.images.pull_policy,
        "command": ["/bin/bash", f"/script/{SCRIPT_FILE}"],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "resources": {
            "requests": {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "64Mi"},
            "limits": {"memory": "2Gi", "ephemeral-storage": "256Mi"},
        },
        # The kubelet makes the folder for root alone.
        "securityContext": {**container_security(), "runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": False},
        "volumeMounts": [
            mount,
            *(each for _, each in lists),
            {"name": "models", "mountPath": "/models"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    if sync.credentials_secret is not None:
        container["envFrom"] = [{"secretRef": {"name": sync.credentials_secret}}]
    security = {key: value for key, value in pod_security({}).items() if not key.startswith(("runAs", "fs"))}
    return {
        "serviceAccountName": workload(MODEL_SYNC),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 10,
        "securityContext": security,
        # Models are wanted on nodes with GPUs above all.
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "containers": [container],
        "volumes": [
            volume,
            *(each for each, _ in lists),
            {"name": "models", "hostPath": {"path": FOLDER, "type": "DirectoryOrCreate"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        ],
    }
