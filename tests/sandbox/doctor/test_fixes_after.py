"""What is wrong with a deployed environment: each fault by its code, and what is printed clears it.

API servers, their dry runs and kubectl are real. Played are the engine, as the provider writes objects, the
ingress controller and cert-manager, which the embedded clusters play, and the platform's API server, which
makes its definitions when it starts.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from madeploy.clients.kubernetes import Object
from madeploy.doctor import certificates, checklist, data, drift
from madeploy.doctor.checks import Seen
from madeploy.doctor.site import Site
from madeploy.sandbox import objects
from madeploy.settings import CONTROL_PLANE
from tests.support.bench import SECRETS, SPACE, Act, Bench, applied
from tests.support.clears import cases, clears
from tests.support.tls import certificate_pair
from tests.support.waiting import wait

pytestmark = pytest.mark.sandbox

Look = Callable[[], Seen]
Fault = Callable[[Bench], tuple[Look, "Act | None", "Act | None"]]
"""Brings a fault about; gives the check, what a person does by hand, and what comes of the commands."""

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONFIG_MAPS = f"/api/v1/namespaces/{SPACE}/configmaps"
UI_SECRET = "michelangelo-ui-tls"
PROTOCOL = "nginx.ingress.kubernetes.io/backend-protocol"


def look(bench: Bench, check: Callable[[Site], Seen]) -> Look:
    """A check of the bench as its stack is then."""
    return lambda: check(bench.site)


def declared(bench: Bench) -> Look:
    """The comparison of everything declared with what is live."""
    return lambda: drift.objects(bench.site, CONTROL_PLANE)


def deleted(bench: Bench) -> tuple[Look, None, None]:
    bench.kubectl(f"-n {SPACE} delete configmap public-config")
    return declared(bench), None, None


def scaled(bench: Bench) -> tuple[Look, None, None]:
    bench.kubectl(f"-n {SPACE} scale deployment michelangelo-worker --replicas=4")
    return declared(bench), None, None


def field_added(bench: Bench) -> tuple[Look, None, None]:
    bench.kubectl(f"-n {SPACE} annotate service michelangelo-ui example.com/note=by-hand")
    return declared(bench), None, None


def held(bench: Bench) -> tuple[Look, Act, None]:
    where = f"-n {SPACE} patch configmap public-config --type=merge -p"
    bench.kubectl(f'{where} \'{{"metadata":{{"finalizers":["example.com/held"]}}}}\'')
    bench.kubectl(f"-n {SPACE} delete configmap public-config --wait=false")
    return (
        declared(bench),
        lambda: bench.kubectl(f'{where} \'{{"metadata":{{"finalizers":null}}}}\''),
        None,
    )


def no_definition(bench: Bench) -> tuple[Look, None, Act]:
    name = "models.michelangelo.api"
    (wanted,) = [item for item in objects.definitions(True) if item["metadata"]["name"] == name]
    bench.hub.delete(f"{DEFINITIONS}/{name}")
    wait(lambda: bench.hub.find(f"{DEFINITIONS}/{name}") is None)

    def started() -> None:
        path = f"/apis/apps/v1/namespaces/{SPACE}/deployments/michelangelo-apiserver"
        template = bench.hub.get(path)["spec"]["template"]["metadata"]
        assert "kubectl.kubernetes.io/restartedAt" in template["annotations"]
        objects.write(bench.hub, wanted)

    return look(bench, data.platform_definitions), None, started


def unreadable_registry(bench: Bench) -> tuple[Look, Act, None]:
    no_definition(bench)
    (wanted,) = [item for item in objects.definitions(True) if "models.mich" in item["metadata"]["name"]]

    def made() -> None:
        objects.write(bench.hub, wanted)
        wait(lambda: bench.hub.answers("/apis/michelangelo.api/v2/models"))

    return look(bench, data.model_registry), made, None


def door_without_address(bench: Bench) -> tuple[Look, Act, None]:
    ingress_class: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "bench-later"},
        "spec": {"controller": "example.com/not-there"},
    }
    applied(bench, ingress_class)
    bench.sections["frontDoor"] = {
        "kind": "ingress",
        "className": "bench-later",
        "apiAnnotations": {},
        "appAnnotations": {},
    }
    # Made anew: what the other controller wrote stays in the status.
    for name in ("michelangelo-apiserver", "michelangelo-ui"):
        bench.kubectl(f"-n {SPACE} delete ingress {name} --ignore-not-found")
    bench.up(take_back=True)

    def installed() -> None:
        bench.kubectl("delete ingressclass bench-later")
        applied(bench, ingress_class | {"spec": {"controller": objects.INGRESS_CONTROLLER}})

    return look(bench, checklist.app_door), installed, None


def other_protocol(bench: Bench) -> tuple[Look, None, None]:
    bench.kubectl(f"-n {SPACE} annotate ingress michelangelo-apiserver {PROTOCOL}=HTTP --overwrite")
    return look(bench, checklist.api_door), None, None


def edited(bench: Bench, name: str, file: str, change: Callable[[str], str]) -> None:
    """Change a file of a ConfigMap as a person does."""
    text = change(bench.hub.get(f"{CONFIG_MAPS}/{name}")["data"][file])
    patch = bench.folder / "patch.json"
    patch.write_text(json.dumps({"data": {file: text}}))
    bench.kubectl(f"-n {SPACE} patch configmap {name} --patch-file {patch}")


def origin_changed(bench: Bench) -> tuple[Look, None, None]:
    edited(
        bench,
        "envoy-config",
        "envoy.yaml",
        lambda text: text.replace("https://app.bench", "https://old.bench"),
    )
    return look(bench, checklist.cors_origin), None, None


def worker_told_otherwise(bench: Bench) -> tuple[Look, None, None]:
    def change(text: str) -> str:
        config: dict[str, Any] = yaml.safe_load(text)
        config["worker"]["address"] = "api.old.example.com:443"
        return yaml.safe_dump(config)

    edited(bench, "michelangelo-worker-config", "base.yaml", change)
    return look(bench, checklist.worker), None, None


def application_told_otherwise(bench: Bench) -> tuple[Look, None, None]:
    edited(bench, "public-config", "config.json", lambda text: text.replace("app.bench", "old.bench"))
    return look(bench, checklist.api_base_url), None, None


def certificate(bench: Bench) -> tuple[Look, Act, None]:
    """The check of certificates, and a good one that its owner lays down."""
    return look(bench, certificates.certificates), lambda: bench.files_for(SECRETS[UI_SECRET]), None


def no_certificate(bench: Bench) -> tuple[Look, Act, None]:
    bench.kubectl(f"-n {SPACE} delete secret {UI_SECRET}")
    return certificate(bench)


def certificate_of_another_host(bench: Bench) -> tuple[Look, Act, None]:
    bench.certify(UI_SECRET, host="other.example.com")
    return certificate(bench)


def certificate_that_expired(bench: Bench) -> tuple[Look, Act, None]:
    day = datetime.timedelta(days=1)
    bench.certify(UI_SECRET, begins=-90 * day, ends=-day)
    return certificate(bench)


def certificate_with_another_key(bench: Bench) -> tuple[Look, Act, None]:
    _, key = certificate_pair(SECRETS[UI_SECRET])
    patch = json.dumps({"data": {"tls.key": base64.b64encode(key).decode()}})
    bench.kubectl(f"-n {SPACE} patch secret {UI_SECRET} -p '{patch}'")
    return certificate(bench)


def certificate_that_is_not_issued(bench: Bench) -> tuple[Look, Act, None]:
    bench.sections["tls"] = {"mode": "acme", "email": "platform@example.com"}
    bench.up(take_back=True)
    issuers = [item for item in bench.site.objects[CONTROL_PLANE] if item["kind"] == "ClusterIssuer"]
    for item in issuers:
        bench.hub.delete(bench.path(item))
    for name in SECRETS:
        bench.kubectl(f"-n {SPACE} delete secret {name}")
    for item in bench.hub.items(f"/apis/cert-manager.io/v1/namespaces/{SPACE}/certificates"):
        bench.kubectl(f"-n {SPACE} delete certificate {item['metadata']['name']}")
    applied(bench, *(definition(plural, group) for plural, group in REQUESTS.items()))
    names = [f"{plural}.{group}" for plural, group in REQUESTS.items()]
    wait(lambda: all(name in bench.kubectl("api-resources -o name").split() for name in names))
    return look(bench, certificates.certificates), bench.up, None


REQUESTS = {
    "certificaterequests": "cert-manager.io",
    "orders": "acme.cert-manager.io",
    "challenges": "acme.cert-manager.io",
}


def definition(plural: str, group: str) -> Object:
    """One of cert-manager's kinds that the embedded clusters do not have."""
    kind = {"certificaterequests": "CertificateRequest", "orders": "Order", "challenges": "Challenge"}[plural]
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


