"""The real Envoy of release 0.12 in front of a gRPC server built from its descriptor set: JSON as the browser
application sends it."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from madeploy.descriptors.reflection import from_api
from madeploy.descriptors.sets import PACKAGE, read
from madeploy.releases import RELEASES
from madeploy.stackfile.loader import load_environment
from manifests.envoy import envoy
from manifests.envoy_config import DESCRIPTORS_FILE, bootstrap
from tests.support.descriptors import OLD_FIELDS, beside, descriptor_set
from tests.support.environments import environment
from tests.support.envoy import RunningEnvoy, running, validate
from tests.support.grpc_described import described_server
from tests.support.grpc_web import call, connect
from tests.support.proves import proves
from tests.support.stacks import stack_text

pytestmark = pytest.mark.whole

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "descriptors" / "michelangelo-2026-07-24.pb"
ORIGIN = "https://app.ml.example.com"
STUDIO = "https://studio.example.com"
HEADERS = {
    "content-type": "application/json",
    "context-ttl-ms": "10000",
    "grpc-timeout": "1000000m",
    "rpc-caller": "ma-studio",
    "rpc-encoding": "proto",
    "rpc-service": "ma-apiserver",
    "x-user-email": "someone@example.com",
    "x-user-name": "someone",
}
"""What the application of release 0.12 sends with every call."""


@dataclass(frozen=True)
class Door:
    """A started Envoy and what the server behind it was called with."""

    envoy: RunningEnvoy
    calls: list[dict[str, str]]

    def post(self, method: str, body: Any, headers: Mapping[str, str] | None = None) -> tuple[int, Any, Any]:
        """Status, body and headers of `POST /michelangelo.api.v2.<method>`; the body as JSON where it is."""
        text = body if isinstance(body, str) else json.dumps(body)
        sent = {**HEADERS, "Origin": ORIGIN, **(headers or {})}
        with contextlib.closing(connect(self.envoy.port)) as connection:
            connection.request("POST", f"/michelangelo.api.v2.{method}", text, sent)
            response = connection.getresponse()
            content = response.read().decode()
        found = {key.lower(): value for key, value in response.getheaders()}
        is_json = found.get("content-type", "").startswith("application/json")
        return response.status, json.loads(content) if is_json else content, found

    def preflight(self, origin: str, headers: str) -> tuple[int, http.client.HTTPMessage]:
        """Status and headers of a browser's question."""
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": headers,
        }
        with contextlib.closing(connect(self.envoy.port)) as connection:
            connection.request("OPTIONS", "/michelangelo.api.v2.ProjectService/GetProject", headers=asked)
            response = connection.getresponse()
            response.read()
            return response.status, response.headers


@contextlib.contextmanager
def door(content: bytes, directory: Path) -> Iterator[Door]:
    """Envoy as rendered, with the ConfigMap's bytes where the pod has them mounted."""
    made = environment(
        cors={"additionalOrigins": [STUDIO]}, controlPlane={"envoy": {"descriptors": beside(content)}}
    )
    (directory / "descriptors").mkdir()
    (directory / "descriptors" / DESCRIPTORS_FILE).write_bytes(content)
    with described_server(content) as (port, handler), running(bootstrap(made), directory, port) as started:
        yield Door(started, handler.calls)


