"""A real Prometheus on loopback, asked through its API."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import promtool
from tests.support.ports import free_port

WAIT_SECONDS = 120.0


class Prometheus:
    """One that runs, at this address."""

    def __init__(self, address: str, log: Path) -> None:
        self._address = address
        self._log = log

    def ask(self, path: str, **query: str) -> Any:
        """The data of an answer to `/api/v1/<path>`."""
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)["data"]

    def value(self, query: str) -> list[dict[str, Any]]:
        """Samples of a query now."""
        found: list[dict[str, Any]] = self.ask("query", query=query)["result"]
        return found

    def until(self, happened: Callable[[], Any]) -> Any:
        """Wait for something that is true, and give it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            with contextlib.suppress(OSError):
                if found := happened():
                    return found
            assert time.monotonic() < deadline, self._log.read_text(encoding="utf-8")[-3000:]
            time.sleep(0.2)


def _remembered(past: str, directory: Path) -> None:
    """Let samples of the past, in OpenMetrics, stand in its store."""
    file = directory / "past"
    file.write_text(past, encoding="utf-8")
    right, said = promtool.run("tsdb", "create-blocks-from", "openmetrics", file, directory / "data")
    assert right, said


@contextlib.contextmanager
def running(config: Mapping[str, Any], rules: str, past: str, directory: Path) -> Iterator[Prometheus]:
    """Start it with a configuration, a file of rules and samples of the past. Skipped where it is not
    installed."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed; Debian and Ubuntu have it: apt-get install prometheus")
    _remembered(past, directory)
    (directory / "rules.yaml").write_text(rules, encoding="utf-8")
    path, log, address = directory / "prometheus.yaml", directory / "log", f"127.0.0.1:{free_port()}"
    path.write_text(yaml.safe_dump({**config, "rule_files": ["rules.yaml"]}), encoding="utf-8")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={path}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
        try:
            yield Prometheus(address, log)
        finally:
            process.terminate()
            process.wait()
