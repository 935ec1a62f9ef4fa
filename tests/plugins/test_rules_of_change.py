"""Which changes are told, and which of them replace the object."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.sandbox.plugins.comparing import Change, as_response, compared, is_ignored, pruned, split_path
from madeploy.sandbox.plugins.kubernetes.diff import changes, with_readable_secret
from madeploy.sandbox.plugins.kubernetes.immutable import replaced_by, touches
from madeploy.sandbox.plugins.properties import UNKNOWN

REPLACED = [
    ("v1", "ConfigMap", "metadata.name", True),
    ("v1", "ConfigMap", "metadata.namespace", True),
    ("v1", "ConfigMap", "metadata.labels.a", False),
    ("v1", "Secret", "type", True),
    ("v1", "Secret", "data.a", False),
    ("v1", "ConfigMap", "data.a", False),
    ("v1", "Service", "spec.clusterIP", True),
    ("v1", "Service", "spec.ports[0].port", False),
    ("v1", "Pod", "spec.containers[0].image", True),
    ("v1", "Pod", "spec.initContainers[1].env[0].value", True),
    ("v1", "Pod", "spec.nodeName", True),
    ("v1", "PersistentVolumeClaim", "spec.storageClassName", True),
    ("v1", "PersistentVolumeClaim", "spec.resources.requests.storage", False),
    ("v1", "PersistentVolume", "spec.csi.driver", True),
    ("v1", "ResourceQuota", "spec.scopes[0]", True),
    ("apps/v1", "Deployment", "spec.selector.matchLabels.app", True),
    ("apps/v1", "Deployment", "spec.template.spec.containers[0].image", False),
    ("apps/v1", "Deployment", "spec.replicas", False),
    ("apps/v1", "StatefulSet", "spec.serviceName", True),
    ("apps/v1", "StatefulSet", "spec.volumeClaimTemplates[0].spec", True),
    ("apps/v1", "StatefulSet", "spec.replicas", False),
    ("apps/v1", "DaemonSet", "spec.selector", True),
    ("batch/v1", "Job", "spec.template.spec.containers[0].image", True),
    ("batch/v1", "Job", "spec.ttlSecondsAfterFinished", False),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "roleRef.name", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "roleRef.name", True),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "subjects[0].name", False),
    ("rbac.authorization.k8s.io/v1", "Role", "rules[0].verbs", False),
    ("storage.k8s.io/v1", "StorageClass", "provisioner", True),
    ("example.org/v1", "Service", "spec.clusterIP", False),
]


@pytest.mark.parametrize(("api_version", "kind", "path", "replaces"), REPLACED)
def test_immutable_fields_replace_the_object(api_version: str, kind: str, path: str, replaces: bool) -> None:
    """The table of pulumi-kubernetes 4, with mutable Secrets and ConfigMaps as the project sets them."""
    patterns = replaced_by({"apiVersion": api_version, "kind": kind}, True, True)
    assert touches(tuple(split_path(path)), "x", patterns) is replaces


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
@pytest.mark.parametrize(
    ("mutable", "immutable", "replaces"), [(True, False, False), (False, False, True), (True, True, True)]
)
def test_contents_replace_unless_the_provider_and_the_object_allow_changes(
    kind: str, mutable: bool, immutable: bool, replaces: bool
) -> None:
    """Decision 7, engineering note 3: without the options a rotation would delete the Secret first."""
    patterns = replaced_by({"apiVersion": "v1", "kind": kind, "immutable": immutable}, mutable, mutable)
    assert touches(("data", "a"), "x", patterns) is replaces


def test_a_parent_that_brings_an_immutable_field_replaces() -> None:
    """A whole `spec` that is added holds the selector as well."""
    patterns = replaced_by({"apiVersion": "apps/v1", "kind": "Deployment"}, True, True)
    assert touches(("spec",), {"selector": {"matchLabels": {"a": "b"}}}, patterns)
    assert not touches(("spec",), {"replicas": 1}, patterns)
    pod = replaced_by({"apiVersion": "v1", "kind": "Pod"}, True, True)
    assert touches(("spec", "containers"), [{"name": "a", "image": "b"}], pod)


def told(old: Any, new: Any) -> dict[str, str]:
    return {change.text: change.kind for change in compared(old, new, lambda path, value: False)}


def test_changes_are_told_field_by_field() -> None:
    """What a person reads in `preview --diff`."""
    old = {"a": 1, "b": {"c": [1, {"d": 2}], "x/y": "v"}, "gone": True}
    new = {"a": 1, "b": {"c": [1, {"d": 3}, 4], "x/y": "w"}, "new": UNKNOWN}
    assert told(old, new) == {
        "b.c[1].d": "update",
        "b.c[2]": "add",
        "b.x/y": "update",
        "gone": "delete",
        "new": "add",
    }
    assert told({"m": {"a.b": 1}}, {"m": {"a.b": UNKNOWN}}) == {'m["a.b"]': "update"}
    assert told({"a": 1, "b": True}, {"a": 1.0, "b": 1}) == {"b": "update"}


plain_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(plain_values)
def test_equal_values_have_no_changes(value: Any) -> None:
    """A second run of the same program changes nothing."""
    assert told({"v": value}, {"v": value}) == {}


@given(
    st.lists(
        st.text(min_size=1, max_size=5).filter(lambda text: "*" not in text and "\\" not in text), min_size=1
    )
)
def test_a_path_that_is_told_can_be_ignored(steps: list[str]) -> None:
    """`ignoreChanges` takes paths as a preview prints them, whatever characters keys have."""
    change = Change(tuple(steps), "update", False)
    assert tuple(split_path(change.text)) == tuple(steps)
    assert is_ignored(change, [change.text])
    assert is_ignored(Change((*steps, 0, "x"), "update", False), [change.text])


def test_a_star_ignores_every_item() -> None:
    """The form Pulumi documents for lists."""
    change = Change(("spec", "containers", 1, "image"), "update", False)
    assert is_ignored(change, ["spec.containers[*].image"])
    assert not is_ignored(change, ["spec.containers[0].image"])


def test_a_replacement_deletes_first_only_where_something_is_replaced() -> None:
    """A fixed name must be free before it is taken again; an update must not delete anything."""
    replacing, updating = Change(("a",), "update", True), Change(("b",), "delete", False)
    assert as_response([replacing, updating], delete_first=True).deleteBeforeReplace
    assert list(as_response([replacing, updating], delete_first=True).replaces) == ["a"]
    assert not as_response([updating], delete_first=True).deleteBeforeReplace


def test_fields_of_the_cluster_are_no_changes() -> None:
    """The live object is cut to the shape of the inputs that made it."""
    live = {"spec": {"a": 1, "default": 2, "list": [{"n": 1, "added": True}, {"n": 2}]}, "status": {}}
    assert pruned(live, {"spec": {"a": 5, "list": [{"n": 7}]}}) == {"spec": {"a": 1, "list": [{"n": 1}]}}
    assert pruned([1, 2], [1], whole_lists=True) == [1, 2]


def spelled(old: Any, new: Any, outcome: Any, live: Any) -> list[str]:
    return [change.text for change in changes(old, new, (), lambda: outcome, live)]


def test_another_spelling_of_the_same_value_is_no_change() -> None:
    """`1000m` is `1`: the server says so in a dry run."""
    live = {"cpu": "1", "memory": "1Gi"}
    assert spelled(live, {"cpu": "1000m", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"}, live) == []
    assert spelled(live, {"cpu": "2000m", "memory": "1Gi"}, {"cpu": "2", "memory": "1Gi"}, live) == ["cpu"]


def test_an_empty_value_that_the_server_drops_is_no_change_but_one_with_contents_is() -> None:
    """A misspelt field must be seen at every preview, `false` need not."""
    assert spelled({}, {"readOnly": False}, {}, {}) == []
    assert spelled({}, {"raedOnly": True}, {}, {}) == ["raedOnly"]


def test_a_removed_field_is_a_change_even_if_the_server_keeps_a_value() -> None:
    """Its manager gives the field up, which is what the program asks for."""
    assert spelled({"a": 1}, {}, {"a": 1}, {"a": 1}) == ["a"]


def test_the_server_is_not_asked_about_unknown_values_or_without_need() -> None:
    """A second run of the same program costs no request."""

    def never() -> dict[str, Any]:
        raise AssertionError("asked")

    assert changes({"a": 1}, {"a": 1}, (), never, {"a": 1}) == []
    assert [change.text for change in changes({"a": 1}, {"a": UNKNOWN}, (), never, {"a": 1})] == ["a"]


def test_the_text_form_of_a_secret_is_compared_with_what_the_api_kept() -> None:
    """The API returns `data` for what was given as `stringData`."""
    live = {"kind": "Secret", "data": {"a": "Yg==", "other": "eA=="}}
    assert with_readable_secret(live, {"stringData": {"a": "b"}})["stringData"] == {"a": "b"}
    assert "stringData" not in with_readable_secret(
        {"kind": "ConfigMap", "data": {"a": "b"}}, {"stringData": {}}
    )
