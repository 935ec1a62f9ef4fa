"""Every object of the representative environments, given to a real API server and to kubeconform."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import config, dynamic
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError

from madeploy.releases import DEFAULT, ReleaseName
from madeploy.sandbox.environment import Environment
from madeploy.schemas import kinds
from madeploy.settings import CONTROL_PLANE
from manifests import catalog
from manifests.inputs import Inputs
from manifests.namespaces import namespaces
from manifests.objects import Object, to_yaml
from tests.support.environments import ALL, gateway_minio, minimal, production_aws
from tests.support.environments import environment as smallest
from tests.support.objects import identity, of_kind
from tests.support.proves import proves
from tests.support.published_schemas import published
from tests.support.stacks import for_release

ENVIRONMENTS = pytest.mark.parametrize("name", ALL)
NAMESPACE = "manifests-test"
STACKS = Path(__file__).parents[2] / "stacks"
PLATFORM_DEFINITIONS: dict[ReleaseName, Path] = {
    "0.12": Path(__file__).parents[3] / "shared" / "crds-0.12",
    "2026.04": Path(__file__).parents[3] / "shared" / "crds",
}
"""The platform's own definitions by release, where a copy of them is at hand."""


@pytest.fixture(scope="module")
def clients(environment: Environment) -> dict[str, dynamic.DynamicClient]:
    """A client for each cluster."""
    return {
        name: dynamic.DynamicClient(config.new_client_from_config(str(environment.kubeconfig), name))
        for name in environment.clusters
    }


@pytest.fixture(scope="module")
def restricted(clients: dict[str, dynamic.DynamicClient]) -> Iterator[None]:
    """A namespace like the control plane's, on every cluster, with the services' accounts."""
    for client in clients.values():
        space = moved(namespaces(minimal())[0])
        accounts = [moved(obj) for obj in of_kind(catalog.objects(ALL["every_part"]()), "ServiceAccount")]
        for obj in (space, *accounts):
            apply(client, obj)
    yield
    for client in clients.values():
        client.resources.get(api_version="v1", kind="Namespace").delete(name=NAMESPACE)


def moved(obj: Object) -> Object:
    """The object in the test's own namespace, so that tests that share the clusters do not meet."""
    metadata = dict(obj["metadata"])
    if obj["kind"] == "Namespace":
        metadata["name"] = NAMESPACE
    elif "namespace" in metadata:
        metadata["namespace"] = NAMESPACE
    return obj | {"metadata": metadata}


def apply(client: dynamic.DynamicClient, obj: Object, **parameters: str) -> Any:
    resource = client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
    return client.server_side_apply(resource, body=obj, field_manager="manifests-test", **parameters)


def refusals(client: dynamic.DynamicClient, objects: list[Object]) -> dict[str, str]:
    """What the API server would not take, with its reason."""
    found = {}
    for obj in objects:
        try:
            apply(client, moved(obj), dry_run="All")
        except DynamicApiError as error:
            found["/".join(identity(obj))] = error.body
        except ResourceNotFoundError:
            found["/".join(identity(obj))] = "no such kind"
    return found


@pytest.mark.usefixtures("restricted")
@ENVIRONMENTS
def test_a_real_api_server_takes_every_object(name: str, clients: dict[str, dynamic.DynamicClient]) -> None:
    """CP-1 to CP-5, NET-5 to NET-7, NET-9 to NET-13, REG-2, MR-4: server-side apply, nothing stored."""
    for target in catalog.targets(Inputs(ALL[name]())):
        client = clients[CONTROL_PLANE if target.cluster == CONTROL_PLANE else "compute-0"]
        objects = [obj for bundle in target.bundles for obj in bundle.objects]
        assert refusals(client, objects) == {}


@pytest.mark.usefixtures("restricted")
@ENVIRONMENTS
@proves("CP-7")
def test_pod_security_restricted_admits_every_pod(
    name: str, clients: dict[str, dynamic.DynamicClient]
) -> None:
    """CP-7: pods themselves, because of a Deployment the API server only warns."""
    made = ALL[name]()
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": obj["spec"]["template"]["metadata"]
            | {"name": obj["metadata"]["name"], "namespace": ""},
            "spec": obj["spec"]["template"]["spec"],
        }
        for obj in of_kind(catalog.objects(made), "Deployment")
    ]
    assert len(pods) == 5 + (made.ray_logs is not None)
    assert refusals(clients[CONTROL_PLANE], pods) == {}


