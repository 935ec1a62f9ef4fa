"""Secrets of the control plane that hold values: made by the engine only, never rendered."""

from __future__ import annotations

from madeploy.settings import Environment
from madeploy.settings.storage import S3CompatibleStorage
from manifests.inputs import Inputs
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


def credentials(inputs: Inputs) -> tuple[Object, ...]:
    """The Secret with `secrets.yaml`; nothing where its text is not known, or needed."""
    if inputs.object_store_secrets is None:
        return ()
    return (
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(OBJECT_STORE_SECRET, inputs.environment.platform.namespace),
            "type": "Opaque",
            "stringData": {SECRETS_FILE: inputs.object_store_secrets},
        },
    )
