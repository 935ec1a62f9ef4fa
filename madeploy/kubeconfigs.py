"""Kubeconfigs as registrations need them: one context's API server, its authority, its credentials.

Pure but for `read_context`, which reads the files that `$KUBECONFIG` names. Nothing here starts an
exec plugin. Format: Kubernetes `Config` v1 of `client.authentication`, kubectl's documentation.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from madeploy.names.servers import split_server

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FILE_KEYS = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
}


class KubeconfigError(ValueError):
    """A kubeconfig that cannot be used. `defects` are sentences without secrets, all at once."""

    def __init__(self, subject: str, defects: Iterable[str]) -> None:
        self.subject = subject
        self.defects = tuple(defects)
        super().__init__(f"{subject}: " + "; ".join(self.defects))


@dataclass(frozen=True)
class Endpoint:
    """An API server as a `Cluster` object names it (registration guide, step 5; V5)."""

    host: str
    """`https://` and the host, IPv6 in brackets, no port."""

    port: str
    """Port as text, 443 where the address has none."""

    certificate_authority: str = field(repr=False)
    """Certificate authority of the server, PEM."""


def _entries(config: Mapping[str, Any], kind: str, key: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for item in config.get(kind) or ():
        if isinstance(item, dict) and isinstance(item.get(key), dict):
            found.setdefault(str(item.get("name")), item[key])
    return found


def load(text: str, subject: str) -> dict[str, Any]:
    """A kubeconfig's data. Raises KubeconfigError when the text is not a YAML mapping."""
    try:
        data = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise KubeconfigError(subject, [f"is not YAML{where}"]) from None
    if not isinstance(data, dict):
        raise KubeconfigError(subject, ["is not a kubeconfig: a mapping with clusters, users and contexts"])
    return data


def minify(config: Mapping[str, Any], context: str | None, subject: str) -> dict[str, Any]:
    """The one context of a kubeconfig, its cluster and its user, and nothing else.

    Raises KubeconfigError naming the contexts there are when it is missing, or what it refers to is.
    """
    contexts = _entries(config, "contexts", "context")
    name = context or config.get("current-context")
    known = ", ".join(sorted(contexts)) or "none"
    if not name:
        raise KubeconfigError(
            subject, [f"has no current context; name one in kubeconfigContext (there are: {known})"]
        )
    chosen = contexts.get(str(name))
    if chosen is None:
        raise KubeconfigError(subject, [f"has no context {name!r} (there are: {known})"])
    cluster = _entries(config, "clusters", "cluster").get(str(chosen.get("cluster")))
    user = _entries(config, "users", "user").get(str(chosen.get("user")))
    defects = [
        f"context {name!r} names the {kind} {chosen.get(kind)!r}, which is not there"
        for kind, value in (("cluster", cluster), ("user", user))
        if value is None
    ]
    if defects or cluster is None or user is None:
        raise KubeconfigError(subject, defects)
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": dict(chosen)}],
        "clusters": [{"name": chosen["cluster"], "cluster": dict(cluster)}],
        "users": [{"name": chosen["user"], "user": dict(user)}],
    }


def endpoint(
    minified: Mapping[str, Any],
    subject: str,
    server: str | None = None,
    certificate_authority_data: str | None = None,
) -> Endpoint:
    """The API server of a minified kubeconfig as a registration names it.

    `server` and `certificate_authority_data` (base64 of PEM) stand in for the kubeconfig's own.
    Raises KubeconfigError with every defect of the two.
    """
    cluster = minified["clusters"][0]["cluster"]
    defects: list[str] = []
    host = port = authority = ""
    address = server or str(cluster.get("server") or "")
    try:
        host, port = split_server(address)
    except ValueError as error:
        defects.append(f"server {error}")
    encoded = certificate_authority_data or cluster.get("certificate-authority-data")
    if encoded is None:
        reason = (
            "insecure-skip-tls-verify stands in its place, which the platform has no setting for"
            if cluster.get("insecure-skip-tls-verify")
            else "the platform would trust the system's authorities instead"
        )
        defects.append(f"has no certificate-authority-data: {reason}; set certificateAuthorityData")
    else:
        try:
            authority = base64.b64decode(str(encoded), validate=True).decode("ascii", errors="replace")
        except binascii.Error:
            defects.append("certificate-authority-data is not base64 of PEM text")
        else:
            if "PRIVATE KEY" in authority:
                defects.append("certificate-authority-data holds a private key; give the certificate alone")
            elif "-----BEGIN CERTIFICATE-----" not in authority:
                defects.append("certificate-authority-data holds no PEM certificate")
    if defects:
        raise KubeconfigError(subject, defects)
    return Endpoint(host, port, authority)


def _inline_files(minified: dict[str, Any], folder: Path, subject: str) -> None:
    """Replace references to files by their contents, so that the result stands on its own."""
    defects = []
    for section in (minified["clusters"][0]["cluster"], minified["users"][0]["user"]):
        for key, inline in _FILE_KEYS.items():
            if key not in section:
                continue
            try:
                content = (folder / str(section.pop(key))).read_bytes()
            except OSError as error:
                defects.append(f"{key} names a file that cannot be read ({error.strerror})")
            else:
                section.setdefault(inline, base64.b64encode(content).decode("ascii"))
    if defects:
        raise KubeconfigError(subject, defects)


def read_context(context: str, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Minified kubeconfig of a context of the kubeconfig at hand, files inlined.

    Looks where kubectl does: every file of `$KUBECONFIG`, else `~/.kube/config`; the first that has the
    context wins. Raises KubeconfigError naming the files looked at.
    """
    listed = environ.get("KUBECONFIG", "")
    paths = [Path(part) for part in listed.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    known: list[str] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        config = load(text, str(path))
        contexts = _entries(config, "contexts", "context")
        if context in contexts:
            minified = minify(config, context, f"context {context!r} of {path}")
            _inline_files(minified, path.parent, f"context {context!r} of {path}")
            return minified
        known += contexts
    where = ", ".join(str(path) for path in paths)
    there = ", ".join(sorted(known)) or "none"
    raise KubeconfigError(
        f"context {context!r}", [f"is not in {where} (contexts there: {there}); set KUBECONFIG or the name"]
    )
