"""Names, previews and ownership of fields, on plain objects."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from madeploy.sandbox.plugins.kubernetes import objects
from madeploy.sandbox.plugins.kubernetes.applying import Applier, ConflictError, keeping
from madeploy.sandbox.plugins.kubernetes.client import ApiError, Client
from madeploy.sandbox.plugins.properties import UNKNOWN, Secret


def test_automatic_names_follow_from_the_engines_seed() -> None:
    """A plan that is made twice must find the same name."""
    assert objects.unique_name("web", b"seed") == objects.unique_name("web", b"seed")
    assert objects.unique_name("web", b"seed") != objects.unique_name("web", b"other")
    assert objects.unique_name("web", b"").startswith("web-")


def test_annotations_and_metadata_stay_secret_and_unknown() -> None:
    """Setting a name must not open what is closed, nor invent what is not known."""
    closed = {"metadata": Secret({"labels": {"a": "b"}})}
    named = objects.annotated(objects.with_metadata(closed, name="n"), "k", "v")
    assert named["metadata"] == Secret({"labels": {"a": "b"}, "name": "n", "annotations": {"k": "v"}})
    assert objects.with_metadata({"metadata": UNKNOWN}, name="n") == {"metadata": UNKNOWN}
    unknown = {"metadata": {"annotations": UNKNOWN}}
    assert objects.annotated(unknown, "k", "v") == unknown
    inner = objects.annotated({"metadata": {"annotations": {"s": Secret("x")}}}, "k", "v")
    assert inner["metadata"]["annotations"] == {"s": Secret("x"), "k": "v"}


def test_dashed_field_names_survive_the_sdk() -> None:
    """CustomResourceDefinitions have fields that no SDK can spell."""
    inputs = {"spec": [{"x_kubernetes_preserve_unknown_fields": True, "plain_name": 1}]}
    there = objects.from_sdk(inputs)
    assert there == {"spec": [{"x-kubernetes-preserve-unknown-fields": True, "plain_name": 1}]}
    assert objects.for_sdk(there) == inputs


@pytest.mark.parametrize("outcome", [None, {"metadata": {"name": "a", "uid": "made-up"}, "status": {"x": 1}}])
def test_a_preview_of_a_creation_leaves_open_what_the_server_sets(outcome: dict[str, Any] | None) -> None:
    """Nested fields as well; a dry run invents an identity that the object will not have."""
    target = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"replicas": 1},
    }
    seen = objects.forecast(target, {**target, **outcome} if outcome else None, None)
    assert seen["metadata"]["name"] == "a"
    assert seen["spec"] == {"replicas": 1}
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        assert seen["metadata"][field] is UNKNOWN
    assert seen["status"] is UNKNOWN


def test_a_preview_of_an_update_keeps_what_an_update_keeps() -> None:
    """The identity stays, and so do the fields that only the server sets."""
    live = {
        "kind": "Service",
        "metadata": {"name": "a", "uid": "u"},
        "spec": {"clusterIP": "10.0.0.1"},
        "status": {},
    }
    seen = objects.forecast(
        {"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": UNKNOWN}}, None, live
    )
    assert seen["metadata"]["uid"] == "u"
    assert seen["metadata"]["resourceVersion"] is UNKNOWN
    assert seen["spec"] == {"clusterIP": "10.0.0.1", "ports": UNKNOWN}


def test_addresses_are_open_until_they_are_given() -> None:
    """A dry run hands out an address, but not the one the service will get."""
    ports = [{"port": 80}, {"port": 81, "nodePort": 30001}]
    target = {"kind": "Service", "metadata": {"name": "a"}, "spec": {"type": "NodePort", "ports": ports}}
    outcome = {
        **target,
        "spec": {
            "clusterIP": "10.0.0.9",
            "clusterIPs": ["10.0.0.9"],
            "ports": [{"port": 80, "nodePort": 31234}, {"port": 81, "nodePort": 30001}],
        },
    }
    seen = objects.forecast(target, outcome, None)["spec"]
    assert seen["clusterIP"] is UNKNOWN
    assert seen["clusterIPs"] is UNKNOWN
    assert [port["nodePort"] for port in seen["ports"]] == [UNKNOWN, 30001]
    headless = {"kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIP": "None"}}
    assert objects.forecast(headless, headless, None)["spec"]["clusterIP"] == "None"


def test_contents_of_secrets_are_known_as_far_as_they_are_given() -> None:
    """A token is made by the cluster; text becomes base64; what is unknown stays so."""
    token = {"kind": "Secret", "metadata": {"name": "t"}, "type": objects.TOKEN_SECRET}
    assert objects.forecast(token, None, None)["data"] is UNKNOWN
    text = {"kind": "Secret", "metadata": {"name": "t"}, "stringData": {"a": "b", "c": UNKNOWN}}
    assert objects.forecast(text, None, None)["data"] == {"a": "Yg==", "c": UNKNOWN}
    assert (
        objects.forecast({**text, "stringData": UNKNOWN}, None, {"kind": "Secret", "data": {}})["data"]
        is UNKNOWN
    )


def managed(*entries: tuple[str, str, dict[str, Any]], subresource: str = "") -> dict[str, Any]:
    fields = [
        {"manager": manager, "operation": operation, "fieldsV1": fields, "apiVersion": "v1"}
        | ({"subresource": subresource} if subresource else {})
        for manager, operation, fields in entries
    ]
    metadata = {"name": "a", "resourceVersion": "7", "managedFields": fields}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "live", "b": "live"}}


class Recording:
    """Keeps what it is asked to patch and apply."""

    def __init__(self, live: dict[str, Any], refusal: ApiError | None = None) -> None:
        self.live = live
        self.refusal = refusal
        self.patched: list[Any] = []
        self.forced: list[bool] = []

    def get(self, target: dict[str, Any], name: str) -> dict[str, Any]:
        return self.live

    def patch(self, target: dict[str, Any], operations: list[Any]) -> dict[str, Any]:
        self.patched.append(operations)
        return self.live

    def apply(self, target: dict[str, Any], manager: str, force: bool, dry_run: bool) -> dict[str, Any]:
        self.forced.append(force)
        if self.refusal:
            raise self.refusal
        return target


TARGET = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a"},
    "data": {"a": "mine", "b": "mine"},
}
DATA_A = {"f:data": {"f:a": {}}}
DATA_B = {"f:data": {"f:b": {}}}


def applier(recording: Recording, force: bool = False) -> Applier:
    return Applier(cast(Client, recording), threading.Event(), force, False)


@pytest.mark.parametrize(
    "manager", ["mine", "kubectl-edit", "kubectl-client-side-apply", "before-first-apply"]
)
def test_an_update_takes_over_its_own_creation_and_edits_with_kubectl(manager: str) -> None:
    """Else the first update after a creation, and every repair of drift, would be a conflict."""
    recording = Recording(managed(("mine", "Apply", DATA_B), (manager, "Update", DATA_A)))
    applier(recording).update(TARGET, "a", "mine", [])
    [[replaced, _]] = recording.patched
    assert replaced["path"] == "/metadata/managedFields"
    [entry] = replaced["value"]
    assert (entry["manager"], entry["operation"]) == ("mine", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}, "f:b": {}}}


@pytest.mark.parametrize(
    "live",
    [
        managed(("other-team", "Apply", DATA_A)),
        managed(("other-team", "Update", DATA_A)),
        managed(("pulumi-kubernetes-12345678", "Update", DATA_A)),
        managed(("kubectl", "Update", DATA_A), subresource="status"),
    ],
)
def test_an_update_takes_nothing_over_from_others(live: dict[str, Any]) -> None:
    """Their fields stay theirs, and a clash is told."""
    recording = Recording(live)
    applier(recording).update(TARGET, "a", "mine", [])
    assert recording.patched == []
    assert recording.forced == [False]


def test_a_conflict_is_told_in_the_servers_words() -> None:
    """They name the other manager."""
    refusal = ApiError(409, "Conflict", 'conflict with "other-team": .data.a')
    with pytest.raises(ConflictError, match="other-team"):
        applier(Recording(managed(), refusal)).update(TARGET, "a", "mine", [])


@pytest.mark.parametrize(
    ("annotation", "option", "forced"), [("true", False, True), ("false", True, False), ("", True, True)]
)
def test_force_comes_from_the_annotation_or_else_the_option(
    annotation: str, option: bool, forced: bool
) -> None:
    """The precedence of the official plugin."""
    metadata = {"name": "a", "annotations": {"pulumi.com/patchForce": annotation} if annotation else {}}
    recording = Recording(managed())
    applier(recording, option).update({**TARGET, "metadata": metadata}, "a", "mine", [])
    assert recording.forced == [forced]


def test_ignored_fields_stay_as_they_are_and_with_whom_they_are() -> None:
    """`ignoreChanges`: our own field keeps its live value, another's is not claimed."""
    live = managed(("mine", "Apply", DATA_A), ("autoscaler", "Update", DATA_B))
    kept = keeping(TARGET, live, "mine", [["data", "a"], ["data", "b"], ["data", "missing"]])
    assert kept["data"] == {"a": "live"}
    assert TARGET["data"] == {"a": "mine", "b": "mine"}
