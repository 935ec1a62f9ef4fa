"""Two tenants as their operator types them, and as their own people meet them: by tokens and certificates
that the real API server reads, over everything that it serves."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from madeploy.names.tenants import EDITOR, VIEWER
from madeploy.sandbox.pki import Authority
from tests.support.proves import proves
from tests.support.sandbox import Deployed, restored

pytestmark = pytest.mark.sandbox

TEAM = "00000000-0000-4000-8000-000000000001"
BOTS = "bots"
"""Namespace of both tenants' ServiceAccounts: a group each, by name."""

LOCKS = {
    "michelangelo:frontDoor": {"kind": "ingress", "apiTls": "passthrough"},
    "michelangelo:access": {
        "browser": {
            "kind": "oidc",
            "provider": "keycloak",
            "issuer": "https://login.example.com/realms/ml",
            "clientId": "michelangelo",
            "editors": {"groups": ["ml-platform"]},
        },
        "api": {"kind": "guarded", "certificates": {"editors": {"groups": ["deployers"]}}},
    },
}
"""Both doors', in the same update."""

VERBS = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
READ = ("get", "list", "watch")


@dataclass
class Person:
    """Somebody with a credential of the control plane's cluster."""

    server: str
    context: ssl.SSLContext
    headers: dict[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPSConnection | None = None

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and text of one request."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        sent = json.dumps(body if body is not None else {}).encode() if method in _WITH_BODY else None
        connection = self._connected()
        try:
            connection.request(method, path, sent, {**self.headers, "content-type": kind})
            answer = connection.getresponse()
        except http.client.RemoteDisconnected:
            # What was about a stream ended the connection with its answer.
            connection.close()
            connection.request(method, path, sent, {**self.headers, "content-type": kind})
            answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")

    def _connected(self) -> http.client.HTTPSConnection:
        if self._connection is None:
            where = urlsplit(self.server)
            self._connection = http.client.HTTPSConnection(
                str(where.hostname), where.port, timeout=120, context=self.context
            )
        return self._connection

    def may(self, verb: str, resource: Resource, namespace: str) -> bool:
        """Whether a real request is let through to the object or the collection. Nothing is changed: what
        would be written is no object, and what is named is not there."""
        path = resource.path(namespace)
        if verb in ("get", "update", "patch", "delete"):
            path += f"/nobody{resource.sub}"
        elif verb == "watch":
            # No version at all: refused once the caller has been let through.
            path += "?watch=1&resourceVersion=none"
        elif verb == "deletecollection":
            path += "?dryRun=All&labelSelector=nobody%3Dnobody"
        if resource.sub and verb not in ("get", "update", "patch", "delete"):
            path = f"{resource.path(namespace)}/nobody{resource.sub}"
        status, _ = self.ask(VERBS[verb], path)
        assert status != 401, "the credential is not known"
        return status != 403


_WITH_BODY = ("POST", "PUT", "PATCH")


@dataclass(frozen=True)
class Resource:
    """A kind of object that the API server has in namespaces."""

    root: str
    plural: str
    verbs: tuple[str, ...]
    sub: str = ""

    def path(self, namespace: str) -> str:
        """Of its collection; of all namespaces for the empty one."""
        where = f"/namespaces/{namespace}" if namespace else ""
        return f"{self.root}{where}/{self.plural}"

    @property
    def group(self) -> str:
        """Its API group; empty for the core one."""
        return self.root.split("/")[2] if self.root.startswith("/apis/") else ""


@dataclass(frozen=True)
class Scene:
    """The deployed tenants, and who asks."""

    deployed: Deployed
    administrator: Person
    people: dict[tuple[str, str], Person]
    """By tenant, and `viewer` (a certificate) or `editor` (a token)."""

    resources: tuple[Resource, ...]


def tenants_of(deployed: Deployed, *arguments: str) -> tuple[int, str]:
    """`madeploy tenants …` for the sandbox's stack: exit code, and all that it said."""
    verb, *rest = arguments
    done = deployed.run("madeploy", "tenants", verb, *rest, "--stack", str(deployed.stack_file))
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def scene(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Both tenants, added by the command and made by `sandbox up`."""
    with restored(deployed):
        for name in ("vision", "speech"):
            given = ("--team", TEAM, "--description", name, "--git-repo", f"https://git.example.com/{name}")
            groups = ("--viewers", f"{name}-lookers", "--editors", f"system:serviceaccounts:{name}-{BOTS}")
            code, said = tenants_of(deployed, "add", name, *given, *groups)
            assert code == 0, said
        text = yaml.safe_load(deployed.stack_file.read_text())
        for tenant in text["config"]["michelangelo:tenants"].values():
            tenant["quota"] = {"pods": 1, "pipelineRuns": 1, "cpu": "1"}
        text["config"] |= LOCKS
        deployed.stack_file.write_text(yaml.safe_dump(text))
        _up(deployed)
        yield _scene(deployed, tmp_path_factory.mktemp("people"))
        for name in ("vision", "speech"):
            deployed.run("kubectl", "--context", "control-plane", "delete", "namespace", f"{name}-{BOTS}")
            code, said = tenants_of(deployed, "remove", name, "--confirm", name)
            assert code in (0, 2), said
        deployed.run("kubectl", "--context", "control-plane", "delete", "clusterrole", VIEWER, EDITOR)


def _scene(deployed: Deployed, folder: Path) -> Scene:
    kubeconfig = yaml.safe_load((deployed.state / "kubeconfig").read_text())
    (server,) = [
        each["cluster"]["server"] for each in kubeconfig["clusters"] if each["name"] == "control-plane"
    ]
    pki = deployed.state / "clusters" / "control-plane" / "pki"
    authority = Authority(pki, "ca", "unused")

    def certified(name: str, *groups: str) -> Person:
        pair = authority.client(f"test-{name}", name, groups)
        context = ssl.create_default_context(cafile=str(authority.pair.certificate))
        context.load_cert_chain(pair.certificate, pair.key)
        return Person(server, context)

    def by_token(namespace: str) -> Person:
        kubectl = ("kubectl", "--context", "control-plane")
        for made in (("namespace", namespace), ("serviceaccount", "bot", "-n", namespace)):
            done = deployed.run(*kubectl, "create", *made)
            assert done.returncode == 0, done.stderr
        token = deployed.run(*kubectl, "create", "token", "bot", "-n", namespace)
        assert token.returncode == 0, token.stderr
        context = ssl.create_default_context(cafile=str(authority.pair.certificate))
        return Person(server, context, {"authorization": f"Bearer {token.stdout.strip()}"})

    administrator = certified("root", "system:masters")
    people = {}
    for name in ("vision", "speech"):
        people[name, "viewer"] = certified(f"{name}-person", f"{name}-lookers")
        people[name, "editor"] = by_token(f"{name}-{BOTS}")
    return Scene(deployed, administrator, people, _resources(administrator))


def _resources(administrator: Person) -> tuple[Resource, ...]:
    """Everything in namespaces that the API server says it has, by its own discovery."""
    groups = json.loads(administrator.ask("GET", "/apis")[1])["groups"]
    roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    found = []
    for root in roots:
        for item in json.loads(administrator.ask("GET", root)[1])["resources"]:
            if item["namespaced"]:
                plural, _, sub = item["name"].partition("/")
                found.append(Resource(root, plural, tuple(item["verbs"]), f"/{sub}" if sub else ""))
    return tuple(found)


def _declared(verb: str, resource: Resource, editor: bool) -> bool:
    """What docs/tenants.md gives people within their own namespace."""
    name = f"{resource.plural}{resource.sub}"
    if resource.group == "michelangelo.api" and not resource.sub:
        changed = resource.plural not in ("projects", "clusters") and verb != "deletecollection"
        return verb in READ or (editor and changed)
    looked_at = {
        "": {"pods", "services", "events", "resourcequotas", "limitranges"},
        "apps": {"deployments"},
    }
    if (resource.group, name) == ("", "pods/log"):
        return verb == "get"
    return verb in READ and name in looked_at.get(resource.group, ())


@pytest.mark.long
@proves("ACC-1", "ACC-2", played="kubelets, the front door")
def test_locks_are_deployed_beside_tenants(scene: Scene) -> None:
    """ACC-1, ACC-2: both doors lead to Envoy, which the API server has as it was rendered."""
    found = {
        item["metadata"]["name"]: item
        for item in scene.deployed.get("control-plane", "ingresses", "-n", "ma-system")["items"]
    }
    backends = {
        name: item["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        for name, item in found.items()
    }
    assert backends == {
        "michelangelo-apiserver": {"name": "michelangelo-envoy", "port": {"number": 8082}},
        "michelangelo-ui": {"name": "michelangelo-envoy", "port": {"number": 8081}},
    }
    envoy = scene.deployed.get("control-plane", "deployment", "michelangelo-envoy", "-n", "ma-system")
    pod = envoy["spec"]["template"]["spec"]
    secrets = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    assert secrets == {"michelangelo-oidc", "michelangelo-apiserver-tls", "michelangelo-api-clients"}
    assert envoy["status"]["availableReplicas"] == envoy["spec"]["replicas"]


@pytest.mark.long
@proves("OPS-2")
def test_by_no_verb_on_any_kind_does_a_tenant_reach_the_other(scene: Scene) -> None:
    """OPS-2: by real requests with their own credentials, over all that the API server serves; in their own
    namespace exactly what is declared."""
    asked = 0
    for (tenant, role), person in scene.people.items():
        other = "speech" if tenant == "vision" else "vision"
        for resource in scene.resources:
            for verb in resource.verbs:
                for namespace in (other, ""):
                    if namespace or (verb in ("list", "watch") and not resource.sub):
                        asked += 1
                        refused = not person.may(verb, resource, namespace)
                        assert refused, (tenant, role, verb, resource, namespace)
                asked += 1
                declared = _declared(verb, resource, role == "editor")
                assert person.may(verb, resource, tenant) == declared, (tenant, role, verb, resource)
    assert asked > 4 * 60 * 6


@pytest.mark.long
@proves("OPS-2")
def test_by_kubectl_each_sees_its_own_objects_alone(scene: Scene) -> None:
    """OPS-2: as people type it."""
    for tenant, other in (("vision", "speech"), ("speech", "vision")):
        token = scene.people[tenant, "editor"].headers["authorization"].removeprefix("Bearer ")
        kubeconfig = yaml.safe_load((scene.deployed.state / "kubeconfig").read_text())
        kubeconfig["users"] = [
            {"name": each["name"], "user": {"token": token}} for each in kubeconfig["users"]
        ]
        file = scene.deployed.state / f"{tenant}.kubeconfig"
        file.write_text(yaml.safe_dump(kubeconfig))
        kubectl = ("kubectl", "--kubeconfig", str(file), "--context", "control-plane")
        own = scene.deployed.run(*kubectl, "get", "projects.michelangelo.api", "-n", tenant, "-o", "name")
        assert own.stdout.strip() == f"project.michelangelo.api/{tenant}"
        for where in (("-n", other), ("--all-namespaces",)):
            others = scene.deployed.run(*kubectl, "get", "projects.michelangelo.api", *where)
            assert (others.returncode, "forbidden" in others.stderr.lower()) == (1, True)
            assert others.stdout == ""
        file.unlink()


def _run(name: str) -> dict[str, Any]:
    meta = {"name": name}
    return {"apiVersion": "michelangelo.api/v2", "kind": "PipelineRun", "metadata": meta, "spec": {}}


@pytest.mark.long
@proves("OPS-2")
def test_a_tenant_has_its_quota_and_no_more_and_goes_and_comes_back_by_command(scene: Scene) -> None:
    """OPS-2: objects of its own people, told and refused by the operator's commands; removed with all that it
    has, while the other stays as it is; and there again under its name, with rights made anew."""
    deployed, editor = scene.deployed, scene.people["vision", "editor"]
    runs = "/apis/michelangelo.api/v2/namespaces/vision/pipelineruns"
    _beyond_the_quota(editor, runs)
    code, said = tenants_of(deployed, "status")
    assert code == 0, said
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line}
    assert lines["vision"][1:5] == ["yes", "yes", "1", "1"]
    assert "count/pipelineruns.michelangelo.api 1/1" in said
    assert lines["speech"][1:5] == ["yes", "yes", "0", "0"]
    _removed(deployed, editor, runs)
    # Its people have nothing any more, and the other's what they had.
    assert editor.ask("GET", runs)[0] == 403
    assert scene.people["speech", "editor"].ask("GET", runs.replace("vision", "speech"))[0] == 200
    _up(deployed)
    given = ("--team", TEAM, "--description", "again", "--git-repo", "https://git.example.com/vision")
    code, said = tenants_of(deployed, "add", "vision", *given, "--viewers", "vision-lookers")
    assert code == 0, said
    _up(deployed)
    project = deployed.get("control-plane", "projects.michelangelo.api", "vision", "-n", "vision")
    assert project["spec"]["description"] == "again"
    assert scene.people["vision", "viewer"].ask("GET", runs)[0] == 200
    assert editor.ask("GET", runs)[0] == 403


def _up(deployed: Deployed) -> None:
    up = deployed.madeploy("sandbox", "up")
    assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-4000:]


def _beyond_the_quota(editor: Person, runs: str) -> None:
    assert editor.ask("POST", runs, _run("first"))[0] == 201
    status, said = editor.ask("POST", runs, _run("second"))
    assert (status, "exceeded quota" in said) == (403, True)
    assert editor.ask("POST", runs.replace("vision", "speech"), _run("first"))[0] == 403


def _removed(deployed: Deployed, editor: Person, runs: str) -> None:
    """Refused while something runs and where the name is mistyped; then gone."""
    code, said = tenants_of(deployed, "remove", "vision", "--confirm", "vision")
    assert (code, "it still runs" in said, "PipelineRun first" in said) == (1, True, True)
    assert editor.ask("DELETE", f"{runs}/first")[0] == 200
    code, said = tenants_of(deployed, "remove", "vision", "--confirm", "visoin")
    assert (code, "nothing was done" in said) == (2, True)
    code, said = tenants_of(deployed, "remove", "vision", "--confirm", "vision")
    assert code == 0, said
    names = {item["metadata"]["name"] for item in deployed.get("control-plane", "namespaces")["items"]}
    assert "speech" in names
    assert "vision" not in names
    code, said = tenants_of(deployed, "status")
    assert (code, "vision" in said, "speech" in said) == (0, False, True)
