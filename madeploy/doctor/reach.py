"""Whether a cluster answers, takes the kubeconfig's credential, and is of a version that is supported."""

from __future__ import annotations

import re
from typing import Final

from madeploy.clients import reviews
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.failures import administrator_finding
from madeploy.doctor.checks import Seen
from madeploy.doctor.site import Site
from madeploy.errors import ToolkitError
from madeploy.findings import find

OLDEST: Final = (1, 30)
"""Oldest minor of Kubernetes: graceful shutdown uses the `sleep` hook (docs/known-limits.md)."""


def reach(site: Site, cluster: str) -> Seen:
    """Whether an API server answers to its administrator, and its version."""
    try:
        client = site.connect(cluster)
        user = reviews.user(client)
        version = str(client.get("/version").get("gitVersion") or "")
    except ClientError as error:
        return [administrator_finding(error, cluster)]
    except ToolkitError as error:
        return [find("MA402", cluster, " ".join(f"{error.what}: {error.why}".split()), fix=error.fix)]
    if (found := re.match(r"v?(\d+)\.(\d+)", version)) and (int(found[1]), int(found[2])) < OLDEST:
        evidence = f"runs Kubernetes {version}; {OLDEST[0]}.{OLDEST[1]} is the oldest"
        return [find("MA905", cluster, evidence)]
    return f"{client.server} is Kubernetes {version.removeprefix('v')}, and takes the credential for {user}"


def server_version(client: Kubernetes) -> str:
    """Version of an API server, such as `1.34.1`. Raises ClientError."""
    return str(client.get("/version").get("gitVersion") or "").removeprefix("v")
