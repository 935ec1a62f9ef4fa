"""Calls over TLS through every front door, by the rendered objects alone.

What is real: the objects, the Envoy in front of the API (its rendered configuration, its own process),
gRPC, HTTP/2, TLS and the clients. What is played: the door is a second Envoy whose configuration
`tests.support.front_door` derives from the rendered Ingress or Gateway, its routes and policies, in the place
of ingress-nginx, Contour or a Gateway implementation; the API server is a gRPC server that refuses and
answers as the platform's does on the wire; the application is a folder of two files.
"""

from __future__ import annotations

import contextlib
import copy
import http.client
import http.server
import json
import queue
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import grpc
import pytest

from manifests.objects import Object
from tests.support import front_door_envoy
from tests.support.api_server import (
    CLUSTERS,
    GET_CLUSTER,
    HEADERS,
    IN_NAMESPACE,
    LIST_CLUSTERS,
    REFLECTION,
    api_server,
)
from tests.support.environments import environment
from tests.support.front_door import CONTOUR, NGINX, hosts
from tests.support.grpc_web import call, connect, preflight
from tests.support.live_door import PAGE, LiveDoor, live_door
from tests.support.objects import of_kind
from tests.support.proves import proves
from tests.support.tls import trusting

pytestmark = pytest.mark.whole

API, APP = "api.ml.example.com", "app.ml.example.com"
SECONDS = 10
"""Deadline of every call, and far more than one takes."""

PACE = 300
"""Where time-outs matter, those of the door pass this much faster: an hour is 12 s, a minute 0.2 s, the
15 s of Envoy 0.05 s."""

SILENT = 0.4
"""Seconds until a slow call is answered: two minutes at that pace."""

