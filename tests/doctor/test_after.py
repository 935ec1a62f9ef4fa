"""What is wrong with a deployed stack is found by its own code: objects, roll-outs, checklist, data."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from madeploy.doctor import checklist, clusters, data, drift, rollouts
from madeploy.doctor.after import checks_after
from madeploy.doctor.checks import Check, run
from madeploy.findings.outcomes import Report
from madeploy.settings import Environment
from manifests.definitions import DEFINITIONS
from tests.support import environments
from tests.support.furnished import FurnishedSite, deployed, named, unfinished
from tests.support.proves import proves

SPACE = "ma-system"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{SPACE}/deployments"
CONFIG_MAPS = f"/api/v1/namespaces/{SPACE}/configmaps"
INGRESSES = f"/apis/networking.k8s.io/v1/namespaces/{SPACE}/ingresses"
WORKER = "michelangelo-worker"


def looked_at(made: FurnishedSite) -> Report:
    """Every check that reads clusters, made at once."""
    site = made.site
    checks = [
        *(Check(f"objects/{name}", "x", partial(drift.objects, site, name)) for name in site.objects),
        Check("definitions", "x", partial(data.platform_definitions, site)),
        Check("rollouts", "x", partial(rollouts.rollouts, site)),
        *(Check(f"network/{row}", "x", partial(look, site)) for row, look in checklist.READ.items()),
        Check("network/8", "x", partial(clusters.freshness, site)),
        Check("models", "x", partial(data.model_registry, site)),
    ]
    return run("verify", "prod", checks)


def production() -> FurnishedSite:
    return deployed(environments.production_aws())


GATEWAY = {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"}


def guarded(**front_door: Any) -> Environment:
    """The smallest environment with authentication at the API's host."""
    certificates = {"editors": {"groups": ["deployers"]}} if front_door.get("apiTls") else None
    access = {"api": {"kind": "guarded", "certificates": certificates}}
    return environments.environment(access=access, frontDoor=front_door)


@pytest.mark.parametrize("make", [environments.production_aws, environments.gateway_minio])
def test_a_sound_environment_has_nothing_wrong(make: Callable[[], Any]) -> None:
    """NET-15, REG-6, MR-3, MR-6, CP-8, UX-8: with Ingress and with a Gateway."""
    report = looked_at(deployed(make()))
    assert report.findings == []
    assert report.counted() == {"passed": len(report.outcomes)}, [item.detail for item in report.outcomes]


@pytest.mark.parametrize(
    "door",
    [
        {"kind": "ingress"},
        {"kind": "ingress", "apiTls": "passthrough"},
        {**GATEWAY, "apiTls": "passthrough"},
    ],
    ids=["ingress", "ingress, passed through", "gateway, passed through"],
)
def test_doors_that_lead_to_envoys_lock_are_no_mistake(door: dict[str, Any]) -> None:
    """ACC-2, NET-15: the checklist of the guide knows the API server's own port only."""
    assert looked_at(deployed(guarded(**door))).findings == []


def test_checks_change_nothing() -> None:
    """UX-8: the comparison is a dry run."""
    made = production()
    looked_at(made)
    assert [call for cluster in made.clusters.values() for call in cluster.written] == []


# Faults: each function brings one about.


def object_deleted(made: FurnishedSite) -> None:
    del made.hub.objects[f"/api/v1/namespaces/{SPACE}/serviceaccounts/{WORKER}"]


def secret_deleted(made: FurnishedSite) -> None:
    del made.hub.objects["/api/v1/namespaces/default/secrets/cluster-gpu-west-client-token"]


def replicas_changed(made: FurnishedSite) -> None:
    live = made.hub.objects[f"{DEPLOYMENTS}/{WORKER}"]
    live["spec"]["replicas"] = 7
    live["status"] |= {"replicas": 7, "updatedReplicas": 7, "availableReplicas": 7}


def rights_widened(made: FurnishedSite) -> None:
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/michelangelo-apiserver"
    made.hub.objects[path]["rules"][0]["verbs"] = ["*"]


def field_added(made: FurnishedSite) -> None:
    live = made.hub.objects[f"{DEPLOYMENTS}/{WORKER}"]
    live["spec"]["template"]["spec"]["hostNetwork"] = True
    fields = {"f:spec": {"f:template": {"f:spec": {"f:hostNetwork": {}}}}}
    live["metadata"]["managedFields"].append({"manager": "kubectl-edit", "fieldsV1": fields})


def going_away(made: FurnishedSite) -> None:
    live = made.hub.objects[f"{CONFIG_MAPS}/michelangelo-worker-config"]
    live["metadata"] |= {"deletionTimestamp": "2026-11-29T03:00:00Z", "finalizers": ["example.com/held"]}


def immutable(made: FurnishedSite) -> None:
    made.hub.refusals[WORKER] = "spec.selector: Invalid value: field is immutable"


def no_model_definition(made: FurnishedSite) -> None:
    del made.hub.objects[f"{DEFINITIONS}/models.michelangelo.api"]


