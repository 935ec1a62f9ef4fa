"""Certificates in their Secrets: there, for the domain, with their key, valid; else cert-manager's words."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from typing import Any

import pytest

from madeploy.doctor.certificates import certificates
from madeploy.doctor.checks import Check, run
from madeploy.findings import Finding
from tests.support.environments import environment
from tests.support.furnished import FurnishedSite, deployed, named
from tests.support.tls import certificate_pair

API, APP = "api.ml.example.com", "app.ml.example.com"
SECRETS = {"michelangelo-apiserver-tls": API, "michelangelo-ui-tls": APP}
PATH = "/api/v1/namespaces/ma-system/secrets/michelangelo-apiserver-tls"
CERTIFICATE = named(
    "Certificate",
    "michelangelo-apiserver-tls",
    "ma-system",
    "cert-manager.io/v1",
    spec={"issuerRef": {"kind": "ClusterIssuer", "name": "letsencrypt-prod"}},
)


def held(pem: bytes, key: bytes) -> dict[str, str]:
    return {"tls.crt": base64.b64encode(pem).decode(), "tls.key": base64.b64encode(key).decode()}


def sound(mode: str = "provided") -> FurnishedSite:
    tls = {"mode": "provided"} if mode == "provided" else {"mode": "acme", "email": "ml@example.com"}
    made = deployed(environment(tls=tls))
    for name, host in SECRETS.items():
        made.hub.hold(named("Secret", name, "ma-system", data=held(*certificate_pair(host))))
    return made


def look(made: FurnishedSite) -> tuple[str, tuple[Finding, ...]]:
    (outcome,) = run("verify", "prod", [Check("c", "x", lambda: certificates(made.site))]).outcomes
    return outcome.state, outcome.findings


def missing(made: FurnishedSite) -> None:
    del made.hub.objects[PATH]


def empty(made: FurnishedSite) -> None:
    made.hub.objects[PATH]["data"] = {"tls.crt": "eA==", "tls.key": "eA=="}


def other_host(made: FurnishedSite) -> None:
    made.hub.objects[PATH]["data"] = held(*certificate_pair("other.example.com"))


def expired(made: FurnishedSite) -> None:
    days = datetime.timedelta(days=1)
    made.hub.objects[PATH]["data"] = held(*certificate_pair(API, -90 * days, -days))


def future(made: FurnishedSite) -> None:
    days = datetime.timedelta(days=1)
    made.hub.objects[PATH]["data"] = held(*certificate_pair(API, days, 90 * days))


def other_key(made: FurnishedSite) -> None:
    made.hub.objects[PATH]["data"] = held(certificate_pair(API)[0], certificate_pair(API)[1])


@pytest.mark.parametrize(
    ("inject", "code"),
    [
        (missing, "MA945"),
        (empty, "MA945"),
        (other_host, "MA946"),
        (expired, "MA947"),
        (future, "MA947"),
        (other_key, "MA968"),
    ],
)
def test_a_certificate_by_hand_is_judged(inject: Callable[[FurnishedSite], None], code: str) -> None:
    """NET-11, NET-15: row 4 of the checklist."""
    made = sound()
    assert look(made) == ("passed", ())
    inject(made)
    state, findings = look(made)
    assert (state, [finding.code for finding in findings]) == ("failed", [code])
    assert findings[0].commands


def test_a_wildcard_covers_one_label() -> None:
    """NET-11."""
    made = sound()
    made.hub.objects[PATH]["data"] = held(*certificate_pair("*.ml.example.com"))
    assert look(made)[0] == "passed"
    made.hub.objects[PATH]["data"] = held(*certificate_pair("*.example.com"))
    assert [finding.code for finding in look(made)[1]] == ["MA946"]


def unready(message: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": "False", "message": message}]}}


def test_cert_managers_own_reason_comes_before_a_missing_secret() -> None:
    """NET-9, NET-11, OPS-8: down to the challenge that is not met, and the issuer that is not ready."""
    made = sound("acme")
    missing(made)
    made.hub.hold(CERTIFICATE | unready("Issuing certificate as Secret does not exist"))
    made.hub.hold(
        named("ClusterIssuer", "letsencrypt-prod", None, "cert-manager.io/v1", **unready("account refused")),
        named(
            "Challenge",
            "c1",
            "ma-system",
            "acme.cert-manager.io/v1",
            spec={"dnsName": API},
            status={"reason": "wrong status code '404', expected '200'"},
        ),
    )
    state, (finding,) = look(made)
    assert (state, finding.code) == ("failed", "MA949")
    for words in (
        "Secret does not exist",
        f"challenge for {API}: wrong status code '404'",
        "account refused",
    ):
        assert words in finding.evidence


def test_a_certificate_that_is_ready_is_left_to_its_secret() -> None:
    """NET-11."""
    made = sound("acme")
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    made.hub.hold(CERTIFICATE | ready)
    assert look(made) == ("passed", ())
