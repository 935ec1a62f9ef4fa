"""Requests of the CronJob: one kept connection a server, bounded retries, failures as StoreError."""

from __future__ import annotations

import http.client
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .terms import StoreError

ATTEMPTS = 5
SECONDS = 30.0
"""How long a server may be silent."""

_LONGEST_PAUSE = 10.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes


class Server:
    """One server by its URL (`https://host[:port]`). Every request it is given may be repeated."""

    def __init__(self, url: str, authority: str | None = None) -> None:
        """`authority` is a file with certificates that are trusted besides the system's."""
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.host = parts.netloc
        self._name = parts.hostname or ""
        self._port = parts.port
        self._context = None
        if parts.scheme == "https":
            self._context = ssl.create_default_context()
            if authority is not None:
                self._context.load_verify_locations(authority)
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self, method: str, target: str, headers: Callable[[], Mapping[str, str]], body: bytes = b""
    ) -> Answer:
        """One request; `headers` is asked anew for each attempt, because tokens and signatures age.

        Busy servers (429, 5xx) and lost connections are tried again; raises StoreError, fatal, when that
        does not help.
        """
        trouble = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(min(0.25 * 2**attempt * random.uniform(0.5, 1.5), _LONGEST_PAUSE))
            try:
                answer = self._once(method, target, headers(), body)
            except (OSError, http.client.HTTPException) as error:
                self._close()
                trouble = f"{type(error).__name__}: {error}"
                continue
            if answer.status != 429 and answer.status < 500:
                return answer
            trouble = f"it answers {answer.status}"
        raise StoreError(f"{self.url} cannot be used: {trouble}", is_fatal=True)

    def _once(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if self._connection is None:
            self._connection = (
                http.client.HTTPConnection(self._name, self._port, timeout=SECONDS)
                if self._context is None
                else http.client.HTTPSConnection(
                    self._name, self._port, timeout=SECONDS, context=self._context
                )
            )
        self._connection.request(method, target, body=body or None, headers=dict(headers))
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read())

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