@pytest.fixture(scope="module", params=["own", "published", "reflected"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """In front of a set made here, of the one of the platform's chart of July 2026, and of what a running
    server with that one says of itself."""
    if request.param != "own" and not PUBLISHED.is_file():
        pytest.skip("needs the published descriptor set")
    content = descriptor_set() if request.param == "own" else PUBLISHED.read_bytes()
    if request.param == "reflected":
        content = reflected(content)
    with door(content, tmp_path_factory.mktemp("json")) as opened:
        yield opened


def reflected(content: bytes) -> bytes:
    """The set that `descriptors --from-api` makes of a server's answers."""
    services = [f"{PACKAGE}.{kind}Service" for kind in RELEASES["0.12"].envoy.transcoded]
    with described_server(content, with_reflection=True) as (port, _):
        return from_api(f"127.0.0.1:{port}", services, plaintext=True)


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="needs the published descriptor set")
def test_a_set_of_another_release_is_told_before_anything_is_deployed(tmp_path: Path) -> None:
    """REL-1, CP-5: that of July has every service and lacks what came in October; the checks of a stack file
    name the field, and those of 2026.04 would miss the fields of July as well."""
    found = read(PUBLISHED.read_bytes())
    assert not found.missing(RELEASES["0.12"].envoy.transcoded)
    mark = found.contradicts(RELEASES["0.12"].descriptor_marks)
    assert mark is not None
    assert (mark.message, mark.field, mark.said) == ("ClusterSpec", "scheduler_type", "0.11 or earlier")
    (tmp_path / "july.pb").write_bytes(PUBLISHED.read_bytes())
    (tmp_path / "april.pb").write_bytes(descriptor_set(fields=OLD_FIELDS))
    for name, severity in (("july.pb", "warning"), ("april.pb", "error")):
        path = tmp_path / "Pulumi.prod.yaml"
        path.write_text(stack_text({"controlPlane": {"envoy": {"descriptors": name}}}))
        told = {item.code: item for item in load_environment(path).findings}
        assert told["MA146"].severity == severity


@pytest.mark.parametrize("kind", ["Project", "PipelineRun", "Model", "InferenceServer"])
@proves("REL-1")
def test_json_posted_to_a_service_is_answered_in_json(served: Door, kind: str) -> None:
    """CP-5, REL-1: by the path of the method itself, names in camelCase."""
    status, answer, headers = served.post(f"{kind}Service/Get{kind}", {"name": "demo", "namespace": "team-a"})
    assert status == 200, answer
    text = json.dumps(answer)
    assert '"demo"' in text
    assert '"team-a"' in text
    assert "_" not in "".join(_keys(answer))
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["content-type"] == "application/json"


def _keys(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _keys(value)


def test_the_server_is_called_by_grpc_with_the_headers_it_needs(served: Door) -> None:
    """CP-5: the platform's RPC layer refuses calls without them (facts 7.1)."""
    served.post("ProjectService/GetProject", {"name": "demo", "namespace": "team-a"})
    arrived = served.calls[-1]
    wanted = {key: value for key, value in HEADERS.items() if key.startswith(("rpc-", "x-user-"))}
    assert wanted.items() <= arrived.items()


@pytest.mark.parametrize(
    ("name", "status", "code", "said"),
    [("missing", 404, 5, "no such object"), ("forbidden", 403, 7, "for you"), ("broken", 400, 3, "spec is")],
)
def test_error_trailers_become_a_status_the_page_can_read(
    served: Door, name: str, status: int, code: int, said: str
) -> None:
    """CP-5, REL-1: HTTP status, JSON body, and the headers that open both to the page."""
    got, answer, headers = served.post("ModelService/GetModel", {"name": name, "namespace": "team-a"})
    assert got == status
    assert headers["access-control-allow-origin"] == ORIGIN
    body = answer if isinstance(answer, dict) else {}
    assert headers.get("grpc-status", str(body.get("code"))) == str(code)
    assert said in headers.get("grpc-message", "") + str(answer)


@pytest.mark.parametrize("body", ["{", '{"name": {"not": "text"}}', "[]"])
def test_what_envoy_itself_refuses_is_open_to_the_page_as_well(served: Door, body: str) -> None:
    """NET-3: CORS stands before the transcoder, so its own answers have the headers."""
    before = len(served.calls)
    status, _, headers = served.post("ProjectService/GetProject", body)
    assert status == 400
    assert headers["access-control-allow-origin"] == ORIGIN
    assert len(served.calls) == before


@pytest.mark.parametrize("origin", [ORIGIN, STUDIO])
def test_a_preflight_of_a_declared_origin_passes_with_all_twelve_headers(served: Door, origin: str) -> None:
    """NET-3, REL-1: without the last two every call of the application would fail."""
    wanted = RELEASES["0.12"].envoy.allow_headers
    assert len(wanted) == 12
    status, headers = served.preflight(origin, ",".join(wanted))
    assert status == 200
    assert headers["access-control-allow-origin"] == origin
    assert set(headers["access-control-allow-headers"].split(", ")) == set(wanted)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://appXml.example.com",
        "http://app.ml.example.com",
        "null",
        f"{ORIGIN}.a",
    ],
)
def test_a_preflight_of_another_origin_is_refused_and_not_forwarded(served: Door, origin: str) -> None:
    """NET-3 (V11)."""
    before = len(served.calls)
    _, headers = served.preflight(origin, "content-type")
    assert "access-control-allow-origin" not in headers
    assert len(served.calls) == before


def test_pages_from_before_the_update_go_on_working(served: Door) -> None:
    """CP-5, REL-3: gRPC-Web of the earlier application passes beside JSON, so that Envoy can be replaced
    first and there is no moment in which neither pair works."""
    request = b"\x0a\x04demo\x12\x06team-a"
    with contextlib.closing(connect(served.envoy.port)) as connection:
        answer = call(connection, "ProjectService/GetProject", request, {"Origin": ORIGIN})
    assert answer.status == 200
    assert answer.grpc_status() == "0"
    assert b"demo" in answer.messages[0]
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_envoy_starts_without_a_warning_and_serves_metrics(served: Door) -> None:
    """NET-2, OPS-3."""
    assert served.envoy.log.read_text() == ""
    assert "envoy_cluster_membership_healthy" in served.envoy.metrics()


def test_a_set_the_checks_call_incomplete_stops_envoy(tmp_path: Path) -> None:
    """CP-5: a listed service that is not in the set ends the process at start-up, so it is an error
    before."""
    content = descriptor_set(["Project"])
    (tmp_path / DESCRIPTORS_FILE).write_bytes(content)
    made = environment(controlPlane={"envoy": {"descriptors": beside(content)}})
    text = json.dumps(bootstrap(made)).replace("/etc/envoy-descriptors", str(tmp_path))
    code, said = validate(text, tmp_path)
    assert code != 0
    assert "ClusterService" in said


def test_the_set_is_mounted_whole_and_a_change_of_it_rolls_the_pods() -> None:
    """CP-5, CP-7: a pod reads it once; binary data stays as it is."""
    import base64

    made = {}
    for content in (descriptor_set(), descriptor_set([*RELEASES["0.12"].envoy.transcoded, "RayJob"])):
        objects = envoy(environment(controlPlane={"envoy": {"descriptors": beside(content)}}))
        (config,) = [item for item in objects if item["metadata"]["name"] == "envoy-descriptors"]
        assert base64.b64decode(config["binaryData"][DESCRIPTORS_FILE]) == content
        (deployment,) = [item for item in objects if item["kind"] == "Deployment"]
        template = deployment["spec"]["template"]
        made[content] = template["metadata"]["annotations"]["michelangelo.infra/config-checksum"]
        mounts = template["spec"]["containers"][0]["volumeMounts"]
        assert {"name": "descriptors", "mountPath": "/etc/envoy-descriptors", "readOnly": True} in mounts
    assert len(set(made.values())) == 2
