"""Kinds that a stack's objects have and somebody else defines, and the controllers that act on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import is_ready
from madeploy.clusters.checks.kuberay import (
    missing_definitions,
    missing_queue_definitions,
    operator_findings,
    operator_version,
)
from madeploy.clusters.remedies import remedies
from madeploy.doctor.checks import NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.names.contexts import context
from madeploy.names.kubernetes import API_GROUP
from madeploy.settings import CONTROL_PLANE
from madeploy.settings.front_door import IngressFrontDoor
from madeploy.upgrade.obstacles import is_older, older_kuberay
from manifests.definitions import CERT_MANAGER, DEFINITIONS, PROMETHEUS_RULES, lack
from manifests.inputs import Inputs
from manifests.parts import IN_ORDER

_NGINX: Final = "nginx"


def definitions(site: Site) -> Seen:
    """Whether what others define for the control plane's cluster is there, established and serves the
    versions that objects have. Raises ClientError."""
    client = site.client()
    found: list[Finding] = []
    seen = 0
    for part in IN_ORDER:
        wanted = part.needs(site.environment)
        built = part.build(Inputs(site.environment, site.stack))
        if wanted is None or not built:
            continue
        for name in wanted.names:
            if name.endswith(f".{API_GROUP}"):
                continue  # made by the platform's API server when it first starts
            seen += 1
            lacking = _lack(client.find(f"{DEFINITIONS}/{name}"), built)
            if lacking:
                fix = wanted.hint.format(namespace=site.namespace)
                found.append(find("MA906", name, lacking, fix=_typed(fix, site)))
    if not seen:
        raise NotNeededError("no object has a kind that others define")
    return found or f"{seen} definitions, established and served"


def kuberay(site: Site, cluster: str) -> Seen:
    """Whether a compute cluster has KubeRay, of the release's version or later, unless the stack installs or
    ignores it (registration guide, prerequisites). Raises ClientError."""
    mode = site.environment.clusters[cluster].operators.kube_ray
    if mode != "check":
        raise NotNeededError(f"clusters.{cluster}.operators.kubeRay is {mode}")
    known = remedies(site.environment, cluster, site.stack)
    client, release = site.client(cluster), site.environment.release
    found = missing_definitions(client, known) or operator_findings(client, known)
    version = operator_version(client)
    if not found and is_older(version, release):
        found = [older_kuberay(cluster, version, release, "warning")]
    return found or f"definitions served, operator {version or 'of unknown version'} on {cluster}"


def kueue(site: Site, cluster: str) -> Seen:
    """Whether a cluster with queues has Kueue's definitions in the version that these are written in, unless
    the stack installs or ignores it. Raises ClientError."""
    mode = site.environment.clusters[cluster].operators.kueue
    if mode != "check":
        raise NotNeededError(f"clusters.{cluster}.operators.kueue is {mode}")
    known = remedies(site.environment, cluster, site.stack)
    return missing_queue_definitions(site.client(cluster), known) or f"definitions served on {cluster}"


@dataclass(frozen=True)
class Controller:
    """Something that has to run on the control plane's cluster besides the platform."""

    title: str
    namespace: str | None
    """Where its pods run; None where that is its own choice."""

    selector: str
    """Labels of its pods; empty for any pod of the namespace."""

    fix: str


def controllers(site: Site) -> Iterator[Controller]:
    """Every controller that a stack relies on. Labels are those of the projects' own charts."""
    environment = site.environment
    door = environment.front_door
    what = "ingress controller" if isinstance(door, IngressFrontDoor) else "gateway"
    look = site.kubectl(f"-n {door.controller_namespace} get pods")
    fix = f"Install it, or name its pods' namespace in frontDoor.controllerNamespace; see them:\n{look}"
    if isinstance(door, IngressFrontDoor) and door.class_name == _NGINX:
        install = (
            "helm upgrade --install ingress-nginx ingress-nginx "
            "--repo https://kubernetes.github.io/ingress-nginx "
            f"--namespace {door.controller_namespace} --create-namespace "
            f"--kube-context {context(environment)}"
        )
        fix = f"{fix}\nTo install it:\n{install}"
    yield Controller(what, door.controller_namespace, "", fix)
    groups = {str(obj["apiVersion"]).partition("/")[0] for obj in site.objects[CONTROL_PLANE]}
    if "cert-manager.io" in groups:
        yield Controller(
            "cert-manager",
            None,
            "app.kubernetes.io/name=cert-manager,app.kubernetes.io/component=controller",
            _typed(CERT_MANAGER.hint, site),
        )
    if "monitoring.coreos.com" in groups:
        names = "prometheus-operator,kube-prometheus-stack-prometheus-operator"
        yield Controller(
            "Prometheus operator", None, f"app.kubernetes.io/name in ({names})", PROMETHEUS_RULES.hint
        )


def running_controllers(site: Site) -> Seen:
    """Whether a pod of each controller is ready. Raises ClientError."""
    client = site.client()
    found, seen = [], []
    for wanted in controllers(site):
        pods = list(_pods(client, wanted))
        ready = [pod for pod in pods if is_ready(pod)]
        where = f"namespace {wanted.namespace}" if wanted.namespace else "any namespace"
        if ready:
            seen.append(f"{wanted.title} in {ready[0]['metadata']['namespace']}")
        else:
            counted = f"{len(pods)} pods in {where}, none ready" if pods else f"no pod in {where}"
            found.append(find("MA907", wanted.title, counted, fix=wanted.fix))
    return found or ", ".join(seen)


def _pods(client: Kubernetes, wanted: Controller) -> Iterator[Object]:
    where = f"/api/v1/namespaces/{wanted.namespace}/pods" if wanted.namespace else "/api/v1/pods"
    return client.items(where, labelSelector=wanted.selector)


def _lack(definition: Object | None, built: tuple[Object, ...]) -> str:
    """What a definition lacks to take the objects of its kind among those that are built."""
    if definition is None:
        return lack(None, ())
    spec = definition["spec"]
    kind = (spec["group"], spec["names"]["kind"])
    split = [(*str(item["apiVersion"]).rpartition("/")[::2], item["kind"]) for item in built]
    return lack(definition, sorted({version for group, version, name in split if (group, name) == kind}))


def _typed(hint: str, site: Site) -> str:
    """A hint with the command it quotes on a line of its own, told of the control plane's context."""
    before, tick, rest = hint.partition("`")
    command, _, after = rest.partition("`")
    if not tick:
        return hint
    if command.startswith("helm "):
        command += f" --kube-context {context(site.environment)}"
    elif command.startswith("kubectl "):
        command = site.kubectl(command.removeprefix("kubectl "))
    return f"{before.strip().rstrip(':')}{after.rstrip('.')}:\n{command}"