@pytest.mark.usefixtures("restricted")
def test_that_namespace_refuses_a_pod_that_asks_for_more(clients: dict[str, dynamic.DynamicClient]) -> None:
    """CP-7: so that the test above can fail."""
    template = of_kind(catalog.objects(minimal()), "Deployment")[0]["spec"]["template"]
    spec = template["spec"] | {"securityContext": {"runAsUser": 0}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root", "namespace": ""}, "spec": spec}
    (reason,) = refusals(clients[CONTROL_PLANE], [pod]).values()
    assert "restricted" in reason


@pytest.fixture(scope="module")
def schema_folder(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Schemas of every kind that the two API servers serve, with better ones in place of the sandbox's
    small definitions."""
    folder = tmp_path_factory.mktemp("schemas")
    for cluster in environment.clusters.values():
        index = cluster.api.get("/openapi/v3")
        assert index is not None
        for path, entry in index["paths"].items():
            if path.startswith(("api/v1", "apis/")) and path.count("/") in (1, 2):
                document = cluster.api.get(entry["serverRelativeURL"])
                assert document is not None
                for schema in published(document):
                    kinds.write(folder, schema)
    for path in kinds.DEFINITIONS.glob("*.yaml"):
        for schema in kinds.defined(yaml.safe_load(path.read_text())):
            kinds.write(folder, schema)
    for release, definitions in PLATFORM_DEFINITIONS.items():
        for path in definitions.glob("*.json"):
            for schema in kinds.defined(yaml.safe_load(path.read_text())):
                kinds.write(folder / release, schema)
    return folder


def kubeconform(
    binary: Path, folder: Path, documents: list[Object], release: ReleaseName = DEFAULT
) -> list[str]:
    """Runs kubeconform without network, the platform's own definitions of a release first; returns its
    complaints, a missing schema among them."""
    places = [f"{folder / release}/{kinds.LOCATION}", f"{folder}/{kinds.LOCATION}"]
    locations = [word for place in places for word in ("-schema-location", place)]
    result = subprocess.run(
        [binary, "-strict", "-output", "json", *locations, "-"],
        input="---\n".join(map(to_yaml, documents)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    rows = json.loads(result.stdout)["resources"]
    complaints = [f"{row['kind']}/{row['name']}: {row['status']} {row['msg']}" for row in rows]
    assert (result.returncode == 0) == (not complaints), result.stderr
    return complaints


VARIANTS: dict[str, dict[str, Any]] = {
    "dns01": {
        "tls": {
            "mode": "acme",
            "email": "platform@example.com",
            "solver": {
                "kind": "dns01Route53",
                "region": "eu-west-1",
                "hostedZoneId": "Z0123456789ABC",
                "roleArn": "arn:aws:iam::123456789012:role/dns",
            },
        }
    },
    "http01 behind a gateway": {
        "tls": {"mode": "acme", "email": "platform@example.com"},
        "frontDoor": {"kind": "gatewayApi", "className": "istio", "controllerNamespace": "istio-system"},
    },
}
"""Forms of objects that none of the representative environments has."""


@pytest.mark.parametrize("name", VARIANTS)
def test_kubeconform_finds_nothing_in_other_forms(
    name: str, tool_paths: dict[str, Path], schema_folder: Path
) -> None:
    """NET-7, NET-9."""
    objects = catalog.objects(smallest(**VARIANTS[name]))
    assert kubeconform(tool_paths["kubeconform"], schema_folder, objects) == []


@pytest.mark.parametrize("release", PLATFORM_DEFINITIONS)
@pytest.mark.parametrize("file", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda file: file.stem)
def test_kubeconform_finds_nothing_in_a_stack(
    file: Path, release: ReleaseName, tool_paths: dict[str, Path], schema_folder: Path, tmp_path: Path
) -> None:
    """CARD-2, CARD-4, REL-1: every stack file of the project, for every release."""
    stack = for_release(file, release, tmp_path)
    assert stack.environment is not None, stack.text
    objects = catalog.objects(stack.environment)
    assert kubeconform(tool_paths["kubeconform"], schema_folder, objects, release) == []


@ENVIRONMENTS
def test_kubeconform_finds_nothing(name: str, tool_paths: dict[str, Path], schema_folder: Path) -> None:
    """CARD-2, CP-1 to CP-5: strictly, every kind known, custom resources included."""
    made = ALL[name]()
    release = made.platform.release
    assert kubeconform(tool_paths["kubeconform"], schema_folder, catalog.objects(made), release) == []


@pytest.mark.parametrize(
    ("kind", "change", "complaint"),
    [
        ("Deployment", {"replica": 1}, "replica"),
        ("NetworkPolicy", {"policyType": ["Ingress"]}, "policyType"),
        ("Cluster", {"sla": "production"}, "sla"),
        ("ClusterIssuer", {"acmee": {}}, "acmee"),
        ("PrometheusRule", {"group": []}, "group"),
        ("Certificate", {"dnsName": []}, "dnsName"),
        ("Gateway", {"className": "eg"}, "className"),
        ("GRPCRoute", {"hostname": []}, "hostname"),
        ("HTTPRoute", {"parentRef": []}, "parentRef"),
        ("BackendTLSPolicy", {"targetRef": {}}, "targetRef"),
    ],
)
def test_kubeconform_finds_a_field_that_is_not_there(
    kind: str, change: dict[str, Any], complaint: str, tool_paths: dict[str, Path], schema_folder: Path
) -> None:
    """CARD-2: so that the test above can fail, for built-in kinds and custom ones."""
    objects = [*catalog.objects(production_aws()), *catalog.objects(gateway_minio())]
    obj = of_kind(objects, kind)[0]
    (found,) = kubeconform(tool_paths["kubeconform"], schema_folder, [obj | {"spec": obj["spec"] | change}])
    assert complaint in found
