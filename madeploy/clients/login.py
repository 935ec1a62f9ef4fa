"""A kubeconfig of one context as what a client needs: address, trust, credential. Everything stays in
memory, so that any number of clients can be made at the same time.

Format: Kubernetes `Config` v1 of `client.authentication`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madeploy.clients.deadline import client_context
from madeploy.clients.errors import ClientError

LOGIN_SECONDS = 60
"""Time for a login command; one that asks a person something takes a while."""


@dataclass(frozen=True)
class Login:
    """Connection parameters of an API server: address, trust, credential."""

    server: str
    context: ssl.SSLContext = field(repr=False)
    """Trust, and the client certificate where there is one."""

    headers: Mapping[str, str] = field(repr=False)
    """The credential, where it is not a certificate."""

    server_name: str | None
    """Name to look for in the server's certificate; None for the host's own."""

    proxy: str | None


def login(minified: Mapping[str, Any]) -> Login:
    """Read a kubeconfig whose files are inlined. A login command (`exec`) is run, as kubectl would.

    Raises ClientError: `tlsAuthority` for an authority that is none, `unauthorized` for a credential that
    cannot be had or used. It never shows the credential.
    """
    cluster, user = minified["clusters"][0]["cluster"], minified["users"][0]["user"]
    server = str(cluster.get("server") or "").rstrip("/")
    context = _trust(server, cluster)
    if "exec" in user:
        user = _by_command(server, user["exec"], cluster)
    elif "auth-provider" in user:
        said = "its kubeconfig logs in by an auth-provider, which kubectl has given up; use a login command"
        raise ClientError(server, "unauthorized", said)
    _identify(server, context, user)
    return Login(
        server,
        context,
        _headers(server, user),
        cluster.get("tls-server-name") or None,
        cluster.get("proxy-url") or None,
    )


def _trust(server: str, cluster: Mapping[str, Any]) -> ssl.SSLContext:
    authority = _decoded(server, cluster, "certificate-authority-data", "tlsAuthority")
    try:
        context = client_context(authority)
    except (ssl.SSLError, ValueError):
        said = "its kubeconfig's authority is no PEM certificate"
        raise ClientError(server, "tlsAuthority", said) from None
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _by_command(server: str, command: Any, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The user that a login command gives, as a kubeconfig would have it (`ExecCredential`, client
    authentication)."""
    if not isinstance(command, Mapping) or not command.get("command"):
        raise ClientError(server, "unauthorized", "its kubeconfig's exec names no command")
    version = command.get("apiVersion")
    question: dict[str, Any] = {"apiVersion": version, "kind": "ExecCredential", "spec": {}}
    question["spec"]["interactive"] = sys.stdin.isatty()
    if command.get("provideClusterInfo"):
        question["spec"]["cluster"] = dict(cluster)
    environ = {str(item["name"]): str(item["value"]) for item in command.get("env") or ()}
    try:
        done = subprocess.run(
            [str(command["command"]), *map(str, command.get("args") or ())],
            env={**os.environ, **environ, "KUBERNETES_EXEC_INFO": json.dumps(question)},
            stdout=subprocess.PIPE,
            stderr=None if question["spec"]["interactive"] else subprocess.DEVNULL,
            timeout=LOGIN_SECONDS,
            check=True,
        )
        status = json.loads(done.stdout)["status"]
        given = {"token": status.get("token")}
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError, AttributeError):
        # What the command printed may be a credential, so it is not repeated.
        said = (
            f"its kubeconfig's login command {str(command['command'])!r} gives no credential; "
            "run kubectl with it to see why"
        )
        raise ClientError(server, "unauthorized", said) from None
    for part in ("certificate", "key"):
        pem = status.get(f"client{part.capitalize()}Data")
        if pem:
            given[f"client-{part}-data"] = base64.b64encode(str(pem).encode()).decode()
    return given


def _identify(server: str, context: ssl.SSLContext, user: Mapping[str, Any]) -> None:
    certificate = _decoded(server, user, "client-certificate-data", "unauthorized")
    key = _decoded(server, user, "client-key-data", "unauthorized")
    if not certificate or not key:
        return
    # Python's TLS takes certificate and key from files only.
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.pem"
        pair.touch(mode=0o600)
        pair.write_text(f"{certificate}\n{key}", encoding="utf-8")
        try:
            context.load_cert_chain(pair)
        except ssl.SSLError:
            said = "its kubeconfig's client certificate and key are no pair"
            raise ClientError(server, "unauthorized", said) from None


def _headers(server: str, user: Mapping[str, Any]) -> dict[str, str]:
    token = user.get("token")
    if not token and user.get("tokenFile"):
        try:
            token = Path(str(user["tokenFile"])).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            said = "the token file that its kubeconfig names cannot be read"
            raise ClientError(server, "unauthorized", said) from None
    if token:
        if not is_header_safe(str(token)):
            raise ClientError(
                server, "unauthorized", "its kubeconfig's token has characters that no token has"
            )
        return {"Authorization": f"Bearer {token}"}
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def is_header_safe(token: str) -> bool:
    """Whether a token can stand in a header: one that cannot would be shown by the error that says so."""
    return token.isascii() and token.isprintable() and " " not in token


def _decoded(server: str, section: Mapping[str, Any], key: str, cause: Any) -> str | None:
    encoded = section.get(key)
    if not encoded:
        return None
    try:
        return base64.b64decode(str(encoded), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ClientError(server, cause, f"its kubeconfig's {key} is not base64 of PEM text") from None
