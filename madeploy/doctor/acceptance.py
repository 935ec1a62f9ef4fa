"""The last step of acceptance: a real job, dispatched by the platform, seen to run, cleaned up (OPS-9)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from madeploy import __version__
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clusters.remedies import steps
from madeploy.doctor.checks import Check, NotCheckedError, Seen
from madeploy.doctor.reach import server_version
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.findings.outcomes import Outcome, Report
from madeploy.names.kubernetes import API_GROUP, API_VERSION, RAY_NAMESPACE, workload

JOB_SECONDS: Final = 600.0
"""Until a cluster of Ray has to be ready: an image of 2 GB is pulled the first time."""
CLEAN_SECONDS: Final = 120.0
"""Until everything of it has to be gone: the platform looks every 10 s (facts 3.3)."""
POLL_SECONDS: Final = 2.0

AFFINITY: Final = "michelangelo/cluster-affinity"
"""Label by which the platform's scheduler takes a named cluster (facts 3.4)."""
LABEL: Final = "michelangelo.infra/acceptance"
IMAGE: Final = "rayproject/ray:2.46.0"
_HERE: Final = f"/apis/{API_GROUP}/v2/namespaces/{RAY_NAMESPACE}/rayclusters"
_THERE: Final = f"/apis/ray.io/v1/namespaces/{RAY_NAMESPACE}/rayclusters"
_HUB: Final = "control plane"
_READY: Final = "RAY_CLUSTER_STATE_READY"
_OVER: Final = ("RAY_CLUSTER_STATE_FAILED", "RAY_CLUSTER_STATE_TERMINATED")


class Jobs:
    """Jobs of one acceptance. As a context manager it takes away what is left of them when it ends, however
    that is."""

    def __init__(self, site: Site, image: str = IMAGE, seconds: float = JOB_SECONDS) -> None:
        self._site = site
        self._image = image
        self._seconds = seconds
        self._made: dict[str, str] = {}
        """Clusters by the names of jobs."""

    def __enter__(self) -> Jobs:
        return self

    def __exit__(self, *_: object) -> None:
        for name, cluster in list(self._made.items()):
            with contextlib.suppress(ClientError, NotCheckedError):
                self._clean(name, cluster)

    def checks(self) -> Iterator[Check]:
        """One job a compute cluster."""
        for cluster in self._site.environment.clusters:
            yield Check(f"job/{cluster}", "a RayCluster that runs", partial(self.run, cluster))

    def run(self, cluster: str) -> Seen:
        """Create a RayCluster for a compute cluster, wait until the platform has it running there, take it
        away on both sides. Raises ClientError."""
        hub, began = self._site.client(), time.monotonic()
        compute = self._site.client(cluster)
        self._sweep(hub, compute)
        name = f"madeploy-acceptance-{secrets.token_hex(4)}"
        self._made[name] = cluster
        seen: list[str] = []
        try:
            hub.create(_HERE, ray_cluster(name, cluster, self._image))
            trouble = self._awaited(hub, compute, name, cluster, seen)
        except ClientError as error:
            if error.cause not in ("forbidden", "invalid", "notFound"):
                raise
            trouble = f"it is refused: {error.message or error.reason}"
        taken = time.monotonic() - began
        left = self._clean(name, cluster)
        found = []
        if trouble:
            found.append(self._failed(cluster, trouble))
        if left:
            found.append(self._left(cluster, name, left))
        return found or f"RayCluster {name}: {', '.join(seen)}; ready after {taken:.0f} s, gone on both sides"

    def _awaited(self, hub: Kubernetes, compute: Kubernetes, name: str, cluster: str, seen: list[str]) -> str:
        """What stands in the way of the job; "" once it runs. Steps that came about are added to `seen`."""
        end = time.monotonic() + self._seconds
        state = ""
        while time.monotonic() < end:
            status = hub.get(f"{_HERE}/{name}").get("status") or {}
            assigned = (status.get("assignment") or {}).get("cluster")
            state = str(status.get("state") or "")
            if assigned and assigned != cluster:
                return f"it was assigned to {assigned}, although its label names {cluster}"
            if assigned and not seen:
                seen.append(f"assigned to {assigned}")
            if len(seen) == 1 and compute.find(f"{_THERE}/{name}") is not None:
                seen.append(f"created on {cluster}")
            if state in _OVER:
                return f"it ended as {state}: {_said(status)}"
            if state == _READY and len(seen) == 2:
                seen.append("ready")
                return ""
            time.sleep(POLL_SECONDS)
        stage = (
            "no cluster was assigned to it",
            "it was not created there",
            f"it is {state or 'in no state'}",
        )
        return f"{stage[min(len(seen), 2)]} after {self._seconds:g} s"

    def _clean(self, name: str, cluster: str) -> list[str]:
        """End the job as the platform does, then take away what is left; gives what stays."""
        hub, compute = self._site.client(), self._site.client(cluster)
        with contextlib.suppress(ClientError):
            ended = {"type": "TERMINATION_TYPE_SUCCEEDED", "reason": "acceptance is over"}
            hub.merge(f"{_HERE}/{name}", {"spec": {"termination": ended}})
        hub.delete(f"{_HERE}/{name}")
        # The platform may leave the object on the compute cluster (V19).
        compute.delete(f"{_THERE}/{name}")
        end = time.monotonic() + min(CLEAN_SECONDS, self._seconds)
        while True:
            left = [
                where
                for where, client, path in ((_HUB, hub, _HERE), (cluster, compute, _THERE))
                if client.find(f"{path}/{name}") is not None
            ]
            if not left:
                self._made.pop(name, None)
                return []
            if time.monotonic() >= end:
                return left
            time.sleep(min(POLL_SECONDS, 0.5))

    def _sweep(self, hub: Kubernetes, compute: Kubernetes) -> None:
        """Take away jobs of acceptances that were killed."""
        for item in hub.items(_HERE, labelSelector=f"{LABEL}=true"):
            name = item["metadata"]["name"]
            if name not in self._made:
                hub.delete(f"{_HERE}/{name}")
                compute.delete(f"{_THERE}/{name}")

    def _failed(self, cluster: str, trouble: str) -> Finding:
        site = self._site
        logs = site.kubectl(f"-n {site.namespace} logs deployment/{workload('controllermgr')}")
        fix = (
            "See what the platform says, and whether the cluster is proven:\n"
            f"{logs}\nbin/madeploy clusters verify {cluster} --stack {site.stack}\n"
            f"bin/madeploy diagnose {site.stack}"
        )
        return find("MA969", f"RayCluster on {cluster}", trouble, fix=fix)

    def _left(self, cluster: str, name: str, left: list[str]) -> Finding:
        delete = f"-n {RAY_NAMESPACE} delete --ignore-not-found"
        commands = {
            _HUB: self._site.kubectl(f"{delete} rayclusters.{API_GROUP} {name}"),
            cluster: self._site.kubectl(f"{delete} rayclusters.ray.io {name}", cluster),
        }
        fix = steps(
            "See which finalizers hold it, and let them go; then take it away:",
            *map(commands.__getitem__, left),
        )
        return find("MA999", f"RayCluster {name}", f"is still on {' and '.join(left)}", fix=fix)


