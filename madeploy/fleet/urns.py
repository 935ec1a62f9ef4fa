"""Names that the engine gives resources: which of them belong to which cluster, and to the object store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from madeploy.fleet.renames import address
from madeploy.fleet.roles import StackRole
from madeploy.names.kubernetes import API_VERSION
from madeploy.settings.environment import PROJECT

_NAMESPACE: Final = "michelangelo:index:"
_INLINE: Final = f"{_NAMESPACE}Platform${_NAMESPACE}ComputeCluster"
_SHARDED: Final = f"{_NAMESPACE}Shard${_NAMESPACE}Registration"
_TOGETHER: Final = f"{_NAMESPACE}Shard${_NAMESPACE}ComputeCluster"
_COMPONENTS: Final = (_INLINE, _SHARDED, _TOGETHER)
_PARTS: Final = (
    f"{_NAMESPACE}Platform${_NAMESPACE}ControlPlane$",
    f"{_NAMESPACE}Platform${_NAMESPACE}Gateway$",
)
_STORE: Final = f"{_NAMESPACE}Platform${_NAMESPACE}ArtifactStore"
_REGISTRATION: Final = f"kubernetes:{API_VERSION}:Cluster"
_SECRET: Final = "kubernetes:core/v1:Secret"
_PROVIDER: Final = "k8s-"
_REFERENCE: Final = "pulumi:pulumi:StackReference"


def component(role: StackRole, cluster: str, *, together: bool = False) -> str:
    """URN of the component of a cluster in the stack of an environment or a shard, of one that holds both
    halves with `together`. Leaving it out leaves out all that belongs to the cluster."""
    kind = _INLINE if role.kind == "environment" else _TOGETHER if together else _SHARDED
    return f"urn:pulumi:{role.stack}::{PROJECT}::{kind}::{cluster}"


def in_artifact_store(stack: str, kind: str, name: str) -> str:
    """URN of a resource of the object store, of type `kind`, in the stack of an environment."""
    return f"urn:pulumi:{stack}::{PROJECT}::{_STORE}${kind}::{name}"


def of_services(
    resources: Sequence[Mapping[str, Any]], services: Collection[str], kept: Collection[str]
) -> list[str]:
    """URNs of what the state of an environment's stack has of these services' parts, but for objects of the
    kinds in `kept`."""
    return [
        str(resource["urn"])
        for service in services
        for kind, resource in _of_service(resources, service)
        if kind not in kept
    ]


def images_in(resources: Sequence[Mapping[str, Any]], services: Iterable[str]) -> dict[str, str]:
    """Images of these services in the state of an environment's stack, by service; none of one that is not
    deployed."""
    found = {}
    for service in services:
        for kind, resource in _of_service(resources, service):
            if kind == "Deployment":
                pods = resource["inputs"]["spec"]["template"]["spec"]
                found[service] = str(pods["containers"][0]["image"])
    return found


def _of_service(
    resources: Iterable[Mapping[str, Any]], service: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and resource of everything in a service's part."""
    for resource in resources:
        kind, name = _split(resource["urn"])
        if kind.startswith(_PARTS) and name.startswith(f"{service}-"):
            yield kind.rpartition(":")[2], resource


def clusters_in(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Clusters that a stack's state has components of, in order."""
    found = (_split(resource["urn"]) for resource in resources)
    return [name for kind, name in found if kind in _COMPONENTS]


def are_together(resources: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a shard's state holds what compute clusters hold themselves."""
    return any(_split(resource["urn"])[0] == _TOGETHER for resource in resources)


def registered_in(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Addresses in normal form of the registrations in a stack's state, by cluster; "" for one whose address
    cannot be read."""
    found = {}
    for resource in resources:
        if resource.get("type") == _REGISTRATION:
            inputs = resource.get("inputs") or {}
            rest = ((inputs.get("spec") or {}).get("kubernetes") or {}).get("rest") or {}
            name = str((inputs.get("metadata") or {}).get("name"))
            found[name] = address(str(rest.get("host")), str(rest.get("port")))
    return found


def cluster_of(urn: str, clusters: Sequence[str]) -> str | None:
    """The cluster among `clusters` that a resource of an environment's or a shard's stack belongs to; None
    where it belongs to none. Children and provider carry the cluster's name at the start of theirs."""
    kind, name = _split(urn)
    if kind == _REFERENCE:
        return name if name in clusters else None
    if kind.startswith("pulumi:providers:"):
        wanted = name.removeprefix(_PROVIDER)
        return wanted if wanted in clusters else None
    if not kind.startswith(_COMPONENTS):
        return None
    owners = [cluster for cluster in clusters if name == cluster or name.startswith(f"{cluster}-")]
    return max(owners, key=len, default=None)


def provider_of(resource: Mapping[str, Any]) -> str | None:
    """The cluster whose provider a resource of a state has, `control-plane` among them; None where that is
    another provider. States name it by `<urn>::<id>`."""
    kind, name = _split(str(resource.get("provider") or "").rpartition("::")[0])
    return (
        name.removeprefix(_PROVIDER) if kind.endswith(":kubernetes") and name.startswith(_PROVIDER) else None
    )


def secrets_in(resources: Iterable[Mapping[str, Any]], secrets: Mapping[str, Collection[str]]) -> list[str]:
    """URNs of Secrets in a stack's state that are on clusters, by the clusters' and the Secrets' names."""
    found = []
    for resource in resources:
        if resource.get("type") == _SECRET:
            name = ((resource.get("inputs") or {}).get("metadata") or {}).get("name")
            if name in secrets.get(provider_of(resource) or "", ()):
                found.append(str(resource["urn"]))
    return found


def _split(urn: str) -> tuple[str, str]:
    """Type and name: `urn:pulumi:<stack>::<project>::<parents' types>$<type>::<name>`."""
    parts = urn.split("::", 3)
    return (parts[2], parts[3]) if len(parts) == 4 else ("", "")
