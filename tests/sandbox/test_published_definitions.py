"""Objects of kinds that are not Kubernetes' own, given to a real API server with the definitions that their
projects publish: Kueue, Gateway API, KubeRay, cert-manager, Prometheus and Grafana operators, External
Secrets, Flux and Argo CD."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.checks.ray_cluster import create_ray_cluster
from madeploy.clusters.remedies import remedies
from manifests import catalog
from manifests.objects import Object
from tests.render.environments import gitops
from tests.render.test_tree import loaded, render
from tests.sandbox.test_manifests import VARIANTS
from tests.support import go_modules
from tests.support.environments import ALL, environment
from tests.support.light_clusters import LightClusters
from tests.support.proves import proves
from tests.support.waiting import wait

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(
        shutil.which("go") is None, reason="definitions come as Go modules, and Go is not here"
    ),
]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDEST = {
    "projects": [f"{number:04d}{'p' * 56}" for number in range(3)],
    "flavors": [
        {
            "name": f"flavor-{number}",
            "nodeLabels": {f"example.com/label-{label}": "a" for label in range(8)},
            "quotas": {f"example.com/resource-{resource}": "1" for resource in range(16)},
        }
        for number in range(16)
    ],
}
"""As many flavors, labels and resources as the settings accept, with the longest names of projects."""


def group(obj: Object) -> str:
    """API group of an object."""
    return str(obj["apiVersion"]).rpartition("/")[0]


def written() -> dict[str, list[Object]]:
    """Every object of somebody else's kinds that an update or the renderer writes, by where it is from."""
    made = {name: catalog.objects(make()) for name, make in ALL.items()}
    made |= {name: catalog.objects(environment(**more)) for name, more in VARIANTS.items()}
    queued = {"gpu": {"kubeconfigContext": "gpu", "queues": WIDEST}}
    made["widest queues"] = catalog.objects(environment(clusters=queued))
    for form in ("argocd", "flux"):
        files = loaded(render(gitops("pushed"), form))
        made[form] = [obj for obj in files.values() if isinstance(obj, dict) and "apiVersion" in obj]
    return {name: [obj for obj in objects if "." in group(obj)] for name, objects in made.items()}


WRITTEN = written()
RAY = {("ray.io", "RayCluster"), ("ray.io", "RayJob")}


class Server:
    """An API server with published definitions.

    Args:
        api: its administrator.
        definitions: what it is to serve.
    """

    def __init__(self, api: Kubernetes, definitions: list[dict[str, Any]]) -> None:
        self.api = api
        self._kinds = {}
        for item in definitions:
            api.create(DEFINITIONS, item)
            spec = item["spec"]
            self._kinds[spec["group"], spec["names"]["kind"]] = spec
        for item in definitions:
            wait(lambda item=item: self._is_served(item["metadata"]["name"]), 60)

    def _is_served(self, name: str) -> bool:
        conditions = self.api.get(f"{DEFINITIONS}/{name}").get("status", {}).get("conditions", ())
        return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)

    def knows(self, obj: Object) -> bool:
        """Whether a definition of the object's kind is published."""
        return (group(obj), obj["kind"]) in self._kinds

    def refusal(self, obj: Object) -> str:
        """Why it takes an object not; "" when it does. Nothing is stored."""
        spec, metadata = self._kinds[group(obj), obj["kind"]], obj["metadata"]
        place = f"/apis/{obj['apiVersion']}"
        if spec["scope"] == "Namespaced":
            namespace = metadata["namespace"]
            if self.api.find(f"/api/v1/namespaces/{namespace}") is None:
                self.api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
            place += f"/namespaces/{namespace}"
        try:
            self.api.apply(f"{place}/{spec['names']['plural']}/{metadata['name']}", obj, dry_run=True)
        except ClientError as error:
            return error.message or str(error)
        return ""

    def refusals(self, objects: Iterable[Object]) -> dict[str, str]:
        """Everything that it does not take, with its reason."""
        said = {f"{obj['kind']}/{obj['metadata']['name']}": self.refusal(obj) for obj in objects}
        return {name: reason for name, reason in said.items() if reason}


@pytest.fixture(scope="module")
def server(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One API server, with the published definitions of every kind that is written, and of Ray's."""
    directory = tmp_path_factory.mktemp("published")
    kinds = {(group(obj), obj["kind"]) for objects in WRITTEN.values() for obj in objects}
    definitions = go_modules.definitions(kinds | RAY, directory)
    clusters = LightClusters(directory / "server", tool_paths)
    try:
        (cluster,) = clusters.start(["published"])
        yield Server(cluster.client(), definitions)
    finally:
        clusters.stop()


@proves("OPS-5", "OPS-6", "CARD-2")
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_taken_by_the_published_definitions(name: str, server: Server) -> None:
    """OPS-3, OPS-5, OPS-6, NET-7, NET-9, CARD-2, CARD-4: server-side apply, which refuses fields that are not
    declared."""
    assert server.refusals(obj for obj in WRITTEN[name] if server.knows(obj)) == {}


def test_kinds_without_a_published_definition_are_known(server: Server) -> None:
    """CARD-2: those of the platform, which its API server brings, and those whose module cannot be had."""
    unknown = {group(obj) for objects in WRITTEN.values() for obj in objects if not server.knows(obj)}
    kubernetes = {each for each in unknown if each.endswith(".k8s.io")}
    assert unknown - kubernetes == {"michelangelo.api", "kustomize.toolkit.fluxcd.io"}
    assert not kubernetes & {"kueue.x-k8s.io", "gateway.networking.k8s.io"}


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("ClusterQueue", {"resourceGroup": []}),
        ("ResourceFlavor", {"nodeLabel": {}}),
        ("LocalQueue", {"clusterQueue": "Not A Name"}),
        ("Gateway", {"listeners": []}),
        ("PodMonitor", {"podMetricsEndpoint": []}),
        ("PushSecret", {"data": [{"match": {}}]}),
    ],
)
def test_what_is_wrong_is_refused(kind: str, spec: dict[str, Any], server: Server) -> None:
    """CARD-2: so that the test above can fail."""
    every = (obj for objects in WRITTEN.values() for obj in objects)
    obj = next(obj for obj in every if obj["kind"] == kind and server.knows(obj))
    assert server.refusal(obj | {"spec": obj["spec"] | spec})


def test_the_ray_cluster_of_a_verification_is_taken(server: Server) -> None:
    """REG-6: as KubeRay defines it."""
    chosen = environment(clusters={"a": {"kubeconfigContext": "a"}})
    said, finding = create_ray_cluster(server.api, remedies(chosen, "a", "prod"), for_real=True)
    assert finding is None
    assert said.endswith("created, suspended, and deleted")
