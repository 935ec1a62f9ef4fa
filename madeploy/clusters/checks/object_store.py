"""Reachability of the object store from this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from madeploy.clients.errors import cause_of_exception
from madeploy.findings import Finding, find
from madeploy.names.storage import s3_url
from madeploy.settings.storage import S3CompatibleStorage, Storage

SECONDS = 5.0


def object_store_findings(
    storage: Storage, subject: str, environ: Mapping[str, str] = os.environ
) -> list[Finding]:
    """A warning when no TCP connection to the object store comes about from here. It says nothing of task
    pods, whose network is another.

    On AWS the address is the one the SDKs would use here: `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL`
    come before the region's own.
    """
    url = s3_url(storage)
    if not isinstance(storage, S3CompatibleStorage):
        url = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or url
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError as error:
        reasons = {
            "dns": f"{host} does not resolve",
            "refused": f"nothing listens at {host}:{port}",
            "timeout": f"{host}:{port} does not answer within {SECONDS:.0f} s",
        }
        reason = reasons.get(cause_of_exception(error), f"{host}:{port} cannot be reached")
        return [find("MA457", f"{subject}: object store", reason)]
    return []
