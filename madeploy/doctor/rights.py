"""What an update has to be allowed on a cluster: asked one by one, from the objects themselves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from madeploy.clients import reviews
from madeploy.clients.kubernetes import Kubernetes
from madeploy.doctor.checks import Seen
from madeploy.doctor.discovery import Discovery
from madeploy.doctor.site import Site
from madeploy.findings import find
from madeploy.names.kubernetes import API_GROUP, PLURALS
from madeploy.settings import CONTROL_PLANE
from manifests.secret_references import wanted_secrets

VERBS: Final = ("get", "create", "patch", "delete")
"""What pulumi-kubernetes calls for every object it has: reads, server-side applies (`patch`, and `create` for
one that is not there), deletes."""
WATCHED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Deployment": (("apps", "replicasets"), ("", "pods"), ("", "events")),
    "Service": (("discovery.k8s.io", "endpointslices"),),
}
"""What it lists and watches besides while it waits for an object of a kind."""

_PARALLEL: Final = 8


@dataclass(frozen=True, order=True)
class Right:
    """One access, in the words of a SelfSubjectAccessReview."""

    group: str
    resource: str
    verb: str
    namespace: str
    """Empty for the whole cluster."""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}{f' in {self.namespace}' if self.namespace else ''}"


def needed(site: Site, cluster: str, discovery: Discovery) -> Iterator[Right]:
    """Every right that an update needs on a cluster, those on Secrets that it makes included. A kind that is
    not served yet is asked about by the platform's own names; others are found by the check `definitions`.
    Raises ClientError."""
    for obj in site.objects[cluster]:
        namespace = obj["metadata"].get("namespace") or ""
        served = discovery.resource(obj)
        group = str(obj["apiVersion"]).rpartition("/")[0]
        plural = served.plural if served else PLURALS.get(obj["kind"]) if group == API_GROUP else None
        if plural is None:
            continue
        for verb in VERBS:
            yield Right(group, plural, verb, namespace)
        for watched_group, watched in WATCHED.get(obj["kind"], ()):
            for verb in ("list", "watch"):
                yield Right(watched_group, watched, verb, namespace)
    for secret in wanted_secrets(site.environment):
        if secret.cluster == cluster:
            for verb in VERBS:
                yield Right("", "secrets", verb, secret.namespace)
    if cluster == CONTROL_PLANE:
        # Updates wait for definitions that others make.
        for verb in ("get", "list"):
            yield Right("apiextensions.k8s.io", "customresourcedefinitions", verb, "")


def rights(site: Site, cluster: str) -> Seen:
    """Whether the kubeconfig's user has every right, all that are missing in one finding. Raises ClientError,
    and NotCheckedError without a kubeconfig."""
    client = site.client(cluster)
    asked = sorted(set(needed(site, cluster, Discovery(client))))
    with ThreadPoolExecutor(_PARALLEL) as pool:
        allowed = list(pool.map(lambda right: _is_allowed(client, right), asked))
    missing = [right for right, has in zip(asked, allowed, strict=True) if not has]
    if not missing:
        return f"all {len(asked)} rights on {cluster}, asked one by one"
    evidence = f"may not {'; may not '.join(map(str, missing))}"
    first = missing[0]
    resource = f"{first.resource}.{first.group}" if first.group else first.resource
    where = f" -n {first.namespace}" if first.namespace else ""
    look = site.kubectl(f"auth can-i {first.verb} {resource}{where}", cluster)
    fix = f"Have an administrator of the cluster give these rights; whether they are there shows:\n{look}"
    return [find("MA904", f"user of {cluster}", evidence, fix=fix)]


def _is_allowed(client: Kubernetes, right: Right) -> bool:
    attributes = {"group": right.group, "resource": right.resource, "verb": right.verb}
    if right.namespace:
        attributes["namespace"] = right.namespace
    return reviews.is_allowed(client, {"resourceAttributes": attributes})
