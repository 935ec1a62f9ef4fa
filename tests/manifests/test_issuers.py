"""Issuers and certificates."""

from __future__ import annotations

from typing import Any

import pytest

from manifests.gateway_api import routes
from manifests.ingress import ingresses
from manifests.issuers import certificates, issuers
from manifests.references import CERT_MANAGER, Name, provided, references
from tests.support.environments import environment
from tests.support.objects import of_kind
from tests.support.proves import proves

ACME = {"mode": "acme", "email": "platform@example.com"}
GATEWAY = {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"}


@proves("NET-9")
def test_the_acme_issuer_is_the_guides() -> None:
    """NET-9: http01 through the front door's IngressClass."""
    (issuer,) = issuers(environment(tls=ACME))
    assert issuer["kind"] == "ClusterIssuer"
    assert issuer["metadata"]["name"] == "letsencrypt-prod"
    assert "namespace" not in issuer["metadata"]
    assert issuer["spec"] == {
        "acme": {
            "server": "https://acme-v02.api.letsencrypt.org/directory",
            "email": "platform@example.com",
            "privateKeySecretRef": {"name": "letsencrypt-prod"},
            "solvers": [{"http01": {"ingress": {"ingressClassName": "nginx"}}}],
        }
    }


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("https://acme-v02.api.letsencrypt.org/directory", "letsencrypt-prod"),
        ("https://acme-staging-v02.api.letsencrypt.org/directory", "letsencrypt-prod"),
        ("https://acme.zerossl.com/v2/DV90", "zerossl"),
        ("https://dv.acme-v02.api.pki.goog/directory", "google-trust-services"),
        ("https://acme.sectigo.com/v2/DV", "sectigo"),
        ("https://acme.ssl.com/sslcom-dv-rsa", "ssl-com"),
        ("https://acme.digicert.com/v2/acme/directory/", "digicert"),
        ("https://ACME.ZeroSSL.com:443/v2/DV90", "zerossl"),
        ("https://acme.example.com/directory", "acme"),
        ("https://zerossl.com.example.com/directory", "acme"),
    ],
)
def test_an_issuer_is_named_after_its_authority(server: str, name: str) -> None:
    """NET-9: the name that Let's Encrypt's has had stays; the settings have the last word."""
    (issuer,) = issuers(environment(tls={**ACME, "server": server}))
    assert issuer["metadata"]["name"] == name
    assert issuer["spec"]["acme"]["privateKeySecretRef"] == {"name": name}
    (named,) = issuers(environment(tls={**ACME, "server": server, "issuerName": "ours"}))
    assert named["metadata"]["name"] == "ours"


@pytest.mark.parametrize("server", ["https://acme.zerossl.com/v2/DV90", "https://acme.example.com/directory"])
def test_an_account_is_bound_by_its_key_s_id_and_a_reference_to_the_key(server: str) -> None:
    """NET-9, CARD-5: cert-manager's externalAccountBinding; the key stands in a Secret only."""
    binding = {"keyId": "kid-1", "secretName": "zerossl-key", "secretDataKey": "hmac"}
    made = environment(tls={**ACME, "server": server, "externalAccountBinding": binding})
    (issuer,) = issuers(made)
    assert issuer["spec"]["acme"]["externalAccountBinding"] == {
        "keyID": "kid-1",
        "keySecretRef": {"name": "zerossl-key", "key": "hmac"},
    }
    targets = {reference.target for reference in references(issuer)}
    assert Name("Secret", CERT_MANAGER, "zerossl-key") in targets
    assert Name("Secret", CERT_MANAGER, "zerossl-key") in provided(made)


def test_another_class_is_the_solvers_class_too() -> None:
    """NET-9."""
    door = {"className": "traefik", "controllerNamespace": "traefik"}
    (issuer,) = issuers(environment(tls=ACME, frontDoor={"kind": "ingress", **door}))
    (solver,) = issuer["spec"]["acme"]["solvers"]
    assert solver == {"http01": {"ingress": {"ingressClassName": "traefik"}}}


