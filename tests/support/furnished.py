"""Clusters in memory that lack nothing, for checks of whole environments: a fault is one change of them."""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.doctor.site import Site, site_of
from madeploy.names.kubernetes import crd
from madeploy.settings import CONTROL_PLANE, Environment
from manifests import registration
from manifests.references import CERT_MANAGER, provided
from manifests.secret_references import wanted_secrets

_PLURALS = {
    "NetworkPolicy": "networkpolicies",
    "Ingress": "ingresses",
    "IngressClass": "ingressclasses",
    "GatewayClass": "gatewayclasses",
    "BackendTLSPolicy": "backendtlspolicies",
}
_PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?$"
)
_UNKNOWN = 404


def plural(kind: str) -> str:
    """Plural of a kind, as API servers have it."""
    return _PLURALS.get(kind, f"{kind.lower()}s")


def path_of(obj: Object) -> str:
    """Where an API server has an object."""
    version, metadata = str(obj["apiVersion"]), obj["metadata"]
    start = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{start}{where}/{plural(obj['kind'])}/{metadata['name']}"


class Furnished(Kubernetes):
    """An API server in memory: reads, lists by label, dry runs, discovery of what it holds, and reviews."""

    def __init__(self, server: str, *objects: Object) -> None:
        self.server = server
        self.objects: dict[str, Object] = {}
        self.served: dict[str, dict[str, Any]] = {}
        """Discovery: kinds by group and version."""

        self.denied: set[str] = set()
        """Rights that are not given: verb and resource."""

        self.refusals: dict[str, str] = {}
        """What dry runs of an object whose name starts so are refused with."""

        self.version = "v1.34.1"
        self.failure: ClientError | None = None
        """Raised by every call, where there is one."""

        self.forbidden = ""
        """A path whose collection may not be listed."""

        self.written: list[str] = []
        """Every call that is no read, dry runs left out."""

        self.lock = threading.RLock()
        """Held by whoever changes an object in place, as a controller of a test does beside the check."""

        self.hold(*objects)

    def hold(self, *objects: Object) -> None:
        """Have objects, as if somebody had made them."""
        for obj in objects:
            self.serve(obj)
            self.objects[path_of(obj)] = copy.deepcopy(obj)

    def serve(self, obj: Object) -> None:
        """Know the kind of an object."""
        known = self.served.setdefault(str(obj["apiVersion"]), {})
        known[obj["kind"]] = {
            "name": plural(obj["kind"]),
            "kind": obj["kind"],
            "namespaced": "namespace" in obj["metadata"],
        }

    def get(self, path: str, **query: Any) -> Object:
        """The object, the discovery, or the version at a path."""
        self._fail()
        path = path.partition("?")[0]
        if path == "/version":
            return {"gitVersion": self.version}
        group = re.match(r"^/(?:api|apis)/([^/]+(?:/[^/]+)?)$", path)
        if group and group[1] in self.served:
            return {"resources": list(self.served[group[1]].values())}
        found = _PATH.match(path)
        if found and not found["name"]:
            return {"items": list(self.items(path))}
        if path not in self.objects:
            raise ClientError(self.server, "notFound", "", _UNKNOWN)
        with self.lock:
            return copy.deepcopy(self.objects[path])

    def items(self, path: str, page: int = 500, **query: Any) -> Iterator[Object]:
        """Objects of a collection, of all namespaces where none is named, those that the labels select."""
        self._fail()
        if path == self.forbidden:
            raise ClientError(self.server, "forbidden", "models is forbidden", 403)
        asked = _PATH.match(path)
        assert asked is not None, path
        with self.lock:
            there = list(self.objects.items())
        for key, obj in there:
            found = _PATH.match(key)
            same = found and all(found[part] == asked[part] for part in ("group", "version", "plural"))
            if not same or (asked["namespace"] and found and found["namespace"] != asked["namespace"]):
                continue
            if _selected(str(query.get("labelSelector") or ""), obj["metadata"].get("labels") or {}):
                with self.lock:
                    found_there = copy.deepcopy(obj)
                yield found_there

    def text(self, path: str) -> str:
        """What `/healthz` and its kin say."""
        self._fail()
        return "ok"

    def clock(self) -> float | None:
        """No clock of its own."""
        self._fail()
        return None

    def review(self, path: str, item: Object) -> Object:
        """Who asks, and whether that is allowed."""
        self._fail()
        if path.endswith("selfsubjectreviews"):
            return {"status": {"userInfo": {"username": "admin"}}}
        wanted = item["spec"]["resourceAttributes"]
        return {"status": {"allowed": f"{wanted['verb']} {wanted['resource']}" not in self.denied}}

    def create(self, path: str, item: Object, **query: Any) -> Object:
        """Dry runs, through the refusals; the rest is held."""
        self._fail()
        name = item["metadata"]["name"]
        for start, message in self.refusals.items():
            if name.startswith(start):
                raise ClientError(self.server, "forbidden", message, 403)
        if query.get("dryRun") != "All":
            self.written.append(f"create {path}/{name}")
            self.objects[f"{path}/{name}"] = copy.deepcopy(item)
        return copy.deepcopy(item)

    def apply(
        self,
        path: str,
        item: Object,
        manager: str = "madeploy",
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """A server-side apply: what is applied is put over what is there, through the refusals."""
        self._fail()
        for start, message in self.refusals.items():
            if item["metadata"]["name"].startswith(start):
                raise ClientError(self.server, "invalid", message, 422)
        merged = _merged(self.objects.get(path, {}), item)
        if not dry_run:
            self.written.append(f"apply {path}")
            self.objects[path] = merged
        return copy.deepcopy(merged)

    def delete(self, path: str, options: Object | None = None) -> bool:
        """Delete what is held."""
        self._fail()
        self.written.append(f"delete {path}")
        return self.objects.pop(path, None) is not None

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def _merged(live: Any, applied: Any) -> Any:
    if isinstance(live, dict) and isinstance(applied, dict):
        return {**live, **{key: _merged(live.get(key), value) for key, value in applied.items()}}
    return copy.deepcopy(applied)


def _selected(selector: str, labels: dict[str, str]) -> bool:
    """Whether labels meet a selector of equalities and one `in (…)`."""
    if " in " in selector:
        key, _, values = selector.partition(" in ")
        return labels.get(key) in values.strip("()").split(",")
    pairs = (part.partition("=") for part in selector.split(",") if part)
    return all(labels.get(key) == value for key, _, value in pairs)


def definition(name: str, *versions: str) -> Object:
    """A CustomResourceDefinition that is established."""
    plural_, _, group = name.partition(".")
    kinds = {
        "clusterissuers": "ClusterIssuer",
        "certificates": "Certificate",
        "grpcroutes": "GRPCRoute",
        "backendtlspolicies": "BackendTLSPolicy",
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": group,
            "names": {"kind": kinds.get(plural_, plural_[:-1].capitalize()), "plural": plural_},
            "versions": [{"name": version, "served": True} for version in versions or ("v1",)],
        },
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }


