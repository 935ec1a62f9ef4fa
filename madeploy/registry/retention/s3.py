"""S3 for the CronJob: listing and deleting, with the standard library only (S3 API reference)."""

from __future__ import annotations

import base64
import hashlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from .signing import Provider, signed, target
from .terms import StoreError
from .transport import Answer, Server

_DENIED = (401, 403)


class S3:
    """An object store by its URL. Buckets are host names below it, or with `path_style` its first folder."""

    def __init__(
        self, endpoint: str, region: str, provider: Provider, path_style: bool, authority: str | None = None
    ) -> None:
        self._endpoint = urlsplit(endpoint)
        self._region = region
        self._provider = provider
        self._path_style = path_style
        self._authority = authority
        self._servers: dict[str, Server] = {}

    def pages(self, bucket: str, prefix: str, limit: int) -> Iterator[list[tuple[str, int]]]:
        """Keys that start with `prefix`, in order, with sizes in bytes (ListObjectsV2)."""
        query = {"list-type": "2", "encoding-type": "url", "prefix": prefix, "max-keys": str(limit)}
        while True:
            answer = self._request("GET", bucket, query)
            root = _parsed(answer, f"s3://{bucket}/{prefix} cannot be listed")
            page = [
                (unquote(_text(item, "Key")), int(_text(item, "Size") or 0))
                for item in _all(root, "Contents")
            ]
            if page:
                yield page
            follow = _text(root, "NextContinuationToken")
            if not follow:
                return
            query = {**query, "continuation-token": follow}

    def delete(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Delete objects; the reason by key for those that could not be (DeleteObjects, quiet)."""
        # A carriage return would be read as a line feed (XML 1.0, 2.11).
        named = "".join(f"<Object><Key>{escape(key, _ESCAPED)}</Key></Object>" for key in keys)
        body = f"<Delete><Quiet>true</Quiet>{named}</Delete>".encode()
        answer = self._request("POST", bucket, {"delete": ""}, body)
        root = _parsed(answer, f"objects of {bucket} cannot be deleted")
        return {
            _text(item, "Key"): f"{_text(item, 'Code')} {_text(item, 'Message')}".strip()
            for item in _all(root, "Error")
        }

    def _request(self, method: str, bucket: str, query: Mapping[str, str], body: bytes = b"") -> Answer:
        host, path = self._endpoint.netloc, f"/{bucket}"
        if not self._path_style:
            host, path = f"{bucket}.{host}", "/"
        url = f"{self._endpoint.scheme}://{host}"
        server = self._servers.setdefault(url, Server(url, self._authority))

        def headers() -> Mapping[str, str]:
            now = datetime.now(timezone.utc)
            found = signed(method, host, path, query, body, self._provider.current(), self._region, now)
            if body:
                checksum = hashlib.md5(body, usedforsecurity=False).digest()
                found["Content-MD5"] = base64.b64encode(checksum).decode()
            return found

        return server.request(method, target(path, query), headers, body)


_ESCAPED = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}


def _parsed(answer: Answer, what: str) -> ElementTree.Element:
    """The document of an answer. Raises StoreError: fatal where the credentials are not good enough."""
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError:
        raise StoreError(f"{what}: it answers {answer.status}", answer.status in _DENIED) from None
    if answer.status == 200 and not _local(root).endswith("Error"):
        return root
    said = f"{_text(root, 'Code')} {_text(root, 'Message')}".strip()
    raise StoreError(f"{what}: {said or answer.status}", answer.status in _DENIED)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in root if _local(each) == name]


def _text(element: ElementTree.Element, name: str) -> str:
    return next((each.text or "" for each in element if _local(each) == name), "")
