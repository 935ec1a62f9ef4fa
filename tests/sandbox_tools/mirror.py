"""A mirror of the projects' releases on the loopback interface that can also misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from madeploy.sandbox.tools.releases import RELEASES, Download, GitHubDigest, Platform, Release, SumFile
from tests.support.http_servers import HttpServer, served

Misbehaviour = Callable[[BaseHTTPRequestHandler, bytes], bool]
"""Answers a request for a body in its own way; False to have it answered properly."""


@dataclass
class Mirror:
    """What the mirror serves, by path, and what it was asked."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    odd: dict[str, Misbehaviour] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    ranges: list[str] = field(default_factory=list)

    def publish(self, release: Release, on: Platform, version: str = "") -> list[Download]:
        """Put programs that say `version` (the release's, if left out) and their checksums there."""
        downloads = list(release.downloads(on))
        for download in downloads:
            body = _body(download, version or release.version)
            self.files[path_of(download.url)] = body
            for published in download.published:
                self._vouch(published, download.name, body)
        return downloads

    def publish_all(self, on: Platform) -> None:
        """Everything there is, for one platform."""
        for release in RELEASES:
            self.publish(release, on)

    def _vouch(self, published: SumFile | GitHubDigest, name: str, body: bytes) -> None:
        path = path_of(published.url)
        if isinstance(published, GitHubDigest):
            assets = [
                {"name": f"{name}.other", "digest": None},
                {"name": name, "digest": f"sha256:{hashlib.sha256(body).hexdigest()}"},
            ]
            self.files[path] = json.dumps({"assets": assets}).encode()
        elif path.endswith(f"{name}.{published.algorithm}"):
            self.files[path] = hashlib.new(published.algorithm, body).hexdigest().encode()
        else:
            line = f"{hashlib.new(published.algorithm, body).hexdigest()}  ./{name}\n"
            other = f"{hashlib.new(published.algorithm, b'other').hexdigest()}  other-{name}\n"
            self.files[path] = other.encode() + line.encode()


def path_of(url: str) -> str:
    return url.removeprefix("https:/")


def _body(download: Download, version: str) -> bytes:
    # Some size, so that a body can be cut in the middle.
    program = f"#!/bin/sh\necho v{version}\n#{'x' * 200_000}\n".encode()
    if not any(download.programs.values()):
        return program
    buffer = io.BytesIO()
    if download.name.endswith(".zip"):
        with zipfile.ZipFile(buffer, "w") as zipped:
            for member in download.programs.values():
                zipped.writestr(member, program)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as tar:
            for member in ("README", *download.programs.values()):
                entry = tarfile.TarInfo(member)
                entry.size = len(program)
                tar.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()


@contextmanager
def serving(mirror: Mirror) -> Iterator[Mirror]:
    """Serve `mirror` on a free port until the block ends."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        ended = over

        def do_HEAD(self) -> None:
            mirror.asked[f"HEAD {self.path}"] += 1
            if odd := mirror.odd.get("HEAD"):
                odd(self, b"")
                return
            self._answer(404, b"")

        def do_GET(self) -> None:
            mirror.asked[self.path] += 1
            if "Range" in self.headers:
                mirror.ranges.append(self.headers["Range"])
            body = mirror.files.get(self.path)
            odd = mirror.odd.get(self.path)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                if odd and odd(self, body or b""):
                    self.close_connection = True
                elif body is None:
                    self._answer(404, b"not here")
                else:
                    serve(self, body)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HttpServer(("127.0.0.1", 0), Handler)
    mirror.address = f"http://127.0.0.1:{server.server_port}"
    with served(server):
        try:
            yield mirror
        finally:
            over.set()


def serve(request: BaseHTTPRequestHandler, body: bytes, until: int | None = None) -> None:
    """Serve `body` as a good server does, ranges included, but stop after `until` bytes of the answer."""
    start = 0
    if stated := request.headers.get("Range"):
        start = int(stated.removeprefix("bytes=").rstrip("-"))
    if start >= len(body) > 0 and start:
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{len(body)}")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
    request.send_header("Content-Length", str(len(body) - start))
    request.end_headers()
    request.wfile.write(body[start:][:until])


def cut(*after: int) -> Misbehaviour:
    """Cuts the first answers off after so many bytes each."""
    left = list(after)

    def misbehave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        if not left:
            return False
        serve(request, body, left.pop(0))
        return True

    return misbehave


def always_cut(after: int) -> Misbehaviour:
    def misbehave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        serve(request, body, after)
        return True

    return misbehave


def without_ranges(*after: int) -> Misbehaviour:
    """Knows no ranges, and cuts the first answers off."""
    left = list(after)

    def misbehave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        del request.headers["Range"]
        serve(request, body, left.pop(0) if left else None)
        return True

    return misbehave


def status(code: int, times: int = 1_000) -> Misbehaviour:
    left = [times]

    def misbehave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        if not left[0]:
            return False
        left[0] -= 1
        request.send_response(code)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    return misbehave


def redirect(to: str) -> Misbehaviour:
    def misbehave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    return misbehave


def silent(after: int = 0, seconds: float = 5.0) -> Misbehaviour:
    """Sends the beginning, and then nothing more."""

    def misbehave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        if after:
            serve(request, body, after)
            request.wfile.flush()
        request.ended.wait(seconds)  # type: ignore[attr-defined]
        return True

    return misbehave


def trickle(chunk: int, pause: float) -> Misbehaviour:
    def misbehave(request: BaseHTTPRequestHandler, body: bytes) -> bool:
        serve(request, body, 0)
        for start in range(0, len(body), chunk):
            request.wfile.write(body[start : start + chunk])
            request.wfile.flush()
            time.sleep(pause)
        return True

    return misbehave