def definition_not_established(made: FurnishedSite) -> None:
    made.hub.objects[f"{DEFINITIONS}/rayclusters.michelangelo.api"]["status"] = {}


def no_address(made: FurnishedSite) -> None:
    made.hub.objects[f"{INGRESSES}/michelangelo-ui"]["status"] = {}


def without_grpc(made: FurnishedSite) -> None:
    annotations = made.hub.objects[f"{INGRESSES}/michelangelo-apiserver"]["metadata"]["annotations"]
    annotations["nginx.ingress.kubernetes.io/backend-protocol"] = "HTTP"


def other_origin(made: FurnishedSite) -> None:
    edit(made, "envoy-config", "envoy.yaml", "app.ml.example.com", "other.example.com")


def other_worker_address(made: FurnishedSite) -> None:
    edit(made, "michelangelo-worker-config", "base.yaml", "michelangelo-apiserver.ma-system", "other")


def other_api_base_url(made: FurnishedSite) -> None:
    edit(made, "public-config", "config.json", "https://app.", "http://app.")


def edit(made: FurnishedSite, name: str, file: str, old: str, new: str) -> None:
    files = made.hub.objects[f"{CONFIG_MAPS}/{name}"]["data"]
    assert old in files[file]
    files[file] = files[file].replace(old, new)


def stale(made: FurnishedSite) -> None:
    condition(made)["lastUpdatedTimestamp"] = str(int(time.time()) - 600)


def not_ready(made: FurnishedSite) -> None:
    condition(made)["status"] = "CONDITION_STATUS_FALSE"


def condition(made: FurnishedSite) -> dict[str, Any]:
    path = "/apis/michelangelo.api/v2/namespaces/ma-system/clusters/gpu-west"
    found: dict[str, Any] = made.hub.objects[path]["status"]["statusConditions"][0]
    return found


def models_forbidden(made: FurnishedSite) -> None:
    made.hub.forbidden = "/apis/michelangelo.api/v2/namespaces/team-a/models"


FAULTS: list[tuple[Callable[[FurnishedSite], None], str, set[str]]] = [
    (object_deleted, "objects/control-plane", {"MA936"}),
    (secret_deleted, "objects/control-plane", {"MA936"}),
    (replicas_changed, "objects/control-plane", {"MA937"}),
    (rights_widened, "objects/control-plane", {"MA937"}),
    (field_added, "objects/control-plane", {"MA938"}),
    (going_away, "objects/control-plane", {"MA939"}),
    (immutable, "objects/control-plane", {"MA934"}),
    (no_model_definition, "definitions", {"MA940"}),
    (definition_not_established, "definitions", {"MA940"}),
    (no_address, "network/3", {"MA942"}),
    # What is not as declared is drift, too; the checklist says what it means.
    (without_grpc, "network/2", {"MA943", "MA937"}),
    (other_origin, "network/5", {"MA950", "MA937"}),
    (other_worker_address, "network/6", {"MA951", "MA937"}),
    (other_api_base_url, "network/7", {"MA952", "MA937"}),
    (stale, "network/8", {"MA451"}),
    (not_ready, "network/8", {"MA450"}),
    (models_forbidden, "models", {"MA967"}),
]


@proves("NET-15", "MR-3", "MR-6", played="the clusters' API servers")
@pytest.mark.parametrize(
    ("inject", "check", "codes"),
    FAULTS,
    ids=["-".join([*sorted(codes), inject.__name__]) for inject, _, codes in FAULTS],
)
def test_a_fault_is_found_by_its_code(
    inject: Callable[[FurnishedSite], None], check: str, codes: set[str]
) -> None:
    """NET-15, REG-6, MR-3, MR-6, CP-8, UX-8: by the check it belongs to, and by nothing else."""
    made = production()
    inject(made)
    report = looked_at(made)
    assert {finding.code for finding in report.findings} == codes
    (outcome,) = (item for item in report.outcomes if item.check == check)
    assert outcome.state in ("failed", "warned")
    assert {finding.code for finding in outcome.findings} <= codes
    for finding in report.findings:
        assert finding.evidence
        assert finding.fix


def test_what_changed_is_said_field_by_field() -> None:
    """UX-3: what is, and what the stack says; who added what."""
    made = production()
    replicas_changed(made)
    field_added(made)
    found = {finding.code: finding.evidence for finding in looked_at(made).findings}
    assert found["MA937"] == "spec.replicas is 7, not 5"
    assert found["MA938"] == "kubectl-edit wrote spec.template.spec.hostNetwork"


def test_of_texts_the_first_line_that_differs_is_said() -> None:
    """UX-3: a file of a hundred lines begins as it should; a line that may go on a secret is not shown."""
    made = production()
    edit(made, "michelangelo-worker-config", "base.yaml", "address: michelangelo-apiserver", "address: other")
    evidence = {finding.code: finding.evidence for finding in looked_at(made).findings}["MA937"]
    assert re.match(r"data\.base\.yaml, line \d+ is address: other", evidence), evidence
    edit(made, "michelangelo-worker-config", "base.yaml", "worker:", "password: |\n  swordfish\nworker:")
    evidence = {finding.code: finding.evidence for finding in looked_at(made).findings}["MA937"]
    assert "swordfish" not in evidence


