"""What tools and servers say, and what it comes from: each cause is brought about, told by the line that it
really makes, and what is printed ends the line.

kubectl, API servers, Envoy, gRPC and TLS speak for themselves.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from madeploy.doctor import causes
from manifests.objects import Object
from tests.support import envoy
from tests.support.api_server import HEADERS, IN_NAMESPACE, LIST_CLUSTERS, api_server
from tests.support.bench import SPACE, Bench, applied
from tests.support.clears import clears
from tests.support.live_door import files

pytestmark = pytest.mark.sandbox

TEAM = "bench-team"
BUCKETS = {"workspace": "bench-workspace", "models": "bench-models"}


@pytest.fixture
def team(bench: Bench) -> None:
    """A namespace of a team."""
    if not bench.asked(f"get namespace {TEAM} --ignore-not-found"):
        bench.kubectl(f"create namespace {TEAM}")


@contextlib.contextmanager
def deployed(bench: Bench, **sections: Any) -> Iterator[None]:
    """The bench with a stack that says this; its own is put back."""
    bench.sections.update(sections)
    bench.up()
    try:
        yield
    finally:
        bench.restore()
        bench.up(take_back=True)


def model(name: str, namespace: str, **spec: Any) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "michelangelo.api/v2", "kind": "Model", "metadata": metadata, "spec": spec}


PACKED = {"modelArtifactUri": ["s3://bench-models/a"], "deployableArtifactUri": ["s3://bench-models/b"]}


@pytest.mark.long
@clears("MA976")
@pytest.mark.usefixtures("team")
def test_a_model_is_seen_once_it_is_registered_where_it_is_looked_for(bench: Bench) -> None:
    """MR-10: the registry guide's row 2."""
    look = f"-n {TEAM} get models.michelangelo.api"
    try:
        bench.clear_words(
            "MA976",
            lambda: bench.asked(look),
            lambda: applied(bench, model("a", TEAM, **PACKED)),
        )
    finally:
        bench.kubectl(f"-n {TEAM} delete models.michelangelo.api --all")


@pytest.mark.long
@clears("MA353")
@pytest.mark.usefixtures("team")
def test_a_field_in_another_spelling_is_taken_once_it_is_spelt_as_it_is(bench: Bench) -> None:
    """MR-10: what the API server says of it, and what `lint` says."""
    file = bench.folder / "model.yaml"

    def written(**spec: Any) -> None:
        file.write_text(json.dumps(model("spelt", TEAM, **spec)), encoding="utf-8")

    written(model_artifact_uri=PACKED["modelArtifactUri"])
    try:
        bench.clear_words("MA353", lambda: bench.asked("apply -f model.yaml"), lambda: written(**PACKED))
    finally:
        bench.kubectl(f"-n {TEAM} delete models.michelangelo.api --all")


@clears("MA977", "MA978")
@pytest.mark.usefixtures("team")
def test_models_without_artifacts_are_found_and_the_run_that_made_them_is_shown(bench: Bench) -> None:
    """MR-10: rows 3 and 4, from live objects; the artifacts are written by another run."""
    answer = lambda: causes.models(bench.site)  # noqa: E731
    try:
        applied(bench, model("a", TEAM))
        raw = {"modelArtifactUri": PACKED["modelArtifactUri"]}
        bench.clear("MA977", answer, lambda: applied(bench, model("a", TEAM, **PACKED)))
        applied(bench, model("b", TEAM, **raw))
        bench.clear("MA978", answer, lambda: applied(bench, model("b", TEAM, **PACKED)))
    finally:
        bench.kubectl(f"-n {TEAM} delete models.michelangelo.api --all")


@pytest.mark.long
@clears("MA979")
@pytest.mark.usefixtures("team")
def test_a_reader_reads_once_its_namespace_is_named(bench: Bench) -> None:
    """MR-10: row 5; in the API server's words, and by the rights that an update gives."""
    reader = "system:serviceaccount:ci-namespace:ci-service-account"
    look = f"-n {TEAM} get models.michelangelo.api --as={reader}"
    registry = {"namespaces": [TEAM], "ciReader": {}}

    def says() -> str:
        said = bench.asked(look)
        return said if "cannot list" in said else ""

    try:
        bench.clear_words("MA979", says, lambda: bench.sections.update(modelRegistry=registry))
    finally:
        bench.restore()


@pytest.mark.long
@clears("MA980")
def test_a_wait_that_never_ends_is_one_for_a_field(bench: Bench) -> None:
    """MR-10: row 6; kubectl's own words, and the wait that is printed in its place."""
    applied(bench, model("fraud-detector", "default", **PACKED))

    class Waited:
        """The wait of a pipeline's author."""

        how = "--for=condition=Ready --timeout=1s models.michelangelo.api/fraud-detector"

    def by_field() -> None:
        Waited.how = (
            "--for=jsonpath='{.spec.deployableArtifactUri[0]}' models.michelangelo.api/fraud-detector"
        )

    try:
        bench.clear_words("MA980", lambda: bench.asked(f"wait {Waited.how}"), by_field)
    finally:
        bench.kubectl("-n default delete models.michelangelo.api fraud-detector")