def pod(name: str, namespace: str, ready: bool = True, **labels: str) -> Object:
    """A pod, ready or not."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def named(kind: str, name: str, namespace: str | None = None, version: str = "v1", **more: Any) -> Object:
    """An object with a name and little else."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


PULL_SECRET = {
    "type": "kubernetes.io/dockerconfigjson",
    # {"auths": {}}
    "data": {".dockerconfigjson": "eyJhdXRocyI6IHt9fQ=="},
}


def control_plane(environment: Environment) -> Furnished:
    """The control plane's cluster before the first update, with everything others have to make."""
    door = environment.front_door
    made = Furnished(
        "https://hub:6443",
        *(named("Namespace", name) for name in ("default", "kube-system", "cert-manager", "monitoring")),
        named("Namespace", door.controller_namespace),
        named(
            "IngressClass",
            "nginx",
            version="networking.k8s.io/v1",
            spec={"controller": "k8s.io/ingress-nginx"},
        ),
        pod("controller-0", door.controller_namespace),
        pod(
            "cert-manager-0",
            "cert-manager",
            **{"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": "controller"},
        ),
        pod("operator-0", "monitoring", **{"app.kubernetes.io/name": "prometheus-operator"}),
        definition("clusterissuers.cert-manager.io"),
        definition("certificates.cert-manager.io"),
        definition("prometheusrules.monitoring.coreos.com"),
        named("Node", "node-0", labels={"kubernetes.io/arch": "amd64"}),
    )
    made.objects["/api/v1/nodes/node-0"]["metadata"]["labels"] = {"kubernetes.io/arch": "amd64"}
    for name in provided(environment):
        if name.kind in ("Secret", "ConfigMap", "Namespace", "ServiceAccount"):
            namespace = "cert-manager" if name.namespace == CERT_MANAGER else name.namespace
            more: dict[str, Any] = {"data": {"ca.crt": "eA==", "secret": "eA=="}}
            if name.name in environment.images.pull_secrets:
                more = PULL_SECRET
            made.hold(named(name.kind, name.name, namespace, **more))
    return made


