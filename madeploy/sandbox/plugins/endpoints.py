"""Which servers the sandbox's provider plugins may talk to: `endpoints.json` in its state directory.

The environment writes it when its servers have their ports; a plugin refuses every other address. The plugins
stand in for tools that change production, so the list is the line between the two.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

STATE_VARIABLE = "MADEPLOY_SANDBOX_STATE"
"""The environment variable that names the state directory of the sandbox a plugin serves."""
FILE_NAME = "endpoints.json"


class EndpointError(Exception):
    """A plugin was asked to talk to a server that is not the sandbox's."""


@dataclass(frozen=True)
class Endpoints:
    """Base URLs of the sandbox's own servers.

    Args:
        clusters: API servers, as `https://127.0.0.1:PORT`. One that is down may be listed.
        aws: the AWS emulation, as `http://127.0.0.1:PORT`, or `None` where there is none.
    """

    clusters: tuple[str, ...]
    aws: str | None

    def require_cluster(self, url: str) -> None:
        """Raises EndpointError: `url` is not an API server of this sandbox."""
        if _authority(url) not in {_authority(known) for known in self.clusters}:
            raise EndpointError(
                f"{_shown(url)} is not a cluster of this sandbox ({_listed(self.clusters)}). The offline "
                "stand-in for pulumi-kubernetes serves the sandbox only; install the official plugin for "
                "other clusters."
            )

    def require_aws(self, url: str | None) -> None:
        """Raises EndpointError: `url` is not this sandbox's AWS emulation."""
        if url is None or self.aws is None or _authority(url) != _authority(self.aws):
            raise EndpointError(
                f"{_shown(url) if url else 'AWS itself'} is not the AWS emulation of this sandbox "
                f"({self.aws or 'it has none'}). The offline stand-in for pulumi-aws serves the sandbox "
                "only; install the official plugin for real accounts, or set AWS_ENDPOINT_URL as "
                "`sandbox env` prints it."
            )


def write(state_dir: Path, clusters: Sequence[str], aws: str | None) -> None:
    """Record the servers of the sandbox whose state is `state_dir`, replacing what was recorded before.

    Raises:
        ValueError: an address is not on this machine's loopback interface.
    """
    for url in (*clusters, *([aws] if aws else [])):
        if not _is_loopback(url):
            raise ValueError(f"{_shown(url)} is not a loopback address with a port")
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = state_dir / f".{FILE_NAME}.{os.getpid()}"
    temporary.write_text(
        json.dumps({"clusters": list(clusters), "aws": aws}, indent=2) + "\n", encoding="utf-8"
    )
    temporary.replace(state_dir / FILE_NAME)


def read(state_dir: Path) -> Endpoints:
    """The servers recorded in `state_dir`.

    Raises:
        EndpointError: nothing is recorded there, or it cannot be read.
    """
    path = state_dir / FILE_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        endpoints = Endpoints(clusters=tuple(map(str, data["clusters"])), aws=data["aws"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EndpointError(
            f"no sandbox is recorded in {state_dir} ({type(error).__name__}). "
            "Start it with `madeploy sandbox up`."
        ) from None
    strangers = [url for url in (*endpoints.clusters, endpoints.aws) if url and not _is_loopback(url)]
    if strangers:
        raise EndpointError(
            f"{path} lists {_listed(strangers)}, which is not on this machine. Delete the file."
        )
    return endpoints


def of_environment(environ: Mapping[str, str]) -> Endpoints:
    """The servers of the sandbox this process was started for.

    Raises:
        EndpointError: the process was not started for a sandbox.
    """
    state_dir = environ.get(STATE_VARIABLE)
    if not state_dir:
        raise EndpointError(
            f"this provider plugin is an offline stand-in for the sandbox, and {STATE_VARIABLE} is not set. "
            "Run Pulumi in the environment that `madeploy sandbox env` prints, or take the stand-in off PATH."
        )
    return read(Path(state_dir))


def _authority(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return parts.scheme.lower(), "127.0.0.1" if host == "localhost" else host, parts.port


def _is_loopback(url: str) -> bool:
    try:
        _, host, port = _authority(url)
        return port is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(url: str) -> str:
    """`url` without what could be a credential in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"


def _listed(urls: Sequence[str]) -> str:
    return ", ".join(map(_shown, urls)) or "none"
