"""What a pod of a connectivity check runs: whether it reaches what the platform's own pods have to reach.

It runs in a stock Python image with the standard library and the signing of the nightly job
(`madeploy.registry.retention`), and nothing else of this project. Targets come in the environment variable
`MADEPLOY_PROBE`, a JSON list; what became of them goes into the container's termination message, so that no
kubelet has to be asked for a log. Nothing is written anywhere: an upload to the object store is begun and
given up.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from madeploy.registry.retention import transport
from madeploy.registry.retention.signing import Credentials, Provider, signed, target
from madeploy.registry.retention.terms import StoreError

SECONDS = 8.0
"""For each connection, and each answer."""
MESSAGE = "/dev/termination-log"
"""Where the kubelet reads the termination message (Kubernetes, `terminationMessagePath`)."""
LONGEST_WORDS = 200

Target = Mapping[str, Any]


def main(environ: Mapping[str, str]) -> int:
    """Try every target at once; returns the exit code, 0 whatever they came to."""
    targets: list[Target] = json.loads(environ["MADEPLOY_PROBE"])
    # The nightly job is patient; whoever waits for this is a person.
    transport.ATTEMPTS, transport.SECONDS = 1, SECONDS
    with ThreadPoolExecutor(max(len(targets), 1)) as pool:
        results = list(pool.map(lambda item: tried(item, environ), targets))
    text = json.dumps({str(item["name"]): result for item, result in zip(targets, results, strict=True)})
    Path(environ.get("MADEPLOY_PROBE_MESSAGE", MESSAGE)).write_text(text, encoding="utf-8")
    return 0


def tried(item: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """What became of one target: `state` is `reached`, `unreachable` or `refused`, `said` a few words."""
    look: Callable[[Target, Mapping[str, str]], str] = {"tls": _tls, "tcp": _tcp, "store": _store}[
        item["kind"]
    ]
    try:
        return {"state": "reached", "said": look(item, environ)[:LONGEST_WORDS]}
    except _RefusedError as error:
        return {"state": "refused", "said": str(error)[:LONGEST_WORDS]}
    except (OSError, StoreError) as error:
        return {"state": "unreachable", "said": f"{type(error).__name__}: {error}"[:LONGEST_WORDS]}


class _RefusedError(Exception):
    """The target was reached and said no."""


def _tcp(item: Target, _: Mapping[str, str]) -> str:
    with socket.create_connection((item["host"], item["port"]), timeout=SECONDS) as connection:
        return f"connected to {connection.getpeername()[0]}"


def _tls(item: Target, _: Mapping[str, str]) -> str:
    """A handshake with the name and authority that the platform's own clients use."""
    context = ssl.create_default_context(cadata=item.get("authority") or None)
    # As Go's TLS, which the platform is written in: any given certificate is an anchor.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(list(item.get("protocols") or ()))
    name, wanted = item.get("server_name") or item["host"], list(item.get("protocols") or ())
    plain = socket.create_connection((item["host"], item["port"]), timeout=SECONDS)
    with plain, context.wrap_socket(plain, server_hostname=name) as secured:
        agreed = secured.selected_alpn_protocol()
        if wanted and agreed not in wanted:
            raise _RefusedError(f"it agrees on {agreed or 'nothing'}, not {', '.join(wanted)}")
        return f"{secured.version()}{f', {agreed}' if agreed else ''}"


def _store(item: Target, environ: Mapping[str, str]) -> str:
    """List and begin an upload in each bucket, with the credentials that the pod really has."""
    # Reached first, so that a way that is shut is told from credentials that are missing.
    parts = urlsplit(item["endpoint"])
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), timeout=SECONDS).close()
    try:
        credentials = _credentials(environ, item["region"])
    except StoreError as error:
        raise _RefusedError(str(error)) from None
    for bucket in item["buckets"]:
        _asked(item, credentials, "GET", bucket, "/", {"list-type": "2", "max-keys": "1"})
        begun = _asked(item, credentials, "POST", bucket, f"/{item['key']}", {"uploads": ""})
        upload = re.search(rb"<UploadId>([^<]+)</UploadId>", begun)
        if upload:
            identity = {"uploadId": upload[1].decode()}
            _asked(item, credentials, "DELETE", bucket, f"/{item['key']}", identity)
    return f"{', '.join(item['buckets'])} can be read and written"


def _credentials(environ: Mapping[str, str], region: str) -> Credentials:
    """As an SDK finds them in a pod: static keys, then a role."""
    key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if key_id and secret:
        return Credentials(key_id, secret, environ.get("AWS_SESSION_TOKEN", ""))
    return Provider(environ, region).current()


def _asked(
    item: Target, credentials: Credentials, method: str, bucket: str, path: str, query: Mapping[str, str]
) -> bytes:
    parts = urlsplit(item["endpoint"])
    host, path = (
        (parts.netloc, f"/{bucket}{path}") if item["path_style"] else (f"{bucket}.{parts.netloc}", path)
    )
    server = transport.Server(f"{parts.scheme}://{host}")

    def headers() -> Mapping[str, str]:
        now = datetime.now(timezone.utc)
        return signed(method, host, path, query, b"", credentials, item["region"], now)

    answer = server.request(method, target(path, query), headers)
    if answer.status >= 300:
        code = re.search(rb"<Code>(\w+)</Code>", answer.body)
        said = code[1].decode() if code else f"HTTP {answer.status}"
        raise _RefusedError(f"{method} {bucket}: {said}")
    return answer.body


if __name__ == "__main__":
    sys.exit(main(os.environ))
