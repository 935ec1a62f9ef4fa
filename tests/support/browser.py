"""A headless Chromium, driven by its DevTools protocol over a pipe (Chromium, `--remote-debugging-pipe`)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

LIMIT_SECONDS = 120.0


def program() -> str | None:
    """Path of a Chromium on this machine; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Browser:
    """One page of a browser with cookies of its own."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._read = 0, b""
        self._session: str | None = None
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command to the page."""
        return self._call(method, parameters)

    def go(self, url: str) -> None:
        """Go to a URL and wait until a page is there, redirects included."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState == 'complete' && location.href != 'about:blank'")

    def evaluate(self, script: str) -> Any:
        """Value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true in whatever page is there then."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not self.evaluate(script):
            assert time.monotonic() < deadline, (
                f"{script}: {self.evaluate('document.documentElement.outerHTML')}"
            )
            time.sleep(0.05)

    def cookies(self) -> list[dict[str, Any]]:
        """Every cookie there is, of all hosts."""
        found: list[dict[str, Any]] = self.call("Storage.getCookies")["cookies"]
        return found

    def picture(self, file: Path) -> None:
        """What a person sees, as PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": dict(parameters)}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            answer = json.loads(self._next(deadline))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self, deadline: float) -> bytes:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            self._read += os.read(self._answers, 1 << 20)
        message, _, self._read = self._read.partition(b"\0")
        return message


@contextlib.contextmanager
def browsing(
    path: str, directory: Path, hosts: Mapping[str, int], certificates: list[bytes]
) -> Iterator[Browser]:
    """Start a browser that finds port 443 of these hosts on ports of this machine, and no other host, and
    takes these certificates besides the well-known authorities'."""
    mapped = ", ".join(f"MAP {host}:443 127.0.0.1:{port}" for host, port in hosts.items())
    pins = ",".join(_pin(pem) for pem in certificates)
    commands_out, commands_in = os.pipe()
    answers_out, answers_in = os.pipe()

    def hand_over() -> None:
        os.dup2(os.dup(commands_out), 3)
        os.dup2(answers_in, 4)

    arguments = [
        path,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-dev-shm-usage",
        "--window-size=900,600",
        f"--user-data-dir={directory}",
        f"--host-resolver-rules={mapped}, MAP * ~NOTFOUND",
        f"--ignore-certificate-errors-spki-list={pins}",
        "--remote-debugging-pipe",
    ]
    with (directory.parent / "browser.log").open("wb") as log:
        process = subprocess.Popen(arguments, preexec_fn=hand_over, close_fds=False, stdout=log, stderr=log)
        try:
            yield Browser(commands_in, answers_out)
        finally:
            process.terminate()
            process.wait(timeout=60)
            for descriptor in (commands_out, commands_in, answers_out, answers_in):
                os.close(descriptor)


def _pin(pem: bytes) -> str:
    key = x509.load_pem_x509_certificate(pem).public_key()
    form = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(form).digest()).decode()
