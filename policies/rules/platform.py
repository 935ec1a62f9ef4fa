"""Requirements of the platform's own objects (facts 0, 3, 4; verified V5 to V7)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from .embedded import dotted
from .model import ALWAYS, STRICT, Resource, Violation, mapping, rule, sequence, set_rule
from .model import Path as ValuePath

_GROUP: Final = "michelangelo.api"
CLUSTER: Final = f"{_GROUP}/Cluster"
INFERENCE_SERVER: Final = f"{_GROUP}/InferenceServer"
MODEL: Final = f"{_GROUP}/Model"
REVISION: Final = f"{_GROUP}/Revision"
_REST: Final[ValuePath] = ("spec", "kubernetes", "rest")
_HOST: Final = re.compile(r"https://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)$")
_LOOPBACK: Final = re.compile(r"https://(localhost|127\.|\[::1\]|0\.0\.0\.0)")
_KEYS: Final = {"ca-data": "cadata", "client-token": "token"}
"""Suffix of a credential Secret's name and the key the platform reads in it."""


def _rest(resource: Resource) -> Mapping[str, Any]:
    return mapping(mapping(resource.spec.get("kubernetes")).get("rest"))


@rule(
    "MA585",
    "clusters-in-their-namespace",
    title="Cluster in a namespace that nobody reads",
    why="The controller manager reads clusters in ma-system only.",
    fix="Set metadata.namespace: ma-system.",
    severities=ALWAYS,
    kinds=[CLUSTER],
)
def misplaced(resource: Resource) -> Iterator[Violation]:
    if resource.namespace != "ma-system":
        yield Violation(("metadata", "namespace"), f"is in namespace {resource.namespace or '(none)'}")


@rule(
    "MA586",
    "clusters-without-labels-and-annotations",
    title="Cluster with labels or annotations",
    why="When they change, the platform stops reporting the cluster's health until the controller manager "
    "restarts.",
    fix="Remove them; put what changes on the cluster's Secrets.",
    severities=ALWAYS,
    kinds=[CLUSTER],
)
def decorated(resource: Resource) -> Iterator[Violation]:
    for key in ("labels", "annotations"):
        if resource.metadata.get(key):
            yield Violation(("metadata", key), f"has {key}")


@rule(
    "MA587",
    "cluster-addresses",
    title="Address of a cluster that the platform cannot use",
    why="Host and port are joined as they are: without https:// no token is sent, with a port or path in "
    "the host the address is not one, and loopback is the controller manager's own pod.",
    fix='Write host: https://<name or address> and port: "<number>" as text.',
    severities=ALWAYS,
    kinds=[CLUSTER],
)
def address(resource: Resource) -> Iterator[Violation]:
    host, port = _rest(resource).get("host"), _rest(resource).get("port")
    if not isinstance(host, str) or not host.startswith("https://"):
        yield Violation((*_REST, "host"), "host does not start with https://")
    elif not _HOST.match(host):
        yield Violation((*_REST, "host"), "host has more than scheme and name: a port, a path or a user")
    # In the engine the program has looked at the address; the embedded environment's clusters are loopback.
    elif resource.origin != "engine" and _LOOPBACK.match(host):
        yield Violation((*_REST, "host"), f"host {host} is the pod itself")
    if not isinstance(port, str):
        yield Violation((*_REST, "port"), "port is not text" if port is not None else "port is not set")
    elif not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        yield Violation((*_REST, "port"), "port is no number from 1 to 65535")


