"""Declared objects against live ones, as the API server itself compares them.

A server-side apply in a dry run says what an update would change: with the server's own defaults, and through
its admission, so that neither counts as a difference. What others added stands in `managedFields`: no update
looks at it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any, Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.doctor import field_sets
from madeploy.doctor.checks import NotCheckedError, Seen
from madeploy.doctor.discovery import Discovery
from madeploy.doctor.site import Site
from madeploy.documents.redaction import is_secret_key, masked_words
from madeploy.findings import Finding, find
from manifests.secret_references import wanted_secrets

Added = tuple[str, tuple[field_sets.Path, ...]]
"""A field manager, and the fields that it wrote."""

_PARALLEL: Final = 8
_MANAGER: Final = "madeploy-verify"
_OWN: Final = ("pulumi-kubernetes", "madeploy", "argocd", "kustomize-controller", "flux")
"""Starts of the names of field managers that deploy."""
_OF_THE_CLUSTER: Final = (
    "kube-controller-manager",
    "kube-apiserver",
    "kube-scheduler",
    "cert-manager",
    "nginx-ingress-controller",
    "controllermgr",
    "apiserver",
    "app",
    "manager",
)
"""Starts of the names of field managers that work on everybody's objects."""
_EPHEMERAL: Final = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
_LONGEST: Final = 80
"""Characters of a value that are shown."""


def objects(site: Site, cluster: str) -> Seen:
    """Whether every declared object of a cluster is there as declared. Raises ClientError."""
    client = site.client(cluster)
    discovery = Discovery(client)
    declared = site.objects[cluster]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        compared = list(
            pool.map(lambda obj: list(_compared(site, cluster, client, discovery, obj)), declared)
        )
    found = [finding for findings in compared for finding in findings]
    found += _secrets(site, cluster, client)
    return found or f"{len(declared)} objects on {cluster} are there as declared"


def _compared(
    site: Site, cluster: str, client: Kubernetes, discovery: Discovery, obj: Object
) -> Iterator[Finding]:
    subject, where = _named(cluster, obj), _typed(obj)
    path = discovery.path(obj)
    live = None if path is None else client.find(path)
    if path is None or live is None:
        yield find("MA936", subject, "is not there", fix=f"Make it again:\n{site.up}")
        return
    if live["metadata"].get("deletionTimestamp"):
        look = site.kubectl(f"get {where} --ignore-not-found -o jsonpath='{{.metadata.finalizers}}'", cluster)
        fix = f"See which finalizers hold it; make it again once it is gone:\n{look}\n{site.up}"
        yield find("MA939", subject, "is being deleted", fix=fix)
        return
    try:
        applied = client.apply(path, obj, _MANAGER, force=True, dry_run=True)
    except ClientError as error:
        if error.is_unreachable or error.cause in ("unauthorized", "throttled", "server"):
            raise
        # An update would be refused alike: an immutable field was changed, or a webhook takes no dry runs.
        if "does not support dry run" in error.message:
            raise NotCheckedError(f"{subject}: an admission webhook takes no dry runs") from None
        yield find("MA934", subject, f"an update would be refused: {error.message or error.reason}")
        return
    changed = sorted(_differences(_plain(live), _plain(applied)))
    if changed:
        shown = "; ".join(changed[:4]) + (f"; and {len(changed) - 4} more" if len(changed) > 4 else "")
        yield find("MA937", subject, shown, fix=f"Put it into the stack file, or undo it:\n{site.take_back}")
    # By what the dry run leaves to others: fields it would take back are differences already.
    declared = _declared(applied)
    added = _added(applied, declared)
    if added:
        look = site.kubectl(f"get {where} -o yaml --show-managed-fields", cluster)
        fix = (
            "Put what is needed into the stack file; see what was added, and take it away:\n"
            f"{look}\n{_removal(site, cluster, where, field_sets.places(_paths(added), declared, live))}"
        )
        yield find("MA938", subject, "; ".join(map(_told, added)), fix=fix)


def _secrets(site: Site, cluster: str, client: Kubernetes) -> Iterator[Finding]:
    """Secrets that the engine makes: that they are there and hold something. No value is looked at."""
    for secret in wanted_secrets(site.environment):
        if secret.cluster != cluster:
            continue
        live = client.find(f"/api/v1/namespaces/{secret.namespace}/secrets/{secret.name}")
        subject = f"{cluster}: Secret {secret.namespace}/{secret.name}"
        lacking = [key for key in secret.keys if not ((live or {}).get("data") or {}).get(key)]
        if live is None:
            yield find("MA936", subject, f"is not there ({secret.meaning})", fix=f"Make it again:\n{site.up}")
        elif lacking:
            evidence = f"has nothing under {', '.join(lacking)} ({secret.meaning})"
            yield find("MA937", subject, evidence, fix=f"Write it again:\n{site.take_back}")