@pytest.mark.long
@clears("MA994", "MA995")
def test_names_that_the_guides_have_wrong_are_told_by_what_kubectl_says(bench: Bench) -> None:
    """MR-10, REG-11: rows 36 and 40 of docs/platform.md, 2.3; the manifest is corrected by hand."""
    manifest = bench.folder / "project.yaml"
    written = {"role": "viewer", "group": "michelangelo.ai/v2"}

    def role() -> str:
        return bench.asked(f"get clusterrole {written['role']} -o name")

    def kind() -> str:
        project = {"apiVersion": written["group"], "kind": "Project", "metadata": {"name": "bench"}}
        manifest.write_text(json.dumps(project))
        return bench.asked(f"apply --dry-run=server -f {manifest}")

    bench.clear_words("MA994", role, lambda: written.update(role="view"))
    bench.clear_words("MA995", kind, lambda: written.update(group="michelangelo.api/v2"))


@pytest.mark.long
@clears("MA996")
def test_a_conflict_of_a_cluster_ends_with_the_controller_managers_restart(bench: Bench) -> None:
    """REG-11, V7: the API server's own conflict; whoever is started again reads what there is now."""
    cluster = {
        "apiVersion": "michelangelo.api/v2",
        "kind": "Cluster",
        "metadata": {"name": "bench-edited", "namespace": SPACE},
        "spec": {"kubernetes": {"rest": {"host": "https://127.0.0.1", "port": "1"}}},
    }
    applied(bench, cluster)
    manager = f"/apis/apps/v1/namespaces/{SPACE}/deployments/michelangelo-controllermgr"

    def started() -> str:
        found = bench.hub.get(manager)["spec"]["template"]["metadata"].get("annotations") or {}
        return str(found.get("kubectl.kubernetes.io/restartedAt"))

    read = {started(): bench.hub.get(bench.path(cluster))}
    bench.kubectl(f"-n {SPACE} annotate clusters.michelangelo.api bench-edited example.com/note=by-hand")
    copy = bench.folder / "copy.json"

    def says() -> str:
        mine = read.setdefault(started(), bench.hub.get(bench.path(cluster)))
        copy.write_text(json.dumps(mine))
        return bench.asked(f"replace -f {copy}")

    try:
        bench.clear_words("MA996", says)
    finally:
        patch = '-p \'{"metadata":{"finalizers":null}}\' --type=merge'
        bench.asked(f"-n {SPACE} patch clusters.michelangelo.api bench-edited {patch}")
        bench.kubectl(
            f"-n {SPACE} delete --ignore-not-found --wait=false clusters.michelangelo.api bench-edited"
        )
        bench.up(take_back=True)


@pytest.mark.long
@clears("MA986")
def test_plain_http_to_a_server_that_speaks_tls_is_told_by_that_server(bench: Bench) -> None:
    """CP-6: row 10; the words are of a server in Go, as the store's are."""
    address = bench.hub.server.removeprefix("https://")

    def says() -> str:
        minio = bench.config("controllermgr")["minio"]
        if minio["secure"]:
            return ""
        answer = urllib3.request("GET", f"http://{minio['awsEndpointUrl']}/", retries=False)
        return answer.data.decode()

    def at(scheme: str) -> dict[str, Any]:
        return {
            "kind": "s3Compatible",
            "endpoint": f"{scheme}://{address}",
            "region": "eu-west-1",
            "buckets": BUCKETS,
        }

    with deployed(bench, storage=at("http")):
        bench.clear_words("MA986", says, lambda: bench.sections.update(storage=at("https")))


@pytest.mark.long
@clears("MA989")
def test_tls_to_a_port_that_speaks_plaintext_is_told_by_the_client(bench: Bench) -> None:
    """CP-3, NET-4: the worker's own setting decides."""
    with api_server() as port:

        def says() -> str:
            if not bench.config("worker")["worker"]["useTLS"]:
                return ""
            context = ssl.create_default_context()
            try:
                with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as plain:
                    context.wrap_socket(plain, server_hostname="localhost")
            except ssl.SSLError as error:
                return str(error)
            return ""

        before = bench.sections["controlPlane"]
        wrong = {"config": {"worker": {"useTLS": True}}}
        with deployed(bench, controlPlane={**before, "worker": wrong}):
            bench.clear_words("MA989", says, lambda: bench.sections.update(controlPlane=before))


@clears("MA990")
def test_envoy_takes_its_configuration_again_after_what_is_printed(bench: Bench) -> None:
    """NET-2: the real Envoy's words about the live ConfigMap, edited by hand."""
    path = f"/api/v1/namespaces/{SPACE}/configmaps/envoy-config"

    def says() -> str:
        code, said = envoy.validate(bench.hub.get(path)["data"]["envoy.yaml"], bench.folder)
        return said if code else ""

    text = bench.hub.get(path)["data"]["envoy.yaml"]
    edited = "\n".join(line for line in text.splitlines() if "stat_prefix" not in line)
    patch = bench.folder / "envoy.json"
    patch.write_text(json.dumps({"data": {"envoy.yaml": edited}}))
    assert says() == ""
    bench.kubectl(f"-n {SPACE} patch configmap envoy-config --patch-file {patch}")
    bench.clear_words("MA990", says)


