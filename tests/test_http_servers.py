"""Servers of tests go on whatever their callers do."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer

TESTS = Path(__file__).resolve().parent


def test_a_server_waits_for_no_caller_that_is_gone_again() -> None:
    """UX-2: a file of tests once stood still at its end, and all of its process with it."""
    with HttpServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server, pytest.raises(TimeoutError):
        server.get_request()


def test_every_server_is_such_a_server() -> None:
    """UX-2."""
    made = re.compile(r"\b(Threading)?(HTTP|TCP)Server\b")
    shared = TESTS / "support" / "http_servers.py"
    files = [path for path in TESTS.rglob("*.py") if path not in (shared, Path(__file__))]
    assert [path.name for path in files if made.search(path.read_text(encoding="utf-8"))] == []
