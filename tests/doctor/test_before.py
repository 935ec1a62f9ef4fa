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
from manifests.namespaces import namespaces
from tests.support import environments
from tests.support.furnished import Furnished, FurnishedSite, definition, named, pod

INGRESS_CLASS = "/apis/networking.k8s.io/v1/ingressclasses/nginx"
APISERVER = "michelangelo-apiserver"


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


def with_namespace(made: FurnishedSite) -> Furnished:
    """The control plane with the namespace of its pods there already, made by this toolkit."""
    made.hub.hold(*namespaces(made.environment))
    return made.hub


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


# Faults: each function brings one about.


def old_version(made: FurnishedSite) -> None:
    made.hub.version = "v1.29.4+k3s1"


def no_answer(made: FurnishedSite) -> None:
    made.clusters["gpu-west"].failure = ClientError("https://gpu-west:6443", "timeout")


def login_expired(made: FurnishedSite) -> None:
    made.clusters["gpu-west"].failure = ClientError("https://gpu-west:6443", "unauthorized")


def right_denied(made: FurnishedSite) -> None:
    made.hub.denied = {"patch deployments", "create secrets"}


def no_definition(made: FurnishedSite) -> None:
    del made.hub.objects[definitions.DEFINITIONS + "/prometheusrules.monitoring.coreos.com"]


def definition_of_another_version(made: FurnishedSite) -> None:
    found = made.hub.objects[definitions.DEFINITIONS + "/clusterissuers.cert-manager.io"]
    found["spec"]["versions"] = [{"name": "v1alpha2", "served": True}, {"name": "v1", "served": False}]


def controller_without_pods(made: FurnishedSite) -> None:
    del made.hub.objects["/api/v1/namespaces/ingress-nginx/pods/controller-0"]


def cert_manager_not_ready(made: FurnishedSite) -> None:
    labels = made.hub.objects["/api/v1/namespaces/cert-manager/pods/cert-manager-0"]["metadata"]["labels"]
    made.hub.hold(pod("cert-manager-0", "cert-manager", False, **labels))


def no_class(made: FurnishedSite) -> None:
    found = made.hub.objects.pop(INGRESS_CLASS)
    made.hub.hold(found | {"metadata": {"name": "public"}})


def class_of_traefik(made: FurnishedSite) -> None:
    made.hub.objects[INGRESS_CLASS]["spec"]["controller"] = "traefik.io/ingress-controller"


def no_pull_secret(made: FurnishedSite) -> None:
    del made.hub.objects["/api/v1/namespaces/ma-system/secrets/registry-pull"]


def pull_secret_of_another_type(made: FurnishedSite) -> None:
    made.hub.objects["/api/v1/namespaces/ma-system/secrets/registry-pull"]["type"] = "Opaque"


def pull_secret_without_logins(made: FurnishedSite) -> None:
    made.hub.objects["/api/v1/namespaces/ma-system/secrets/registry-pull"]["data"] = {}


def no_team_namespace(made: FurnishedSite) -> None:
    del made.hub.objects["/api/v1/namespaces/team-b"]


def helm_release(made: FurnishedSite) -> None:
    made.hub.hold(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": APISERVER,
                "namespace": "ma-system",
                "annotations": {
                    "meta.helm.sh/release-name": "michelangelo",
                    "meta.helm.sh/release-namespace": "ma-system",
                },
            },
        }
    )


def registered_by_hand(made: FurnishedSite) -> None:
    made.hub.hold(named("Cluster", "gpu-west", "ma-system", "michelangelo.api/v2"))


def namespace_of_somebody(made: FurnishedSite) -> None:
    made.hub.hold(named("Namespace", "ma-system"))


def namespace_going_away(made: FurnishedSite) -> None:
    space = with_namespace(made).objects["/api/v1/namespaces/ma-system"]
    space["metadata"]["deletionTimestamp"] = "2026-11-29T03:00:00Z"


def quota_used_up(made: FurnishedSite) -> None:
    quota = named(
        "ResourceQuota", "compute", "ma-system", spec={"hard": {"requests.memory": "1Gi", "pods": "50"}}
    )
    with_namespace(made).hold(quota | {"status": {"used": {"requests.memory": "512Mi"}}})


def limit_range(made: FurnishedSite) -> None:
    with_namespace(made).refusals[APISERVER] = (
        "maximum memory usage per Container is 128Mi, but limit is 512Mi"
    )


def pod_security(made: FurnishedSite) -> None:
    said = 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
    with_namespace(made).refusals[APISERVER] = said


def webhook(made: FurnishedSite) -> None:
    said = 'admission webhook "validate.kyverno.svc" denied the request: images must be signed'
    with_namespace(made).refusals[APISERVER] = said


def refused_otherwise(made: FurnishedSite) -> None:
    with_namespace(made).refusals[APISERVER] = "no PriorityClass with name high was found"


def foreign_policy(made: FurnishedSite) -> None:
    spec: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    made.clusters["cpu-east"].hold(
        named("NetworkPolicy", "default-deny", "default", "networking.k8s.io/v1", spec=spec)
    )


def no_kuberay(made: FurnishedSite) -> None:
    del made.clusters["gpu-west"].objects["/apis/apps/v1/namespaces/ray-system/deployments/kuberay-operator"]


def old_kuberay(made: FurnishedSite) -> None:
    path = "/apis/apps/v1/namespaces/ray-system/deployments/kuberay-operator"
    (container,) = made.clusters["gpu-west"].objects[path]["spec"]["template"]["spec"]["containers"]
    container["image"] = "quay.io/kuberay/operator:v1.0.0"


FAULTS: list[tuple[Callable[[FurnishedSite], None], str, str]] = [
    (no_answer, "reach/gpu-west", "MA432"),
    (login_expired, "reach/gpu-west", "MA437"),
    (old_version, "reach/control-plane", "MA905"),
    (right_denied, "rights/control-plane", "MA904"),
    (no_definition, "definitions", "MA906"),
    (definition_of_another_version, "definitions", "MA906"),
    (controller_without_pods, "controllers", "MA907"),
    (cert_manager_not_ready, "controllers", "MA907"),
    (no_class, "class", "MA908"),
    (class_of_traefik, "class", "MA909"),
    (pull_secret_of_another_type, "pull-secrets", "MA922"),
    (pull_secret_without_logins, "pull-secrets", "MA922"),
    (no_pull_secret, "others", "MA933"),
    (no_team_namespace, "others", "MA933"),
    (helm_release, "names/control-plane", "MA931"),
    (registered_by_hand, "names/control-plane", "MA931"),
    (namespace_of_somebody, "names/control-plane", "MA931"),
    (namespace_going_away, "names/control-plane", "MA932"),
    (quota_used_up, "quotas", "MA927"),
    (limit_range, "admission", "MA927"),
    (pod_security, "admission", "MA928"),
    (webhook, "admission", "MA929"),
    (refused_otherwise, "admission", "MA934"),
    (foreign_policy, "policies/cpu-east", "MA930"),
    (no_kuberay, "kuberay/gpu-west", "MA447"),
    (old_kuberay, "kuberay/gpu-west", "MA803"),
]


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
