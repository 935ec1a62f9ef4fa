"""Doors that pass the API's TLS through to Envoy: what they consist of, and that everything fits together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from madeploy.policy.service_files import EVERY_RULE
from madeploy.policy.sources import of_stack
from madeploy.schemas.kinds import DEFINITIONS
from madeploy.settings import Environment
from manifests import catalog
from manifests.envoy import envoy
from manifests.gateway_api import routes
from manifests.ingress import ingresses
from manifests.inputs import Inputs
from manifests.issuers import certificates
from manifests.proof import prove
from policies.rules.evaluation import check
from tests.support.environments import environment
from tests.support.objects import one
from tests.support.proves import proves

DOORS: dict[str, dict[str, Any]] = {
    "ingress": {"kind": "ingress", "apiTls": "passthrough"},
    "gatewayApi": {
        "kind": "gatewayApi",
        "className": "eg",
        "controllerNamespace": "envoy-gateway-system",
        "apiTls": "passthrough",
    },
}
INTERNAL = {"mode": "internalCa", "envoy": {"enabled": True}}


def passing(door: str, **more: Any) -> Environment:
    """Certificates of callers behind one of the doors."""
    certificates = {"editors": {"groups": ["deployers"]}}
    access = {"api": {"kind": "guarded", "certificates": certificates}}
    return environment(access=access, frontDoor=DOORS[door], **more)


@pytest.mark.parametrize("tls", [{"mode": "provided"}, INTERNAL], ids=["provided", "issued"])
@pytest.mark.parametrize("door", DOORS)
@proves("ACC-2")
def test_every_name_is_made_and_every_flow_is_admitted(door: str, tls: dict[str, Any]) -> None:
    """ACC-2, NET-13: by the static proof."""
    controls = {"caBundleConfigMap": "company-ca"}
    made = passing(door, tls=tls, controlPlane=controls)
    (target,) = catalog.targets(Inputs(made))
    assert prove([obj for bundle in target.bundles for obj in bundle.objects], made) == []


@pytest.mark.parametrize("door", DOORS)
def test_no_policy_takes_them_for_a_mistake(door: str) -> None:
    """SUP-2: connections that are passed through name neither certificates nor what callers speak."""
    made = passing(door, tls=INTERNAL, controlPlane={"caBundleConfigMap": "company-ca"})
    resources = of_stack("passing", Path("Pulumi.passing.yaml"), made).resources
    assert list(check(EVERY_RULE, resources, "production")) == []


def test_ingress_nginx_is_told_to_pass_connections_through_and_nothing_else() -> None:
    """ACC-2: what it would do with requests means nothing to connections."""
    api = one(ingresses(passing("ingress")), "Ingress", "michelangelo-apiserver")
    assert api["metadata"]["annotations"] == {"nginx.ingress.kubernetes.io/ssl-passthrough": "true"}
    (path,) = api["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "michelangelo-envoy", "port": {"number": 8082}}
    assert path["path"] == "/"


def test_a_gateway_has_a_listener_without_a_certificate_and_a_route_by_name() -> None:
    """ACC-2: of the kind that its listener admits, in the shape of its definition."""
    made = routes(passing("gatewayApi"))
    route = one(made, "TLSRoute", "michelangelo-apiserver")
    definition = yaml.safe_load((DEFINITIONS / "tlsroute.yaml").read_text())
    jsonschema.validate(route, definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    listeners = {each["name"]: each for each in one(made, "Gateway", "michelangelo")["spec"]["listeners"]}
    api = listeners[route["spec"]["parentRefs"][0]["sectionName"]]
    assert (api["protocol"], api["tls"]) == ("TLS", {"mode": "Passthrough"})
    assert [kind["kind"] for kind in api["allowedRoutes"]["kinds"]] == ["TLSRoute"]
    assert listeners["app"]["protocol"] == "HTTPS"
    assert not [obj for obj in made if obj["kind"] == "GRPCRoute"]


def test_a_certificate_is_asked_for_once() -> None:
    """NET-11: by the Ingress that names its Secret, or by an object where no listener names one."""
    secrets = [each["spec"]["secretName"] for each in certificates(passing("ingress", tls=INTERNAL))]
    assert secrets == ["michelangelo-envoy-tls"]
    made = certificates(passing("gatewayApi", tls=INTERNAL))
    assert {each["spec"]["secretName"]: each["spec"]["dnsNames"] for each in made} == {
        "michelangelo-envoy-tls": ["app.ml.example.com"],
        "michelangelo-apiserver-tls": ["api.ml.example.com"],
    }


def test_of_the_authorities_secret_envoy_sees_the_certificates_alone() -> None:
    """ACC-2, OPS-1: a key beside them would sign callers."""
    pod = one(envoy(passing("ingress")), "Deployment", "michelangelo-envoy")["spec"]["template"]["spec"]
    (volume,) = (each for each in pod["volumes"] if each["name"] == "api-clients")
    assert volume["secret"]["secretName"] == "michelangelo-api-clients"
    assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_a_gateway_calls_the_apis_port_of_an_envoy_that_ends_tls_as_the_port_speaks() -> None:
    """NET-4, NET-7: a policy for the whole Service would have it speak TLS to the API's port, too."""
    guarded = environment(
        access={"api": {"kind": "guarded"}},
        frontDoor=DOORS["gatewayApi"] | {"apiTls": "terminate"},
        tls={"mode": "provided", "envoy": {"enabled": True}},
    )
    (target,) = one(routes(guarded), "BackendTLSPolicy", "michelangelo-envoy")["spec"]["targetRefs"]
    ports = one(envoy(guarded), "Service", "michelangelo-envoy")["spec"]["ports"]
    assert {port["name"]: port["appProtocol"] for port in ports} == {
        target["sectionName"]: "https",
        "api": "kubernetes.io/h2c",
    }
