"""A registered compute cluster's objects on both sides."""

from __future__ import annotations

import base64

import pytest

from manifests import catalog, registration
from manifests.inputs import Inputs
from manifests.objects import Object
from tests.support.environments import environment, gateway_minio, minimal, production_aws
from tests.support.objects import of_kind, one


def compute(name: str) -> list[Object]:
    targets = {target.cluster: target for target in catalog.targets(Inputs(production_aws()))}
    return [obj for bundle in targets[name].bundles for obj in bundle.objects]


def test_the_compute_cluster_gets_the_account_and_the_rights_of_the_guide() -> None:
    """REG-2 (registration guide, appendix)."""
    objects = compute("cpu-east")
    account = one(objects, "ServiceAccount", "ray-manager", "default")
    assert account["automountServiceAccountToken"] is False
    assert one(objects, "ClusterRole", "ray-manager")["rules"] == [
        {
            "apiGroups": ["ray.io"],
            "resources": ["rayclusters", "rayjobs"],
            "verbs": ["create", "get", "list", "watch", "update", "patch", "delete"],
        }
    ]
    binding = one(objects, "ClusterRoleBinding", "ray-manager-binding")
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "ray-manager",
    }
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "ray-manager", "namespace": "default"}]


def test_the_token_secret_asks_for_the_ray_managers_token_and_holds_no_value() -> None:
    """REG-2, REG-5 (V9)."""
    secret = one(compute("cpu-east"), "Secret", "ray-manager-token", "default")
    assert secret["type"] == "kubernetes.io/service-account-token"
    assert secret["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "ray-manager"}
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": secret["metadata"],
        "type": secret["type"],
    }
    assert registration.token_request_arguments() == {"metadata": secret["metadata"], "type": secret["type"]}


def test_on_aws_tasks_get_region_and_bucket_and_no_endpoint_of_every_service() -> None:
    """REG-3: `AWS_ENDPOINT_URL` would send their requests for credentials to the object store."""
    config = one(compute("gpu-west"), "ConfigMap", "michelangelo-config", "default")
    assert config["data"] == {
        "MA_FILE_SYSTEM": "s3://example-ml-workspace",
        "MA_FILE_SYSTEM_S3_SCHEME": "https",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_with_another_store_tasks_get_its_url_and_no_key() -> None:
    """REG-3 (registration guide, step 1): with a scheme here, unlike the services; keys in Secrets only."""
    assert registration.task_config(gateway_minio(), "local") == {
        "MA_FILE_SYSTEM": "s3://default",
        "MA_FILE_SYSTEM_S3_SCHEME": "http",
        "AWS_ENDPOINT_URL": "http://minio.storage.example.com:9000",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def test_static_keys_of_tasks_are_in_a_secret_in_every_spelling_somebody_reads() -> None:
    """REG-3 (facts 1.5)."""
    data = registration.task_credentials_data("example-id", "example$key", "us-east-1")
    secret = registration.task_credentials(data)
    assert (secret["kind"], secret["metadata"]["name"], secret["metadata"]["namespace"]) == (
        "Secret",
        "aws-credentials",
        "default",
    )
    decoded = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert decoded == {
        "AWS_ACCESS_KEY_ID": "example-id",
        "AWS_SECRET_ACCESS_KEY": "example$key",
        "aws-access-key-id": "example-id",
        "aws-secret-access-key": "example$key",
        "aws-default-region": "us-east-1",
        "credentials": "[default]\naws_access_key_id = example-id\naws_secret_access_key = example$key\n",
    }


def test_the_control_plane_gets_authority_and_token_under_the_names_the_cluster_refers_to() -> None:
    """REG-4 (registration guide, steps 5 and 6; V5)."""
    token = object()
    authority = "-----BEGIN CERTIFICATE-----\nexample\n-----END CERTIFICATE-----\n"
    ca, credential = (
        registration.ca_secret("gpu-west", authority),
        registration.token_secret("gpu-west", token),
    )
    made = registration.cluster(production_aws(), "gpu-west", "https://gpu-west.example.com", "6443")
    rest = made["spec"]["kubernetes"]["rest"]
    assert rest == {
        "host": "https://gpu-west.example.com",
        "port": "6443",
        "caDataTag": "cluster-gpu-west-ca-data",
        "tokenTag": "cluster-gpu-west-client-token",
    }
    assert ca["metadata"]["name"] == rest["caDataTag"] == registration.secret_names("gpu-west")["ca"]
    assert (
        credential["metadata"]["name"] == rest["tokenTag"] == registration.secret_names("gpu-west")["token"]
    )
    assert {ca["metadata"]["namespace"], credential["metadata"]["namespace"]} == {"default"}
    assert base64.b64decode(ca["data"]["cadata"]).decode() == authority
    assert credential["data"]["token"] is token, "an output of the engine is handed through untouched"


def test_a_cluster_object_holds_what_the_settings_say_and_nothing_that_may_change() -> None:
    """REG-4 (V7): no label and no annotation, because changing one stops the reporting of its health."""
    made = registration.cluster(production_aws(), "gpu-west", "https://gpu-west.example.com", "6443")
    assert made["apiVersion"] == "michelangelo.api/v2"
    assert made["metadata"] == {"name": "gpu-west", "namespace": "ma-system"}
    assert made["spec"]["region"] == "eu-west-1"
    assert made["spec"]["zone"] == "eu-west-1a"
    assert made["spec"]["sla"] == "SLA_TYPE_PRODUCTION"
    assert made["spec"]["kubernetes"]["skus"] == [
        {"cpu": 96, "memoryGb": "1152G", "gpu": 8, "gpuSku": "H100"}
    ]
    bare = registration.cluster(production_aws(), "cpu-east", "https://cpu-east.example.com", "443")
    assert bare["spec"].keys() == {"kubernetes"}
    assert bare["spec"]["kubernetes"]["skus"] == []


def test_the_address_in_the_settings_is_taken_apart_as_the_platform_wants_it() -> None:
    """REG-4 (facts 3.1): the scheme stays with the host, the port is text."""
    cluster = one(catalog.objects(production_aws()), "Cluster", "gpu-west")
    rest = cluster["spec"]["kubernetes"]["rest"]
    assert (rest["host"], rest["port"]) == ("https://gpu-west.example.com", "6443")


@pytest.mark.parametrize(("name", "policies"), [("gpu-west", 1), ("cpu-east", 0)])
def test_only_a_self_managed_cluster_gets_a_policy_for_its_api_server(name: str, policies: int) -> None:
    """NET-12."""
    found = of_kind(compute(name), "NetworkPolicy")
    assert len(found) == policies
    for policy in found:
        assert (policy["metadata"]["name"], policy["metadata"]["namespace"]) == (
            "allow-michelangelo-controller",
            "kube-system",
        )


def test_bundles_of_compute_clusters_have_different_names() -> None:
    """REG-12: objects of the same names on every cluster are different resources."""
    names = [
        registration.compute_side(Inputs(production_aws()), name).name for name in ("cpu-east", "gpu-west")
    ]
    assert names == ["cpu-east", "gpu-west"]


def test_rights_limited_to_namespaces_are_a_role_in_each_and_none_everywhere() -> None:
    """REG-2: the same rule as the guide's, for the same account."""
    made = environment(clusters={"gpu": {"kubeconfigContext": "gpu", "namespaces": ["default", "team-a"]}})
    objects = registration.compute_side(Inputs(made), "gpu").objects
    assert not of_kind(objects, "ClusterRole") + of_kind(objects, "ClusterRoleBinding")
    everywhere = one(compute("cpu-east"), "ClusterRole", "ray-manager")
    for namespace in ("default", "team-a"):
        assert one(objects, "Role", "ray-manager", namespace)["rules"] == everywhere["rules"]
        binding = one(objects, "RoleBinding", "ray-manager-binding", namespace)
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == ("Role", "ray-manager")
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "ray-manager", "namespace": "default"}
        ]


