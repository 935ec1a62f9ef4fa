"""Secrets of the control plane that hold values: made by the engine only, never rendered."""

from __future__ import annotations

from typing import Any

from madeploy.settings import Environment
from madeploy.settings.storage import S3CompatibleStorage
from manifests.objects import Object, metadata, to_yaml

SECRETS_FILE = "secrets.yaml"
"""File the services read last and never expand, so that no character of a key is special (facts 1.2)."""

OBJECT_STORE_SECRET = "michelangelo-object-store"


def object_store_secret_name(environment: Environment) -> str | None:
    """Secret that the controller manager and the worker mount; None where pods have roles."""
    storage = environment.storage
    if not isinstance(storage, S3CompatibleStorage):
        return None
    return storage.credentials_secret or OBJECT_STORE_SECRET


def object_store_yaml(access_key_id: str, secret_access_key: str) -> str:
    """Contents of `secrets.yaml` with the static keys (facts 2.2, `minio`)."""
    return to_yaml({"minio": {"awsAccessKeyId": access_key_id, "awsSecretAccessKey": secret_access_key}})


def object_store_secret(environment: Environment, text: Any) -> Object:
    """The Secret with `secrets.yaml`; `text` may be an output of the engine."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(OBJECT_STORE_SECRET, environment.platform.namespace),
        "type": "Opaque",
        "stringData": {SECRETS_FILE: text},
    }
