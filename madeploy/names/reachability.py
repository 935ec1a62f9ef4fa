"""Reachability of an API server's address from the control plane's pods.

An address is written where it works: on an administrator's machine, or in a pod of the compute cluster
itself. The platform dials it from pods of the control plane (facts 3.1), where the same name may be another
machine, or none.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Literal

Place = Literal["machine", "host", "multicast", "apiService", "apiAddress", "service", "short"]
"""`machine`: the pod itself; `host`: the computer that runs the caller's containers; `multicast`: a name
that only its own network segment answers; `apiService`: the API server of the caller's own cluster;
`apiAddress`: most likely that too, by its usual address in a cluster;
`service`: another Service of the caller's own cluster; `short`: whatever the caller's search list makes of
it."""

_LOOPBACK_NAMES: Final = frozenset(
    {
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "ip6-localhost",
        "ip6-loopback",
    }
)
_HOST_DOMAINS: Final = (
    "containers.internal",
    "docker.internal",
    "k3d.internal",
    "lima.internal",
    "minikube.internal",
    "orb.internal",
    "rancher-desktop.internal",
)
"""Zones that container tools answer themselves, with the computer they run on: Docker Desktop, k3d, Lima,
minikube, OrbStack, Podman, Rancher Desktop."""

_API_ADDRESSES: Final = {
    "10.96.0.1": "kubeadm and kind",
    "10.43.0.1": "k3s and RKE",
    "10.100.0.1": "EKS",
    "172.20.0.1": "EKS",
    "172.30.0.1": "OpenShift",
    "10.152.183.1": "MicroK8s",
    "34.118.224.1": "GKE",
}
"""Address of the Service `kubernetes`, the first one of the range of Services, where a distribution's own
range is used. AKS' is left out: 10.0.0.1 is any network's."""

_API_SERVICE: Final = re.compile(r"kubernetes(\.default(\.svc(\..+)?)?)?")
_SERVICE: Final = re.compile(r"[^.]+(\.[^.]+)+\.svc(\..+)?|.+\.cluster\.local")


@dataclass(frozen=True)
class Misled:
    """An address that means something else to the control plane's pods."""

    place: Place
    severity: Literal["error", "warning"]
    evidence: str
    fix: str


def place_of(host: str) -> Place | None:
    """What a host, as `parse_server` gives it, means to a pod that calls it; None for one that means the same
    everywhere."""
    literal = _address(host)
    if literal is not None:
        nowhere = literal.is_loopback or literal.is_unspecified or literal.is_link_local
        if nowhere:
            return "machine"
        return "apiAddress" if str(literal) in _API_ADDRESSES else None
    labels = host.split(".")
    if host in _LOOPBACK_NAMES or labels[-1] == "localhost":
        return "machine"
    if _API_SERVICE.fullmatch(host):
        return "apiService"
    if any(host == zone or host.endswith(f".{zone}") for zone in _HOST_DOMAINS):
        return "host"
    if _SERVICE.fullmatch(host):
        return "service"
    if labels[-1] == "local":
        return "multicast"
    return "short" if len(labels) == 1 else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def misled(host: str, *, development: bool, is_control_plane: bool | None) -> Misled | None:
    """Why a compute cluster cannot be called by a host (as `parse_server` gives it), or not for certain.

    Args:
        host: the host that is to be registered.
        development: whether the environment is one for trying out, where everything may be one machine.
        is_control_plane: whether the cluster is the control plane's own; None where that is not known.
    """
    place = place_of(host)
    if place is None or (place in ("apiService", "apiAddress") and is_control_plane):
        return None
    severity: Literal["error", "warning"] = "error"
    if place in ("service", "short", "apiAddress") or (place == "multicast" and host.count(".") > 1):
        severity = "warning"
    elif place == "apiService":
        severity = "warning" if is_control_plane is None else "error"
    elif development:
        severity = "warning"
    evidence, fix = _WORDS[place]
    made_by = _API_ADDRESSES.get(host, "")
    return Misled(place, severity, evidence.format(host=host, made_by=made_by), fix)


_OUTSIDE: Final = "Give the address as the control plane's pods reach it."
_WORDS: Final[dict[Place, tuple[str, str]]] = {
    "machine": ("{host} is the machine itself", _OUTSIDE),
    "host": (
        "{host} is the computer that runs the caller's containers: to the control plane's pods it is another "
        "one, or no name at all",
        _OUTSIDE,
    ),
    "multicast": (
        "{host} is a name of one network segment (.local, RFC 6762), which pods do not ask for; a "
        "directory's own DNS may answer it where the control plane's cluster uses that",
        _OUTSIDE,
    ),
    "apiService": (
        "{host} is the API server of whichever cluster the caller runs in: from the control plane's pods, "
        "the control plane's own",
        f"{_OUTSIDE} If the control plane's own cluster is meant, give the entry the same kubeconfigContext "
        "as controlPlane.",
    ),
    "apiAddress": (
        "{host} is where pods of a cluster made with {made_by} reach its API server, where nothing else was "
        "chosen: written there, it leads the control plane's pods elsewhere",
        _OUTSIDE,
    ),
    "service": (
        "{host} is a Service of whichever cluster the caller runs in: it is right only where the control "
        "plane's own cluster serves this API server, as it does for a virtual cluster in it",
        _OUTSIDE,
    ),
    "short": (
        "{host} is a name without a domain: in the control plane's pods it is looked up among the Services "
        "of their namespace first",
        "Write the name in full, as the control plane's cluster resolves it.",
    ),
}