@pytest.mark.parametrize(("backend", "told"), [("kueue", True), ("default", False), (None, False)])
def test_with_kueue_the_account_may_look_for_queues_where_jobs_run(backend: str | None, told: bool) -> None:
    """REG-2, REL-2: without it every job ends with `KueueQueueCheckFailed`."""
    config = {} if backend is None else {"jobs": {"scheduler": {"backend": backend}}}
    made = environment(
        clusters={"gpu": {"server": "https://gpu.example.com:6443", "namespaces": ["team-a"]}},
        controlPlane={"controllermgr": {"config": config}},
    )
    rules = [
        (item["metadata"]["namespace"], rule)
        for item in registration.compute_side(Inputs(made), "gpu").objects
        if item["kind"] == "Role"
        for rule in item["rules"]
        if rule["apiGroups"] == ["kueue.x-k8s.io"]
    ]
    granted = {"apiGroups": ["kueue.x-k8s.io"], "resources": ["localqueues"], "verbs": ["get"]}
    assert rules == ([("default", granted)] if told else [])


def test_a_cluster_that_is_only_prepared_is_not_rendered_as_registered() -> None:
    """REG-9: everything on itself, its credentials included; no `Cluster`."""
    entry = {"kubeconfigContext": "gpu", "server": "https://gpu.example.com"}
    credential = {"generation": 0, "keep": [{"generation": 1}, {"generation": 2, "kind": "bounded"}]}
    made = environment(clusters={"gpu": {**entry, "credential": credential}})
    objects = catalog.objects(made)
    assert not of_kind(objects, "Cluster")
    assert {item["metadata"]["name"]: item["type"] for item in of_kind(objects, "Secret")} == {
        "ray-manager-token": "kubernetes.io/service-account-token",
        "ray-manager-token-2": "Opaque",
    }


def test_an_environment_without_clusters_has_one_target() -> None:
    """REG-9."""
    assert [target.cluster for target in catalog.targets(Inputs(minimal()))] == ["control-plane"]
