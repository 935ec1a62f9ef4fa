"""A look at a running environment before it goes to another release: what it holds, and what stands in the
way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clusters.checks.identity import cluster_uid
from madeploy.errors import ToolkitError
from madeploy.findings import Finding
from madeploy.progress import phase
from madeploy.releases import Release
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import StackAccess
from madeploy.upgrade import dump, obstacles
from manifests.definitions import DEFINITIONS, platform


@dataclass(frozen=True)
class Look:
    """State of a running environment before an upgrade."""

    objects: list[dict[str, Any]]
    """Every object of the platform's API."""

    control_plane: str
    """Identity of the control plane."""

    is_taken_over: bool
    """Whether the release's API server has run there: its definitions are there, and there is no way back."""

    findings: tuple[Finding, ...]


def look(access: StackAccess, release: Release) -> Look:
    """Look at the control plane and every compute cluster. Raises ToolkitError when the control plane does
    not answer; a compute cluster that does not is a finding."""
    try:
        with phase("reading the control plane"):
            client = access.client(CONTROL_PLANE)
            found = dump.objects(client)
            identity = cluster_uid(client)
            is_taken_over = not platform(release).missing(client.items(DEFINITIONS))
    except ClientError as error:
        raise ToolkitError(
            f"the control plane of {access.name} does not answer", str(error), "Run it again."
        ) from None
    findings = [*_of_clusters(access, release)]
    if not is_taken_over:
        findings += obstacles.of_environment(access.environment, release)
        findings += obstacles.of_objects(found, access.environment, release)
    return Look(found, identity, is_taken_over, tuple(findings))


def _of_clusters(access: StackAccess, release: Release) -> Iterator[Finding]:
    for cluster, entry in sorted(access.environment.clusters.items()):
        with phase(f"reading {cluster}"):
            client = None if cluster in access.unusable else access.client(cluster)
            installs = entry.operators.kube_ray == "install"
            yield from obstacles.of_cluster(cluster, client, release, installs=installs)
