"""A stack's object store, by the stack's own keys or by the login at hand."""

from __future__ import annotations

from collections.abc import Callable

from madeploy.clients.s3 import S3
from madeploy.names.storage import s3_url
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage, Storage

Keys = Callable[[], tuple[str, str] | None]
"""Reads the stack's own static keys; None where it has none. Raises ToolkitError where they cannot be
decrypted."""


def open_store(storage: Storage, keys: Keys) -> S3:
    """The object store with the stack's own keys, else with the login at hand: that of a store on AWS, and of
    one whose keys stand in a Secret."""
    if isinstance(storage, S3CompatibleStorage):
        given = keys() if storage.credentials_secret is None else None
        return S3(s3_url(storage), storage.region, path_style=True, keys=given)
    return S3(None, storage.region, isinstance(storage, AwsStorage) and storage.path_style)
