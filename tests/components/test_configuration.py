"""The one place that reads the engine's configuration."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import configuration
from components.configuration import Configuration
from tests.support import environments
from tests.support.recording import record

PEM = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nZXhhbXBsZQ==\n-----END CERTIFICATE-----\n").decode()


def kubeconfig(name: str, **cluster: Any) -> str:
    data = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": f"https://{name}.example.com:6443",
                    "certificate-authority-data": PEM,
                    **cluster,
                },
            }
        ],
        "users": [{"name": name, "user": {"exec": {"command": "never-started"}}}],
    }
    return yaml.safe_dump(data)


def load(sections: dict[str, Any], kubeconfigs: dict[str, str], encrypted: bool = True) -> Configuration:
    """What the program reads from a stack with these sections and secrets."""
    raw = {f"michelangelo:{name}": json.dumps(value) for name, value in sections.items()}
    raw["michelangelo:kubeconfigs"] = json.dumps(kubeconfigs)
    found: list[Configuration] = []

    def program() -> None:
        pulumi.runtime.set_all_config(raw, ["michelangelo:kubeconfigs"] if encrypted else [])
        found.append(configuration.load())

    record(program)
    return found[0]


def sections(*clusters: str) -> dict[str, Any]:
    """Sections of the smallest environment, with these compute clusters."""
    data = environments.minimal().to_yaml_data()
    return {**data, "platform": {"tier": "development"}, "clusters": {name: {} for name in clusters}}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stack file is at hand, and no kubeconfig but the given ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULUMI_OPTION_CONFIG_FILE", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


def test_each_cluster_is_reached_by_its_encrypted_kubeconfig() -> None:
    """CARD-6, REG-1: host, port and authority come from there, and the rest stays secret."""
    names = ("control-plane", "compute-0")
    found = load(sections("compute-0"), {name: kubeconfig(name) for name in names})
    endpoint = found.access["compute-0"].endpoint
    assert endpoint is not None
    assert (endpoint.host, endpoint.port) == ("https://compute-0.example.com", "6443")
    assert found.access["control-plane"].endpoint is None


def test_every_cluster_that_cannot_be_used_is_named_at_once() -> None:
    """REG-1, REG-10, UX-3: without a traceback, and before anything is created."""
    secrets = {
        "control-plane": kubeconfig("control-plane"),
        "a": kubeconfig("a", server="http://a.example.com"),
        "b": kubeconfig("b", **{"certificate-authority-data": None}),
    }
    with pytest.raises(pulumi.RunError) as caught:
        load(sections("a", "b"), secrets)
    assert "clusters.a: server" in str(caught.value)
    assert "clusters.b: has no certificate-authority-data" in str(caught.value)


def test_a_cluster_on_eks_needs_no_kubeconfig() -> None:
    """REG-1: with its address and authority recorded, the program asks AWS nothing."""
    data = sections("a")
    data["clusters"]["a"] = {
        "eks": {"clusterName": "ml", "region": "eu-west-1"},
        "server": "https://a.example.com",
        "certificateAuthorityData": PEM,
    }
    access = load(data, {"control-plane": kubeconfig("control-plane")}).access["a"]
    assert access.endpoint is not None
    assert (access.endpoint.host, access.endpoint.port) == ("https://a.example.com", "443")
    (user,) = access.minified["users"]
    assert user["user"]["exec"]["command"] == "aws"


def test_a_stack_that_breaks_a_rule_is_refused_with_the_rule() -> None:
    """CARD-5, UX-3: also when it comes from elsewhere than a file."""
    with pytest.raises(pulumi.RunError, match=r"michelangelo:domians.*[\s\S]*michelangelo:domains"):
        load({**sections(), "domians": {}}, {"control-plane": kubeconfig("control-plane")})


@pytest.mark.parametrize("value", ["kubeconfigs", "objectStore"])
def test_a_secret_that_comes_in_plain_text_is_refused_and_not_repeated(value: str) -> None:
    """UX-3: whichever way the configuration came."""
    canary = kubeconfig("control-plane") if value == "kubeconfigs" else "canary"
    data = sections()
    if value == "objectStore":
        data["objectStore"] = {"accessKeyId": "id", "secretAccessKey": canary}
    with pytest.raises(pulumi.RunError, match="must be encrypted") as caught:
        load(data, {"control-plane": kubeconfig("control-plane")}, encrypted=value == "objectStore")
    assert canary not in str(caught.value)
    assert "never-started" not in str(caught.value)
