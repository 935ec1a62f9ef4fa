"""What stands in the way on a cluster before an update: each by its code, and what is printed clears it.

API servers, admission, quotas and kubectl are real. Played are helm, which brings what the chart would, the
controllers that write a GatewayClass's status, and an API server of an older version.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.doctor import (
    admission,
    definitions,
    front_door,
    images,
    owners,
    provided,
    quotas,
    reach,
    rights,
)
from madeploy.doctor.checks import Seen
from madeploy.doctor.site import Site
from madeploy.sandbox import objects
from madeploy.settings import CONTROL_PLANE
from tests.support.bench import SPACE, Act, Bench, applied, options
from tests.support.clears import cases, clears
from tests.support.waiting import wait

pytestmark = pytest.mark.sandbox

Look = Callable[[], Seen]
Fault = Callable[[Bench], tuple[Look, "Act | None"]]
"""Brings a fault about; gives the check that finds it, and what a person does by hand where a fix asks."""

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NETWORKING = "/apis/networking.k8s.io/v1"


def look(bench: Bench, check: Callable[[Site], Seen]) -> Look:
    """A check of the bench as its stack is then."""
    return lambda: check(bench.site)


def looks(check: Callable[..., Seen], cluster: str = CONTROL_PLANE) -> Callable[[Site], Seen]:
    """A check of one cluster."""
    return lambda site: check(site, cluster)


class Older(Kubernetes):
    """A client that is told of an older version."""

    version = "v1.29.4"

    def __init__(self, real: Kubernetes) -> None:
        self.__dict__.update(real.__dict__)

    def get(self, path: str, **query: Any) -> Object:
        """As the API server says, its version aside."""
        return {"gitVersion": self.version} if path == "/version" else super().get(path, **query)


def older_version(bench: Bench) -> tuple[Look, Act]:
    bench.connections[CONTROL_PLANE] = Older(bench.hub)
    return look(bench, looks(reach.reach)), bench.connections.clear


def missing_right(bench: Bench) -> tuple[Look, Act]:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "bench-deployer"},
        "rules": [
            {"apiGroups": [group], "resources": ["*"], "verbs": ["*"]}
            for group in (
                "", "policy", "networking.k8s.io", "rbac.authorization.k8s.io", "apiextensions.k8s.io",
                "discovery.k8s.io", "michelangelo.api", "batch",
            )
        ] + [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get", "create", "delete", "list",
            "watch"]}],
    }  # fmt: skip
    applied(bench, role)
    bench.kubectl("-n default create serviceaccount bench-deployer")
    bench.kubectl(
        "create clusterrolebinding bench-deployer --clusterrole=bench-deployer "
        "--serviceaccount=default:bench-deployer"
    )
    token = bench.kubectl("-n default create token bench-deployer").strip()
    config = bench.folder / "deployer.kubeconfig"
    config.write_text(bench.kubectl("config view --raw --flatten"))
    bench.environ["KUBECONFIG"] = str(config)
    bench.kubectl(f"config set-credentials bench-deployer --token={token}")
    bench.kubectl("config set-context control-plane --user=bench-deployer")

    def give() -> None:
        whole = role | {
            "rules": [*role["rules"], {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}]
        }
        bench.environ["KUBECONFIG"] = bench.administrator
        applied(bench, whole)
        bench.environ["KUBECONFIG"] = str(config)

    return look(bench, looks(rights.rights)), give


def missing_definition(bench: Bench) -> tuple[Look, None]:
    bench.sections["tls"] = {"mode": "acme", "email": "platform@example.com"}
    name = "clusterissuers.cert-manager.io"
    (wanted,) = [item for item in objects.definitions(True) if item["metadata"]["name"] == name]
    bench.hub.delete(f"{DEFINITIONS}/{name}")
    wait(lambda: bench.hub.find(f"{DEFINITIONS}/{name}") is None)

    def helm(words: list[str]) -> None:
        given = options(words)
        assert words[1:4] == ["install", "cert-manager", "oci://quay.io/jetstack/charts/cert-manager"]
        assert given["--kube-context"] == "control-plane"
        assert given["--set"] == "crds.enabled=true"
        objects.write(bench.hub, wanted)

    bench.played["helm"] = helm
    return look(bench, definitions.definitions), None


def no_controller(bench: Bench) -> tuple[Look, None]:
    def helm(words: list[str]) -> None:
        given = options(words)
        assert words[1:5] == ["upgrade", "--install", "ingress-nginx", "ingress-nginx"] or given["--install"]
        assert given["--repo"].startswith("https://")
        image = "registry.k8s.io/ingress-nginx/controller:v1"
        spec = {"containers": [{"name": "controller", "image": image}]}
        metadata = {"name": "controller", "namespace": given["--namespace"]}
        applied(bench, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    bench.played["helm"] = helm
    return look(bench, definitions.running_controllers), None


def class_that_is_not_there(bench: Bench) -> tuple[Look, Act]:
    bench.sections["frontDoor"] = {"kind": "ingress", "className": "public"}
    return look(bench, front_door.door_class), lambda: bench.sections.pop("frontDoor")


def class_of_another_controller(bench: Bench) -> tuple[Look, Act]:
    applied(
        bench,
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "bench-traefik"},
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
    )
    bench.sections["frontDoor"] = {"kind": "ingress", "className": "bench-traefik"}
    own = {"apiAnnotations": {"traefik.example.com/h2c": "true"}, "appAnnotations": {}}
    return look(bench, front_door.door_class), lambda: bench.sections["frontDoor"].update(own)


def class_that_is_not_accepted(bench: Bench) -> tuple[Look, Act]:
    waiting = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "bench-eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
    }
    applied(bench, waiting)
    bench.sections["frontDoor"] = {
        "kind": "gatewayApi", "className": "bench-eg", "controllerNamespace": "envoy-gateway-system",
    }  # fmt: skip
    path = bench.path(waiting)

    def accept() -> None:
        made = {
            "type": "Accepted",
            "status": "True",
            "reason": "Accepted",
            "message": "",
            "lastTransitionTime": NOW,
        }
        bench.hub.merge(f"{path}/status", {"status": {"conditions": [made]}})

    return look(bench, front_door.door_class), accept


NOW = "2026-11-29T03:00:00Z"


def pull_secret_of_another_type(bench: Bench) -> tuple[Look, Act]:
    bench.sections["images"] = {"tag": "sha-cbf5720", "pullSecrets": ["bench-pull"]}
    make = f"-n {SPACE} create secret"
    bench.kubectl(f"{make} generic bench-pull --from-literal=token=nothing")

    def again() -> None:
        bench.kubectl(f"-n {SPACE} delete secret bench-pull")
        login = "--docker-server=registry.example.com --docker-username=robot --docker-password=of-nobody"
        bench.kubectl(f"{make} docker-registry bench-pull {login}")

    return look(bench, images.pull_secrets), again


def quota(name: str, **hard: str) -> Object:
    metadata = {"name": name, "namespace": SPACE}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}}


def tight_quota(bench: Bench) -> tuple[Look, Act]:
    applied(bench, quota("bench-tight", pods="1"))
    path = bench.path(quota("bench-tight"))
    wait(lambda: (bench.hub.get(path).get("status") or {}).get("used"))
    return look(bench, quotas.quotas), lambda: applied(bench, quota("bench-tight", pods="100"))


def limit_range(bench: Bench) -> tuple[Look, Act]:
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "bench-small", "namespace": SPACE},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "8Mi"}}]},
    }
    applied(bench, limits)
    return look(bench, admission.admission), lambda: bench.kubectl(
        f"-n {SPACE} delete limitrange bench-small"
    )


def changed_pods(bench: Bench, change: Callable[[Object], None]) -> Site:
    """The site with another pod in its first Deployment, as a later version might have it."""
    site = bench.site
    declared = copy.deepcopy(list(site.objects[CONTROL_PLANE]))
    change(next(item for item in declared if item["kind"] == "Deployment")["spec"]["template"]["spec"])
    return dataclasses.replace(site, objects={**site.objects, CONTROL_PLANE: tuple(declared)})


def pod_security(bench: Bench) -> tuple[Look, None]:
    def unrestricted(spec: Object) -> None:
        spec["securityContext"].pop("seccompProfile")

    bench.kubectl(f"label --overwrite namespace {SPACE} pod-security.kubernetes.io/enforce=restricted")
    site = changed_pods(bench, unrestricted)
    return partial(admission.admission, site), None


def priority_class(bench: Bench) -> tuple[Look, Act]:
    site = changed_pods(bench, lambda spec: spec.update(priorityClassName="bench-high"))
    make = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "bench-high"},
        "value": 1000,
    }
    return partial(admission.admission, site), lambda: applied(bench, make)


def admission_policy(bench: Bench) -> tuple[Look, Act]:
    api = "admissionregistration.k8s.io/v1"
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    rule = "!has(object.metadata.labels) || object.metadata.labels[?'app'].orValue('') != 'michelangelo-ui'"
    applied(
        bench,
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "bench-no-ui"},
            "spec": {
                "matchConstraints": {"resourceRules": [pods]},
                "validations": [{"expression": rule, "message": "no UI here"}],
            },
        },
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "bench-no-ui"},
            "spec": {"policyName": "bench-no-ui", "validationActions": ["Deny"]},
        },
    )

    def remove() -> None:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            bench.kubectl(f"delete {kind} bench-no-ui")

    return look(bench, admission.admission), remove


def foreign_network_policy(bench: Bench) -> tuple[Look, Act]:
    deny = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "bench-deny", "namespace": SPACE},
        "spec": {"podSelector": {"matchLabels": {"app": "michelangelo-ui"}}, "policyTypes": ["Egress"]},
    }
    applied(bench, deny)
    return (
        look(bench, looks(admission.shut_off)),
        lambda: bench.kubectl(f"-n {SPACE} delete networkpolicy bench-deny"),
    )


def name_that_is_taken(bench: Bench) -> tuple[Look, Act]:
    bench.kubectl(f"-n {SPACE} delete configmap public-config")
    bench.kubectl(f"-n {SPACE} create configmap public-config --from-literal=a=b")

    def remove() -> None:
        bench.kubectl(f"-n {SPACE} delete configmap public-config")

    return look(bench, looks(owners.names)), remove


def namespace_going_away(bench: Bench) -> tuple[Look, Act]:
    bench.sections["platform"] = {"tier": "development", "namespace": "bench-going"}
    (space,) = [
        item
        for item in bench.site.objects[CONTROL_PLANE]
        if item["kind"] == "Namespace" and item["metadata"]["name"] == "bench-going"
    ]
    metadata = {"name": "held", "namespace": "bench-going", "finalizers": ["example.com/held"]}
    applied(bench, space, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    bench.kubectl("delete namespace bench-going --wait=false")

    def let_go() -> None:
        bench.kubectl('-n bench-going patch configmap held -p \'{"metadata":{"finalizers":null}}\'')

    return look(bench, looks(owners.names)), let_go


def certificate_of_others(bench: Bench) -> tuple[Look, Act]:
    bench.kubectl(f"-n {SPACE} delete secret michelangelo-ui-tls")
    return look(bench, provided.others_objects), lambda: bench.files_for("app.bench.example.com")


CASES: list[tuple[Fault, str]] = [
    (missing_right, "MA904"),
    (older_version, "MA905"),
    (missing_definition, "MA906"),
    (no_controller, "MA907"),
    (class_that_is_not_there, "MA908"),
    (class_of_another_controller, "MA909"),
    (class_that_is_not_accepted, "MA910"),
    (pull_secret_of_another_type, "MA922"),
    (tight_quota, "MA927"),
    (limit_range, "MA927"),
    (pod_security, "MA928"),
    (admission_policy, "MA929"),
    (foreign_network_policy, "MA930"),
    (name_that_is_taken, "MA931"),
    (namespace_going_away, "MA932"),
    (certificate_of_others, "MA933"),
    (priority_class, "MA934"),
]
LEFT = (
    "clusterrole/bench-deployer clusterrolebinding/bench-deployer serviceaccount/bench-deployer",
    "ingressclass/bench-traefik gatewayclass/bench-eg priorityclass/bench-high",
    f"-n {SPACE} secret/bench-pull resourcequota/bench-tight",
    "-n ingress-nginx pod/controller",
)


EVERYDAY = ("MA906-missing_definition", "MA908-class_that_is_not_there")


@clears(*(code for _, code in CASES))
@pytest.mark.parametrize(
    ("fault", "code"), cases({f"{code}-{fault.__name__}": (fault, code) for fault, code in CASES}, EVERYDAY)
)
def test_a_fault_before_an_update_is_cleared_by_its_printed_fix(
    fault: Fault, code: str, bench: Bench
) -> None:
    """UX-8, UX-3, NET-11, CP-8, CP-9, REG-7: its code alone; what the fix says is done to the letter."""
    answer, act = fault(bench)
    try:
        bench.clear(code, answer, act)
    finally:
        bench.restore()
        for left in LEFT:
            bench.kubectl(f"delete --ignore-not-found --wait=false {left}")
        bench.up(take_back=True)
