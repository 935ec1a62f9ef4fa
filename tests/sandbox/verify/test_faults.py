"""Faults of registrations on real API servers: each is named by its code, with a fix that repairs it when it
is followed to the letter."""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from madeploy.clusters.registration import cluster_path, secret_path
from madeploy.names.kubernetes import RAY_MANAGER_TOKEN, RAY_NAMESPACE
from manifests import registration as objects
from manifests.inputs import Inputs
from tests.support.clears import clears
from tests.support.ports import free_port
from tests.support.proves import proves
from tests.support.registrations import Registration, failed_check, place
from tests.support.waiting import wait

OPERATOR = "/apis/apps/v1/namespaces/ray-system/deployments/kuberay-operator"
DEFAULT = f"/api/v1/namespaces/{RAY_NAMESPACE}"
ACCOUNT = f"{DEFAULT}/serviceaccounts/ray-manager"
HOUR = 3600.0

ByHand = Callable[[], None]
Injection = Callable[[Registration], "ByHand | None"]
"""Brings a fault about; gives what a person does by hand where a fix asks for more than its commands."""


# Faults: each function brings one about.


def wrong_authority(made: Registration) -> ByHand:
    authority = (made.pki.parents[1] / "control-plane" / "pki" / "ca.crt").read_bytes()
    made.entry["certificateAuthorityData"] = base64.b64encode(authority).decode()
    made.up()
    return lambda: made.entry.pop("certificateAuthorityData")


def authority_without_its_key(made: Registration) -> None:
    made.control_plane.merge(
        place(objects.ca_secret(made.name, "")), {"data": {"cadata": None, "ca": "eA=="}}
    )


def authority_that_is_no_certificate(made: Registration) -> None:
    text = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n").decode()
    made.control_plane.merge(place(objects.ca_secret(made.name, "")), {"data": {"cadata": text}})


def expired_token(made: Registration) -> None:
    now = int(time.time())
    dates = {"iat": now - 7200, "nbf": now - 7200, "exp": now - 600}
    made.sign(**dates)


def token_not_valid_yet(made: Registration) -> ByHand:
    now = int(time.time())
    dates = {"iat": now + 1800, "nbf": now + 1800, "exp": now + 7200}
    made.sign(**dates)
    return lambda: None  # the clocks of this machine are right


def unused_token(made: Registration) -> None:
    """Register a new token: the API server remembers for ten seconds whom a used one stood for."""
    made.compute.delete(secret_path(RAY_MANAGER_TOKEN, RAY_NAMESPACE))
    made.apply(made.compute, objects.token_request())
    made.registered_token(base64.b64decode(made.token()).decode())


def revoked_token(made: Registration) -> None:
    unused_token(made)
    made.compute.delete(secret_path(RAY_MANAGER_TOKEN, RAY_NAMESPACE))


def token_of_an_earlier_account(made: Registration) -> None:
    unused_token(made)
    made.compute.delete(ACCOUNT)
    made.apply(made.compute, *objects.compute_side(Inputs(made.settings), made.name).objects)


def token_of_somebody_else(made: Registration) -> None:
    path = f"{DEFAULT}/serviceaccounts/default/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made.registered_token(made.compute.create(path, asked)["status"]["token"])


def token_with_a_line_end(made: Registration) -> None:
    made.registered_token(base64.b64decode(made.token()).decode() + "\n")


def empty_token(made: Registration) -> None:
    made.registered_token("")


def token_under_another_key(made: Registration) -> None:
    path = place(objects.token_secret(made.name, ""))
    made.control_plane.merge(path, {"data": {"token": None, "value": made.token()}})


def secret_in_the_wrong_namespace(made: Registration) -> None:
    item = objects.token_secret(made.name, made.token())
    made.control_plane.delete(place(item))
    item["metadata"]["namespace"] = "ma-system"
    made.apply(made.control_plane, item)


