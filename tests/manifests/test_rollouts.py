"""How many pods there are, where they run, and when they are replaced."""

from __future__ import annotations

import re
from typing import Any

import pytest

from madeploy.names.kubernetes import Workload
from madeploy.names.services import SERVICES
from manifests import catalog
from manifests.inputs import Inputs
from manifests.objects import Object
from tests.support.environments import (
    ALL,
    environment,
    gateway_minio,
    minimal,
    production_aws,
)
from tests.support.objects import container, deployment, of_kind, one, pod_spec

ENVIRONMENTS = pytest.mark.parametrize("name", ALL)
EXISTING = environment().storage.model_dump(by_alias=True, exclude_none=True)
EACH_SERVICE = pytest.mark.parametrize("service", SERVICES)


def test_api_servers_that_race_have_time_to_settle_before_an_update_fails() -> None:
    """CP-8 (facts 9.26): losing four times in a row, with starts of 15 s and the kubelet's growing
    pauses between them, still ends before the update is called failed."""
    spec = deployment(catalog.objects(minimal()), "apiserver")["spec"]
    assert spec["progressDeadlineSeconds"] >= 4 * 15 + (10 + 20 + 40 + 80)
    assert (
        pod_spec(deployment(catalog.objects(minimal()), "apiserver")).get("restartPolicy", "Always")
        == "Always"
    )


@EACH_SERVICE
def test_replicas_are_the_environments(service: Workload) -> None:
    """CP-1, CP-2: more than one unless said otherwise."""
    replicas = {"apiserver": 3, "controllermgr": 3, "worker": 5, "ui": 2, "envoy": 2}
    assert deployment(catalog.objects(production_aws()), service)["spec"]["replicas"] == replicas[service]
    assert deployment(catalog.objects(minimal()), service)["spec"]["replicas"] == 2


@EACH_SERVICE
def test_replicas_are_protected_from_eviction_and_single_ones_do_not_block_a_drain(service: Workload) -> None:
    """CP-7."""
    budget = one(catalog.objects(minimal()), "PodDisruptionBudget", f"michelangelo-{service}")
    assert budget["spec"] == {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": {"app": f"michelangelo-{service}"}},
    }
    assert of_kind(catalog.objects(gateway_minio()), "PodDisruptionBudget") == []


def pod_template(objects: list[Object], service: Workload) -> dict[str, Any]:
    data: dict[str, Any] = deployment(objects, service)["spec"]["template"]
    return data


@pytest.mark.parametrize(
    ("zones", "must"),
    [
        (["a", "b"], "topology.kubernetes.io/zone"),
        (["a"], "kubernetes.io/hostname"),
        ([], "kubernetes.io/hostname"),
    ],
)
@EACH_SERVICE
def test_replicas_are_spread_over_zones_and_nodes(service: Workload, zones: list[str], must: str) -> None:
    """CP-2, CP-7: one of the two is a must. Nodes need not have a zone label where no zones are named,
    and two musts could contradict each other."""
    chosen = environment(controlPlane={"zones": zones})
    constraints = pod_spec(deployment(catalog.objects(chosen), service))["topologySpreadConstraints"]
    assert {row["topologyKey"] for row in constraints} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }
    for row in constraints:
        assert (row["whenUnsatisfiable"] == "DoNotSchedule") == (row["topologyKey"] == must)
        assert row["maxSkew"] == 1
        assert row["nodeTaintsPolicy"] == "Honor"
        assert row["labelSelector"] == {"matchLabels": {"app": f"michelangelo-{service}"}}
        assert row["matchLabelKeys"] == ["pod-template-hash"]


def test_a_single_replica_is_not_spread() -> None:
    """CP-7: there is nothing to keep apart."""
    for service in SERVICES:
        assert "topologySpreadConstraints" not in pod_spec(
            deployment(catalog.objects(gateway_minio()), service)
        )


@EACH_SERVICE
def test_pods_run_in_the_zones_the_environment_names_and_nowhere_else(service: Workload) -> None:
    """CP-2."""
    affinity = pod_spec(deployment(catalog.objects(production_aws()), service))["affinity"]
    (term,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {
            "key": "topology.kubernetes.io/zone",
            "operator": "In",
            "values": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        }
    ]
    assert "affinity" not in pod_spec(deployment(catalog.objects(minimal()), service))


