"""Ray's history server on compute clusters, beside the collectors that fill its store."""

from __future__ import annotations

from typing import Any

import pytest

from manifests import catalog
from manifests.history_server import history_server
from manifests.inputs import Inputs
from manifests.service_config import base_config
from tests.support.environments import environment, every_part
from tests.support.proves import proves

MINIO = {"kind": "s3Compatible", "endpoint": "http://minio.example.com:9000"}


def of(kind: str, **logs: Any) -> dict[str, Any]:
    made = environment(
        rayLogs={"bucket": "ray-history", "historyServer": {}, **logs},
        storage=MINIO,
        clusters={"local": {"server": "https://local.example.com:8443"}},
    )
    (found,) = [item for item in history_server(made, "local") if item["kind"] == kind]
    return found


def container(**logs: Any) -> dict[str, Any]:
    (found,) = of("Deployment", **logs)["spec"]["template"]["spec"]["containers"]
    made: dict[str, Any] = found
    return made


@pytest.mark.parametrize("logs", [None, {"bucket": "ray-history"}])
def test_nobody_gets_one_unasked(logs: Any) -> None:
    """REL-2: logs may be kept without it."""
    sections = {"rayLogs": logs} if logs else {}
    chosen = environment(clusters={"local": {"server": "https://local.example.com"}}, **sections)
    assert history_server(chosen, "local") == ()


@proves("REL-2")
def test_it_reads_where_the_collectors_write() -> None:
    """REL-2: the same bucket, folder, region, endpoint and Secret as in `logPersistence`; what is a flag
    there is text here. No key is in the object."""
    made = every_part()
    written = base_config(made, "controllermgr")["jobs"]["k8sengine"]["mapper"]["logPersistence"]
    (deployment,) = [item for item in history_server(made, "local") if item["kind"] == "Deployment"]
    (server,) = deployment["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value") for entry in server["env"]}
    assert variables["S3_BUCKET"] == written["bucket"]
    assert variables["STORAGE_ROOT_DIR"] == written["pathPrefix"]
    assert variables["S3_REGION"] == written["region"]
    assert variables["S3_ENDPOINT"] == written["storageEndpoint"]
    assert variables["S3DISABLE_SSL"] == str(written["s3DisableSSL"]).lower()
    references = [entry["valueFrom"]["secretKeyRef"] for entry in server["env"] if "valueFrom" in entry]
    assert {item["name"] for item in references} == {written["credentialsSecret"]}
    assert {item["key"] for item in references} == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_a_store_without_tls_is_called_without() -> None:
    """REL-2: as the collectors do."""
    assert {"name": "S3DISABLE_SSL", "value": "true"} in container()["env"]


@pytest.mark.parametrize(("gib", "cache"), [(1, "512Mi"), (2, "1024Mi"), (12, "6144Mi")])
def test_its_cache_stays_below_its_memory(gib: int, cache: str) -> None:
    """REL-2: or it would be killed for what it keeps."""
    made = container(historyServer={"memoryGib": gib})
    assert made["args"] == [f"--session-cache-max-memory={cache}"]
    assert made["resources"]["limits"]["memory"] == f"{gib}Gi"


def test_it_may_read_ray_clusters_and_nothing_else() -> None:
    """REL-2, REG-2."""
    (rule,) = of("ClusterRole")["rules"]
    assert rule == {"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["get", "list", "watch"]}
    binding = of("ClusterRoleBinding")
    assert binding["roleRef"]["name"] == of("ClusterRole")["metadata"]["name"]
    account = of("ServiceAccount")["metadata"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    ]
    pod = of("Deployment")["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account["name"]
    assert pod["automountServiceAccountToken"] is True


def test_its_image_is_that_of_the_release_unless_another_is_named() -> None:
    """REL-2, CP-9: 1.7 reads what collectors of 1.7 write."""
    assert container()["image"] == "quay.io/kuberay/historyserver:v1.7.1"
    mirrored = container(historyServer={"image": {"repository": "registry.example.com/historyserver"}})
    assert mirrored["image"] == "registry.example.com/historyserver:v1.7.1"


def test_it_speaks_to_its_store_its_api_server_and_name_servers_only() -> None:
    """NET-12: and is spoken to by pods of its namespace."""
    spec = of("NetworkPolicy")["spec"]
    assert spec["podSelector"]["matchLabels"] == of("Service")["spec"]["selector"]
    (incoming,) = spec["ingress"]
    assert incoming["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert incoming["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == "default"
    ports = {entry["port"] for rule in spec["egress"] for entry in rule["ports"]}
    assert ports == {53, 443, 6443, 8443, 9000}


def test_every_compute_cluster_has_one_and_the_control_plane_none() -> None:
    """REL-2."""
    for target in catalog.targets(Inputs(every_part())):
        names = [item["metadata"]["name"] for bundle in target.bundles for item in bundle.objects]
        assert ("michelangelo-history-server" in names) == (target.cluster == "local")
