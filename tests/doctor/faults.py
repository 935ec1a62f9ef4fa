"""What may be wrong with a stack's clusters before it is deployed: each function brings one fault about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from madeploy.clients.errors import ClientError
from manifests.definitions import DEFINITIONS
from manifests.namespaces import namespaces
from tests.support.furnished import Furnished, FurnishedSite, named, pod

INGRESS_CLASS = "/apis/networking.k8s.io/v1/ingressclasses/nginx"


APISERVER = "michelangelo-apiserver"


def with_namespace(made: FurnishedSite) -> Furnished:
    """The control plane with the namespace of its pods there already, made by this toolkit."""
    made.hub.hold(*namespaces(made.environment))
    return made.hub


def old_version(made: FurnishedSite) -> None:
    made.hub.version = "v1.29.4+k3s1"


def no_answer(made: FurnishedSite) -> None:
    made.clusters["gpu-west"].failure = ClientError("https://gpu-west:6443", "timeout")


def login_expired(made: FurnishedSite) -> None:
    made.clusters["gpu-west"].failure = ClientError("https://gpu-west:6443", "unauthorized")


def right_denied(made: FurnishedSite) -> None:
    made.hub.denied = {"patch deployments", "create secrets"}


def no_definition(made: FurnishedSite) -> None:
    del made.hub.objects[DEFINITIONS + "/prometheusrules.monitoring.coreos.com"]


def definition_of_another_version(made: FurnishedSite) -> None:
    found = made.hub.objects[DEFINITIONS + "/clusterissuers.cert-manager.io"]
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