@pytest.mark.long
@clears("MA997")
def test_a_call_gets_through_with_what_the_api_server_demands(bench: Bench) -> None:
    """CP-10: a real gRPC call; the server refuses as the platform's does (docs/platform.md, 7.1)."""
    import grpc

    limit: dict[str, float | None] = {"seconds": None}
    with api_server() as port, contextlib.closing(grpc.insecure_channel(f"127.0.0.1:{port}")) as channel:

        def says() -> str:
            try:
                channel.unary_unary(LIST_CLUSTERS)(IN_NAMESPACE, metadata=HEADERS, timeout=limit["seconds"])
            except grpc.RpcError as error:
                return f"rpc error: code = {error.code().name} desc = {error.details()}"
            return ""

        bench.clear_words("MA997", says, lambda: limit.update(seconds=10.0))


@pytest.mark.long
@clears("MA356", "MA359")
@pytest.mark.usefixtures("team")
def test_an_inference_server_serves_with_the_backend_that_there_is(bench: Bench) -> None:
    """MR-9, MR-10: row 7, by the patch that is printed; another backend is named by hand."""
    answer = lambda: causes.inference_servers(bench.site)  # noqa: E731

    def server(name: str, backend: str | None) -> Object:
        metadata = {"name": name, "namespace": TEAM}
        spec = {} if backend is None else {"backendType": backend}
        return {
            "apiVersion": "michelangelo.api/v2",
            "kind": "InferenceServer",
            "metadata": metadata,
            "spec": spec,
        }

    try:
        applied(bench, server("a", None))
        bench.clear("MA356", answer)
        applied(bench, server("b", "BACKEND_TYPE_DYNAMO"))
        bench.clear("MA359", answer, lambda: applied(bench, server("b", "BACKEND_TYPE_TRITON")))
    finally:
        bench.kubectl(f"-n {TEAM} delete inferenceservers.michelangelo.api --all")


@clears("MA998")
def test_a_container_that_was_ended_for_its_memory_is_given_more(bench: Bench) -> None:
    """OPS-8: the kubelet's words are played; the fix is an edit of the stack file and an update."""
    path = f"/apis/apps/v1/namespaces/{SPACE}/deployments/michelangelo-worker"

    def says() -> str:
        (container,) = bench.hub.get(path)["spec"]["template"]["spec"]["containers"]
        small = container["resources"]["limits"]["memory"] == "64Mi"
        return "Last State: Terminated Reason: OOMKilled Exit Code: 137" if small else ""

    before = bench.sections["controlPlane"]
    small = {"resources": {"memory": "64Mi"}}
    with deployed(bench, controlPlane={**before, "worker": small}):
        bench.clear_words("MA998", says, lambda: bench.sections.update(controlPlane=before))


@pytest.mark.long
@clears("MA983")
def test_health_is_asked_of_what_there_is(bench: Bench) -> None:
    """OPS-8: a server's own 404, and its metrics."""
    asked = {"path": "/healthz"}
    with files({"/metrics": "up 1"}) as port:

        def says() -> str:
            answer = urllib3.request("GET", f"http://127.0.0.1:{port}{asked['path']}", retries=False)
            return f"GET {asked['path']} HTTP/1.1 {answer.status}"

        bench.clear_words("MA983", says, lambda: asked.update(path="/metrics"))


@pytest.mark.long
@clears("MA991")
def test_calls_are_sent_to_the_api_and_not_to_a_page(bench: Bench) -> None:
    """NET-5: what a web server answers, in the words of a gRPC client in Go."""
    with files({LIST_CLUSTERS: "<h1>welcome</h1>"}) as pages, api_server() as right:
        target = {"port": pages}

        def says() -> str:
            if target["port"] == right:
                return ""
            answer = urllib3.request("GET", f"http://127.0.0.1:{pages}{LIST_CLUSTERS}", retries=False)
            given = answer.headers.get("Content-Type", "text/html")
            return f'rpc error: code = Unknown desc = unexpected content-type "{given}" from transport'

        bench.clear_words("MA991", says, lambda: target.update(port=right))


@pytest.mark.long
@clears("MA992")
def test_a_page_is_accepted_once_its_origin_is_named(bench: Bench) -> None:
    """NET-3: Envoy's live configuration decides; the words are a browser's."""
    origin = "https://studio.bench.example.com"

    def says() -> str:
        path = f"/api/v1/namespaces/{SPACE}/configmaps/envoy-config"
        if origin in bench.hub.get(path)["data"]["envoy.yaml"]:
            return ""
        return (
            "Access to fetch at 'https://app.bench.example.com/michelangelo.api.v2.ProjectService/ListProject'"
            " from "
            f"origin '{origin}' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header"
        )

    try:
        bench.clear_words("MA992", says, lambda: bench.sections.update(cors={"additionalOrigins": [origin]}))
    finally:
        bench.restore()
        bench.up(take_back=True)
