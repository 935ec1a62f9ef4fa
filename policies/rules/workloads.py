"""What a pod may do to the node it runs on (Kubernetes, Pod Security Standards)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .model import ALWAYS, STRICT, Resource, Violation, mapping, mappings, rule, texts
from .pods import WORKLOADS, containers, pod

_RESTRICTED: Final = "Pod Security `restricted` refuses the pod, so that it never starts there."
_FLOATING: Final = re.compile(
    r"^(latest|main|master|edge|nightly|dev|develop|stable|canary|rolling)$|-(latest|nightly|snapshot)$"
)
_NO_API: Final = frozenset({"michelangelo-worker", "michelangelo-ui", "michelangelo-envoy"})
"""Services that never call the Kubernetes API (facts 1.1)."""


@rule(
    "MA510",
    "no-privileged-containers",
    title="Privileged container",
    why="A privileged container owns its node, and through it every pod and secret there.",
    fix="Remove securityContext.privileged; name the capabilities that are needed instead.",
    severities=ALWAYS,
    kinds=WORKLOADS,
)
def privileged(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        if container.security.get("privileged") is True:
            path = (*container.path, "securityContext", "privileged")
            yield Violation(path, f"{container.name} is privileged")


@rule(
    "MA511",
    "no-host-namespaces",
    title="Pod in the node's own namespaces",
    why="It sees the node's network, processes or memory, past every NetworkPolicy.",
    fix="Remove hostNetwork, hostPID and hostIPC.",
    severities=ALWAYS,
    kinds=WORKLOADS,
)
def host_namespaces(resource: Resource) -> Iterator[Violation]:
    found = pod(resource)
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if found and found.spec.get(key) is True:
            yield Violation((*found.path, key), f"{key} is true")


@rule(
    "MA512",
    "no-host-paths",
    title="Volume from the node's file system",
    why="Files outlive the pod, differ from node to node, and a writable one can take the node over.",
    fix="Use an emptyDir, a PersistentVolumeClaim or a projected volume. Serving with Triton needs one: "
    "suppress the rule for that object, with the reason.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def host_paths(resource: Resource) -> Iterator[Violation]:
    found = pod(resource)
    if found is None:
        return
    for volume, path in mappings(found.spec.get("volumes"), (*found.path, "volumes")):
        if "hostPath" in volume:
            yield Violation((*path, "hostPath"), f"volume {volume.get('name')} is a hostPath")


@rule(
    "MA513",
    "no-host-ports",
    title="Port opened on the node",
    why="It is reachable on the node's address, past every NetworkPolicy, and only one pod fits a node.",
    fix="Remove hostPort and reach the pod through a Service.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def host_ports(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        for port, path in mappings(container.data.get("ports"), (*container.path, "ports")):
            if port.get("hostPort"):
                yield Violation(
                    (*path, "hostPort"), f"{container.name} opens port {port['hostPort']} of the node"
                )


@rule(
    "MA514",
    "capabilities-dropped",
    title="Linux capabilities that are not needed",
    why=f"Each one is a piece of root. {_RESTRICTED}",
    fix="Set securityContext.capabilities.drop: [ALL]; NET_BIND_SERVICE alone may be added.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def capabilities(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        given = mapping(container.security.get("capabilities"))
        path = (*container.path, "securityContext", "capabilities")
        if "ALL" not in texts(given.get("drop")):
            yield Violation(path, f"{container.name} does not drop ALL capabilities")
        added = [name for name in texts(given.get("add")) if name != "NET_BIND_SERVICE"]
        if added:
            yield Violation((*path, "add"), f"{container.name} adds {', '.join(added)}")


@rule(
    "MA515",
    "not-as-root",
    title="Container that may run as root",
    why=f"Whoever breaks out of it is root on the node. {_RESTRICTED}",
    fix="Set runAsNonRoot: true, and runAsUser to a number above 0 where the image's own user is root.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def as_root(resource: Resource) -> Iterator[Violation]:
    for found, container in containers(resource):
        general = mapping(found.spec.get("securityContext"))
        path = (*container.path, "securityContext")
        user = container.security.get("runAsUser", general.get("runAsUser"))
        if user == 0 and user is not False:
            yield Violation((*path, "runAsUser"), f"{container.name} runs as user 0")
        elif container.security.get("runAsNonRoot", general.get("runAsNonRoot")) is not True:
            yield Violation((*path, "runAsNonRoot"), f"{container.name} does not set runAsNonRoot: true")


@rule(
    "MA516",
    "seccomp-profile-set",
    title="System calls not filtered",
    why=f"Most ways out of a container use system calls the default profile refuses. {_RESTRICTED}",
    fix="Set securityContext.seccompProfile.type: RuntimeDefault on the pod.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def seccomp(resource: Resource) -> Iterator[Violation]:
    for found, container in containers(resource):
        general = mapping(mapping(found.spec.get("securityContext")).get("seccompProfile"))
        profile = mapping(container.security.get("seccompProfile")) or general
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            path = (*container.path, "securityContext", "seccompProfile")
            yield Violation(path, f"{container.name} has no seccomp profile")


@rule(
    "MA517",
    "no-privilege-escalation",
    title="Process that may gain rights",
    why=f"A setuid program in the image makes root of an ordinary user. {_RESTRICTED}",
    fix="Set securityContext.allowPrivilegeEscalation: false.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def escalation(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        if container.security.get("allowPrivilegeEscalation") is not False:
            path = (*container.path, "securityContext", "allowPrivilegeEscalation")
            yield Violation(path, f"{container.name} does not set allowPrivilegeEscalation: false")


@rule(
    "MA518",
    "read-only-root",
    title="Container that can change its own image's files",
    why="An intruder can leave programs behind, and what is written fills the node's disk.",
    fix="Set securityContext.readOnlyRootFilesystem: true and mount an emptyDir where it writes.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def read_only_root(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        if container.security.get("readOnlyRootFilesystem") is not True:
            path = (*container.path, "securityContext", "readOnlyRootFilesystem")
            yield Violation(path, f"{container.name} has a writable root file system")


@rule(
    "MA519",
    "api-token-decided",
    title="Kubernetes API token that nobody asked for",
    why="Every process in the pod can call the API with it; most never need to.",
    fix="Set automountServiceAccountToken on the pod: false, or true where it calls the API. Of the "
    "platform's services API server and controller manager do.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def api_token(resource: Resource) -> Iterator[Violation]:
    found = pod(resource)
    if found is None:
        return
    path = (*found.path, "automountServiceAccountToken")
    mounted = found.spec.get("automountServiceAccountToken")
    if not isinstance(mounted, bool):
        yield Violation(path, "automountServiceAccountToken is not set, so the token is mounted")
    elif mounted and str(resource.metadata.get("name")) in _NO_API:
        yield Violation(path, "the token is mounted, and this service never calls the Kubernetes API")


@rule(
    "MA520",
    "images-pinned",
    title="Image that changes under its name",
    why="Two pods of one Deployment can run different programs, and nothing says which ran yesterday.",
    fix="Name a version or a digest. The platform publishes `sha-<commit>` tags beside the moving `main`.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def floating_images(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        image = container.image
        if "@sha256:" in image or not image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if not tag or _FLOATING.search(tag):
            said = f"the moving tag {tag}" if tag else "no tag, which means latest"
            yield Violation((*container.path, "image"), f"{container.name} runs {image}: {said}")


@rule(
    "MA521",
    "images-can-be-pulled",
    title="Image that is never pulled",
    why="The pod starts only on nodes that happen to have the image; on a new node it waits for ever.",
    fix="Set imagePullPolicy: IfNotPresent.",
    severities=STRICT,
    kinds=WORKLOADS,
)
def never_pulled(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        if container.data.get("imagePullPolicy") == "Never":
            path = (*container.path, "imagePullPolicy")
            yield Violation(path, f"{container.name} has imagePullPolicy Never")


RULES: Final = (
    privileged,
    host_namespaces,
    host_paths,
    host_ports,
    capabilities,
    as_root,
    seccomp,
    escalation,
    read_only_root,
    api_token,
    floating_images,
    never_pulled,
)
