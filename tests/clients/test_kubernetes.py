"""Clients of API servers: bounded, typed in their failures, and silent about credentials."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import ATTEMPTS, Kubernetes
from madeploy.sandbox.kubeconfig import KubeconfigEntry, kubeconfig
from madeploy.sandbox.pki import Authority
from tests.support.faults import Proxy, bare_server, fault_proxy
from tests.support.ports import free_port

TOKEN = "aaaa.bbbb.cccc"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority as an embedded cluster has one."""
    directory = tmp_path_factory.mktemp("pki")
    Authority(directory, "ca", "clients under test")
    return directory


@contextlib.contextmanager
def served(pki: Path, fault: str = "none", *hosts: str) -> Iterator[Proxy]:
    """A server that answers `/healthz` through a proxy of that fault."""
    with (
        fault_proxy("https://127.0.0.1:1", pki, "error") as backend,
        fault_proxy(backend.server, pki, fault, *hosts) as proxy,  # type: ignore[arg-type]
    ):
        yield proxy


def client(server: str, pki: Path, seconds: float = 1) -> Kubernetes:
    return Kubernetes.registered(server, (pki / "ca.crt").read_text(), TOKEN, read_seconds=seconds)


def failure(made: Kubernetes) -> ClientError:
    with pytest.raises(ClientError) as caught:
        made.text("/healthz")
    return caught.value


def test_nothing_listening_is_told_from_a_name_that_does_not_resolve(pki: Path) -> None:
    """REG-11, NET-14."""
    refused = failure(client(f"https://127.0.0.1:{free_port()}", pki))
    assert refused.cause == "refused"
    assert refused.is_unreachable


@pytest.mark.parametrize(("habit", "cause"), [("silent", "timeout"), ("reset", "reset"), ("text", "tls")])
def test_servers_that_are_none_are_told_apart(
    habit: str, cause: str, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-10, REG-11: and none of them is waited for without end."""
    if habit == "silent":  # The others answer, at times late.
        monkeypatch.setattr("madeploy.clients.kubernetes.CONNECT_SECONDS", 0.3)
    monkeypatch.setattr("madeploy.clients.kubernetes.LONGEST_PAUSE_SECONDS", 0.01)
    with bare_server(habit) as port:  # type: ignore[arg-type]
        assert failure(client(f"https://127.0.0.1:{port}", pki)).cause == cause


@pytest.mark.parametrize("fault", ["throttled", "error"])
def test_a_busy_server_is_asked_again_and_then_named(fault: str, pki: Path) -> None:
    """REG-6: four times at most."""
    with served(pki, fault) as proxy:
        error = failure(client(proxy.server, pki))
        assert (error.cause, error.status) == (
            ("throttled", 429) if fault == "throttled" else ("server", 500)
        )
        assert len(proxy.served) == ATTEMPTS


def test_an_answer_of_single_bytes_has_one_limit_for_all_of_it(pki: Path) -> None:
    """REG-10: no byte renews it."""
    with served(pki, "drip") as proxy:
        assert failure(client(proxy.server, pki, seconds=0.5)).cause == "timeout"


def test_a_create_is_made_once(pki: Path) -> None:
    """REG-9: what may have happened is not done again."""
    with served(pki, "error") as proxy:
        with pytest.raises(ClientError):
            client(proxy.server, pki).create("/api/v1/namespaces", {"kind": "Namespace"})
        assert proxy.served == ["POST /api/v1/namespaces?fieldManager=madeploy"]


def test_the_authority_and_the_name_of_a_server_are_told_apart(pki: Path, tmp_path: Path) -> None:
    """REG-11: wrong authority, wrong name."""
    Authority(tmp_path, "ca", "somebody else")
    with served(pki) as proxy:
        assert failure(client(proxy.server, tmp_path)).cause == "tlsAuthority"
    with served(pki, "none", "api.example.com") as proxy:
        assert failure(client(proxy.server, pki)).cause == "tlsName"


def test_the_serving_certificate_itself_is_an_anchor_as_it_is_for_the_platform(pki: Path) -> None:
    """REG-6: Go takes any given certificate for an anchor, so it must not be refused here."""
    with served(pki) as proxy:
        leaf = ssl.get_server_certificate(("127.0.0.1", proxy.port))
        made = Kubernetes.registered(proxy.server, leaf, TOKEN)
        proxy.fault = "throttled"
        assert failure(made).cause == "throttled"


@pytest.mark.parametrize("token", ["aaaa.bbbb.cccc\n", "aaaa bbbb", "aaäa", "a\r\nX-Header: b"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_being_shown(token: str, pki: Path) -> None:
    """REG-11, UX-3."""
    with pytest.raises(ValueError, match="characters") as caught:
        Kubernetes.registered("https://127.0.0.1:1", (pki / "ca.crt").read_text(), token)
    assert token.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "authority", ["nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "ä"]
)
def test_an_authority_that_is_none_is_refused(authority: str) -> None:
    """REG-11."""
    with pytest.raises(ValueError, match="PEM"):
        Kubernetes.registered("https://127.0.0.1:1", authority, TOKEN)


def test_a_failure_says_where_and_why_and_nothing_of_the_credential(pki: Path) -> None:
    """UX-3."""
    with served(pki, "throttled") as proxy:
        error = failure(client(proxy.server, pki))
    assert str(error) == f"{proxy.server}: it asks for fewer requests (429): too many requests"
    assert TOKEN not in f"{error!r}{error.__dict__}{error.__context__!r}"


def test_the_server_dates_its_answers(pki: Path) -> None:
    """REG-11: refusals too; one without a date gives no clock."""
    with served(pki, "throttled") as proxy:
        assert client(proxy.server, pki).clock() is None
    with pytest.raises(ClientError):
        client(f"https://127.0.0.1:{free_port()}", pki).clock()


def test_many_clients_may_be_made_of_one_kubeconfig_at_once(pki: Path) -> None:
    """REG-10: a fleet's clusters often share an authority, or an administrator."""
    admin = Authority(pki, "ca", "clients under test").client("admin", "admin", ("system:masters",))
    authority, certificate = (pki / "ca.crt").read_bytes(), admin.certificate.read_bytes()
    entry = KubeconfigEntry("a", "https://127.0.0.1:9", authority, certificate, admin.key.read_bytes())
    minified = json.loads(kubeconfig([entry]))
    with ThreadPoolExecutor(16) as workers:
        made = list(workers.map(lambda _: Kubernetes.from_kubeconfig(minified), range(100)))
    assert {client.server for client in made} == {"https://127.0.0.1:9"}