CASES: list[tuple[Fault, str]] = [
    (deleted, "MA936"),
    (scaled, "MA937"),
    (field_added, "MA938"),
    (held, "MA939"),
    (no_definition, "MA940"),
    (unreadable_registry, "MA967"),
    (door_without_address, "MA942"),
    (other_protocol, "MA943"),
    (origin_changed, "MA950"),
    (worker_told_otherwise, "MA951"),
    (application_told_otherwise, "MA952"),
    (no_certificate, "MA945"),
    (certificate_of_another_host, "MA946"),
    (certificate_that_expired, "MA947"),
    (certificate_with_another_key, "MA968"),
    (certificate_that_is_not_issued, "MA949"),
]


EVERYDAY = ("MA936-deleted", "MA945-no_certificate")


@clears(*(code for _, code in CASES))
@pytest.mark.parametrize(
    ("fault", "code"), cases({f"{code}-{fault.__name__}": (fault, code) for fault, code in CASES}, EVERYDAY)
)
def test_a_fault_of_what_is_deployed_is_cleared_by_its_printed_fix(
    fault: Fault, code: str, bench: Bench
) -> None:
    """UX-8, UX-3, NET-11, NET-15, CP-8, MR-6: its code alone; what the fix says is done to the letter."""
    answer, act, then = fault(bench)
    try:
        bench.clear(code, answer, act, then)
    finally:
        bench.restore()
        bench.kubectl("delete --ignore-not-found ingressclass/bench-later")
        for plural, group in REQUESTS.items():
            bench.kubectl(f"delete --ignore-not-found --wait=false customresourcedefinition {plural}.{group}")
        bench.up(take_back=True)
        # Of the mode that was tried nothing stays; its Certificates would write their Secrets again.
        bench.kubectl(f"-n {SPACE} delete certificates.cert-manager.io --all")
        bench.kubectl("delete clusterissuers.cert-manager.io --all")
        if "tls" in fault.__name__ or "certificate" in fault.__name__:
            bench.certify()