def ray_cluster(name: str, cluster: str, image: str) -> Object:
    """The smallest RayCluster that runs: a head and no workers."""
    resources = {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"memory": "2Gi"}}
    container = {"name": "ray-head", "image": image, "resources": resources}
    return {
        "apiVersion": API_VERSION,
        "kind": "RayCluster",
        "metadata": {
            "name": name,
            "namespace": RAY_NAMESPACE,
            "labels": {AFFINITY: cluster, LABEL: "true"},
        },
        "spec": {
            "user": {"name": "madeploy"},
            "rayVersion": image.rpartition(":")[2],
            "head": {
                "serviceType": "ClusterIP",
                "rayStartParams": {"dashboard-host": "0.0.0.0"},
                "pod": {"spec": {"containers": [container]}},
            },
            "workers": [],
        },
    }


def joined(stack: str, reports: Mapping[str, Report], facts: Mapping[str, str]) -> Report:
    """One report of all steps, their checks named `<step>/<check>`."""
    outcomes: list[Outcome] = []
    for step, report in reports.items():
        outcomes += [
            Outcome(f"{step}/{item.check}", item.title, item.state, item.detail, item.findings, item.seconds)
            for item in report.outcomes
        ]
    first = next(iter(reports.values()))
    seconds = sum(report.seconds for report in reports.values())
    return Report("accept", stack, tuple(outcomes), facts, first.began, seconds)


def not_made(command: str, stack: str, names: Iterable[str], why: str) -> Report:
    """The report of a step that was not taken: nothing is known of what it would have shown."""
    outcomes = tuple(Outcome(name, "was not made", "notChecked", why) for name in names)
    return Report(command, stack, outcomes)


def signed_facts(site: Site, file: Path, by: str) -> dict[str, str]:
    """What a signed-off report is about: who accepts, versions, and digests of what was accepted."""
    declared = json.dumps(
        {cluster: list(objects) for cluster, objects in site.objects.items()}, sort_keys=True
    )
    facts = {
        "Accepted by": by,
        "Toolkit": __version__,
        "Release of the platform": site.environment.release.name,
        "Stack file (SHA-256)": hashlib.sha256(file.read_bytes()).hexdigest(),
        "Declared objects (SHA-256)": hashlib.sha256(declared.encode()).hexdigest(),
    }
    for cluster in site.objects:
        try:
            version = server_version(site.client(cluster))
        except (ClientError, NotCheckedError):
            version = "unknown"
        facts[f"Kubernetes of {cluster}"] = version
    return facts


def _said(status: Mapping[str, Any]) -> str:
    conditions: list[Mapping[str, Any]] = status.get("statusConditions") or []
    said = [str(item["message"]) for item in conditions if item.get("message")]
    return said[-1] if said else "it does not say why"
