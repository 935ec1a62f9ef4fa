"""The database of the metadata storage: its password reaches the two services that mirror into it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from madeploy.settings import Environment
from manifests.pods import Container, secret_volume
from manifests.service_config import CONFIG_FOLDER

DATABASE_FOLDER: Final = "/etc/michelangelo/database"


def with_database(environment: Environment, container: Container) -> Container:
    """The container with the database's Secret mounted, whose `secrets.yaml` the service reads after its
    configuration and merges with the files of the same name in other folders (facts 1.2); as it is, without
    metadata storage."""
    storage = environment.metadata_storage
    if storage is None:
        return container
    volume, mount = secret_volume("database", storage.credentials_secret, DATABASE_FOLDER)
    folders = container.env.get("CONFIG_DIR", CONFIG_FOLDER)
    return replace(
        container,
        volumes=[*container.volumes, volume],
        mounts=[*container.mounts, mount],
        env={**container.env, "CONFIG_DIR": f"{folders}:{DATABASE_FOLDER}"},
    )
