"""Images are looked for in a real registry's words: its logins, its indexes, and what it does not have."""

from __future__ import annotations

import base64
import json

import pytest

from madeploy.clients import registry
from madeploy.clients.errors import ClientError
from madeploy.clients.registry import credential_for, credentials, parse
from madeploy.doctor.checks import Check, run
from madeploy.doctor.images import images
from madeploy.findings.outcomes import Outcome
from tests.support.environments import environment
from tests.support.furnished import FurnishedSite
from tests.support.image_registry import LOGIN, Registry, serving
from tests.support.ports import free_port

SERVICES = ("apiserver", "controllermgr", "worker", "ui")


def site(address: str, *pull_secrets: str) -> FurnishedSite:
    """An environment all of whose images are in the registry at an address."""
    made = FurnishedSite(
        environment(
            images={"registry": f"{address}/ma", "tag": "0.12.0", "pullSecrets": list(pull_secrets)},
            controlPlane={"envoy": {"image": {"repository": f"{address}/envoy", "tag": "v1"}}},
        )
    )
    for name in pull_secrets:
        auth = base64.b64encode(f"{LOGIN.username}:{LOGIN.password}".encode()).decode()
        config = json.dumps({"auths": {address: {"auth": auth}}}).encode()
        secret = made.hub.objects[f"/api/v1/namespaces/ma-system/secrets/{name}"]
        secret |= {
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": base64.b64encode(config).decode()},
        }
    return made


def holding(*platforms: str) -> dict[str, list[str]]:
    return {**{f"ma/{name}:0.12.0": list(platforms) for name in SERVICES}, "envoy:v1": list(platforms)}


def look(made: FurnishedSite) -> Outcome:
    (outcome,) = run("doctor", "prod", [Check("images", "x", lambda: images(made.site))]).outcomes
    return outcome


@pytest.mark.parametrize("platforms", [("amd64",), ("amd64", "arm64")], ids=["one", "index"])
@pytest.mark.parametrize("login", ["", "basic", "bearer"])
def test_images_that_are_there_pass_with_the_login_of_the_pull_secret(
    login: str, platforms: tuple[str, ...]
) -> None:
    """CP-9, UX-8."""
    with serving(Registry(holding(*platforms), login)) as there:
        outcome = look(site(there.address, *(["pull"] if login else [])))
    assert (outcome.state, outcome.detail) == ("passed", "5 images are there, for amd64")


def test_an_image_that_is_not_there_is_named() -> None:
    """CP-9."""
    with serving(Registry({**holding("amd64")})) as there:
        del there.platforms["ma/worker:0.12.0"]
        (finding,) = look(site(there.address)).findings
    assert finding.code == "MA920"
    assert finding.subject.endswith("/ma/worker:0.12.0")


@pytest.mark.parametrize("login", ["basic", "bearer"])
def test_a_registry_that_wants_a_login_is_told_from_one_without_the_image(login: str) -> None:
    """CP-9, UX-3: and no login is shown."""
    with serving(Registry(holding("amd64"), login)) as there:
        found = look(site(there.address)).findings
    assert {finding.code for finding in found} == {"MA921"}
    assert "without a login" in found[0].evidence
    assert LOGIN.password not in str(found)


def test_an_image_for_other_processors_is_found_before_it_is_pulled() -> None:
    """CP-9: by the nodes' own label."""
    with serving(Registry(holding("arm64"))) as there:
        found = look(site(there.address)).findings
    assert {finding.code for finding in found} == {"MA923"}
    assert "made for arm64; nodes are amd64" in found[0].evidence


def test_a_registry_that_does_not_answer_here_is_no_finding_and_no_pass() -> None:
    """UX-8: nodes may well reach it."""
    outcome = look(site(f"127.0.0.1:{free_port()}"))
    assert (outcome.state, outcome.findings) == ("notChecked", ())
    assert outcome.detail.startswith("5 images, ")
    assert outcome.detail.count("nothing listens at its port") == 1


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", ("registry-1.docker.io", "library/nginx", "latest")),
        ("envoyproxy/envoy:v1.40.0", ("registry-1.docker.io", "envoyproxy/envoy", "v1.40.0")),
        ("docker.io/a/b:c", ("registry-1.docker.io", "a/b", "c")),
        ("ghcr.io/a/b", ("ghcr.io", "a/b", "latest")),
        ("localhost/a:1", ("localhost", "a", "1")),
        ("r.example.com:5000/a/b:t@sha256:00", ("r.example.com:5000", "a/b", "sha256:00")),
    ],
)
def test_references_are_read_as_container_runtimes_read_them(
    image: str, expected: tuple[str, str, str]
) -> None:
    """CP-9: hosts, defaults of Docker Hub, digests before tags."""
    found = parse(image)
    assert (found.registry, found.repository, found.tag) == expected


def test_logins_are_found_by_the_longest_path() -> None:
    """CP-9: as the kubelet does (Kubernetes, images)."""
    config = {
        "auths": {
            "https://index.docker.io/v1/": {"username": "hub", "password": "x"},
            "r.example.com": {"username": "all", "password": "x"},
            "r.example.com/team": {"auth": base64.b64encode(b"team:x:y").decode()},
        }
    }
    logins = credentials(json.dumps(config).encode())

    def who(image: str) -> str:
        found = credential_for(parse(image), logins)
        return found.username if found else ""

    assert [who(image) for image in ("nginx", "r.example.com/a", "r.example.com/team/a", "ghcr.io/a/b")] == [
        "hub",
        "all",
        "team",
        "",
    ]
    assert logins["r.example.com/team"].password == "x:y"


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"auths": []}', b'{"auths": {"a": {"auth": "%"}}}'])
def test_a_document_that_is_none_is_refused_without_its_words(text: bytes) -> None:
    """UX-3."""
    with pytest.raises(ValueError, match="it holds no logins"):
        credentials(text)


def test_a_login_is_never_sent_without_tls_to_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-3: a registry's challenge names where; a registry with TLS may not name a place without."""
    made = registry._Registry(parse("r.example.com/a:1"), LOGIN)
    with pytest.raises(ClientError, match="without TLS"):
        made._login('Bearer realm="http://elsewhere.example.com/token",service="r"')
