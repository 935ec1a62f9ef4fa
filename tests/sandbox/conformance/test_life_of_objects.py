"""Objects are made, left alone, changed, replaced, found adrift and deleted as the program says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from tests.sandbox.conformance.engine import Program, Stack

Live = Callable[..., dict[str, Any] | None]
OnCluster = Callable[..., Program]

pytestmark = pytest.mark.sandbox


def every_kind(namespace: str, greeting: str = "hello") -> Callable[[pulumi.ResourceOptions], None]:
    """One object of each kind the project makes, with values spelled in other ways than the server does."""

    def body(opts: pulumi.ResourceOptions) -> None:
        labels = {"app": "every"}
        account = k8s.core.v1.ServiceAccount("account", metadata=at(namespace, "every"), opts=opts)
        k8s.core.v1.ConfigMap("settings", metadata=at(namespace, "every"), data={"g": greeting}, opts=opts)
        k8s.core.v1.Secret("secret", metadata=at(namespace, "every"), string_data={"g": greeting}, opts=opts)
        k8s.rbac.v1.Role(
            "role",
            metadata=at(namespace, "every"),
            rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}],
            opts=opts,
        )
        k8s.rbac.v1.RoleBinding(
            "binding",
            metadata=at(namespace, "every"),
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": "every"},
            subjects=[{"kind": "ServiceAccount", "name": account.metadata.name, "namespace": namespace}],
            opts=opts,
        )
        k8s.apps.v1.Deployment(
            "deployment",
            metadata=at(namespace, "every"),
            spec={
                "replicas": 1,
                "selector": {"match_labels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "service_account_name": account.metadata.name,
                        "automount_service_account_token": False,
                        "containers": [
                            {
                                "name": "main",
                                "image": "registry.invalid/main:1",
                                "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
                                "ports": [{"container_port": 80, "protocol": "TCP"}],
                                "volume_mounts": [{"name": "tmp", "mount_path": "/tmp", "read_only": False}],
                            }
                        ],
                        "volumes": [{"name": "tmp", "empty_dir": {}}],
                    },
                },
            },
            opts=opts,
        )
        k8s.core.v1.Service(
            "service",
            metadata=at(namespace, "every"),
            spec={"selector": labels, "ports": [{"port": 80, "target_port": "http"}]},
            opts=opts,
        )

    return body


def at(namespace: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, **fields}


def config_map(namespace: str, **fields: Any) -> Callable[[pulumi.ResourceOptions], None]:
    def body(opts: pulumi.ResourceOptions) -> None:
        k8s.core.v1.ConfigMap("map", metadata=at(namespace, "map"), opts=opts, **fields)

    return body


def test_a_second_up_changes_nothing_and_a_refresh_finds_no_drift(
    stack: Stack, namespace: str, on_cluster: OnCluster
) -> None:
    """UX-4: values the server spells differently, and fields it adds, are no change."""
    program = on_cluster(every_kind(namespace))
    assert set(stack.up(program).changes.values()) == {"create"}
    assert stack.up(program).changes == {}
    assert stack.refresh().changes == {}
    assert stack.preview(program).changes == {}


def test_changed_contents_update_config_maps_and_secrets_in_place(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """Decision 7: with the mutable options a rotation is an update, never a delete."""
    stack.up(on_cluster(every_kind(namespace)))
    before = {kind: live("v1", kind, "every") for kind in ("ConfigMap", "Secret")}
    run = stack.up(on_cluster(every_kind(namespace, greeting="goodbye")))
    assert run.changes == {"settings": "update", "secret": "update"}
    for kind, old in before.items():
        new = live("v1", kind, "every")
        assert new is not None
        assert old is not None
        assert new["metadata"]["uid"] == old["metadata"]["uid"]
        assert new["data"] != old["data"]


def test_without_the_mutable_option_changed_contents_replace_a_config_map(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """The reason for decision 7; a fixed name has to go before it can come again."""
    options = {"enable_config_map_mutable": False}
    stack.up(on_cluster(config_map(namespace, data={"a": "1"}), **options))
    before = live("v1", "ConfigMap", "map")
    run = stack.up(on_cluster(config_map(namespace, data={"a": "2"}), **options))
    after = live("v1", "ConfigMap", "map")
    assert not run.failed, run.text
    assert run.operations["map"] == "replace"
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["data"] == {"a": "2"}


def test_an_immutable_field_replaces_the_object(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """A role binding's role cannot be changed in place."""

    def binding(role: str) -> Callable[[pulumi.ResourceOptions], None]:
        def body(opts: pulumi.ResourceOptions) -> None:
            k8s.rbac.v1.RoleBinding(
                "binding",
                metadata=at(namespace, "bound"),
                role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                opts=opts,
            )

        return body

    stack.up(on_cluster(binding("view")))
    preview = stack.preview(on_cluster(binding("edit")))
    run = stack.up(on_cluster(binding("edit")))
    assert not run.failed, run.text
    assert preview.changed["binding"] == ["roleRef.name"]
    found = live("rbac.authorization.k8s.io/v1", "RoleBinding", "bound")
    assert found is not None
    assert found["roleRef"]["name"] == "edit"