@set_rule(
    "MA588",
    "one-cluster-per-server",
    title="Clusters with one address among the objects",
    why="The controller manager keeps one client per host and port: the second cluster is used with the "
    "first one's credentials.",
    fix="Register each API server once.",
    severities=ALWAYS,
    kinds=[CLUSTER],
)
def shared_server(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    servers: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for resource in resources:
        rest = _rest(resource)
        if isinstance(rest.get("host"), str):
            servers[str(rest["host"]).lower().rstrip("/"), str(rest.get("port"))].append(resource)
    for (host, port), sharing in servers.items():
        for resource in sharing[1:]:
            said = f"{host}:{port} is the server of {sharing[0].subject} already"
            yield resource, Violation((*_REST, "host"), said)


def _named(cluster: Resource) -> Iterator[tuple[str, str, str]]:
    """Field, Secret's name and key of a cluster's two credentials."""
    for field, key in (("caDataTag", "cadata"), ("tokenTag", "token")):
        name = _rest(cluster).get(field)
        yield field, name if isinstance(name, str) else "", key


@set_rule(
    "MA589",
    "cluster-credentials-found",
    title="Credentials of a cluster where the platform does not look",
    why="It reads `cadata` and `token` from Secrets in `default`. A missing key reads as empty, without an "
    "error: the cluster is then used without a credential.",
    fix="Name both Secrets in the Cluster, and put them into `default` with the keys cadata and token.",
    severities=ALWAYS,
    kinds=[CLUSTER, "core/Secret", "external-secrets.io/ExternalSecret", "bitnami.com/SealedSecret"],
)
def credentials(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Violation]]:
    wanted = {
        name: key for item in resources if item.kind == CLUSTER for _, name, key in _named(item) if name
    }
    for resource in resources:
        if resource.kind == CLUSTER:
            for field, name, _ in _named(resource):
                if not name:
                    yield resource, Violation((*_REST, field), f"{field} is not set")
            continue
        name = str(resource.metadata.get("name") or "")
        by_convention = next(
            (key for suffix, key in _KEYS.items() if re.fullmatch(rf"cluster-.+-{suffix}", name)), None
        )
        key = wanted.get(name) or by_convention
        if key is None:
            continue
        if resource.namespace != "default":
            said = f"is in namespace {resource.namespace or '(none)'}, and is read in default"
            yield resource, Violation(("metadata", "namespace"), said)
        held = {
            name for section in ("data", "stringData") for name in mapping(resource.properties.get(section))
        }
        if resource.kind == "core/Secret" and held and key not in held:
            yield resource, Violation(("data",), f"has no key {key}")


_SHAPES: Final = Path(__file__).parents[2] / "madeploy" / "schemas" / "platform"
"""The platform's definitions, one a kind; the toolkit's checks read the same files."""


