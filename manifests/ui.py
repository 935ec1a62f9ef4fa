"""The browser application: static files behind nginx (requirement CP-4)."""

from __future__ import annotations

import json
from typing import Final

from madeploy.names.addresses import UI_PORT, app_url
from madeploy.names.kubernetes import config_map
from madeploy.settings import Environment
from manifests.objects import Object, checksum
from manifests.pods import Container, checksum_annotation, config_volume, http_probe, tcp_probe
from manifests.workloads import (
    cluster_service,
    config_map_object,
    deployment,
    disruption_budget,
    service_account,
)

PORT: Final = "http"
CONFIG_FILE: Final = "config.json"
_SITE: Final = "/usr/share/nginx/html"

# Reading a page proves more than a connection; killing the pod needs no more than that it listens.
_PROBES: Final = {
    "startupProbe": tcp_probe(PORT, period_seconds=1, failure_threshold=30),
    "readinessProbe": http_probe(PORT, "/", period_seconds=5, failure_threshold=2),
    "livenessProbe": tcp_probe(PORT, period_seconds=20, failure_threshold=3),
}

# The image is made for root: it listens on port 80 and writes below two folders. Without root, a port
# below 1024 takes this sysctl, which Kubernetes counts as safe (1.22) and `restricted` allows. The
# capability NET_BIND_SERVICE would not do: processes of other users than root do not get to use it.
_SYSCTLS: Final = {"net.ipv4.ip_unprivileged_port_start": str(UI_PORT)}
_WRITABLE: Final = {"cache": "/var/cache/nginx", "run": "/run"}


def ui(environment: Environment) -> tuple[Object, ...]:
    """Deployment, Service, ConfigMap with `config.json`, ServiceAccount and disruption budget."""
    text = json.dumps({"apiBaseUrl": app_url(environment)})
    volume, mount = config_volume("config", config_map("ui"), f"{_SITE}/{CONFIG_FILE}")
    container = Container(
        probes=_PROBES,
        ports={PORT: UI_PORT},
        serves=True,
        mounts=[
            # One file among the application's own.
            mount | {"subPath": CONFIG_FILE},
            *({"name": name, "mountPath": path} for name, path in _WRITABLE.items()),
        ],
        volumes=[volume, *({"name": name, "emptyDir": {"sizeLimit": "64Mi"}} for name in _WRITABLE)],
        sysctls=_SYSCTLS,
    )
    return (
        service_account(environment, "ui"),
        config_map_object(environment, "ui", {CONFIG_FILE: text}),
        deployment(environment, "ui", container, checksum_annotation(checksum(text))),
        cluster_service(environment, "ui", PORT, UI_PORT, "http"),
        *disruption_budget(environment, "ui"),
    )
