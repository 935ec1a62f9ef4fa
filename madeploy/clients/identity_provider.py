"""An identity provider's public documents, as clients read them (OpenID Connect Discovery 1.0, RFC 7517)."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from madeploy.clients.deadline import client_context
from madeploy.clients.errors import ClientError, cause_of_exception, cause_of_status

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
"""For a whole answer, in however many pieces it comes."""

MAX_BYTES: Final = 256 * 1024
"""Documents of known providers have a few kilobytes, those with a key for every tenant some tens."""


def document(url: str, authorities: str | None = None) -> dict[str, Any]:
    """The JSON object at an `https` URL, by certificates that `authorities` (PEM) or the system's vouch for.

    Redirects are not followed: what another host says is not what the issuer says. Raises ClientError, whose
    text shows nothing of the answer.
    """
    where = urlsplit(url)
    server = f"https://{where.netloc}"
    limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    pool = urllib3.PoolManager(ssl_context=client_context(authorities), timeout=limits, retries=False)
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        answer = pool.request(
            "GET", url, headers=headers, redirect=False, preload_content=False, decode_content=False
        )
        content = answer.read(MAX_BYTES + 1)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ClientError(server, cause_of_exception(error)) from None
    finally:
        # What is not read of an answer is not waited for.
        pool.clear()
    if 300 <= answer.status < 400:
        elsewhere = urlsplit(answer.headers.get("Location", "")).netloc
        to = f" to {elsewhere!r}" if elsewhere and elsewhere != where.netloc else ""
        raise ClientError(server, "invalid", f"it redirects {where.path}{to}", answer.status)
    if answer.status != 200:
        cause = cause_of_status(answer.status) if answer.status >= 400 else "invalid"
        raise ClientError(server, cause, f"it answers {answer.status} to {where.path}", answer.status)
    if len(content) > MAX_BYTES:
        raise ClientError(server, "invalid", f"{where.path} is larger than {MAX_BYTES // 1024} KiB")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ClientError(server, "invalid", f"{where.path} is no JSON object")
    return found