def token_controller_off(made: Registration) -> ByHand:
    record = made.embedded.state.processes["compute-0/controller-manager"]
    os.kill(record.pid, signal.SIGSTOP)
    made.compute.delete(secret_path(RAY_MANAGER_TOKEN, RAY_NAMESPACE))
    made.apply(made.compute, objects.token_request())
    made.register("")
    return lambda: os.kill(record.pid, signal.SIGCONT)


def missing_verb(made: Registration) -> None:
    made.kubectl(
        "--context", "compute-0", "patch", "clusterrole", "ray-manager", "--type=json",
        '-p=[{"op": "replace", "path": "/rules/0/verbs", "value": ["create", "get", "list", "watch"]}]',
    )  # fmt: skip


def missing_binding(made: Registration) -> None:
    made.compute.delete("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ray-manager-binding")


def wrong_port(made: Registration) -> ByHand:
    return made.at(f"https://127.0.0.1:{free_port()}")


def unknown_host(made: Registration) -> ByHand:
    return made.at("https://compute.invalid:6443")


def address_changed_by_hand(made: Registration) -> None:
    change = {"spec": {"kubernetes": {"rest": {"port": "1 "}}}}
    made.control_plane.merge(cluster_path(made.name), change)


def no_cluster(made: Registration) -> None:
    made.control_plane.delete(cluster_path(made.name))
    wait(lambda: made.control_plane.find(cluster_path(made.name)) is None)


def registered_twice(made: Registration) -> None:
    host, port = made.endpoint.host, made.endpoint.port
    made.apply(
        made.control_plane,
        objects.cluster(made.settings, made.name, host, port)
        | {"metadata": {"name": "twin", "namespace": "ma-system"}},
    )


def control_planes_context(made: Registration) -> ByHand:
    made.compute, right = made.connect("control-plane"), made.compute
    made.entry["kubeconfigContext"] = "control-plane"

    def by_hand() -> None:
        made.compute = right
        made.entry["kubeconfigContext"] = "compute-0"

    return by_hand


def no_storage_configuration(made: Registration) -> None:
    made.compute.delete(f"{DEFAULT}/configmaps/michelangelo-config")


def another_bucket(made: Registration) -> None:
    change = {"data": {"MA_FILE_SYSTEM": "s3://default"}}
    made.compute.merge(f"{DEFAULT}/configmaps/michelangelo-config", change)


def no_definitions(made: Registration) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rayjobs.ray.io"
    made.compute.delete(path)
    wait(lambda: made.compute.find(path) is None)


def no_operator(made: Registration) -> None:
    made.compute.delete(OPERATOR)


def operator_scaled_to_nothing(made: Registration) -> None:
    made.compute.merge(OPERATOR, {"spec": {"replicas": 0}})
    wait(lambda: not (made.compute.get(OPERATOR).get("status") or {}).get("availableReplicas"))


def namespace_terminating(made: Registration) -> ByHand:
    where = "/api/v1/namespaces/ray-system"
    held: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held", "namespace": "ray-system", "finalizers": ["example.com/held"]},
    }
    made.apply(made.compute, held)
    made.compute.delete(where)
    wait(lambda: made.compute.find(OPERATOR) is None)
    return lambda: (made.compute.merge(place(held), {"metadata": {"finalizers": None}}), None)[1]


def stale_proof(made: Registration) -> None:
    # A change of its metadata ends the reports (V7); then time passes.
    path = cluster_path(made.name)
    made.control_plane.merge(path, {"metadata": {"annotations": {"example.com/note": "x"}}})
    cluster = made.control_plane.get(path)
    (condition,) = cluster["status"]["statusConditions"]
    condition["lastUpdatedTimestamp"] = str(int(time.time()) - 600)
    made.control_plane.merge(f"{path}/status", {"status": {"statusConditions": [condition]}})


def reported_not_ready(made: Registration) -> ByHand:
    path = cluster_path(made.name)
    stale_proof(made)
    status: dict[str, Any] = made.control_plane.get(path)["status"]
    status["statusConditions"][0] |= {
        "status": "CONDITION_STATUS_FALSE",
        "lastUpdatedTimestamp": str(int(time.time())),
    }
    made.control_plane.merge(f"{path}/status", {"status": status})
    return made.roll