def test_values_of_secrets_are_not_compared() -> None:
    """UX-3: a Secret is there, and holds something under each key; nothing of it is shown."""
    made = production()
    path = "/api/v1/namespaces/default/secrets/cluster-gpu-west-client-token"
    made.hub.objects[path]["data"] = {"token": "bm90LWEtc2VjcmV0"}
    report = looked_at(made)
    assert report.findings == []
    assert "bm90LWEtc2VjcmV0" not in json.dumps(report.to_data())
    made.hub.objects[path]["data"] = {}
    (finding,) = looked_at(made).findings
    assert (finding.code, "token" in finding.evidence) == ("MA937", True)


# Roll-outs.


def failing_pod(**status: Any) -> dict[str, Any]:
    owner = {"ownerReferences": [{"uid": "rs-uid"}], "uid": "pod-uid", "labels": {"app": WORKER}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{WORKER}-0", "namespace": SPACE, **owner},
        "status": status,
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return failing_pod(containerStatuses=[{"name": "worker", "image": "x:1", "ready": False, "state": state}])


def unready(name: str, **message: Any) -> dict[str, Any]:
    about = {"involvedObject": {"uid": "pod-uid"}, "type": "Warning", **message}
    return named("Event", name, SPACE, **about)


ENDED = {"terminated": {"exitCode": 1, "reason": "Error", "message": "field bogus not found in type"}}
REASONS: list[tuple[str, list[dict[str, Any]], dict[str, Any], str, str]] = [
    (
        "unschedulable",
        [failing_pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes fit"}])],
        {},
        "MA957",
        "0/3 nodes fit",
    ),
    ("image", [waiting("ImagePullBackOff", "not found")], {}, "MA958", "image x:1"),
    (
        "configuration",
        [waiting("CreateContainerConfigError", 'secret "x" not found')],
        {},
        "MA959",
        'secret "x"',
    ),
    (
        "crash",
        [
            failing_pod(
                containerStatuses=[
                    {
                        "name": "worker",
                        "image": "x:1",
                        "restartCount": 4,
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": ENDED,
                    }
                ]
            )
        ],
        {},
        "MA960",
        "field bogus not found in type",
    ),
    (
        "probe",
        [
            failing_pod(
                containerStatuses=[
                    {"name": "worker", "image": "x:1", "ready": False, "state": {"running": {}}}
                ]
            ),
            unready("e1", reason="Unhealthy", message="Readiness probe failed: connection refused"),
        ],
        {},
        "MA961",
        "connection refused",
    ),
    (
        "volume",
        [failing_pod(), unready("e1", reason="FailedMount", message='configmap "y" not found')],
        {},
        "MA962",
        'configmap "y"',
    ),
    ("quota", [], {"message": "exceeded quota: compute, used: 4"}, "MA963", "exceeded quota"),
    ("admission", [], {"message": 'admission webhook "v" denied the request'}, "MA964", "denied the request"),
    ("rejected", [], {"message": "serviceaccount not found"}, "MA965", "serviceaccount not found"),
]


@pytest.mark.parametrize(
    ("objects", "refusal", "code", "said"),
    [reason[1:] for reason in REASONS],
    ids=[f"{reason[3]}-{reason[0]}" for reason in REASONS],
)
def test_a_rollout_that_does_not_finish_says_why(
    objects: list[dict[str, Any]], refusal: dict[str, Any], code: str, said: str
) -> None:
    """CP-7, UX-8, OPS-8: nine reasons, nine codes, in the cluster's own words."""
    made = production()
    failure = [{"type": "ReplicaFailure", "status": "True", **refusal}] if refusal else []
    unfinished(made, WORKER, 2, {"conditions": failure}, *objects)
    site = made.site
    (outcome,) = run("verify", "prod", [Check("r", "x", partial(rollouts.rollouts, site))]).outcomes
    (finding,) = outcome.findings
    assert finding.code == code
    assert said in finding.evidence
    assert "2 of 5 available" in finding.evidence
    assert finding.commands


def test_every_reason_has_its_code() -> None:
    """UX-8: none is left without."""
    assert {reason[3] for reason in REASONS} == set(rollouts.CODES.values())


def test_a_rollout_under_way_is_not_complete() -> None:
    """CP-7: old replicas that still run count as unfinished."""
    done = {
        "metadata": {"generation": 3},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
    }
    assert rollouts.is_complete(done)
    for change in (
        {"observedGeneration": 2},
        {"replicas": 3},
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
    ):
        assert not rollouts.is_complete(done | {"status": {**done["status"], **change}})  # type: ignore[dict-item]


def test_rows_of_the_checklist_are_the_guides() -> None:
    """NET-15: nine, in its order."""
    assert len(checklist.ROWS) == 9
    named = {check.name for check in checks_after(production().site, lambda: None)}
    assert {f"network/{row}" for row in range(1, 10)} <= named
