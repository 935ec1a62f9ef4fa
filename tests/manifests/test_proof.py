"""The static proof: clean on what is rendered, and each rule notices what it is there for."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from madeploy.cli.app import app
from manifests import catalog, parts
from manifests.inputs import Inputs
from manifests.objects import Object
from manifests.proof import prove
from tests.support.environments import ALL, environment, gateway_minio, production_aws
from tests.support.objects import container, of_kind, one
from tests.support.stacks import stack_text

Break = Callable[[list[Object]], Any]


def _rendered(make: Callable[[], Any], cluster: int = 0) -> list[Object]:
    target = catalog.targets(Inputs(make()))[cluster]
    return copy.deepcopy([obj for bundle in target.bundles for obj in bundle.objects])


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_every_cluster_of_every_environment_is_proven(make: Callable[[], Any]) -> None:
    """CP-1 to CP-6, NET-1, NET-5 to NET-7, NET-11 to NET-13."""
    made = make()
    found = {
        target.cluster: prove(
            [obj for bundle in target.bundles for obj in bundle.objects], made, target.cluster
        )
        for target in catalog.targets(Inputs(made))
    }
    assert found == {cluster: [] for cluster in found}


def _deployment(objects: list[Object], service: str) -> Object:
    return one(objects, "Deployment", f"michelangelo-{service}")


def _set(data: Any, path: list[Any], value: Any) -> None:
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


def _drop(objects: list[Object], kind: str, name: str) -> None:
    objects.remove(one(objects, kind, name))


def _policy(objects: list[Object], name: str) -> dict[str, Any]:
    spec: dict[str, Any] = one(objects, "NetworkPolicy", name)["spec"]
    return spec


def _ingress_paths(objects: list[Object]) -> list[dict[str, Any]]:
    paths: list[dict[str, Any]] = one(objects, "Ingress", "michelangelo-ui")["spec"]["rules"][0]["http"][
        "paths"
    ]
    return paths


def _service_of_the_worker(objects: list[Object]) -> None:
    container(_deployment(objects, "worker"))["ports"] = [{"name": "x", "containerPort": 1}]
    objects.append(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "michelangelo-worker", "namespace": "ma-system"},
            "spec": {"selector": {"app": "michelangelo-worker"}, "ports": [{"port": 1, "targetPort": "x"}]},
        }
    )


def _no_policy_of_the_ui(objects: list[Object]) -> None:
    _drop(objects, "NetworkPolicy", "michelangelo-default-deny")
    _drop(objects, "NetworkPolicy", "michelangelo-ui")


BREAKS: dict[str, tuple[str, str, Break]] = {
    "a Service whose selector matches no pods": (
        "MA230",
        "Service/ma-system/michelangelo-apiserver",
        lambda o: _set(one(o, "Service", "michelangelo-apiserver"), ["spec", "selector"], {"app": "typo"}),
    ),
    "a disruption budget whose selector matches no pods": (
        "MA230",
        "PodDisruptionBudget/ma-system/michelangelo-ui",
        lambda o: _set(
            one(o, "PodDisruptionBudget", "michelangelo-ui"),
            ["spec", "selector", "matchLabels"],
            {"app": "typo"},
        ),
    ),
    "a Service port that no container has": (
        "MA231",
        "Service/ma-system/michelangelo-envoy",
        lambda o: _set(one(o, "Service", "michelangelo-envoy")["spec"]["ports"][0], ["targetPort"], "htp"),
    ),
    "a container that lost its port": (
        "MA231",
        "Service/ma-system/michelangelo-apiserver",
        lambda o: container(_deployment(o, "apiserver")).update(ports=[]),
    ),
    "a probe of a port that its container does not have": (
        "MA231",
        "Deployment/ma-system/michelangelo-ui",
        lambda o: _set(container(_deployment(o, "ui")), ["readinessProbe", "httpGet", "port"], 8080),
    ),
    "a Service that nobody reaches": (
        "MA232",
        "Service/ma-system/michelangelo-worker",
        _service_of_the_worker,
    ),
    "a door that the pods' policy keeps out": (
        "MA233",
        "Service/ma-system/michelangelo-ui",
        lambda o: _policy(o, "michelangelo-ui").pop("ingress"),
    ),
    "a door to a Service that is not there": (
        "MA234",
        "Ingress/ma-system/michelangelo-ui",
        lambda o: _set(_ingress_paths(o)[-1], ["backend", "service", "name"], "michelangelo-web"),
    ),
    "a door to a port the Service does not have": (
        "MA234",
        "Ingress/ma-system/michelangelo-ui",
        lambda o: _set(_ingress_paths(o)[-1], ["backend", "service", "port", "number"], 8080),
    ),
    "a ConfigMap that is not there": (
        "MA234",
        "Deployment/ma-system/michelangelo-envoy",
        lambda o: _drop(o, "ConfigMap", "envoy-config"),
    ),
    "a file that its ConfigMap does not have": (
        "MA234",
        "Deployment/ma-system/michelangelo-ui",
        lambda o: _set(one(o, "ConfigMap", "public-config"), ["data"], {"config.jsn": "{}"}),
    ),
    "a ServiceAccount that is not there": (
        "MA234",
        "Deployment/ma-system/michelangelo-worker",
        lambda o: _drop(o, "ServiceAccount", "michelangelo-worker"),
    ),
    "a pull secret that nobody declared": (
        "MA234",
        "Deployment/ma-system/michelangelo-worker",
        lambda o: _set(
            _deployment(o, "worker")["spec"]["template"]["spec"], ["imagePullSecrets"], [{"name": "typo"}]
        ),
    ),
    "an issuer that is not there": (
        "MA234",
        "Ingress/ma-system/michelangelo-apiserver",
        lambda o: _drop(o, "ClusterIssuer", "letsencrypt-prod"),
    ),
    "a certificate that nobody issues": (
        "MA234",
        "Ingress/ma-system/michelangelo-apiserver",
        lambda o: one(o, "Ingress", "michelangelo-apiserver")["metadata"]["annotations"].pop(
            "cert-manager.io/cluster-issuer"
        ),
    ),
    "an IngressClass that nobody installed": (
        "MA234",
        "Ingress/ma-system/michelangelo-apiserver",
        lambda o: _set(one(o, "Ingress", "michelangelo-apiserver"), ["spec", "ingressClassName"], "ngnix"),
    ),
    "a binding of a role that is not there": (
        "MA234",
        "ClusterRoleBinding/michelangelo-controllermgr",
        lambda o: _drop(o, "ClusterRole", "michelangelo-controllermgr"),
    ),
    "a namespace that is not there": (
        "MA234",
        "Service/ma-system/michelangelo-ui",
        lambda o: _drop(o, "Namespace", "ma-system"),
    ),
    "a documented flow that is refused at its source": (
        "MA235",
        "NetworkPolicies of ma-system/michelangelo-envoy",
        lambda o: _policy(o, "michelangelo-envoy")["egress"].pop(0),
    ),
    "a documented flow that is refused at its destination": (
        "MA235",
        "NetworkPolicies of ma-system/michelangelo-apiserver",
        lambda o: _policy(o, "michelangelo-apiserver")["ingress"].pop(1),
    ),
    "a policy of somebody else that opens more": (
        "MA236",
        "NetworkPolicies of ma-system/michelangelo-apiserver",
        lambda o: o.append(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "debug", "namespace": "ma-system"},
                "spec": {
                    "podSelector": {"matchLabels": {"app": "michelangelo-apiserver"}},
                    "policyTypes": ["Ingress"],
                    "ingress": [{}],
                },
            }
        ),
    ),
    "a wider network than the documented one": (
        "MA236",
        "NetworkPolicies of ma-system/michelangelo-worker",
        lambda o: _policy(o, "michelangelo-worker")["egress"].append(
            {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
        ),
    ),
    "pods that no policy isolates": ("MA237", "Deployment/ma-system/michelangelo-ui", _no_policy_of_the_ui),
}


@pytest.mark.parametrize(("code", "subject", "change"), BREAKS.values(), ids=BREAKS)
def test_the_proof_notices(code: str, subject: str, change: Break) -> None:
    """CP-6, CP-7, NET-11, NET-13: every rule has something it fails on."""
    objects = _rendered(production_aws)
    change(objects)
    assert (code, subject) in {(found.code, found.subject) for found in prove(objects, production_aws())}


def test_the_proof_notices_a_listener_that_is_not_there() -> None:
    """NET-7."""
    objects = _rendered(gateway_minio)
    one(objects, "GRPCRoute", "michelangelo-apiserver")["spec"]["parentRefs"][0]["sectionName"] = "grpc"
    found = prove(objects, gateway_minio())
    assert {(each.code, each.subject) for each in found} == {
        ("MA234", "GRPCRoute/michelangelo/michelangelo-apiserver")
    }
    assert "which has api, app, http" in found[0].evidence


def test_the_proof_notices_a_compute_policy_that_admits_more() -> None:
    """NET-12."""
    made = production_aws()
    number = [target.cluster for target in catalog.targets(Inputs(made))].index("gpu-west")
    objects = _rendered(production_aws, number)
    (policy,) = of_kind(objects, "NetworkPolicy")
    policy["spec"]["ingress"].append({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})
    assert {each.code for each in prove(objects, made, "gpu-west")} == {"MA236"}


def test_services_of_an_environment_without_policies_are_proven_too() -> None:
    """NET-13: what is not isolated may be reached."""
    made = environment(network={"policies": False})
    target = catalog.targets(Inputs(made))[0]
    objects = [obj for bundle in target.bundles for obj in bundle.objects]
    assert of_kind(objects, "NetworkPolicy") == []
    assert prove(objects, made) == []


BROKEN_TABLES = {
    "network-policies": {"MA235", "MA237"},
    "envoy": {"MA234"},
    "ui": {"MA234"},
    "apiserver": {"MA234"},
    "namespaces": {"MA234"},
}
"""Codes that are among the findings when a part is not there."""


@pytest.mark.parametrize("part", BROKEN_TABLES)
def test_validate_and_render_say_what_is_wrong_with_the_objects(
    part: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """NET-13, UX-3: before anything is applied, whoever changed the builders."""
    stack = tmp_path / "Pulumi.prod.yaml"
    stack.write_text(stack_text(), encoding="utf-8")
    rest = tuple(each for each in parts.IN_ORDER if each.name != part)
    monkeypatch.setattr("manifests.catalog.IN_ORDER", rest)
    monkeypatch.setattr("madeploy.cli.render._schema_findings", lambda rendered: iter(()))
    for command in (["validate", str(stack), "--json"], ["render", str(stack), "--check", "--json"]):
        done = CliRunner().invoke(app, command)
        data = json.loads(done.stdout)
        findings = data if isinstance(data, list) else data["findings"]
        assert BROKEN_TABLES[part] <= {finding["code"] for finding in findings}
        assert done.exit_code == (2 if command[0] == "validate" else 1)