def never_reported(made: Registration) -> ByHand:
    made.stop_manager()
    no_finalizer(made)
    no_cluster(made)
    made.up()
    return made.start_manager


def waits_for_its_finalizer(made: Registration) -> None:
    made.stop_manager()
    made.control_plane.delete(cluster_path(made.name))


def no_finalizer(made: Registration) -> None:
    made.control_plane.merge(cluster_path(made.name), {"metadata": {"finalizers": None}})


def quota_refuses(made: Registration) -> ByHand:
    path = f"{DEFAULT}/resourcequotas"
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": RAY_NAMESPACE},
        "spec": {"hard": {"count/rayclusters.ray.io": "0"}},
    }
    made.compute.create(path, quota)
    wait(lambda: (made.compute.get(f"{path}/none").get("status") or {}).get("hard"))
    return lambda: (made.compute.delete(f"{path}/none"), None)[1]


FAULTS: list[tuple[Injection, str, str]] = [
    (no_cluster, "registration", "MA449"),
    (address_changed_by_hand, "registration", "MA449"),
    (registered_twice, "registration", "MA459"),
    (waits_for_its_finalizer, "registration", "MA452"),
    (control_planes_context, "registration", "MA448"),
    (secret_in_the_wrong_namespace, "registration", "MA441"),
    (empty_token, "registration", "MA440"),
    (token_under_another_key, "registration", "MA440"),
    (token_with_a_line_end, "registration", "MA440"),
    (token_controller_off, "registration", "MA456"),
    (authority_without_its_key, "registration", "MA442"),
    (authority_that_is_no_certificate, "tls", "MA442"),
    (unknown_host, "dns", "MA430"),
    (wrong_port, "tcp", "MA431"),
    (wrong_authority, "tls", "MA434"),
    (expired_token, "credential", "MA438"),
    (token_not_valid_yet, "credential", "MA439"),
    (revoked_token, "credential", "MA437"),
    (token_of_an_earlier_account, "credential", "MA437"),
    (token_of_somebody_else, "credential", "MA444"),
    (missing_verb, "rights", "MA443"),
    (missing_binding, "rights", "MA443"),
    (no_storage_configuration, "storage", "MA445"),
    (another_bucket, "storage", "MA445"),
    (no_definitions, "kuberay", "MA446"),
    (no_operator, "kuberay", "MA447"),
    (operator_scaled_to_nothing, "kuberay", "MA447"),
    (namespace_terminating, "kuberay", "MA453"),
    (never_reported, "health", "MA450"),
    (reported_not_ready, "health", "MA450"),
    (stale_proof, "health", "MA451"),
    (quota_refuses, "rayCluster", "MA458"),
]


@pytest.mark.parametrize(
    ("inject", "check", "code"), FAULTS, ids=[f"{code}-{inject.__name__}" for inject, _, code in FAULTS]
)
@clears(*(code for _, _, code in FAULTS))
@proves("REG-5", "REG-7", "REG-11", played="the controller manager's watch")
def test_a_fault_is_named_and_its_fix_repairs_it(
    inject: Injection, check: str, code: str, registration: Registration
) -> None:
    """REG-5, REG-6, REG-7, REG-10, REG-11: code, check and commands; afterwards everything is proven."""
    by_hand = inject(registration)
    failed, finding = failed_check(registration.verify())
    assert (failed, finding.code) == (check, code)
    registration.follow(finding, by_hand)
    assert registration.becomes_proven()


def test_a_path_in_the_address_is_refused_before_anything_is_registered(registration: Registration) -> None:
    """REG-1, REG-11: by the settings."""
    registration.entry["server"] = f"{registration.endpoint.host}:443/k8s/clusters/c-1"
    try:
        with pytest.raises(ValidationError, match="after the port"):
            _ = registration.settings
    finally:
        registration.entry.pop("server")
