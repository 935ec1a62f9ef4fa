"""Whether the names that a stack gives to its objects are free, or whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.doctor.checks import Seen
from madeploy.doctor.discovery import Discovery
from madeploy.doctor.site import Site
from madeploy.findings import Finding, Severity, find
from madeploy.names.kubernetes import common_labels

_PARALLEL: Final = 8
_HELM: Final = "meta.helm.sh/release-name"
_ARGO_CD: Final = "argocd.argoproj.io/tracking-id"
_FLUX: Final = "kustomize.toolkit.fluxcd.io/name"
_PULUMI: Final = "pulumi-kubernetes"
"""Start of the field manager's name that Pulumi's provider applies with."""
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_OF_THE_CLUSTER: Final = ("kube-controller-manager", "kube-apiserver", "kubelet", "kwok")
"""Field managers that write into everybody's objects."""


def names(site: Site, cluster: str) -> Seen:
    """Whether every declared object of a cluster is not there yet or this toolkit's. Raises ClientError."""
    client = site.client(cluster)
    discovery = Discovery(client)
    objects = site.objects[cluster]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        live = list(pool.map(lambda obj: _live(client, discovery, obj), objects))
    found = list(_judged(site, cluster, objects, live))
    there = sum(item is not None for item in live)
    return (
        found or f"{len(objects)} names on {cluster}: {there} are this stack's already, the others are free"
    )


def owner(live: Object) -> str:
    """Who made an object, by what it shows: a Helm release, a GitOps engine, labels, else field managers."""
    metadata = live["metadata"]
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    if _HELM in annotations:
        return f"Helm release {annotations.get('meta.helm.sh/release-namespace', '')}/{annotations[_HELM]}"
    if _ARGO_CD in annotations:
        return f"Argo CD ({str(annotations[_ARGO_CD]).partition(':')[0]})"
    if _FLUX in labels:
        return f"Flux ({labels[_FLUX]})"
    if labels.get(_MANAGED_BY):
        return f"{labels[_MANAGED_BY]} (label {_MANAGED_BY})"
    managers = [str(item.get("manager")) for item in metadata.get("managedFields") or ()]
    theirs = [name for name in dict.fromkeys(managers) if name not in _OF_THE_CLUSTER]
    return f"whoever works as {', '.join(theirs)}" if theirs else "nobody that can be told"


def is_ours(live: Object) -> bool:
    """Whether an object carries the labels of this toolkit's objects; a `Cluster`, which has none (V7), is
    told by who wrote its fields."""
    metadata = live["metadata"]
    labels = metadata.get("labels") or {}
    if all(labels.get(key) == value for key, value in common_labels().items()):
        return True
    managers = [str(item.get("manager")) for item in metadata.get("managedFields") or ()]
    return live.get("kind") == "Cluster" and any(name.startswith(_PULUMI) for name in managers)


def _live(client: Kubernetes, discovery: Discovery, obj: Object) -> Object | None:
    path = discovery.path(obj)
    return None if path is None else client.find(path)


def _judged(
    site: Site, cluster: str, objects: tuple[Object, ...], live: list[Object | None]
) -> Iterator[Finding]:
    for obj, there in zip(objects, live, strict=True):
        if there is None:
            continue
        kind, metadata = obj["kind"], obj["metadata"]
        where = f" -n {metadata['namespace']}" if "namespace" in metadata else ""
        subject = f"{cluster}: {kind} {metadata.get('namespace', '')}/{metadata['name']}".replace(" /", " ")
        if kind != "Cluster" and not is_ours(obj):
            # Declared without the toolkit's labels: a cluster's own object, such as an account, that gets
            # something added and belongs to nobody here.
            continue
        if kind == "Namespace" and there["metadata"].get("deletionTimestamp"):
            name = metadata["name"]
            look = site.kubectl(
                f"get namespace {name} --ignore-not-found -o jsonpath='{{.status.conditions}}'", cluster
            )
            fix = f"See what holds it, let that go, and wait until the namespace is gone:\n{look}"
            yield find("MA932", subject, "is being deleted", fix=fix)
        elif not is_ours(there):
            # A namespace may well be made before, with labels and quotas of an administrator.
            severity: Severity = "warning" if kind == "Namespace" else "error"
            look = site.kubectl(
                f"get {kind.lower()} {metadata['name']}{where} -o yaml --show-managed-fields", cluster
            )
            fix = f"See what it is; rename or remove it, or take it over on purpose (pulumi import):\n{look}"
            if kind == "Cluster":
                command = f"bin/madeploy clusters adopt {metadata['name']} --stack {site.stack}"
                fix = f"It was registered by hand; take the registration over:\n{command}"
            yield find("MA931", subject, f"belongs to {owner(there)}", fix=fix, severity=severity)