def compute(environment: Environment, name: str) -> Furnished:
    """A compute cluster with KubeRay."""
    image = f"quay.io/kuberay/operator:v{environment.release.compute.kuberay}"
    operator = named(
        "Deployment",
        "kuberay-operator",
        "ray-system",
        "apps/v1",
        spec={
            "replicas": 1,
            "template": {"spec": {"containers": [{"image": image}]}},
        },
        status={"availableReplicas": 1},
    )
    return Furnished(
        f"https://{name}:6443",
        *(named("Namespace", space) for space in ("default", "kube-system", "ray-system")),
        definition("rayclusters.ray.io"),
        definition("rayjobs.ray.io"),
        operator,
    )


class FurnishedSite:
    """A whole environment whose clusters lack nothing, before its first update."""

    def __init__(self, environment: Environment, stack: str = "prod") -> None:
        self.environment = environment
        self.clusters: dict[str, Furnished] = {CONTROL_PLANE: control_plane(environment)}
        self.clusters |= {name: compute(environment, name) for name in environment.clusters}
        self.site: Site = site_of(stack, environment, lambda cluster: self.clusters[cluster])
        for cluster, objects in self.site.objects.items():
            for obj in objects:
                self.clusters[cluster].serve(obj)

    @property
    def hub(self) -> Furnished:
        """The control plane's cluster."""
        return self.clusters[CONTROL_PLANE]

    def deploy(self) -> None:
        """Have every object of the stack, as an update leaves them."""
        for cluster, objects in self.site.objects.items():
            self.clusters[cluster].hold(*(_applied(obj) for obj in objects))


def _applied(obj: Object) -> Object:
    """An object as the engine's provider leaves it."""
    fields = [{"manager": "pulumi-kubernetes-0a1b2c3d", "operation": "Apply"}]
    return obj | {"metadata": {**obj["metadata"], "managedFields": fields}}


def deployed(environment: Environment, stack: str = "prod") -> FurnishedSite:
    """An environment after its first update, with everything that controllers have made of it."""
    made = FurnishedSite(environment, stack)
    made.deploy()
    hub = made.hub
    for kind in environment.release.kinds:
        hub.hold(definition(crd(kind), "v2"))
    for secret in wanted_secrets(environment):
        filled = dict.fromkeys(secret.keys, "eA==")
        made.clusters[secret.cluster].hold(named("Secret", secret.name, secret.namespace, data=filled))
    now = str(int(time.time()))
    for obj in hub.objects.values():
        wanted = (obj.get("spec") or {}).get("replicas", 1)
        if obj["kind"] == "Deployment":
            counts = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")
            obj["status"] = {"observedGeneration": 1, **dict.fromkeys(counts, wanted)}
            obj["metadata"]["generation"] = 1
        elif obj["kind"] == "Ingress":
            obj["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
        elif obj["kind"] == "Gateway":
            obj["status"] = {"addresses": [{"value": "203.0.113.7"}]}
    for name in environment.clusters:
        cluster = registration.cluster(environment, name, f"https://{name}", "6443")
        ready = {"type": "Ready", "status": "CONDITION_STATUS_TRUE", "lastUpdatedTimestamp": now}
        held = hub.objects.get(path_of(cluster), cluster)
        hub.hold(_applied(held) | {"status": {"statusConditions": [ready]}})
    return made


def unfinished(made: FurnishedSite, name: str, available: int, status: Object, *objects: Object) -> None:
    """A Deployment of the control plane whose roll-out is not complete: with so many pods, the status of its
    ReplicaSet, `rs-uid`, and what belongs to that."""
    space = made.environment.platform.namespace
    revision = {"deployment.kubernetes.io/revision": "2"}
    live = made.hub.objects[f"/apis/apps/v1/namespaces/{space}/deployments/{name}"]
    live["metadata"] |= {"uid": "d-uid", "annotations": revision}
    live["status"]["availableReplicas"] = available
    owned = named("ReplicaSet", f"{name}-2", space, "apps/v1", status=status)
    owned["metadata"] |= {
        "uid": "rs-uid",
        "ownerReferences": [{"uid": "d-uid"}],
        "annotations": revision,
        "labels": {"app": name},
    }
    made.hub.hold(owned, *objects)
