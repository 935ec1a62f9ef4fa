"""Fetching published files over HTTP: resumed, bounded in time, and never without a checksum.

Proxies (`HTTPS_PROXY`, `NO_PROXY`) and certificate authorities (`SSL_CERT_FILE`, else the system's) are the
standard library's business.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from madeploy.sandbox.tools.cancel import Cancel
from madeploy.sandbox.tools.releases import KNOWN_SUMS, Download, GitHubDigest, Published, SumFile

PROBE_SECONDS: Final = 3.0
"""A host that has not answered by then counts as out of reach."""
SILENCE_SECONDS: Final = 15.0
"""Silence on an open connection after which it is given up."""
SLOWEST_BYTES_PER_SECOND: Final = 64 * 1024
"""Slower than that over `PACE_SECONDS`, and building is the quicker way."""
PACE_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 1.0
"""Before the second attempt; the pauses before later ones are twice as long each."""
ATTEMPTS: Final = 4
_CHUNK: Final = 256 * 1024
_TEXT_LIMIT: Final = 4 * 1024 * 1024
_NO_ANSWER: Final = "no answer in time"
_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_HEX_LENGTH: Final = {"sha256": 64, "sha1": 40}


class Refused(Exception):  # noqa: N818  an answer, not an error: what is refused is built from source
    """Why a file was not downloaded, as the end of a sentence."""


class _Broken(Exception):  # noqa: N818
    """A transfer ended early; another attempt may go on where it stopped."""


@dataclass(frozen=True)
class Sum:
    """A checksum and who says so."""

    algorithm: str
    value: str
    by: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise Refused(f"{req.host} redirects to an address without TLS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass
class Transfer:
    """Downloads of one run.

    Args:
        mirror: what stands in front of the projects' own addresses; empty for nothing.
        cancel: ends all transfers when set.
        probe_seconds, silence_seconds, pace_seconds, pause_seconds: see the constants.
    """

    mirror: str
    cancel: Cancel
    probe_seconds: float = PROBE_SECONDS
    silence_seconds: float = SILENCE_SECONDS
    pace_seconds: float = PACE_SECONDS
    pause_seconds: float = PAUSE_SECONDS
    _opener: urllib.request.OpenerDirector = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _probes: dict[str, _Probe] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._opener = urllib.request.build_opener(_SafeRedirects())

    def require_reachable(self, url: str) -> None:
        """Ask the host of `url` once in a run, whoever asks first; the others wait for the same answer.

        Raises:
            Refused: it does not answer.
        """
        parts = urlsplit(self._address(url))
        root = f"{parts.scheme}://{parts.netloc}/"
        with self._lock:
            probe = self._probes.setdefault(root, _Probe())
        with probe.lock:
            if probe.answer is None:
                probe.answer = self._probe(root)
        if probe.answer:
            raise Refused(probe.answer)

    def expected(self, download: Download) -> Sum:
        """The checksum that `download` must have: the known one, else the first published one there is.

        Raises:
            Refused: nothing vouches for the file.
        """
        if known := KNOWN_SUMS.get(download.url):
            return Sum("sha256", known, "the catalogue")
        reasons = []
        for published in download.published:
            try:
                return self._published(published, download.name)
            except Refused as refused:
                reasons.append(str(refused))
        raise Refused(f"no published checksum vouches for it: {'; '.join(reasons)}")

    def fetch(
        self, download: Download, expected: Sum, partial: Path, progressed: Callable[[int, int], None]
    ) -> None:
        """Download into the file `partial`, going on with what is there already, and check it.

        Args:
            progressed: called with the bytes that are there and, where known, of how many (else 0).

        Raises:
            Refused: with what stands in the way; `partial` stays for the next run unless it is wrong.
            Cancelled: `cancel` was set.
        """
        began_empty = not partial.exists()
        self._fetch(download, partial, progressed)
        if digest(partial, expected.algorithm) != expected.value and not began_empty:
            # What was there may have been of another file.
            partial.unlink()
            self._fetch(download, partial, progressed)
        address, found = self._address(download.url), digest(partial, expected.algorithm)
        if found != expected.value:
            partial.unlink()
            raise Refused(
                f"{address} is NOT what it should be: its {expected.algorithm} is {found}, "
                f"and {expected.by} says {expected.value}. It was thrown away; find out what stands between "
                "this machine and the project's release"
            )

    def _fetch(self, download: Download, partial: Path, progressed: Callable[[int, int], None]) -> None:
        problem = silent = ""
        for attempt in range(ATTEMPTS):
            before = _size(partial)
            if attempt:
                self.cancel.check(min(2.0 ** (attempt - 1) * self.pause_seconds, 4.0))
            try:
                return self._attempt(download, partial, progressed)
            except _Broken as broken:
                problem = str(broken)
                # One that is silent twice at the same place has cost enough.
                if problem == silent == _NO_ANSWER and _size(partial) <= before:
                    break
                silent = problem
        raise Refused(f"{self._address(download.url)}: {problem}")

    def _attempt(self, download: Download, partial: Path, progressed: Callable[[int, int], None]) -> None:
        have = _size(partial)
        request = urllib.request.Request(self._address(download.url), headers=_HEADERS)
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            with self._opener.open(request, timeout=self.silence_seconds) as response:
                start = _start(response)
                if start not in (0, have):
                    raise _Broken("the server sent another part than was asked for")
                length = response.headers.get("Content-Length", "")
                total = start + int(length) if length.isdigit() else 0
                with partial.open("r+b" if partial.exists() else "wb") as file:
                    file.seek(start)
                    file.truncate()
                    self._copy(response, file.write, start, total, progressed)
                if total and _size(partial) < total:
                    raise _Broken(f"cut off after {_size(partial)} of {total} bytes")
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 416:
                    # Either it is complete, which the checksum knows, or it is longer than the file.
                    self._settle_416(error, partial, have)
                    return
                if error.code in (408, 425, 429) or error.code >= 500:
                    raise _Broken(f"HTTP {error.code} {error.reason}") from None
            raise Refused(f"{self._address(download.url)}: HTTP {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and (error.filename or error.errno in _DISK_FULL):
                raise
            raise _Broken(said(error)) from None

    def _settle_416(self, error: urllib.error.HTTPError, partial: Path, have: int) -> None:
        size = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", "").strip())
        if size is None or int(size.group(1)) != have:
            partial.unlink()
            raise _Broken("what was there was longer than the file")

    def _copy(
        self,
        response: http.client.HTTPResponse,
        write: Callable[[bytes], object],
        start: int,
        total: int,
        progressed: Callable[[int, int], None],
    ) -> None:
        done, mark, since = start, start, time.monotonic()
        while chunk := response.read1(_CHUNK):
            self.cancel.check()
            write(chunk)
            done += len(chunk)
            progressed(done, total)
            now = time.monotonic()
            if now - since >= self.pace_seconds:
                if done - mark < SLOWEST_BYTES_PER_SECOND * (now - since):
                    raise Refused(
                        f"{urlsplit(response.url).netloc} sends less than "
                        f"{SLOWEST_BYTES_PER_SECOND // 1024} KiB a second"
                    )
                mark, since = done, now

    def _published(self, published: Published, name: str) -> Sum:
        self.require_reachable(published.url)
        text = self._text(self._address(published.url))
        by = urlsplit(self._address(published.url)).netloc
        if isinstance(published, GitHubDigest):
            value = _asset_digest(text, published.asset)
            if value is None:
                raise Refused(f"GitHub states no SHA-256 of {published.asset}")
            return Sum("sha256", value, by)
        value = listed(text, name, published)
        if value is None:
            raise Refused(f"{self._address(published.url)} names no {published.algorithm} of {name}")
        return Sum(published.algorithm, value, self._address(published.url))

    def _text(self, address: str) -> str:
        problem = ""
        for attempt in range(2):
            if attempt:
                self.cancel.check(self.pause_seconds)
            request = urllib.request.Request(address, headers=_HEADERS)
            try:
                with self._opener.open(request, timeout=self.silence_seconds) as response:
                    return str(response.read(_TEXT_LIMIT).decode("utf-8", errors="replace"))
            except urllib.error.HTTPError as error:
                with error:
                    problem = f"HTTP {error.code} {error.reason}"
                if error.code < 500:
                    break
            except (OSError, http.client.HTTPException) as error:
                problem = said(error)
        raise Refused(f"{address}: {problem}")

    def _probe(self, root: str) -> str:
        request = urllib.request.Request(root, method="HEAD", headers=_HEADERS)
        # Redirects would ask another host.
        opener = urllib.request.build_opener(_NoRedirects())
        try:
            opener.open(request, timeout=self.probe_seconds).close()
        except urllib.error.HTTPError as error:
            error.close()
        except (OSError, http.client.HTTPException) as error:
            return f"{urlsplit(root).netloc} is out of reach ({said(error)})"
        return ""

    def _address(self, url: str) -> str:
        return f"{self.mirror}/{url.removeprefix('https://')}" if self.mirror else url


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class _Probe:
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: str | None = None


# GitHub's API refuses requests without a name.
_HEADERS: Final = {"User-Agent": "madeploy", "Accept-Encoding": "identity"}


def digest(path: Path, algorithm: str) -> str:
    """The checksum of a file, in hexadecimal digits."""
    result = hashlib.new(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            result.update(chunk)
    return result.hexdigest()


def listed(text: str, name: str, file: SumFile) -> str | None:
    """The checksum of `name` in a published list, or the only one there is where no name stands beside it."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    # `*` marks binary mode; a path may stand before the name.
    values = {
        line[0].lower() for line in lines if len(line) == 2 and line[1].lstrip("*").rpartition("/")[2] == name
    }
    if len(lines) == 1 and len(lines[0]) == 1:
        values = {lines[0][0].lower()}
    # Two answers are none.
    value = values.pop() if len(values) == 1 else ""
    return value if re.fullmatch(rf"[0-9a-f]{{{_HEX_LENGTH[file.algorithm]}}}", value) else None


def _asset_digest(text: str, name: str) -> str | None:
    try:
        (asset,) = [asset for asset in json.loads(text)["assets"] if asset["name"] == name]
        match = re.fullmatch(r"sha256:([0-9a-f]{64})", asset.get("digest") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return match.group(1) if match else None


def said(error: BaseException) -> str:
    """A network error in a few words."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return _NO_ANSWER
    if isinstance(reason, socket.gaierror):
        return "its name is not known here"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {reason.verify_message}"
    if isinstance(reason, OSError):
        return (reason.strerror or str(reason)).lower()
    return str(reason) or type(reason).__name__


def _start(response: http.client.HTTPResponse) -> int:
    """Where in the file the body of an answer begins."""
    if response.status != 206:
        return 0
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match.group(1)) if match else -1


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
