"""The played controllers do what the real ones do once all is well, and wait where the real ones would."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from kubernetes import client, config, dynamic

from madeploy.sandbox.environment import Environment
from tests.support.waiting import wait


class Space:
    """A namespace of one test on the control plane."""

    def __init__(self, api: client.ApiClient) -> None:
        self.name = f"test-{uuid.uuid4().hex[:8]}"
        self._dynamic = dynamic.DynamicClient(api)
        self.core = client.CoreV1Api(api)
        self.core.create_namespace({"metadata": {"name": self.name}})

    def create(self, version: str, kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> None:
        resource = self._dynamic.resources.get(api_version=version, kind=kind)
        body = {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.name, **metadata},
            "spec": spec,
        }
        resource.create(body=body, namespace=self.name)

    def status(self, version: str, kind: str, name: str) -> dict[str, Any]:
        resource = self._dynamic.resources.get(api_version=version, kind=kind)
        item = resource.get(name=name, namespace=self.name).to_dict()
        status: dict[str, Any] = item.get("status") or {}
        return status


@pytest.fixture
def space(environment: Environment) -> Iterator[Space]:
    """A namespace of the test's own."""
    with config.new_client_from_config(str(environment.kubeconfig), "control-plane") as api:
        made = Space(api)
        yield made
        made.core.delete_namespace(made.name)


def _ingress(class_name: str, secret: str | None = None) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    host = "web.example.com"
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    tls = [{"hosts": [host], "secretName": secret}] if secret else []
    return {"ingressClassName": class_name, "rules": [rule], "tls": tls}


def _conditions(status: dict[str, Any]) -> dict[str, str]:
    return {item["type"]: item["status"] for item in status.get("conditions", [])}


def _address(space: Space, ingress: str) -> Any:
    return space.status("networking.k8s.io/v1", "Ingress", ingress).get("loadBalancer", {}).get("ingress")


def test_an_ingress_of_a_known_class_gets_an_address_and_one_of_another_class_none(space: Space) -> None:
    """A misspelt class shows in the sandbox as it would elsewhere."""
    version = "networking.k8s.io/v1"
    space.create(version, "Ingress", "misspelt", _ingress("ngnix"))
    # Whoever sees this one has seen the one before.
    space.create(version, "Ingress", "known", _ingress("nginx"))
    wait(lambda: _address(space, "known"))
    assert not _address(space, "misspelt")


def test_a_load_balancer_service_gets_an_address(space: Space) -> None:
    """A Service of type LoadBalancer does not stay pending."""
    space.create("v1", "Service", "web", {"type": "LoadBalancer", "ports": [{"port": 80}]})
    status = wait(lambda: space.status("v1", "Service", "web").get("loadBalancer", {}).get("ingress"))
    assert status[0]["ip"] == "192.0.2.1"


def test_an_annotated_ingress_gets_a_certificate_for_its_hosts(space: Space) -> None:
    """The issuer first, then the Ingress: Certificate, Secret, and a chain that fits."""
    space.create("cert-manager.io/v1", "Issuer", "own", {"selfSigned": {}})
    space.create(
        "networking.k8s.io/v1",
        "Ingress",
        "web",
        _ingress("nginx", "web-tls"),
        annotations={"cert-manager.io/issuer": "own"},
    )

    def ready() -> bool:
        try:
            status = space.status("cert-manager.io/v1", "Certificate", "web-tls")
        except client.ApiException:
            return False
        return _conditions(status).get("Ready") == "True"

    wait(ready)
    data = space.core.read_namespaced_secret("web-tls", space.name).data
    leaf = x509.load_pem_x509_certificate(base64.b64decode(data["tls.crt"]))
    authority = x509.load_pem_x509_certificate(base64.b64decode(data["ca.crt"]))
    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["web.example.com"]


def test_a_certificate_whose_issuer_is_missing_says_so_and_becomes_ready_once_it_is_there(
    space: Space,
) -> None:
    """A misspelt issuer shows in the sandbox as it would elsewhere."""
    version = "cert-manager.io/v1"
    spec = {
        "secretName": "tls",
        "dnsNames": ["a.example.com"],
        "issuerRef": {"kind": "Issuer", "name": "late"},
    }
    space.create(version, "Certificate", "web", spec)
    wait(lambda: _conditions(space.status(version, "Certificate", "web")).get("Ready") == "False")
    assert "late" in space.status(version, "Certificate", "web")["conditions"][0]["message"]
    space.create(version, "Issuer", "late", {"selfSigned": {}})
    wait(lambda: _conditions(space.status(version, "Certificate", "web")).get("Ready") == "True")


def test_a_gateway_and_the_routes_attached_to_it_are_accepted(space: Space) -> None:
    """Gateway Programmed, route Accepted by the named parent; a Gateway of an unknown class waits."""
    version = "gateway.networking.k8s.io/v1"
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    space.create(version, "Gateway", "other", {"gatewayClassName": "unknown", "listeners": [listener]})
    space.create(version, "GRPCRoute", "api", {"parentRefs": [{"name": "other"}]})
    # Whoever accepts these has seen those before.
    space.create(version, "Gateway", "door", {"gatewayClassName": "sandbox", "listeners": [listener]})
    space.create(version, "HTTPRoute", "web", {"parentRefs": [{"name": "door"}]})
    space.create(version, "GRPCRoute", "known", {"parentRefs": [{"name": "door"}]})

    def attached() -> bool:
        listeners = space.status(version, "Gateway", "door").get("listeners") or [{}]
        return bool(listeners[0].get("attachedRoutes") == 2)

    wait(attached)
    assert _conditions(space.status(version, "Gateway", "door")) == {"Accepted": "True", "Programmed": "True"}
    (parent,) = wait(lambda: space.status(version, "HTTPRoute", "web").get("parents"))
    assert _conditions(parent) == {"Accepted": "True", "ResolvedRefs": "True"}
    assert space.status(version, "Gateway", "other") == {}
    assert space.status(version, "GRPCRoute", "api") == {}


def test_a_status_that_is_right_is_not_written_again(environment: Environment, space: Space) -> None:
    """Playing costs no writes once everything is as it should be."""
    version = "networking.k8s.io/v1"
    log = environment.clusters["control-plane"].audit_log
    assert log is not None
    writes = []
    # Whoever has seen one has seen the status of the one before; in the same round it looks at all.
    for name in ("quiet", "later", "last"):
        space.create(version, "Ingress", name, _ingress("nginx"))
        wait(partial(_address, space, name))
        lines = log.read_text(encoding="utf-8").splitlines()
        writes.append(sum('"name":"quiet"' in line for line in lines))
    assert 2 <= writes[0] <= writes[1] == writes[2]  # its creation, and its status
