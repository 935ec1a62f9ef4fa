"""The real Envoy, started from the rendered configuration, in front of a gRPC server."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.envoy_config import bootstrap, envoy_files
from tests.support.environments import environment
from tests.support.envoy import RunningEnvoy, get, rewrite_folders, running
from tests.support.grpc_echo import echo_server
from tests.support.grpc_web import UI_HEADERS, call, connect, preflight
from tests.support.proves import proves
from tests.support.tls import certificate_files, trusting

pytestmark = pytest.mark.whole

ORIGIN = "https://app.ml.example.com"


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEnvoy]:
    """Envoy with the default configuration in front of the echo server."""
    directory = tmp_path_factory.mktemp("envoy")
    with echo_server() as port, running(bootstrap(environment()), directory, port) as started:
        yield started


@proves("CP-5")
def test_a_grpc_web_call_reaches_the_grpc_server_and_comes_back(envoy: RunningEnvoy) -> None:
    """NET-2, NET-6."""
    with contextlib.closing(connect(envoy.port)) as connection:
        answer = call(connection, "ProjectService/ListProject", b"\x0a\x09ma-system")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/grpc-web")
    assert answer.messages == (b"\x0a\x09ma-system",)
    assert answer.grpc_status() == "0"


def test_the_servers_error_reaches_the_page(envoy: RunningEnvoy) -> None:
    """NET-2: as gRPC status and message, which the page may read."""
    with contextlib.closing(connect(envoy.port)) as connection:
        answer = call(connection, "ProjectService/Fail", b"", {"Origin": ORIGIN})
    assert answer.grpc_status() == "7"
    assert answer.headers["access-control-expose-headers"] == "grpc-status, grpc-message"


def test_every_header_of_the_application_arrives(envoy: RunningEnvoy) -> None:
    """NET-2: the platform's RPC layer refuses calls without them (facts 7.1)."""
    with contextlib.closing(connect(envoy.port)) as connection:
        answer = call(connection, "ProjectService/Metadata", b"")
    arrived = json.loads(answer.messages[0])
    sent = {key: value for key, value in UI_HEADERS.items() if key.startswith(("rpc-", "context-"))}
    assert sent.items() <= arrived.items()


def test_a_stream_of_messages_comes_back_whole(envoy: RunningEnvoy) -> None:
    """NET-2."""
    with contextlib.closing(connect(envoy.port)) as connection:
        answer = call(connection, "ProjectService/Stream", b"abc")
    assert answer.messages == (b"abc",) * 3
    assert answer.grpc_status() == "0"


def test_a_message_larger_than_the_buffers_passes(envoy: RunningEnvoy) -> None:
    """NET-2: buffers slow a sender down, they do not limit messages."""
    message = bytes(3 * 1024 * 1024)
    with contextlib.closing(connect(envoy.port)) as connection:
        answer = call(connection, "ProjectService/UpdateProject", message)
    assert answer.messages == (message,)


def test_a_call_ends_at_the_deadline_its_caller_set(envoy: RunningEnvoy) -> None:
    """NET-2: no earlier and no later, through `grpc-timeout`."""
    begin = time.monotonic()
    with contextlib.closing(connect(envoy.port)) as connection:
        answer = call(connection, "ProjectService/Slow", b"", {"grpc-timeout": "400m"})
    assert 0.3 < time.monotonic() - begin < 4
    assert answer.grpc_status() in ("4", "14")


def test_the_applications_own_origin_passes_the_preflight(envoy: RunningEnvoy) -> None:
    """NET-2, NET-3: with every header it is going to send."""
    with contextlib.closing(connect(envoy.port)) as connection:
        status, headers = preflight(connection, ORIGIN)
    assert status == 200
    assert headers["access-control-allow-origin"] == ORIGIN
    allowed = headers["access-control-allow-headers"].split(", ")
    assert {*UI_HEADERS, "x-user-agent"} <= set(allowed)
    assert headers["access-control-max-age"] == "1728000"
    assert "access-control-allow-credentials" not in headers


def test_a_preflight_of_an_undeclared_origin_is_refused_and_not_forwarded(envoy: RunningEnvoy) -> None:
    """NET-3: Envoy answers it itself (V11)."""
    before = _upstream_calls(envoy)
    with contextlib.closing(connect(envoy.port)) as connection:
        _, headers = preflight(connection, "https://appXml.example.com")
    assert "access-control-allow-origin" not in headers
    assert _upstream_calls(envoy) == before


def test_a_forwarded_call_would_be_counted(envoy: RunningEnvoy) -> None:
    """NET-3: the count above can change."""
    before = _upstream_calls(envoy)
    with contextlib.closing(connect(envoy.port)) as connection:
        call(connection, "ProjectService/ListProject", b"")
    assert _upstream_calls(envoy) == before + 1


def test_the_answer_to_an_undeclared_origin_is_closed_to_its_page(envoy: RunningEnvoy) -> None:
    """NET-3: also where a browser would ask for no preflight."""
    with contextlib.closing(connect(envoy.port)) as connection:
        answer = call(connection, "ProjectService/ListProject", b"", {"Origin": "https://evil.example"})
    assert not [header for header in answer.headers if header.startswith("access-control-")]


def _upstream_calls(envoy: RunningEnvoy) -> int:
    name = 'envoy_cluster_upstream_rq_total{envoy_cluster_name="michelangelo-apiserver"}'
    (line,) = [line for line in envoy.metrics().splitlines() if line.startswith(name)]
    return int(line.rpartition(" ")[2])