@cache
def _shape(kind: str, release: str) -> Mapping[str, Any]:
    """JSON Schema of a kind's `spec` as a release of the platform defines it; with an empty `release`, what
    any of them has."""
    import yaml  # Whoever only asks what rules there are does without.

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (_SHAPES / f"{kind.rpartition('/')[2].lower()}.yaml").read_bytes()
    definition = yaml.load(text, Loader=loader)["spec"]["versions"][0]
    shape: Mapping[str, Any] = definition["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return _of_release(shape, release)


def _of_release(shape: Mapping[str, Any], release: str) -> Mapping[str, Any]:
    """A schema without the fields that only other releases have (`x-releases`)."""
    made = dict(shape)
    for key in ("properties", "items", "additionalProperties"):
        inner = made.get(key)
        if key == "properties" and isinstance(inner, Mapping):
            made[key] = {
                name: _of_release(field, release)
                for name, field in inner.items()
                if not release or release in field.get("x-releases", (release,))
            }
        elif isinstance(inner, Mapping):
            made[key] = _of_release(inner, release)
    return made


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _meant(name: str, fields: Mapping[str, Any]) -> str | None:
    """The field that differs from a name in spelling only."""
    return {_folded(field): field for field in fields}.get(_folded(name))


class _Place(NamedTuple):
    """A value of an object's `spec`, and what the definition says of it."""

    path: ValuePath
    value: Any
    shape: Mapping[str, Any] | None
    """None for a field that the definition has not."""

    meant: str = ""
    """The field that differs in spelling only."""


def _places(value: Any, shape: Mapping[str, Any], path: ValuePath = ()) -> Iterator[_Place]:
    """Every value that a definition says something of, and every field that it has not. A misspelt field is
    looked into as the one that was meant."""
    fields = shape.get("properties")
    if isinstance(value, Mapping) and isinstance(fields, Mapping):
        for name, inner in value.items():
            meant = name if name in fields else _meant(str(name), fields)
            place = (*path, str(name))
            if meant != name:
                yield _Place(place, inner, None, meant or "")
            if meant is not None:
                yield from _places(inner, fields[meant], place)
    elif isinstance(value, Mapping) and isinstance(shape.get("additionalProperties"), Mapping):
        for name, inner in value.items():
            yield from _places(inner, shape["additionalProperties"], (*path, str(name)))
    elif isinstance(shape.get("items"), Mapping):
        for index, inner in enumerate(sequence(value)):
            yield from _places(inner, shape["items"], (*path, index))
    else:
        yield _Place(path, value, shape)


_SHAPED: Final = (CLUSTER, INFERENCE_SERVER, MODEL, REVISION)


@rule(
    "MA590",
    "enum-values",
    title="Value that the platform's API does not know",
    why="The API server of Kubernetes refuses the object: enums are full upper-case names.",
    fix="Write one of the accepted names.",
    severities=ALWAYS,
    kinds=_SHAPED,
)
def enums(resource: Resource) -> Iterator[Violation]:
    for place in _places(resource.properties.get("spec"), _shape(resource.kind, resource.release)):
        accepted = (place.shape or {}).get("enum")
        if accepted and str(place.value) not in accepted:
            said = f"{dotted(place.path)} is {str(place.value)[:60]!r}"
            yield Violation(("spec", *place.path), said, f"Write one of {', '.join(accepted)}.")


_INSTEAD: Final = {"replicas": "initSpec.numInstances", "modelVersion": "nothing: it has no such field"}


@rule(
    "MA591",
    "fields-that-are-kept",
    title="Field that is silently dropped",
    why="Kubernetes prunes fields that the definition has not: the object is accepted without what they say.",
    fix="Use the field's name in camelCase, as the definitions have it.",
    severities=ALWAYS,
    kinds=_SHAPED,
)
def dropped(resource: Resource) -> Iterator[Violation]:
    kind = resource.kind.rpartition("/")[2]
    for place in _places(resource.properties.get("spec"), _shape(resource.kind, resource.release)):
        if place.shape is not None:
            continue
        if place.meant:
            said, fix = f"{dotted(place.path)} is written {place.meant}", ""
        else:
            name = str(place.path[-1])
            said = f"{kind} has no field {dotted(place.path)}"
            fix = f"Write {_INSTEAD[name]}." if name in _INSTEAD else ""
        yield Violation(("spec", *place.path), said, fix)


_TRITON: Final = "BACKEND_TYPE_TRITON"
_TARGETS: Final = "Give clusterTargets, one entry for each cluster that serves: since 0.12 no other does."


@rule(
    "MA592",
    "inference-servers-complete",
    title="InferenceServer that cannot start",
    why="The controller reads initSpec.resourceSpec without asking whether it is there, and at this "
    "generation serves with Triton only.",
    fix="Give initSpec.resourceSpec with cpu and memory, and backendType: BACKEND_TYPE_TRITON.",
    severities=STRICT,
    kinds=[INFERENCE_SERVER],
)
def incomplete(resource: Resource) -> Iterator[Violation]:
    given = mapping(mapping(resource.spec.get("initSpec")).get("resourceSpec"))
    if not given:
        yield Violation(("spec", "initSpec"), "initSpec.resourceSpec is not set")
    backend = resource.spec.get("backendType")
    fields = _shape(INFERENCE_SERVER, resource.release)["properties"]
    if backend is None or (str(backend) in fields["backendType"]["enum"] and backend != _TRITON):
        yield Violation(("spec", "backendType"), f"backendType is {backend or 'not set'}")
    if "clusterTargets" in fields and not sequence(resource.spec.get("clusterTargets")):
        yield Violation(("spec", "clusterTargets"), "clusterTargets names no cluster", _TARGETS)


RULES: Final = (
    misplaced,
    decorated,
    address,
    shared_server,
    credentials,
    enums,
    dropped,
    incomplete,
)