def test_updates_never_take_capacity_away_and_never_run_two_managers_without_an_election() -> None:
    """CP-2, CP-7 (facts 9.25)."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    for service in SERVICES:
        assert deployment(catalog.objects(minimal()), service)["spec"]["strategy"] == rolling
    alone = catalog.objects(gateway_minio())
    assert deployment(alone, "controllermgr")["spec"]["strategy"] == {"type": "Recreate"}
    assert deployment(alone, "apiserver")["spec"]["strategy"] == rolling


def test_what_serves_outlasts_its_removal_from_the_load_balancers() -> None:
    """CP-7: `sleep` needs no shell; the grace period covers it and the stop itself."""
    objects = catalog.objects(minimal())
    for service in SERVICES:
        lifecycle = container(deployment(objects, service)).get("lifecycle")
        grace = pod_spec(deployment(objects, service))["terminationGracePeriodSeconds"]
        if service in ("apiserver", "ui", "envoy"):
            assert lifecycle == {"preStop": {"sleep": {"seconds": 10}}}
            assert grace >= 10 + 15
        else:
            assert lifecycle is None
            assert grace >= 15


def changed_templates(before: list[Object], after: list[Object]) -> set[str]:
    return {service for service in SERVICES if pod_template(before, service) != pod_template(after, service)}


@pytest.mark.parametrize(
    ("sections", "rolled"),
    [
        ({"workflow": {"engine": "temporal", "host": "other.example.com:7233"}}, {"controllermgr", "worker"}),
        ({"cors": {"additionalOrigins": ["https://studio.example.com"]}}, {"envoy"}),
        (
            {"domains": {"api": "api.ml.example.com", "app": "studio.ml.example.com"}},
            {"ui", "envoy"},
        ),
        ({"controlPlane": {"worker": {"logLevel": "debug"}}}, {"worker"}),
        ({"controlPlane": {"apiserver": {"config": {"k8s": {"qps": 50}}}}}, {"apiserver"}),
        ({"images": {"tag": "sha-cbf5720", "ui": {"tag": "v0.1.8"}}}, {"ui"}),
        ({"controlPlane": {"envoy": {"replicas": 4}}}, set()),
        ({"clusters": {"new": {"kubeconfigContext": "new"}}}, set()),
        ({"network": {"policies": False}}, set()),
    ],
)
def test_a_setting_rolls_exactly_the_pods_it_concerns(sections: dict[str, Any], rolled: set[str]) -> None:
    """CP-7."""
    before, after = catalog.objects(environment()), catalog.objects(environment(**sections))
    assert before != after, "the setting changes nothing, so this shows nothing"
    assert changed_templates(before, after) == rolled


def test_new_static_keys_and_new_roles_roll_the_services_that_use_the_object_store() -> None:
    """CP-7, MR-2: keys are read at start-up, roles are put into pods when they are created."""

    def objects(stack: str, checksum: str) -> list[Object]:
        inputs = Inputs(production_aws(), stack, object_store_checksum=checksum)
        return [obj for bundle in catalog.bundles(inputs) for obj in bundle.objects]

    before = objects("prod", "aaaa")
    assert changed_templates(before, objects("prod", "bbbb")) == {"controllermgr", "worker"}
    assert changed_templates(before, objects("other", "aaaa")) == {"controllermgr", "worker"}
    arns = [f"arn:aws:iam::123456789012:role/{name}" for name in "abc"]
    given = {"controllermgr": arns[0], "worker": arns[1]}
    existing = [
        catalog.objects(environment(storage=EXISTING | {"roleArns": given | changed}))
        for changed in ({}, {"worker": arns[2]})
    ]
    assert changed_templates(*existing) == {"worker"}


@ENVIRONMENTS
@EACH_SERVICE
def test_configuration_checksums_are_short_hexadecimal_texts(service: Workload, name: str) -> None:
    """CP-7: and so valid annotations."""
    annotations = pod_template(catalog.objects(ALL[name]()), service)["metadata"]["annotations"]
    assert re.fullmatch(r"[0-9a-f]{16}", annotations["michelangelo.infra/config-checksum"])