CONTOUR_DOOR = {
    "kind": "ingress",
    "className": "contour",
    "controllerNamespace": "projectcontour",
    "apiAnnotations": {f"{CONTOUR}response-timeout": "infinity"},
    "appAnnotations": {f"{CONTOUR}response-timeout": "infinity"},
}
GATEWAY_DOOR = {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"}
DOORS: dict[str, dict[str, Any]] = {
    "ingress-nginx": {"kind": "ingress"},
    "another-ingress-controller": CONTOUR_DOOR,
    "gateway": GATEWAY_DOOR,
}
VARIANTS = [(door, tls) for door in DOORS for tls in (False, True)]


class Door(LiveDoor):
    """A door and what a client knows of it."""

    def channel(self) -> grpc.Channel:
        """A client of the API's public URL. It insists on TLS and on HTTP/2 agreed on by ALPN."""
        credentials = grpc.ssl_channel_credentials(self.api_authority)
        options = [
            ("grpc.ssl_target_name_override", API),
            # With its port, as for an address such as `<api>:443`.
            ("grpc.default_authority", f"{API}:443"),
            ("grpc.enable_http_proxy", 0),
        ]
        return grpc.secure_channel(f"127.0.0.1:{self.port}", credentials, options)

    def browser(self) -> http.client.HTTPConnection:
        """A connection to the application's public URL."""
        return connect(self.port, trusting(self.app_authority), APP)

    @contextlib.contextmanager
    def hurried(self, objects: Sequence[Object] | None = None) -> Iterator[Door]:
        """The same with time-outs that pass faster, and with other objects where some are given."""
        cluster = self.cluster if objects is None else replace(self.cluster, objects=objects)
        secrets = self.directory / "secrets"
        with front_door_envoy.serving(hosts(cluster), secrets, self.directory, PACE) as port:
            yield replace(self, cluster=cluster, port=port)


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    """Port of the API server."""
    with api_server() as port:
        yield port


@pytest.fixture(
    scope="module",
    params=VARIANTS,
    ids=[f"{door}-{'TLS-in-envoy' if tls else 'plain-envoy'}" for door, tls in VARIANTS],
)
def door(
    request: pytest.FixtureRequest, upstream: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    """A door of each kind in front of the rendered Envoy, the API server and the application."""
    kind, tls = request.param
    directory = tmp_path_factory.mktemp("door")
    made = environment(
        frontDoor=DOORS[kind],
        tls={"mode": "provided", "envoy": {"enabled": tls}},
        controlPlane={"caBundleConfigMap": "company-ca"},
    )
    with live_door(made, directory, upstream) as live:
        yield Door(**vars(live))


@proves("CP-10", played="the API server; Envoy is the front door")
def test_a_grpc_client_lists_clusters_through_the_front_door(door: Door) -> None:
    """CP-10, NET-1, NET-5, NET-7: over TLS and HTTP/2, with the certificate of the API's host."""
    with door.channel() as channel:
        answer = channel.unary_unary(LIST_CLUSTERS)(IN_NAMESPACE, timeout=SECONDS, metadata=HEADERS)
    assert answer == CLUSTERS


def test_a_call_without_the_platforms_headers_is_refused_by_the_api_server_itself(door: Door) -> None:
    """CP-10, NET-5, NET-7: gRPC status and message come back; the door neither adds headers nor answers."""
    with door.channel() as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(LIST_CLUSTERS)(IN_NAMESPACE, timeout=SECONDS)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "missing rpc-caller, rpc-service, rpc-encoding"


def test_the_deadline_reaches_the_api_server_and_only_when_the_caller_set_one(door: Door) -> None:
    """CP-10, NET-5, NET-7: calls without are refused."""
    with door.channel() as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(LIST_CLUSTERS)(IN_NAMESPACE, metadata=HEADERS)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "missing TTL"


def test_reflection_on_the_api_host_is_a_conversation(door: Door) -> None:
    """CP-10, NET-5, NET-7: each message is answered before the next is sent, as `ma` does it."""
    questions: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with door.channel() as channel:
        answers = channel.stream_stream(REFLECTION)(
            iter(questions.get, None), timeout=SECONDS, metadata=HEADERS
        )
        for question in (b"services", b"michelangelo.api.v2.ClusterService"):
            questions.put(question)
            assert next(answers) == question
        questions.put(None)
        assert list(answers) == []


@proves("NET-1", "NET-6", played="the API server; Envoy is the front door")
def test_a_page_lists_clusters_through_the_front_door(door: Door) -> None:
    """CP-10, NET-1, NET-6, NET-7: gRPC-Web on the application's host, through the rendered Envoy."""
    with contextlib.closing(door.browser()) as browser:
        answer = call(browser, "ClusterService/ListCluster", IN_NAMESPACE, {"Origin": f"https://{APP}"})
    assert (answer.status, answer.grpc_status(), answer.messages) == (200, "0", (CLUSTERS,))
    assert answer.headers["access-control-allow-origin"] == f"https://{APP}"


def test_a_page_reads_the_api_servers_refusal(door: Door) -> None:
    """CP-10, NET-6, NET-7."""
    with contextlib.closing(door.browser()) as browser:
        answer = call(browser, "ClusterService/ListCluster", IN_NAMESPACE, {"rpc-caller": ""})
    assert answer.grpc_status() == "3"


@pytest.mark.parametrize("origin", [f"https://{APP}", "https://app.example.net", f"http://{APP}"])
def test_preflights_pass_for_the_applications_origin_alone(door: Door, origin: str) -> None:
    """NET-3, NET-6, NET-7: the door answers none itself and takes no header away."""
    with contextlib.closing(door.browser()) as browser:
        status, headers = preflight(browser, origin)
    assert status == 200
    allowed = headers.get("access-control-allow-origin")
    assert allowed == (origin if origin == f"https://{APP}" else None)


@proves("CP-4", played="the web application's server")
def test_the_application_and_its_configuration_are_served(door: Door) -> None:
    """NET-6, NET-7, CP-4: files beside the API on one host, the address in them is the door's own."""
    with contextlib.closing(door.browser()) as browser:
        assert _get(browser, "/") == (200, PAGE)
        status, text = _get(browser, "/config.json")
    assert (status, json.loads(text)) == (200, {"apiBaseUrl": f"https://{APP}"})


def _get(
    connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    connection.request("GET", path, headers=dict(headers or {}))
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_other_hosts_are_refused(door: Door) -> None:
    """NET-1: in the TLS handshake, and in a request that passed it by another name."""
    with pytest.raises(OSError, match=r"SSL|reset|closed"):
        connect(door.port, trusting(door.app_authority), "other.example.com")
    with contextlib.closing(door.browser()) as browser:
        status, text = _get(browser, "/", {"Host": "other.example.com"})
    assert status == 404
    assert PAGE not in text


@proves("NET-5", played="the API server; Envoy is the front door")
def test_slow_calls_outlast_the_time_outs_a_front_door_has_by_default(door: Door) -> None:
    """NET-5, NET-6, NET-7: the time-outs of the objects arrive. A GRPCRoute has none: what an
    implementation on Envoy does then, ending calls after 15 s, is a limit of that door."""
    with door.hurried() as patient:
        client, page = _slow_calls(patient)
    is_ingress = bool(of_kind(door.cluster.objects, "Ingress"))
    assert client is (grpc.StatusCode.OK if is_ingress else grpc.StatusCode.UNAVAILABLE)
    assert page == (200, "0")


def test_slow_calls_are_cut_where_the_objects_say_nothing_of_time_outs(door: Door) -> None:
    """NET-5, NET-6, NET-7: what the test above would find if time-outs were forgotten."""
    with door.hurried(_without_timeouts(door.cluster.objects)) as default:
        client, page = _slow_calls(default)
    assert client is grpc.StatusCode.UNAVAILABLE
    assert page == (504, None)


def _slow_calls(door: Door) -> tuple[grpc.StatusCode, tuple[int, str | None]]:
    """One on each host at the same time: the client's status, and the page's of HTTP and of gRPC."""
    message = str(SILENT).encode()
    with door.channel() as channel, contextlib.closing(door.browser()) as browser:
        client = channel.unary_unary(GET_CLUSTER).future(message, timeout=SECONDS, metadata=HEADERS)
        page = call(browser, "ClusterService/GetCluster", message)
        return client.code(), (page.status, page.grpc_status())


def _without_timeouts(objects: Sequence[Object]) -> list[Object]:
    """The objects as they would be had nobody thought of time-outs."""
    changed = copy.deepcopy(list(objects))
    for ingress in of_kind(changed, "Ingress"):
        annotations = ingress["metadata"]["annotations"]
        for key in [key for key in annotations if key.startswith((NGINX, CONTOUR)) and "timeout" in key]:
            del annotations[key]
    for route in of_kind(changed, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            rule.pop("timeouts", None)
    return changed