def test_behind_a_gateway_challenges_come_in_through_its_plaintext_listener() -> None:
    """NET-9, NET-7: which exists and admits routes of the namespace."""
    made = environment(tls=ACME, frontDoor=GATEWAY)
    (issuer,) = issuers(made)
    (solver,) = issuer["spec"]["acme"]["solvers"]
    (parent,) = solver["http01"]["gatewayHTTPRoute"]["parentRefs"]
    (gateway,) = of_kind(routes(made), "Gateway")
    assert (parent["name"], parent["namespace"]) == ("michelangelo", "ma-system")
    (listener,) = [each for each in gateway["spec"]["listeners"] if each["name"] == parent["sectionName"]]
    assert (listener["protocol"], listener["port"]) == ("HTTP", 80)
    assert "HTTPRoute" in {kind["kind"] for kind in listener["allowedRoutes"]["kinds"]}


def test_dns01_writes_into_route_53() -> None:
    """NET-9: with only what the settings say."""
    solver: dict[str, Any] = {"kind": "dns01Route53", "region": "eu-west-1"}
    (issuer,) = issuers(environment(tls={**ACME, "solver": solver}))
    assert issuer["spec"]["acme"]["solvers"] == [{"dns01": {"route53": {"region": "eu-west-1"}}}]
    role = "arn:aws:iam::123456789012:role/dns"
    (issuer,) = issuers(environment(tls={**ACME, "solver": solver | {"hostedZoneId": "Z1", "roleArn": role}}))
    (found,) = issuer["spec"]["acme"]["solvers"]
    assert found["dns01"]["route53"] == {"region": "eu-west-1", "hostedZoneID": "Z1", "role": role}


def test_server_and_name_can_be_set() -> None:
    """NET-9."""
    staging = "https://acme-staging-v02.api.letsencrypt.org/directory"
    (issuer,) = issuers(environment(tls={**ACME, "server": staging, "issuerName": "letsencrypt-staging"}))
    assert issuer["metadata"]["name"] == "letsencrypt-staging"
    assert issuer["spec"]["acme"]["server"] == staging
    assert issuer["spec"]["acme"]["privateKeySecretRef"] == {"name": "letsencrypt-staging"}


def test_the_internal_ca_is_the_guides() -> None:
    """NET-10."""
    (issuer,) = issuers(environment(tls={"mode": "internalCa"}))
    assert issuer["metadata"]["name"] == "internal-ca"
    assert issuer["spec"] == {"ca": {"secretName": "internal-ca-key-pair"}}


def test_provided_certificates_need_no_issuer_and_no_annotation() -> None:
    """NET-11."""
    made = environment(tls={"mode": "provided", "envoy": {"enabled": True}})
    assert issuers(made) == certificates(made) == ()
    assert all(
        "cert-manager" not in key for each in ingresses(made) for key in each["metadata"]["annotations"]
    )


@pytest.mark.parametrize("door", [{"kind": "ingress"}, GATEWAY], ids=["ingress", "gatewayApi"])
def test_the_front_door_names_the_issuer_that_is_made(door: dict[str, Any]) -> None:
    """NET-11."""
    made = environment(tls={"mode": "internalCa", "issuerName": "company-ca"}, frontDoor=door)
    (issuer,) = issuers(made)
    carriers = of_kind(
        [*ingresses(made), *routes(made)], "Ingress" if door["kind"] == "ingress" else "Gateway"
    )
    annotations = [each["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] for each in carriers]
    assert annotations == [issuer["metadata"]["name"]] * len(carriers) != []


def test_envoys_own_certificate_is_issued_for_the_application_host() -> None:
    """NET-4, NET-11: an ACME authority signs no name inside the cluster."""
    (certificate,) = certificates(environment(tls={**ACME, "envoy": {"enabled": True}}))
    assert certificate["spec"]["secretName"] == "michelangelo-envoy-tls"
    assert certificate["spec"]["dnsNames"] == ["app.ml.example.com"]
    assert certificate["spec"]["issuerRef"]["name"] == "letsencrypt-prod"
    assert certificates(environment(tls=ACME)) == ()
