"""Rules about Kueue's queues on compute clusters, and about experiment tracking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from madeploy.documents.paths import Path
from madeploy.findings.codes.code import Code
from madeploy.names.kubernetes import local_queue
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment

_SCHEDULER: Path = ("controlPlane", "controllermgr", "scheduler")


@rule(
    "MA164",
    {
        "MA478": Code(
            "Queues that nobody uses",
            "The `Cluster` says that its jobs go to Kueue; the control plane does not send them there.",
            "Once the queues are there, set controlPlane.controllermgr.scheduler to kueue.",
            "warning",
        ),
        "MA491": Code(
            "Jobs for Kueue, and no queue",
            "Jobs of clusters without queues go as before, so the setting changes nothing.",
            "Give a cluster queues (clusters.<name>.queues), or leave the scheduler at default.",
            "warning",
        ),
    },
    reads=("platform", "control_plane", "clusters"),
)
def queues_are_used_and_can_be(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-6: jobs go to Kueue when the release can, the control plane is told to, and the cluster has
    queues."""
    queued = [name for name, cluster in env.clusters.items() if cluster.queues is not None]
    chosen = env.control_plane.controllermgr.scheduler == "kueue"
    if "jobs.scheduler.backend" not in env.release.keys["controllermgr"]:
        evidence = f"the controllermgr of release {env.release.name} does not read jobs.scheduler.backend"
        if chosen:
            yield Violation("MA164", _SCHEDULER, evidence, key=True)
        for name in queued:
            yield Violation("MA164", ("clusters", name, "queues"), evidence, key=True)
        return
    for name in queued if not chosen else ():
        path: Path = ("clusters", name, "queues")
        yield Violation(
            "MA478", path, "are set, and controlPlane.controllermgr.scheduler is default", key=True
        )
    if chosen and not queued:
        yield Violation("MA491", _SCHEDULER, "is kueue, and no cluster has queues")


_LABEL: Final = 63
"""Characters of a label's value, as which Kueue reads the name of a job's queue."""


@rule(
    {
        "MA263": Code(
            "Queues that are nobody's",
            "Jobs of every project are refused on the cluster: KueueQueueNotFound.",
            "Name projects in clusters.<name>.queues.projects, or write tenants.",
            "warning",
        ),
        "MA264": Code(
            "Project with too long a name for a queue",
            "Kueue reads the name of a job's queue from a label, whose values have at most 63 characters.",
            "Choose a name of at most 60 characters.",
        ),
    },
    reads=("clusters", "tenants"),
)
def projects_have_queues(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-2, OPS-6: each tenant has a queue on every cluster with queues, under the name the platform looks
    for."""
    queued = {name: cluster.queues for name, cluster in env.clusters.items() if cluster.queues is not None}
    for name, queues in queued.items():
        path: Path = ("clusters", name, "queues")
        if not queues.projects and not env.tenants:
            yield Violation("MA263", path, "name no project, and there are no tenants")
        for number, project in enumerate(queues.projects):
            if len(local_queue(project)) > _LABEL:
                yield Violation("MA264", (*path, "projects", number), _too_long(project))
    for tenant in env.tenants if queued else ():
        if len(local_queue(tenant)) > _LABEL:
            yield Violation("MA264", ("tenants", tenant), _too_long(tenant), key=True)


def _too_long(project: str) -> str:
    queue = local_queue(project)
    return f"its queue {queue} has {len(queue)} characters"


@rule(
    {
        "MA489": Code(
            "Flavors that do not fit together",
            "Kueue refuses a ClusterQueue whose flavors do not count the same resources in the same order.",
            "Give every flavor quotas of the same resources, in the same order, and a name of its own.",
        ),
    },
    reads=("clusters",),
)
def flavors_count_the_same_resources(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-6: flavors of one group cover the same resources in the same order (Kueue, ClusterQueue)."""
    for name, cluster in env.clusters.items():
        flavors = cluster.queues.flavors if cluster.queues is not None else ()
        for number, flavor in enumerate(flavors):
            here: Path = ("clusters", name, "queues", "flavors", number)
            if list(flavor.quotas) != list(flavors[0].quotas):
                given, first = ", ".join(flavor.quotas), ", ".join(flavors[0].quotas)
                yield Violation("MA489", (*here, "quotas"), f"are {given}; the first flavor's are {first}")
            if flavor.name in [other.name for other in flavors[:number]]:
                yield Violation("MA489", (*here, "name"), f"{flavor.name} is there twice")


@rule(
    {
        "MA490": Code(
            "Experiment tracking in plaintext",
            "Parameters, metrics, and what the client signs in with, can be read and changed on the way.",
            "Use an https:// address.",
            "warning",
        ),
    },
    reads=("platform", "tracking", "clusters"),
)
def tracking_is_encrypted(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-7: parameters, metrics and whatever the client signs in with."""
    if env.platform.tier != "production":
        return
    stated = {("tracking", "uri"): env.tracking} | {
        ("clusters", name, "tracking", "uri"): cluster.tracking for name, cluster in env.clusters.items()
    }
    for path, tracking in stated.items():
        if tracking is not None and tracking.uri.startswith("http://"):
            yield Violation("MA490", path, "is plain HTTP")
