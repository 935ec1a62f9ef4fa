"""Kubeconfigs as clients take them: every form of login, and no credential in what is said."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clients.login import login
from madeploy.sandbox.pki import Authority, Pair

SECRET = "not-a-secret"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"), "ca", "logins under test")


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.client("admin", "admin")


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def kubeconfig(authority: Authority, user: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    trusted = {
        "server": "https://compute:6443",
        "certificate-authority-data": encoded(authority.pair.certificate),
    }
    return {"clusters": [{"cluster": trusted | cluster}], "users": [{"user": user}]}


def by_certificate(pair: Pair) -> dict[str, Any]:
    return {"client-certificate-data": encoded(pair.certificate), "client-key-data": encoded(pair.key)}


def by_command(program: str) -> dict[str, Any]:
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"apiVersion": version, "command": sys.executable, "args": ["-c", program]}}


def answering(**status: str) -> dict[str, Any]:
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    return by_command(f"print({json.dumps(json.dumps(answer))})")


def test_a_command_is_told_what_kubectl_tells_it(authority: Authority) -> None:
    """REG-1: its variables, and the cluster where it asks for it."""
    program = (
        "import json, os; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']); "
        "print(json.dumps({'status': {'token': os.environ['WHO'] + info['spec']['cluster']['server']}}))"
    )
    user = by_command(program)
    user["exec"] |= {"env": [{"name": "WHO", "value": "me@"}], "provideClusterInfo": True}
    assert login(kubeconfig(authority, user)).headers == {"Authorization": "Bearer me@https://compute:6443"}


def test_each_form_of_credential_is_taken(authority: Authority, pair: Pair, tmp_path: Path) -> None:
    """REG-1, REG-9: token, token file, password, command; a command may give a certificate too."""
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert login(kubeconfig(authority, {"token": SECRET})).headers == bearer
    assert login(kubeconfig(authority, {"tokenFile": str(file)})).headers == bearer
    assert login(kubeconfig(authority, answering(token=SECRET))).headers == bearer
    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    given = {"username": "me", "password": SECRET}
    assert login(kubeconfig(authority, given)).headers == {"Authorization": f"Basic {basic}"}
    pem = {"clientCertificateData": pair.certificate.read_text(), "clientKeyData": pair.key.read_text()}
    assert login(kubeconfig(authority, answering(**pem))).headers == {}


def test_what_the_kubeconfig_says_of_the_server_is_kept(authority: Authority) -> None:
    """REG-1."""
    found = login(
        kubeconfig(
            authority,
            {},
            **{
                "server": "https://compute:6443/",
                "tls-server-name": "inner",
                "proxy-url": "http://proxy:3128",
            },
        )
    )
    assert (found.server, found.server_name, found.proxy) == (
        "https://compute:6443",
        "inner",
        "http://proxy:3128",
    )
    assert found.context.verify_mode == ssl.CERT_REQUIRED
    careless = login(kubeconfig(authority, {}, **{"insecure-skip-tls-verify": True}))
    assert careless.context.verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(
    ("user", "cluster", "cause", "said"),
    [
        ({}, {"certificate-authority-data": "AAAA"}, "tlsAuthority", "no PEM"),
        ({}, {"certificate-authority-data": "???"}, "tlsAuthority", "not base64"),
        ({"client-certificate-data": "eA==", "client-key-data": "eA=="}, {}, "unauthorized", "no pair"),
        ({"token": f"{SECRET}\n"}, {}, "unauthorized", "characters"),
        ({"tokenFile": "/does/not/exist"}, {}, "unauthorized", "cannot be read"),
        (by_command(f"import sys; sys.exit('{SECRET}')"), {}, "unauthorized", "gives no credential"),
        (by_command(f"print('{SECRET}')"), {}, "unauthorized", "gives no credential"),
        ({"exec": {"command": "/does/not/exist", "apiVersion": "v1"}}, {}, "unauthorized", "/does/not/exist"),
        ({"exec": "nonsense"}, {}, "unauthorized", "names no command"),
        ({"auth-provider": {"name": "oidc"}}, {}, "unauthorized", "auth-provider"),
    ],
)
def test_a_login_that_cannot_be_used_is_named_without_being_shown(
    user: dict[str, Any], cluster: dict[str, Any], cause: str, said: str, authority: Authority
) -> None:
    """REG-10, UX-3."""
    with pytest.raises(ClientError, match=said) as caught:
        login(kubeconfig(authority, user, **cluster))
    assert caught.value.cause == cause
    assert SECRET not in str(caught.value)
