"""What a stack's clusters lack is found before it is deployed: each lack by its own code and no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.doctor import admission, definitions, front_door, owners, provided, quotas, reach, rights
from madeploy.doctor.before import checks_of_cluster
from madeploy.doctor.checks import Check, run
from madeploy.doctor.images import pull_secrets
from madeploy.findings.outcomes import Report
from madeploy.findings.overview import checks
from madeploy.settings import CONTROL_PLANE, Environment
from tests.doctor.faults import (
    APISERVER,
    FAULTS,
    controller_without_pods,
    foreign_policy,
    no_answer,
    no_class,
    no_definition,
    no_team_namespace,
    old_version,
    pull_secret_of_another_type,
    quota_used_up,
    right_denied,
    webhook,
    with_namespace,
)
from tests.support import environments
from tests.support.furnished import FurnishedSite, definition


def looked_at(made: FurnishedSite) -> Report:
    """Every check that asks clusters, made at once."""
    site = made.site
    checks = [
        Check("definitions", "x", lambda: definitions.definitions(site)),
        Check("controllers", "x", lambda: definitions.running_controllers(site)),
        Check("class", "x", lambda: front_door.door_class(site)),
        Check("others", "x", lambda: provided.others_objects(site)),
        Check("pull-secrets", "x", lambda: pull_secrets(site)),
        Check("admission", "x", lambda: admission.admission(site)),
        Check("quotas", "x", lambda: quotas.quotas(site)),
    ]
    for name in site.objects:
        checks += [
            Check(f"reach/{name}", "x", lambda name=name: reach.reach(site, name)),  # type: ignore[misc]
            Check(f"rights/{name}", "x", lambda name=name: rights.rights(site, name)),  # type: ignore[misc]
            Check(f"names/{name}", "x", lambda name=name: owners.names(site, name)),  # type: ignore[misc]
            Check(f"policies/{name}", "x", lambda name=name: admission.shut_off(site, name)),  # type: ignore[misc]
        ]
        if name != CONTROL_PLANE:
            checks.append(
                Check(f"kuberay/{name}", "x", lambda name=name: definitions.kuberay(site, name))  # type: ignore[misc]
            )
    return run("doctor", "prod", checks)


def states(report: Report) -> dict[str, str]:
    return {outcome.check: outcome.state for outcome in report.outcomes}


def production() -> FurnishedSite:
    return FurnishedSite(environments.production_aws())


@pytest.mark.parametrize("make", [environments.minimal, environments.production_aws])
def test_a_furnished_environment_lacks_nothing(make: Callable[[], Environment]) -> None:
    """UX-8, NET-11, REG-7: before the first update, and again after it."""
    made = FurnishedSite(make())
    first = looked_at(made)
    assert first.findings == []
    assert not first.counted().get("notChecked"), [item.detail for item in first.outcomes]
    made.deploy()
    again = looked_at(made)
    assert again.findings == []
    assert not again.counted().get("notChecked")


def test_checks_change_nothing() -> None:
    """UX-8: pods are only tried."""
    made = production()
    with_namespace(made)
    looked_at(made)
    assert [call for cluster in made.clusters.values() for call in cluster.written] == []


@pytest.mark.parametrize(
    ("inject", "check", "code"), FAULTS, ids=[f"{code}-{inject.__name__}" for inject, _, code in FAULTS]
)
def test_a_fault_is_found_by_its_code_alone(
    inject: Callable[[FurnishedSite], None], check: str, code: str
) -> None:
    """UX-8, NET-11, CP-8, CP-9, REG-7, REG-10, REG-11: one fault, one code, by the check it belongs to."""
    made = production()
    inject(made)
    report = looked_at(made)
    assert {finding.code for finding in report.findings} == {code}
    assert states(report)[check] in ("failed", "warned")
    for finding in report.findings:
        assert finding.evidence
        assert finding.fix


def test_ten_faults_at_once_are_ten_findings() -> None:
    """UX-8, REG-10: none hides another, and the first screen names them."""
    made = production()
    for inject in (
        old_version,
        right_denied,
        no_definition,
        controller_without_pods,
        no_class,
        pull_secret_of_another_type,
        no_team_namespace,
        quota_used_up,
        webhook,
        foreign_policy,
        no_answer,
    ):
        inject(made)
    report = looked_at(made)
    first_screen = "\n".join(checks(report).splitlines()[:40])
    for code in (
        "MA905", "MA904", "MA906", "MA907", "MA908", "MA922", "MA933", "MA927", "MA929", "MA930", "MA432",
    ):  # fmt: skip
        assert code in first_screen


def test_what_refuses_several_pods_is_told_once() -> None:
    """UX-3: with all whose pods it refuses, and without the name of the pod that was tried."""
    made = production()
    hub = with_namespace(made)
    refused = ("michelangelo-apiserver", "michelangelo-worker")
    hub.refusals.update(dict.fromkeys(refused, "exceeded quota: full, limited: pods=0"))
    (outcome,) = run("doctor", "prod", [Check("a", "x", lambda: admission.admission(made.site))]).outcomes
    (finding,) = outcome.findings
    assert finding.code == "MA927"
    assert finding.subject == ", ".join(f"Deployment/ma-system/{name}" for name in refused)
    assert finding.evidence == "their pods would be refused: exceeded quota: full, limited: pods=0"


def test_one_dead_cluster_has_findings_of_its_own_only() -> None:
    """REG-10: what could not be asked of it says so, and everything else is looked at."""
    made = production()
    no_answer(made)
    seen = states(looked_at(made))
    assert {name for name, state in seen.items() if state == "failed"} == {"reach/gpu-west"}
    unseen = {name for name, state in seen.items() if state == "notChecked"}
    assert unseen == {"rights/gpu-west", "names/gpu-west", "policies/gpu-west", "kuberay/gpu-west"}


def test_missing_rights_are_named_all_at_once_with_a_question_to_ask() -> None:
    """UX-3."""
    made = production()
    right_denied(made)
    (finding,) = looked_at(made).findings
    assert "patch deployments.apps in ma-system" in finding.evidence
    assert "create secrets in default" in finding.evidence
    assert finding.commands[0].startswith("kubectl --context CONTROL_PLANE_CONTEXT auth can-i ")


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "platform:apps/Deployment"}},
            "Argo CD (platform)",
        ),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (apps)"),
        ({"labels": {"app.kubernetes.io/managed-by": "terraform"}}, "terraform"),
        ({"managedFields": [{"manager": "kubectl-create"}, {"manager": "kubelet"}]}, "kubectl-create"),
        ({}, "nobody that can be told"),
    ],
    ids=["argo", "flux", "label", "manager", "nothing"],
)
def test_the_owner_of_a_name_is_told_by_what_the_object_shows(metadata: dict[str, Any], said: str) -> None:
    """UX-3: whom to ask."""
    assert said in owners.owner({"metadata": metadata})


def test_a_webhook_without_dry_runs_is_no_pass() -> None:
    """UX-8: what its answer would be is not known."""
    made = production()
    with_namespace(made).refusals[APISERVER] = "admission webhook x does not support dry run"
    assert states(looked_at(made))["admission"] == "notChecked"


@pytest.mark.parametrize(
    ("text", "number"),
    [("250m", "0.25"), ("1", "1"), ("1Gi", "1073741824"), ("1.5k", "1500"), ("2E", "2E18")],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: str, number: str) -> None:
    """UX-8."""
    assert quotas.quantity(text) == Decimal(number)
    with pytest.raises(ValueError, match="no quantity"):
        quotas.quantity(f"{text}x")


def test_a_fleet_is_looked_at_side_by_side_and_one_dead_cluster_is_alone() -> None:
    """REG-10, REG-12, UX-8: twenty clusters, one of which never answers, within the limit of one check."""
    never = threading.Event()
    clusters = {f"c{n:02}": {"server": f"https://c{n:02}:6443"} for n in range(20)}
    made = FurnishedSite(environments.environment(clusters=clusters))

    def hang(path: str, item: dict[str, Any]) -> dict[str, Any]:
        never.wait(60)
        raise ClientError("https://c07:6443", "timeout")

    made.clusters["c07"].review = hang  # type: ignore[method-assign]
    site = made.site
    checks = [check for cluster in site.objects for check in checks_of_cluster(site, cluster)]
    began = time.monotonic()
    report = run("doctor", "prod", checks, seconds=2.0)
    never.set()
    assert time.monotonic() - began < 30
    unseen = {outcome.check for outcome in report.outcomes if outcome.state == "notChecked"}
    assert unseen == {"reach/c07", "rights/c07"}
    assert report.findings == []


@pytest.mark.parametrize(
    ("operator", "versions", "state", "codes"),
    [
        ("check", ["v1beta2"], "passed", set()),
        ("check", ["v1beta1"], "failed", {"MA479"}),
        ("check", [], "failed", {"MA479"}),
        ("install", [], "notNeeded", set()),
    ],
)
def test_a_cluster_with_queues_is_asked_for_kueue(
    operator: str, versions: list[str], state: str, codes: set[str]
) -> None:
    """UX-8, OPS-6: in the version that queues are written in, unless the stack installs it itself."""
    queued = {
        "kubeconfigContext": "gpu",
        "queues": environments.QUEUES,
        "operators": {"kueue": operator},
    }
    made = FurnishedSite(environments.environment(clusters={"gpu": queued}))
    for plural in ("clusterqueues", "localqueues", "resourceflavors") if versions else ():
        made.clusters["gpu"].hold(definition(f"{plural}.kueue.x-k8s.io", *versions))
    (asked,) = [item for item in checks_of_cluster(made.site, "gpu") if item.name == "kueue/gpu"]
    report = run("doctor", "prod", [asked])
    assert states(report)["kueue/gpu"] == state
    assert {finding.code for finding in report.findings} == codes


def test_a_cluster_without_queues_is_not_asked_for_kueue() -> None:
    """UX-8, OPS-6."""
    made = production()
    named_checks = {item.name for item in checks_of_cluster(made.site, "gpu-west")}
    assert "kuberay/gpu-west" in named_checks
    assert "kueue/gpu-west" not in named_checks