def _named(cluster: str, obj: Object) -> str:
    metadata = obj["metadata"]
    where = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{cluster}: {obj['kind']} {where}{metadata['name']}"


def _typed(obj: Object) -> str:
    """An object as kubectl is told of it."""
    metadata = obj["metadata"]
    group = str(obj["apiVersion"]).rpartition("/")[0]
    kind = f"{obj['kind']}.{group}" if group else obj["kind"]
    where = f" -n {metadata['namespace']}" if "namespace" in metadata else ""
    return f"{kind.lower()} {metadata['name']}{where}"


def _plain(obj: Object) -> Object:
    """An object without what every write changes."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _EPHEMERAL}
    return {key: value for key, value in obj.items() if key != "status"} | {"metadata": metadata}


def _differences(live: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Fields in which a live object differs, such as `spec.replicas is 1, not 2`."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        # An environment variable's name tells of its value.
        hidden = "value" if any(is_secret_key(str(each.get("name"))) for each in (live, wanted)) else None
        for key in {*live, *wanted}:
            here = f"{path}.{key}" if path else str(key)
            if key == hidden and live.get(key) != wanted.get(key):
                yield f"{here} is another value"
            else:
                yield from _differences(live.get(key), wanted.get(key), here)
    elif isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for number, (one, other) in enumerate(zip(live, wanted, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif live != wanted:
        if is_secret_key(path.rpartition(".")[2]):
            yield f"{path} is another value"
        elif isinstance(live, str) and isinstance(wanted, str) and "\n" in live + wanted:
            yield f"{path}, {_first_difference(live.splitlines(), wanted.splitlines())}"
        else:
            yield f"{path} is {_shown(live)}, not {_shown(wanted)}"


def _first_difference(live: list[str], wanted: list[str]) -> str:
    """Where two texts begin to differ, such as `line 3 is port: 1, not port: 2`."""
    pairs = enumerate(zip_longest(live, wanted), start=1)
    # Texts may also differ in how their last line ends.
    number, lines = next((pair for pair in pairs if pair[1][0] != pair[1][1]), (len(live), (None, None)))
    # A line without a name of its own may be part of a value whose name stands above it, which tells secrets.
    named = all(line is None or ":" in line for line in lines)
    if lines == (None, None) or not named:
        return f"line {number} is another"
    return f"line {number} is {_shown(lines[0])}, not {_shown(lines[1])}"


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    # Masked as a whole: half of a secret is one.
    text = masked_words(str(value)) if isinstance(value, (str, int, float, bool)) else type(value).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _declared(applied: Object) -> set[field_sets.Path]:
    """Fields that the dry run applied."""
    managed = applied["metadata"].get("managedFields") or ()
    own = [entry.get("fieldsV1") or {} for entry in managed if entry.get("manager") == _MANAGER]
    return {path for fields in own for path in field_sets.leaves(fields)}


def _added(applied: Object, declared: set[field_sets.Path]) -> list[Added]:
    """Fields of an object that people or other programs wrote and nobody declares, by manager."""
    found = []
    for entry in applied["metadata"].get("managedFields") or ():
        manager = str(entry.get("manager"))
        if entry.get("subresource") or manager.startswith(_OWN) or manager.startswith(_OF_THE_CLUSTER):
            continue
        fields = tuple(sorted(set(field_sets.leaves(entry.get("fieldsV1") or {})) - declared))
        if fields:
            found.append((manager, fields))
    return sorted(found)


def _told(added: Added) -> str:
    manager, fields = added
    more = f" and {len(fields) - 3} more" if len(fields) > 3 else ""
    return f"{manager} wrote {', '.join(map(field_sets.name, fields[:3]))}{more}"


def _paths(added: list[Added]) -> set[field_sets.Path]:
    return {path for _, fields in added for path in fields}


def _removal(site: Site, cluster: str, where: str, places: list[str]) -> str:
    """The command that takes fields away."""
    patch = json.dumps([{"op": "remove", "path": place} for place in places])
    return site.kubectl(f"patch {where} --type=json -p {shlex.quote(patch)}", cluster)