def test_metrics_and_readiness_are_served_and_nothing_else_of_the_admin_interface(
    envoy: RunningEnvoy,
) -> None:
    """NET-2, CP-7: what can stop or change Envoy is out of reach."""
    assert get(envoy.metrics_port, "/ready")[0] == 200
    assert "envoy_cluster_membership_healthy" in envoy.metrics()
    closed = ["/", "/quitquitquit", "/config_dump", "/stats", "/stats/prometheus/", "/ready/../config_dump"]
    assert {path: get(envoy.metrics_port, path)[0] for path in closed} == dict.fromkeys(closed, 404)
    assert get(envoy.metrics_port, "/quitquitquit", "POST")[0] == 404
    assert get(envoy.metrics_port, "/stats/prometheus", "POST")[0] == 404


def test_the_access_log_holds_no_query_and_no_credential(envoy: RunningEnvoy) -> None:
    """OPS-3: one JSON object for each call."""
    secretive = {"authorization": "Bearer not-to-be-seen", "cookie": "session=not-to-be-seen"}
    with contextlib.closing(connect(envoy.port)) as connection:
        call(connection, "ProjectService/Logged?token=not-to-be-seen", b"", secretive)
    lines = _wait_for_line(envoy.access_log, "Logged")
    (line,) = [line for line in lines if "Logged" in line]
    entry = json.loads(line)
    assert entry["path"] == "/michelangelo.api.v2.ProjectService/Logged"
    assert entry["rpc_caller"] == "ma-studio"
    assert "not-to-be-seen" not in line


def _wait_for_line(log: Path, text: str) -> list[str]:
    deadline = time.monotonic() + 60
    while text not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    return log.read_text().splitlines()


@proves("NET-2")
def test_envoy_starts_without_a_warning(envoy: RunningEnvoy) -> None:
    """NET-2."""
    assert envoy.log.read_text() == ""


@proves("NET-16")
def test_losing_the_api_server_shows_without_any_traffic(tmp_path: Path) -> None:
    """NET-16: in the metric the alert is built on. Checks are hurried, nothing else is changed."""
    hurried = bootstrap(environment())
    (check,) = hurried["static_resources"]["clusters"][0]["health_checks"]
    assert (check["interval"], check["no_traffic_interval"]) == ("10s", "10s")
    check |= {"interval": "0.1s", "no_traffic_interval": "0.1s"}
    with contextlib.ExitStack() as server:
        port = server.enter_context(echo_server())
        with running(hurried, tmp_path, port) as started:
            assert _healthy(started) == 1
            server.close()
            deadline = time.monotonic() + 60
            while _healthy(started) == 1 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert _healthy(started) == 0


def _healthy(envoy: RunningEnvoy) -> int:
    name = 'envoy_cluster_membership_healthy{envoy_cluster_name="michelangelo-apiserver"}'
    (line,) = [line for line in envoy.metrics().splitlines() if line.startswith(name)]
    return int(line.rpartition(" ")[2])


@proves("NET-4")
def test_envoy_ends_tls_and_takes_over_a_renewed_certificate_without_a_restart(tmp_path: Path) -> None:
    """NET-4."""
    made = environment(tls={"mode": "provided", "envoy": {"enabled": True}})
    app = made.domains.app
    old = certificate_files(tmp_path / "certs", app)
    (tmp_path / "tls.yaml").write_text(rewrite_folders(envoy_files(made)["tls.yaml"], tmp_path))
    with echo_server() as port, running(bootstrap(made), tmp_path, port) as started:
        with contextlib.closing(connect(started.port, trusting(old), app)) as connection:
            assert call(connection, "ProjectService/ListProject", b"x").messages == (b"x",)
        new = certificate_files(tmp_path / "certs", app)
        with contextlib.closing(_trusted_within(10, started.port, new, app)) as connection:
            assert call(connection, "ProjectService/ListProject", b"y").messages == (b"y",)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            assert _handshake(started.port, new, app, version) == "h2"
        assert started.log.read_text() == ""


def _handshake(port: int, pem: bytes, host: str, version: ssl.TLSVersion) -> str | None:
    """The protocol agreed on with a client that speaks one version of TLS, and HTTP/2 before HTTP/1.1."""
    client = trusting(pem)
    client.minimum_version = client.maximum_version = version
    client.set_alpn_protocols(["h2", "http/1.1"])
    with contextlib.closing(connect(port, client, host)) as connection:
        assert isinstance(connection.sock, ssl.SSLSocket)
        return connection.sock.selected_alpn_protocol()


def _trusted_within(seconds: float, port: int, pem: bytes, host: str) -> http.client.HTTPConnection:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return connect(port, trusting(pem), host)
        except ssl.SSLCertVerificationError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_plaintext_call_to_a_terminating_envoy_fails(tmp_path: Path) -> None:
    """NET-4: there is no way around TLS."""
    made = environment(tls={"mode": "provided", "envoy": {"enabled": True}})
    certificate_files(tmp_path / "certs", made.domains.app)
    (tmp_path / "tls.yaml").write_text(rewrite_folders(envoy_files(made)["tls.yaml"], tmp_path))
    with running(bootstrap(made), tmp_path) as started, contextlib.closing(connect(started.port)) as plain:
        plain.request("GET", "/")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            plain.getresponse()
