"""Failed calls as findings: the same code for the same failure, whoever was calling."""

from __future__ import annotations

from typing import Final

from madeploy.clients.errors import Cause, ClientError
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find

CODES: Final[dict[Cause, str]] = {
    "dns": "MA430",
    "refused": "MA431",
    "timeout": "MA432",
    "reset": "MA433",
    "tlsAuthority": "MA434",
    "tlsName": "MA435",
    "tls": "MA436",
    "unauthorized": "MA437",
    "forbidden": "MA443",
    "throttled": "MA454",
    "notFound": "MA455",
    "conflict": "MA455",
    "invalid": "MA455",
    "server": "MA455",
}
"""A server that knows no such path, or finds a plain question invalid, is no API server in order."""

_ADMINISTRATOR: Final[dict[Cause, tuple[str, str]]] = {
    "unauthorized": (
        "Nothing can be set up on a cluster, or looked at there, without a login.",
        "Log in again, or store a current kubeconfig in kubeconfigs.{name}.",
    ),
    "forbidden": (
        "Registering, proving and removing a cluster needs an administrator's rights there.",
        "Use a kubeconfig whose user may do this.",
    ),
    "tlsAuthority": (
        "The kubeconfig's authority is another cluster's or has been renewed, or somebody else answers.",
        "Get a new kubeconfig for the cluster.",
    ),
}


def finding_of(error: ClientError, subject: str, *, evidence: str = "", fix: str = "") -> Finding:
    """The finding for a failed call; `evidence` and `fix` where more is known than the failure says."""
    return find(CODES[error.cause], subject, evidence or error.reason, fix=fix)


def administrator_finding(error: ClientError, name: str) -> Finding:
    """The finding for a call that failed with the kubeconfig of cluster `name`."""
    why, fix = _ADMINISTRATOR.get(error.cause, ("", ""))
    return find(CODES[error.cause], f"{name}: kubeconfig", str(error), why=why, fix=fix.format(name=name))


def unusable(error: ToolkitError, name: str) -> Finding:
    """The finding for a kubeconfig of cluster `name` with which nothing can be asked."""
    return find("MA402", name, f"{error.what}: {error.why}", fix=error.fix)