def test_an_object_without_a_name_gets_one_and_keeps_it(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """Automatic names: the logical name and a random end."""

    def body(data: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            made = k8s.core.v1.ConfigMap(
                "named", metadata={"namespace": namespace}, data={"a": data}, opts=opts
            )
            pulumi.export("name", made.metadata.name)

        return declare

    first = stack.up(on_cluster(body("1"))).outputs["name"]
    second = stack.up(on_cluster(body("2"))).outputs["name"]
    assert first.startswith("named-")
    assert len(first) == len("named-") + 8
    assert second == first
    found = live("v1", "ConfigMap", first)
    assert found is not None
    assert found["metadata"]["annotations"]["pulumi.com/autonamed"] == "true"


def test_drift_is_found_by_a_refresh_and_mended_by_the_next_up(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, api: Any
) -> None:
    """Engineering rule 19: a change made with kubectl is told and repaired; what was deleted comes back."""
    program = on_cluster(every_kind(namespace))
    stack.up(program)
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.patch(
        name="every",
        namespace=namespace,
        body={"data": {"g": "tampered"}},
        content_type="application/merge-patch+json",
        field_manager="kubectl-edit",
    )
    api.resources.get(api_version="v1", kind="Service").delete(name="every", namespace=namespace)
    assert stack.refresh().changes == {"settings": "update", "service": "delete"}
    assert stack.preview(program).changes == {"settings": "update", "service": "create"}
    assert not (mended := stack.up(program)).failed, mended.text
    found = live("v1", "ConfigMap", "every")
    assert found is not None
    assert found["data"] == {"g": "hello"}
    assert live("v1", "Service", "every") is not None


def test_an_object_that_exists_already_is_not_taken_over(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, api: Any
) -> None:
    """Engineering rule 16: fail and name it; taking over is a choice (`upsertExistingObjects`)."""
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(namespace=namespace, body={"metadata": {"name": "map"}, "data": {"mine": "1"}})
    refused = stack.up(on_cluster(config_map(namespace, data={"a": "1"})))
    assert refused.failed
    assert "already exists" in refused.text
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["data"] == {"mine": "1"}
    taken = stack.up(on_cluster(config_map(namespace, data={"a": "1"}), upsert_existing_objects=True))
    assert not taken.failed, taken.text
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["data"] == {"mine": "1", "a": "1"}


def test_a_conflict_names_the_other_manager_and_force_wins(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, api: Any
) -> None:
    """Server-side apply conflicts are errors that name the owner, never overridden unasked."""
    stack.up(on_cluster(config_map(namespace, data={"a": "1"})))
    api.resources.get(api_version="v1", kind="ConfigMap").server_side_apply(
        name="map",
        namespace=namespace,
        body={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "map", "namespace": namespace},
            "data": {"a": "theirs"},
        },
        field_manager="other-team",
        force_conflicts=True,
    )
    refused = stack.up(on_cluster(config_map(namespace, data={"a": "2"})))
    assert refused.failed
    assert "conflict" in refused.text
    assert "other-team" in refused.text

    def forced(opts: pulumi.ResourceOptions) -> None:
        metadata = at(namespace, "map", annotations={"pulumi.com/patchForce": "true"})
        k8s.core.v1.ConfigMap("map", metadata=metadata, data={"a": "2"}, opts=opts)

    assert not (won := stack.up(on_cluster(forced))).failed, won.text
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["data"] == {"a": "2"}


def test_what_only_the_server_knows_is_not_made_up_in_a_preview(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """A preview must not show `null` where a value will be, in nested fields as well."""
    seen: list[Any] = []

    def body(opts: pulumi.ResourceOptions) -> None:
        service = k8s.core.v1.Service(
            "service", metadata=at(namespace, "service"), spec={"ports": [{"port": 80}]}, opts=opts
        )
        data = {"uid": service.metadata.uid, "ip": service.spec.cluster_ip}
        pulumi.Output.all(service.metadata.uid, service.spec.cluster_ip).apply(seen.append)
        k8s.core.v1.ConfigMap("map", metadata=at(namespace, "map"), data=data, opts=opts)

    preview = stack.preview(on_cluster(body))
    assert not preview.failed, preview.text
    assert all(None not in values for values in seen)
    assert not (run := stack.up(on_cluster(body))).failed, run.text
    service, found = live("v1", "Service", "service"), live("v1", "ConfigMap", "map")
    assert service is not None
    assert found is not None
    assert found["data"] == {"uid": service["metadata"]["uid"], "ip": service["spec"]["clusterIP"]}


def test_an_object_is_imported_with_what_a_program_would_say(
    stack: Stack, namespace: str, on_cluster: OnCluster, api: Any
) -> None:
    """Adoption is explicit: `import_` takes an object over, and the next run has nothing to change."""
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(namespace=namespace, body={"metadata": {"name": "map"}, "data": {"a": "1"}})

    def body(imported: str | None) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            merged = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(import_=imported))
            k8s.core.v1.ConfigMap("map", metadata=at(namespace, "map"), data={"a": "1"}, opts=merged)

        return declare

    run = stack.up(on_cluster(body(f"{namespace}/map")))
    assert not run.failed, run.text
    assert run.operations["map"] == "import"
    assert stack.up(on_cluster(body(None))).changes == {}


def test_an_import_leaves_alone_what_is_ignored_and_a_later_update_writes_it(
    stack: Stack, namespace: str, on_cluster: OnCluster, api: Any, live: Live
) -> None:
    """REG-9: an object that differs is taken over without a write; the difference goes when it is no longer
    ignored, although kubectl wrote the fields; finalizers and annotations of others stay."""
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    theirs = {"annotations": {"example.com/by": "hand"}, "finalizers": ["example.com/kept"]}
    made = {"metadata": {"name": "map", **theirs}, "data": {"a": "theirs"}}
    maps.create(namespace=namespace, body=made, field_manager="kubectl-client-side-apply")

    def body(*ignored: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            own = pulumi.ResourceOptions(
                import_=f"{namespace}/map",
                ignore_changes=["metadata.annotations", "metadata.finalizers", *ignored],
            )
            labelled = {**at(namespace, "map"), "labels": {"example.com/of": "ours"}}
            merged = pulumi.ResourceOptions.merge(opts, own)
            k8s.core.v1.ConfigMap("map", metadata=labelled, data={"a": "ours"}, opts=merged)

        return declare

    before = live("v1", "ConfigMap", "map")
    run = stack.up(on_cluster(body("data", "metadata.labels")))
    assert not run.failed, run.text
    assert run.operations["map"] == "import"
    assert live("v1", "ConfigMap", "map") == before
    assert stack.up(on_cluster(body("data", "metadata.labels"))).changes == {}
    assert stack.up(on_cluster(body())).changes == {"map": "update"}
    after = live("v1", "ConfigMap", "map")
    assert after is not None
    assert (after["data"], after["metadata"]["labels"]) == ({"a": "ours"}, {"example.com/of": "ours"})
    assert {key: after["metadata"][key] for key in theirs} == theirs
    maps.patch(
        name="map",
        namespace=namespace,
        body={"metadata": {"finalizers": None}},
        content_type="application/merge-patch+json",
    )


def test_an_object_of_somebody_else_is_read_and_patched_and_given_back(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, api: Any
) -> None:
    """A `get` adopts nothing; a patch resource owns its fields only, and gives them back."""
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(namespace=namespace, body={"metadata": {"name": "theirs"}, "data": {"a": "1"}})

    def body(patched: bool) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            read = k8s.core.v1.ConfigMap.get("read", f"{namespace}/theirs", opts=opts)
            pulumi.export("seen", read.data["a"])
            pulumi.export("uid", read.metadata.uid)
            if patched:
                k8s.core.v1.ConfigMapPatch(
                    "patch", metadata=at(namespace, "theirs"), data={"b": "2"}, opts=opts
                )

        return declare

    run = stack.up(on_cluster(body(patched=True)))
    found = live("v1", "ConfigMap", "theirs")
    assert not run.failed, run.text
    assert found is not None
    assert found["data"] == {"a": "1", "b": "2"}
    assert run.outputs == {"seen": "1", "uid": found["metadata"]["uid"]}
    assert stack.up(on_cluster(body(patched=True))).changes == {}
    assert not (back := stack.up(on_cluster(body(patched=False)))).failed, back.text
    found = live("v1", "ConfigMap", "theirs")
    assert found is not None
    assert found["data"] == {"a": "1"}


def test_ignored_changes_are_left_to_whoever_makes_them(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live, api: Any
) -> None:
    """`ignore_changes`: an autoscaler's field is neither a difference nor a conflict."""

    def body(greeting: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            ignoring = pulumi.ResourceOptions(ignore_changes=["data.scaled"])
            k8s.core.v1.ConfigMap(
                "map",
                metadata=at(namespace, "map"),
                data={"scaled": "1", "greeting": greeting},
                opts=pulumi.ResourceOptions.merge(opts, ignoring),
            )

        return declare

    stack.up(on_cluster(body("hello")))
    api.resources.get(api_version="v1", kind="ConfigMap").patch(
        name="map",
        namespace=namespace,
        body={"data": {"scaled": "5"}},
        content_type="application/merge-patch+json",
        field_manager="autoscaler",
    )
    stack.refresh()
    assert stack.preview(on_cluster(body("hello"))).changes == {}
    assert not (run := stack.up(on_cluster(body("goodbye")))).failed, run.text
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["data"] == {"scaled": "5", "greeting": "goodbye"}
