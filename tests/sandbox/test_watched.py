"""What the played controllers know of a cluster costs its API server nothing while nothing changes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.sandbox.actors.cluster import View, Watched
from tests.support.http_double import Answer, http_double
from tests.support.waiting import wait

THINGS = "/apis/example.com/v1/things"


def thing(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}}


class Server:
    """An API server with one kind: its list, and the events of each watch, which then says nothing more."""

    def __init__(self) -> None:
        self.served = True
        self.listed = [thing("a", 1)]
        self.events: list[list[tuple[str, dict[str, Any]]]] = []
        self.asked: list[str] = []
        self.ends_at_once = False
        self.over = threading.Event()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        query = {key: value[0] for key, value in parse_qs(urlsplit(path).query).items()}
        self.asked.append(f"watch from {query['resourceVersion']}" if "watch" in query else "list")
        if not self.served:
            return 404, {}, b"{}"
        if "watch" not in query:
            return 200, {}, json.dumps({"metadata": {"resourceVersion": "1"}, "items": self.listed}).encode()
        if not self.events and not self.ends_at_once:
            self.over.wait(20)
        if self.over.is_set():  # followers end
            return 410, {}, b"{}"
        told = self.events.pop(0) if self.events else []
        return (
            200,
            {},
            b"".join(json.dumps({"type": kind, "object": item}).encode() + b"\n" for kind, item in told),
        )


@pytest.fixture
def server() -> Iterator[Server]:
    """The server's answers."""
    made = Server()
    yield made
    made.over.set()


def seen(watched: Watched, expected: set[str]) -> None:
    """Wait until just these things are known."""
    wait(
        lambda: {item["metadata"]["name"] for item in watched.all(THINGS)} == expected, seconds=20, pause=0.01
    )


def test_a_kind_is_listed_once_and_followed_from_there(server: Server) -> None:
    """UX-1: what comes, changes and goes is known without another list, and a stream that ended goes on."""
    server.events = [
        [("ADDED", thing("b", 2)), ("MODIFIED", thing("a", 3)), ("BOOKMARK", thing("", 9))],
        [("DELETED", thing("a", 10))],
    ]
    with http_double(server.answer) as address:
        watched = Watched(Kubernetes(f"http://{address}", urllib3.PoolManager(), {}))
        seen(watched, {"b"})
        (item,) = View(None, print, watched).all(THINGS)  # type: ignore[arg-type]
        assert item == thing("b", 2)
        wait(lambda: len(server.asked) >= 4, seconds=20, pause=0.01)
        server.over.set()
    assert server.asked[:4] == ["list", "watch from 1", "watch from 9", "watch from 10"]


def test_watches_that_end_at_once_are_not_asked_for_over_and_over(server: Server) -> None:
    """UX-1: whatever stands between closes them."""
    server.ends_at_once = True
    with http_double(server.answer) as address:
        watched = Watched(Kubernetes(f"http://{address}", urllib3.PoolManager(), {}))
        seen(watched, {"a"})
        wait(lambda: len(server.asked) >= 3, seconds=20, pause=0.01)
        time.sleep(0.3)
        server.over.set()
    assert len(server.asked) <= 4


def test_a_version_that_is_too_old_is_listed_anew(server: Server) -> None:
    """UX-1."""
    server.events = [[("ERROR", {"kind": "Status", "code": 410})]]
    with http_double(server.answer) as address:
        watched = Watched(Kubernetes(f"http://{address}", urllib3.PoolManager(), {}))
        seen(watched, {"a"})
        server.listed = [thing("c", 4)]
        seen(watched, {"c"})
        server.over.set()


def test_a_kind_that_is_not_served_is_asked_for_again_and_a_server_that_is_gone_is_an_error(
    server: Server,
) -> None:
    """UX-1, UX-3: definitions come later; the log says what does not answer."""
    server.served = False
    with http_double(server.answer) as address:
        watched = Watched(Kubernetes(f"http://{address}", urllib3.PoolManager(retries=False), {}))
        assert watched.all(THINGS) == watched.all(THINGS) == []
        server.served = True
        seen(watched, {"a"})
        server.over.set()
    gone = Watched(Kubernetes(f"http://{address}", urllib3.PoolManager(retries=False), {}))
    with pytest.raises(ClientError):
        gone.all(THINGS)
