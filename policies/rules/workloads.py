"""Pod security (Kubernetes, Pod Security Standards): fields that pods and containers need or may not have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .model import ALWAYS, STRICT, Path, Resource, Rule, Severities, Violation, mapping, sequence, texts
from .pods import WORKLOADS, Container, Pod, containers, pod

_RESTRICTED: Final = "Pod Security `restricted` refuses the pod, so that it never starts there."
_FLOATING: Final = re.compile(
    r"^(latest|main|master|edge|nightly|dev|develop|stable|canary|rolling)$|-(latest|nightly|snapshot)$"
)
_NO_API: Final = frozenset({"michelangelo-worker", "michelangelo-ui", "michelangelo-envoy"})
"""Services that never call the Kubernetes API (facts 1.1)."""

_EACH: Final = "*"
"""Step of a field's path: every item of a list."""


@dataclass(frozen=True)
class Seen:
    """A field as it stands in one pod or container."""

    value: Any
    """None where it is not there."""

    holder: Mapping[str, Any]
    """What the field is in: an item of a list, or the `spec` or container itself."""

    resource: Resource
    pod: Pod
    container: Container | None

    def security(self, field: str) -> Any:
        """A field of the container's securityContext, or of the pod's where the container says nothing."""
        own = self.container.security.get(field) if self.container else None
        return mapping(self.pod.spec.get("securityContext")).get(field) if own in (None, {}) else own


@dataclass(frozen=True)
class Field:
    """A field, and what is wrong with what it says."""

    path: Path
    """Below a container, or below the pod's `spec`."""

    wrong: Callable[[Seen], str | None]
    """What is wrong, as the rest of a sentence about the container or the pod; None when nothing is."""

    of_pod: bool = False


@dataclass(frozen=True)
class Demand:
    """A rule about fields; its words as in `Rule`."""

    code: str
    name: str
    title: str
    why: str
    fix: str
    severities: Severities
    fields: tuple[Field, ...]


def _is(accepted: Callable[[Any], bool], said: str) -> Callable[[Seen], str | None]:
    """What is said where the value is not accepted."""
    return lambda seen: None if accepted(seen.value) else said


def _never_true(said: str) -> Callable[[Seen], str | None]:
    return _is(lambda value: value is not True, said)


def _host_path(seen: Seen) -> str | None:
    there = "hostPath" in seen.holder
    return f"volume {seen.holder.get('name')} is a hostPath" if there else None


def _host_port(seen: Seen) -> str | None:
    return f"opens port {seen.value} of the node" if seen.value else None


def _added(seen: Seen) -> str | None:
    added = [name for name in texts(seen.value) if name != "NET_BIND_SERVICE"]
    return f"adds {', '.join(added)}" if added else None


def _root_user(seen: Seen) -> bool:
    user = seen.security("runAsUser")
    return user == 0 and user is not False


def _root(seen: Seen) -> str | None:
    return "runs as user 0" if _root_user(seen) else None


def _maybe_root(seen: Seen) -> str | None:
    certain = _root_user(seen) or seen.security("runAsNonRoot") is True
    return None if certain else "does not set runAsNonRoot: true"


def _unfiltered(seen: Seen) -> str | None:
    profile = mapping(seen.security("seccompProfile")).get("type")
    return None if profile in ("RuntimeDefault", "Localhost") else "has no seccomp profile"


def _token(seen: Seen) -> str | None:
    if not isinstance(seen.value, bool):
        return "automountServiceAccountToken is not set, so the token is mounted"
    if seen.value and str(seen.resource.metadata.get("name")) in _NO_API:
        return "the token is mounted, and this service never calls the Kubernetes API"
    return None


def _floating(seen: Seen) -> str | None:
    image = str(seen.value or "")
    if "@sha256:" in image or not image:
        return None
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag and not _FLOATING.search(tag):
        return None
    return f"runs {image}: " + (f"the moving tag {tag}" if tag else "no tag, which means latest")


_SECURITY: Final = "securityContext"

