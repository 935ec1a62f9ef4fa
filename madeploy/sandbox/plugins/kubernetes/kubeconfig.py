"""Reading a kubeconfig: contents or path, as the provider's `kubeconfig` option accepts both.

Format: Kubernetes' `v1.Config` (kubectl's reference documentation). Of the ways to log in, the sandbox uses
    tokens and client certificates; plugins that run a program are refused."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


class KubeconfigError(Exception):
    """A kubeconfig cannot be used. The text quotes nothing of it but names."""


@dataclass(frozen=True)
class Connection:
    """One API server and how to log in there.

    Args:
        server: base URL.
        namespace: the context's namespace, "default" where it names none.
        ca: the certificate authority, PEM; `None` for the system's.
        verify: whether the server's certificate is checked.
        token: a bearer token.
        client_certificate, client_key: PEM.
        server_name: the name expected in the server's certificate where it is not the URL's host.
    """

    server: str
    namespace: str = "default"
    ca: bytes | None = field(default=None, repr=False)
    verify: bool = True
    token: str | None = field(default=None, repr=False)
    client_certificate: bytes | None = field(default=None, repr=False)
    client_key: bytes | None = field(default=None, repr=False)
    server_name: str | None = None


def load(
    contents_or_path: str | None,
    environ: Mapping[str, str],
    context: str | None = None,
    cluster: str | None = None,
    namespace: str | None = None,
) -> Connection:
    """The connection that a kubeconfig describes.

    Args:
        contents_or_path: YAML or JSON, or the path of a file; without it `$KUBECONFIG`, then
            `~/.kube/config`.
        context, cluster, namespace: override what the kubeconfig says.

    Raises:
        KubeconfigError: there is none, it cannot be read, or it names something that it does not hold.
    """
    documents, base = _documents(contents_or_path, environ)
    config = _merged(documents)
    name = context or config.get("current-context") or ""
    chosen = _named(config, "contexts", "context", name) if name or not cluster else {}
    cluster_name = cluster or str(chosen.get("cluster", ""))
    server = _named(config, "clusters", "cluster", cluster_name)
    user = _named(config, "users", "user", str(chosen["user"])) if chosen.get("user") else {}
    for unsupported in ("exec", "auth-provider", "username", "password"):
        if unsupported in user:
            raise KubeconfigError(
                f"user {chosen['user']!r} logs in by {unsupported!r}, which is not supported here"
            )
    if not server.get("server"):
        raise KubeconfigError(f"cluster {cluster_name!r} has no server")
    return Connection(
        server=str(server["server"]).rstrip("/"),
        namespace=namespace or str(chosen.get("namespace") or "default"),
        ca=_data_or_file(server, "certificate-authority", base),
        verify=not server.get("insecure-skip-tls-verify", False),
        token=_token(user, base),
        client_certificate=_data_or_file(user, "client-certificate", base),
        client_key=_data_or_file(user, "client-key", base),
        server_name=server.get("tls-server-name"),
    )


def active_cluster(contents_or_path: str | None, context: str | None, cluster: str | None) -> Any:
    """The cluster entry that a kubeconfig selects, or `None` where it cannot be told."""
    try:
        documents, _ = _documents(contents_or_path or "{}", {})
        config = _merged(documents)
        if not cluster:
            cluster = str(
                _named(config, "contexts", "context", context or config["current-context"])["cluster"]
            )
        return _named(config, "clusters", "cluster", cluster)
    except (KubeconfigError, KeyError):
        return None


def _documents(contents_or_path: str | None, environ: Mapping[str, str]) -> tuple[list[dict[str, Any]], Path]:
    if contents_or_path:
        # Contents may be JSON on one line, longer than any file name the system would look up.
        try:
            path = Path(contents_or_path).expanduser()
            is_file = path.is_file()
        except (OSError, ValueError, RuntimeError):
            is_file = False
        if is_file:
            return [_parsed(_read(path), str(path))], path.parent
        return [_parsed(contents_or_path, "the provider's kubeconfig")], Path.cwd()
    listed = [Path(entry) for entry in environ.get("KUBECONFIG", "").split(os.pathsep) if entry]
    found = [path for path in listed or [Path.home() / ".kube" / "config"] if path.is_file()]
    if not found:
        raise KubeconfigError("no kubeconfig: the provider names none, KUBECONFIG is not set to one")
    return [_parsed(_read(path), str(path)) for path in found], found[0].parent


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"{path} cannot be read ({type(error).__name__})") from None


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        # PyYAML quotes the line, and the line may be a token.
        mark = getattr(error, "problem_mark", None)
        raise KubeconfigError(f"{where} is no YAML{f' (line {mark.line + 1})' if mark else ''}") from None
    if not isinstance(document, dict):
        raise KubeconfigError(f"{where} is neither a file nor the contents of a kubeconfig")
    return document


def _merged(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Several files as kubectl merges them: the first that says something wins."""
    merged: dict[str, Any] = {"contexts": [], "clusters": [], "users": []}
    for document in documents:
        for section in ("contexts", "clusters", "users"):
            merged[section].extend(entry for entry in document.get(section) or [] if isinstance(entry, dict))
        merged.setdefault("current-context", document.get("current-context"))
        merged["current-context"] = merged["current-context"] or document.get("current-context")
    return merged


def _named(config: dict[str, Any], section: str, singular: str, name: str) -> dict[str, Any]:
    for entry in config[section]:
        if entry.get("name") == name:
            found = entry.get(singular) or {}
            return found if isinstance(found, dict) else {}
    known = ", ".join(sorted(str(entry.get("name")) for entry in config[section])) or "none"
    raise KubeconfigError(f"there is no {singular} {name!r} in the kubeconfig (it has: {known})")


def _data_or_file(entry: dict[str, Any], key: str, base: Path) -> bytes | None:
    if data := entry.get(f"{key}-data"):
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise KubeconfigError(f"{key}-data is not base64") from None
    if name := entry.get(key):
        try:
            return (base / str(name)).read_bytes()
        except OSError as error:
            raise KubeconfigError(f"{key} {name} cannot be read ({type(error).__name__})") from None
    return None


def _token(user: dict[str, Any], base: Path) -> str | None:
    if name := user.get("tokenFile"):
        return _read(base / str(name)).strip()
    return str(user["token"]) if user.get("token") else None
