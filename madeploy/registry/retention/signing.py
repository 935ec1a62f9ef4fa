"""AWS credentials of a pod, and requests to S3 signed with them.

Signature Version 4 (AWS Signature Version 4 for API requests) with the payload's hash in a header.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from .terms import StoreError
from .transport import Server

_RENEW_BEFORE = 300.0
"""Seconds before their end at which credentials are fetched anew."""

_STATIC = re.compile(
    r"""^ +(awsAccessKeyId|awsSecretAccessKey): *(?:"([^"\\]+)"|'([^']+)'|([^\s"'#]+)) *$""", re.M
)
"""The two keys in the services' `secrets.yaml`, below `minio`."""


@dataclass(frozen=True)
class Credentials:
    """What requests are signed with."""

    key_id: str
    secret: str
    token: str = ""
    expires: float = float("inf")
    """Seconds since the epoch."""

    def __repr__(self) -> str:
        return f"Credentials({self.key_id[:4]}...)"


class Provider:
    """Credentials by the pod's environment: a file with static keys, IRSA, or EKS Pod Identity. Never the
    node's: a role that deletes is for this job alone."""

    def __init__(self, environ: Mapping[str, str], region: str) -> None:
        self._environ = environ
        self._region = region
        self._current: Credentials | None = None

    def current(self) -> Credentials:
        """Credentials that are good for some minutes. Raises StoreError, fatal, where there are none."""
        if self._current is None or self._current.expires - time.time() < _RENEW_BEFORE:
            self._current = self._fetch()
        return self._current

    def _fetch(self) -> Credentials:
        environ = self._environ
        if "OBJECT_STORE_SECRETS" in environ:
            return _static(Path(environ["OBJECT_STORE_SECRETS"]))
        if "AWS_WEB_IDENTITY_TOKEN_FILE" in environ:
            return self._by_web_identity()
        if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environ:
            return self._by_pod_identity()
        raise StoreError(
            "the pod has no AWS credentials: its ServiceAccount has neither a role (IRSA) nor an EKS Pod "
            "Identity association",
            is_fatal=True,
        )

    def _by_web_identity(self) -> Credentials:
        """AWS STS API reference, AssumeRoleWithWebIdentity: not signed, the token is the proof."""
        environ = self._environ
        url = environ["AWS_ENDPOINT_URL_STS"]
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": environ["AWS_ROLE_ARN"],
            "RoleSessionName": "model-retention",
            "WebIdentityToken": Path(environ["AWS_WEB_IDENTITY_TOKEN_FILE"])
            .read_text(encoding="ascii")
            .strip(),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = Server(url).request("POST", "/", lambda: headers, urlencode(form).encode())
        if answer.status != 200:
            raise StoreError(f"{url} gives no credentials: {_code(answer.body)}", is_fatal=True)
        found = {
            each.tag.rpartition("}")[2]: each.text or ""
            for each in ElementTree.fromstring(answer.body).iter()
        }
        return Credentials(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found["SessionToken"],
            _seconds(found["Expiration"]),
        )

    def _by_pod_identity(self) -> Credentials:
        """AWS SDKs reference guide, container credential provider."""
        environ = self._environ
        parts = urlsplit(environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        token = Path(environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
        server = Server(f"{parts.scheme}://{parts.netloc}")
        answer = server.request(
            "GET", parts.path or "/", lambda: {"Authorization": token.read_text(encoding="ascii").strip()}
        )
        if answer.status != 200:
            raise StoreError(f"the Pod Identity agent answers {answer.status}", is_fatal=True)
        found = json.loads(answer.body)
        return Credentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["Token"], _seconds(found["Expiration"])
        )


def _static(file: Path) -> Credentials:
    found = {}
    for name, *forms in _STATIC.findall(file.read_text(encoding="utf-8")):
        found[name] = next(form for form in forms if form)
    if len(found) != 2:
        raise StoreError(
            f"{file.name} of the object store's Secret has no minio.awsAccessKeyId and "
            "minio.awsSecretAccessKey on lines of their own",
            is_fatal=True,
        )
    return Credentials(found["awsAccessKeyId"], found["awsSecretAccessKey"])


def _seconds(stamp: str) -> float:
    whole = stamp.partition(".")[0].rstrip("Z")
    return datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()


def _code(body: bytes) -> str:
    """The error code in an answer of AWS; nothing else of it, for it may repeat the request."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return "it does not say why"
    return next((each.text or "" for each in root.iter() if each.tag.rpartition("}")[2] == "Code"), "unknown")


def target(path: str, query: Mapping[str, str]) -> str:
    """Path and query of a request, the query in the order and encoding that is signed."""
    return f"{path}?{_encoded(query)}" if query else path


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))


def signed(
    method: str,
    host: str,
    path: str,
    query: Mapping[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    now: datetime,
) -> dict[str, str]:
    """Headers of a request to S3. `path` is percent-encoded already."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"{method}\n{path}\n{_encoded(query)}\n{lines}\n{names}\n{digest}"
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"AWS4" + credentials.secret.encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}".encode(), hashlib.sha256)
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, SignedHeaders={names}, "
        f"Signature={signature.hexdigest()}"
    )
    return headers