DEMANDS: Final = (
    Demand(
        code="MA510",
        name="no-privileged-containers",
        title="Privileged container",
        why="A privileged container owns its node, and through it every pod and secret there.",
        fix="Remove securityContext.privileged; name the capabilities that are needed instead.",
        severities=ALWAYS,
        fields=(Field((_SECURITY, "privileged"), _never_true("is privileged")),),
    ),
    Demand(
        code="MA511",
        name="no-host-namespaces",
        title="Pod in the node's own namespaces",
        why="It sees the node's network, processes or memory, past every NetworkPolicy.",
        fix="Remove hostNetwork, hostPID and hostIPC.",
        severities=ALWAYS,
        fields=(
            *(
                Field((key,), _never_true(f"{key} is true"), of_pod=True)
                for key in ("hostNetwork", "hostPID", "hostIPC")
            ),
        ),
    ),
    Demand(
        code="MA512",
        name="no-host-paths",
        title="Volume from the node's file system",
        why="Files outlive the pod, differ from node to node, and a writable one can take the node over.",
        fix="Use an emptyDir, a PersistentVolumeClaim or a projected volume. Serving with Triton needs one: "
        "suppress the rule for that object, with the reason.",
        severities=STRICT,
        fields=(Field(("volumes", _EACH, "hostPath"), _host_path, of_pod=True),),
    ),
    Demand(
        code="MA513",
        name="no-host-ports",
        title="Port opened on the node",
        why="It is reachable on the node's address, past every NetworkPolicy, and only one pod fits a node.",
        fix="Remove hostPort and reach the pod through a Service.",
        severities=STRICT,
        fields=(Field(("ports", _EACH, "hostPort"), _host_port),),
    ),
    Demand(
        code="MA514",
        name="capabilities-dropped",
        title="Linux capabilities that are not needed",
        why=f"Each one is a piece of root. {_RESTRICTED}",
        fix="Set securityContext.capabilities.drop: [ALL]; NET_BIND_SERVICE alone may be added.",
        severities=STRICT,
        fields=(
            Field(
                (_SECURITY, "capabilities"),
                _is(
                    lambda value: "ALL" in texts(mapping(value).get("drop")),
                    "does not drop ALL capabilities",
                ),
            ),
            Field((_SECURITY, "capabilities", "add"), _added),
        ),
    ),
    Demand(
        code="MA515",
        name="not-as-root",
        title="Container that may run as root",
        why=f"Whoever breaks out of it is root on the node. {_RESTRICTED}",
        fix="Set runAsNonRoot: true, and runAsUser to a number above 0 where the image's own user is root.",
        severities=STRICT,
        fields=(
            Field((_SECURITY, "runAsUser"), _root),
            Field((_SECURITY, "runAsNonRoot"), _maybe_root),
        ),
    ),
    Demand(
        code="MA516",
        name="seccomp-profile-set",
        title="System calls not filtered",
        why=f"Most ways out of a container use system calls the default profile refuses. {_RESTRICTED}",
        fix="Set securityContext.seccompProfile.type: RuntimeDefault on the pod.",
        severities=STRICT,
        fields=(Field((_SECURITY, "seccompProfile"), _unfiltered),),
    ),
    Demand(
        code="MA517",
        name="no-privilege-escalation",
        title="Process that may gain rights",
        why=f"A setuid program in the image makes root of an ordinary user. {_RESTRICTED}",
        fix="Set securityContext.allowPrivilegeEscalation: false.",
        severities=STRICT,
        fields=(
            Field(
                (_SECURITY, "allowPrivilegeEscalation"),
                _is(lambda value: value is False, "does not set allowPrivilegeEscalation: false"),
            ),
        ),
    ),
    Demand(
        code="MA518",
        name="read-only-root",
        title="Container that can change its own image's files",
        why="An intruder can leave programs behind, and what is written fills the node's disk.",
        fix="Set securityContext.readOnlyRootFilesystem: true and mount an emptyDir where it writes.",
        severities=STRICT,
        fields=(
            Field(
                (_SECURITY, "readOnlyRootFilesystem"),
                _is(lambda value: value is True, "has a writable root file system"),
            ),
        ),
    ),
    Demand(
        code="MA519",
        name="api-token-decided",
        title="Kubernetes API token that nobody asked for",
        why="Every process in the pod can call the API with it; most never need to.",
        fix="Set automountServiceAccountToken on the pod: false, or true where it calls the API. Of the "
        "platform's services API server and controller manager do.",
        severities=STRICT,
        fields=(Field(("automountServiceAccountToken",), _token, of_pod=True),),
    ),
    Demand(
        code="MA520",
        name="images-pinned",
        title="Image that changes under its name",
        why="Two pods of one Deployment can run different programs, and nothing says which ran yesterday.",
        fix="Name a version or a digest. The platform publishes `sha-<commit>` tags beside the moving "
        "`main`.",
        severities=STRICT,
        fields=(Field(("image",), _floating),),
    ),
    Demand(
        code="MA521",
        name="images-can-be-pulled",
        title="Image that is never pulled",
        why="The pod starts only on nodes that happen to have the image; on a new node it waits for ever.",
        fix="Set imagePullPolicy: IfNotPresent.",
        severities=STRICT,
        fields=(
            Field(("imagePullPolicy",), _is(lambda value: value != "Never", "has imagePullPolicy Never")),
        ),
    ),
)


def _each(
    holder: Mapping[str, Any], path: Path, place: Path
) -> Iterator[tuple[Any, Mapping[str, Any], Path]]:
    """Value, holder and place of every field at a path."""
    step, rest = path[0], path[1:]
    value = holder.get(str(step))
    if rest[:1] == (_EACH,):
        for index, item in enumerate(sequence(value)):
            if isinstance(item, Mapping):
                yield from _each(item, rest[1:], (*place, step, index))
    elif rest:
        for inner, _, where in _each(mapping(value), rest, (*place, step)):
            yield inner, holder, where
    else:
        yield value, holder, (*place, step)


def _rule(demand: Demand) -> Rule:
    """The rule that every pod, or every container, keeps a demand."""

    def check(resource: Resource) -> Iterator[Violation]:
        whole = pod(resource)
        if whole is None:
            return
        for field in demand.fields:
            for container in [None] if field.of_pod else [each for _, each in containers(resource)]:
                owner, start = (container.data, container.path) if container else (whole.spec, whole.path)
                for value, holder, place in _each(owner, field.path, start):
                    said = field.wrong(Seen(value, holder, resource, whole, container))
                    if said is not None:
                        yield Violation(place, f"{container.name} {said}" if container else said)

    words = (demand.code, demand.name, demand.title, demand.why, demand.fix, demand.severities)
    return Rule(*words, kinds=WORKLOADS, check=check)


RULES: Final = tuple(map(_rule, DEMANDS))
