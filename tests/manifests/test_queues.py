"""Queues: what Kueue gets on a compute cluster, and what sends jobs there."""

from __future__ import annotations

from typing import Any

from madeploy.names.tenants import TENANT_LABEL
from manifests import catalog, registration
from manifests.inputs import Inputs
from manifests.queues import kueue_release, queues
from manifests.service_config import base_config
from tests.support.environments import QUEUES, environment, every_part
from tests.support.objects import of_kind, one
from tests.support.proves import proves

GPU: dict[str, Any] = {"kubeconfigContext": "gpu"}
KUEUE = {"controllermgr": {"scheduler": "kueue"}}


@proves("OPS-6")
def test_every_project_has_a_queue_that_draws_from_the_one_of_its_cluster() -> None:
    """OPS-6: where Ray's objects are, under the name that the platform looks for."""
    made = list(queues(environment(clusters={"gpu": GPU | {"queues": QUEUES}}), "gpu"))
    local = of_kind(made, "LocalQueue")
    assert [item["metadata"]["name"] for item in local] == ["ma-fraud", "ma-search"]
    assert {item["metadata"]["namespace"] for item in local} == {"default"}
    shared = one(made, "ClusterQueue", "michelangelo")
    assert {item["spec"]["clusterQueue"] for item in local} == {shared["metadata"]["name"]}
    (group,) = shared["spec"]["resourceGroups"]
    assert group["coveredResources"] == ["cpu", "memory"]
    assert group["flavors"][0] == {
        "name": "cpu",
        "resources": [
            {"name": "cpu", "nominalQuota": "64"},
            {"name": "memory", "nominalQuota": "256Gi"},
        ],
    }
    assert shared["spec"]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "default"}}
    flavors = {item["metadata"]["name"]: item["spec"] for item in of_kind(made, "ResourceFlavor")}
    assert flavors == {
        "cpu": {},
        "a100": {"nodeLabels": {"node.kubernetes.io/instance-type": "p4d.24xlarge"}},
    }


@proves("OPS-2", "OPS-6")
def test_every_tenant_has_a_queue_besides_that_stays_when_it_leaves_the_settings() -> None:
    """OPS-2, OPS-6: once, also where the projects name it."""
    own = {
        "team": "00000000-0000-4000-8000-000000000001",
        "description": "Example",
        "gitRepo": "https://git.example.com/models",
    }
    chosen = environment(clusters={"gpu": GPU | {"queues": QUEUES}}, tenants={"vision": own, "fraud": own})
    local = of_kind(list(queues(chosen, "gpu")), "LocalQueue")
    kept = {item["metadata"]["name"]: TENANT_LABEL in item["metadata"]["labels"] for item in local}
    assert kept == {"ma-search": False, "ma-vision": True, "ma-fraud": True}


def test_flavors_of_a_cluster_queue_are_all_there_and_count_what_it_covers() -> None:
    """OPS-6: Kueue keeps a ClusterQueue inactive that names a flavor which is missing."""
    made = list(queues(every_part(), "local"))
    (shared,) = of_kind(made, "ClusterQueue")
    (group,) = shared["spec"]["resourceGroups"]
    named = [flavor["name"] for flavor in group["flavors"]]
    assert named == [item["metadata"]["name"] for item in of_kind(made, "ResourceFlavor")]
    for flavor in group["flavors"]:
        assert [item["name"] for item in flavor["resources"]] == group["coveredResources"]


def test_a_cluster_with_queues_says_at_its_registration_that_its_jobs_go_there() -> None:
    """OPS-6, V7: in the object's first form, for an edit would end the reporting of its health."""
    chosen = environment(clusters={"gpu": GPU | {"queues": QUEUES}, "cpu": {"kubeconfigContext": "cpu"}})
    spec = registration.cluster(chosen, "gpu", "https://gpu.example.com", "443")["spec"]
    assert spec["schedulerType"] == "SCHEDULER_TYPE_KUEUE"
    assert "schedulerType" not in registration.cluster(chosen, "cpu", "https://c.example.com", "443")["spec"]


def test_the_control_plane_is_told_on_its_own() -> None:
    """OPS-6: after the queues are there; with it comes the right to look for them."""
    clusters = {"gpu": GPU | {"queues": QUEUES}}
    before = environment(clusters=clusters)
    assert "jobs" not in base_config(before, "controllermgr")
    after = environment(clusters=clusters, controlPlane=KUEUE)
    assert base_config(after, "controllermgr")["jobs"] == {"scheduler": {"backend": "kueue"}}
    role = one(registration.compute_side(Inputs(after), "gpu").objects, "Role", "ray-manager-queues")
    assert role["metadata"]["namespace"] == "default"
    assert role["rules"] == [
        {"apiGroups": ["kueue.x-k8s.io"], "resources": ["localqueues"], "verbs": ["get"]}
    ]


def test_with_logs_of_ray_both_are_said_at_once() -> None:
    """OPS-6, REL-2: two parts of one section."""
    jobs = base_config(every_part(), "controllermgr")["jobs"]
    assert jobs.keys() == {"k8sengine", "scheduler"}


def test_nothing_of_kueue_is_there_unless_a_cluster_has_queues() -> None:
    """OPS-6."""
    plain = environment(clusters={"gpu": GPU})
    assert queues(plain, "gpu") == ()
    assert not [obj for obj in catalog.objects(plain) if "kueue" in obj["apiVersion"]]


def test_kueue_is_installed_in_the_version_of_the_release() -> None:
    """OPS-6: from its own registry, into its own namespace."""
    release = kueue_release()
    assert release["chart"] == "oci://registry.k8s.io/kueue/charts/kueue"
    assert (release["version"], release["namespace"]) == ("0.15.0", "kueue-system")
