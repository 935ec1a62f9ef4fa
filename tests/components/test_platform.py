"""The whole program against the recording mock: what is created, where, after what."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings

from madeploy.settings import CONTROL_PLANE, Environment
from manifests import catalog
from manifests.rbac import RIGHTS
from tests.support import environments, strategies
from tests.support.programs import CANARY, ENVIRONMENTS, STORE_CANARY, deploy, deployed_once
from tests.support.recording import TOKEN, Recording, Registration

pytestmark = pytest.mark.whole

STORE = {"kind": "s3Compatible", "endpoint": "https://minio.example.com:9000"}


def kubernetes_objects(recording: Recording) -> dict[tuple[str, ...], dict[str, Any]]:
    """Registered Kubernetes objects by provider, kind, namespace and name."""
    return {
        (r.provider, r.type.rpartition(":")[2].removesuffix("Patch"), m.get("namespace", ""), m["name"]): (
            r.inputs
        )
        for r in recording.resources
        if r.type.startswith("kubernetes:") and (m := r.inputs["metadata"])
    }


@pytest.mark.parametrize("build", ENVIRONMENTS)
def test_the_program_registers_every_object_of_the_catalog(build: Callable[[], Environment]) -> None:
    """CARD-4: nothing that a renderer would write is missing from the update."""
    environment = build()
    registered = {key[1:] for key in kubernetes_objects(deployed_once(build)[0])}
    expected = {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])
        for o in catalog.objects(environment)
    }
    assert expected <= registered


def test_no_two_resources_share_a_name(aws: tuple[Recording, dict[str, Any]]) -> None:
    """CARD-6: two registered clusters hold objects of the same names."""
    identities = [resource.urn for resource in aws[0].resources]
    assert len(identities) == len(set(identities))


def test_each_cluster_has_its_own_provider_that_edits_in_place(aws: tuple[Recording, dict[str, Any]]) -> None:
    """CARD-6, REG-8: edited credentials replace nothing, a rotated Secret is updated and never deleted."""
    providers = aws[0].of_type("pulumi:providers:kubernetes")
    assert {p.name for p in providers} == {
        f"k8s-{name}" for name in (CONTROL_PLANE, *environments.production_aws().clusters)
    }
    for provider in providers:
        assert provider.inputs["clusterIdentifier"] == provider.name.removeprefix("k8s-")
        assert json.loads(provider.inputs["enableSecretMutable"]) is True
        assert "kubeconfig" in provider.secret_inputs


@pytest.mark.parametrize("name", sorted(environments.production_aws().clusters))
def test_a_cluster_is_registered_after_its_secrets_and_after_the_platform(
    aws: tuple[Recording, dict[str, Any]], name: str
) -> None:
    """REG-4, CP-8: a `Cluster` without its Secrets would be called anonymously; and it is removed before
    the controller manager, whose finalizer it carries (V16)."""
    recording = aws[0]
    (cluster,) = [r for r in recording.of_type("kubernetes:michelangelo.api/v2:Cluster") if name in r.name]
    before = recording.waits_for(cluster)
    assert {
        f"kubernetes:core/v1:Secret::{name}-secret-default-cluster-{name}-ca-data",
        f"kubernetes:core/v1:Secret::{name}-secret-default-cluster-{name}-client-token",
        "kubernetes:apps/v1:Deployment::controllermgr-deployment-ma-system-michelangelo-controllermgr",
        "kubernetes:apps/v1:Deployment::apiserver-deployment-ma-system-michelangelo-apiserver",
    } <= before


def test_the_controller_manager_waits_for_the_platforms_definitions(
    aws: tuple[Recording, dict[str, Any]],
) -> None:
    """CP-8, REL-3: by a hook, since the API server creates them; at each update as well, since that of
    another release changes them."""
    deployment = workload(aws[0], "controllermgr")
    assert deployment.hooks == ("platform-definitions",)
    assert deployment.update_hooks == deployment.hooks
    assert any("apiserver" in name for name in aws[0].waits_for(deployment))


def workload(recording: Recording, service: str) -> Registration:
    """A service's Deployment."""
    return recording.one(
        "kubernetes:apps/v1:Deployment", f"{service}-deployment-ma-system-michelangelo-{service}"
    )


def test_rights_come_before_services_and_services_in_the_order_of_a_new_release(
    aws: tuple[Recording, dict[str, Any]],
) -> None:
    """REL-3: a plain `pulumi up` takes a release over in this order too, and goes on in it when it was
    stopped; the right of one service waits for no other service."""
    recording = aws[0]
    rights = [item for item in recording.resources if item.type.rpartition(":")[2] in RIGHTS]
    before: set[str] = set()
    for service in ("apiserver", "controllermgr", "worker", "envoy", "ui"):
        deployment = workload(recording, service)
        waited = recording.waits_for(deployment)
        own = {item.identity for item in rights if item.name.startswith(f"{service}-")}
        assert {*before, *own} <= waited, service
        before.add(deployment.identity)
    for item in rights:
        assert not any("Deployment" in name for name in recording.waits_for(item)), item.name


def test_a_pod_is_rolled_after_the_configuration_it_reads(aws: tuple[Recording, dict[str, Any]]) -> None:
    """CP-6: one that started before would run with the one there was."""
    for service in ("apiserver", "controllermgr", "worker", "envoy", "ui"):
        (config,) = [
            item
            for item in aws[0].of_type("kubernetes:core/v1:ConfigMap")
            if item.name.startswith(f"{service}-") and not item.name.endswith("descriptors")
        ]
        assert config.identity in aws[0].waits_for(workload(aws[0], service))


def test_an_issuer_waits_for_cert_manager_and_is_waited_for(aws: tuple[Recording, dict[str, Any]]) -> None:
    """NET-9, NET-11: its absence is named, and an issuer that never becomes ready fails the update."""
    (issuer,) = aws[0].of_type("kubernetes:cert-manager.io/v1:ClusterIssuer")
    assert issuer.hooks == ("cert-manager-definitions",)
    assert issuer.inputs["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Ready"


def test_nothing_waits_for_the_endpoints_of_a_service(aws: tuple[Recording, dict[str, Any]]) -> None:
    """UX-1: ten seconds each, one after the other; the Deployments behind them are waited for, and the
    address of an Ingress."""
    services = aws[0].of_type("kubernetes:core/v1:Service")
    assert len(services) == 4
    for service in services:
        assert service.inputs["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    for ingress in (doors := aws[0].of_type("kubernetes:networking.k8s.io/v1:Ingress")):
        annotations = ingress.inputs["metadata"]["annotations"]
        assert annotations["pulumi.com/waitFor"] == "jsonpath={.status.loadBalancer.ingress[0]}"
    assert len(doors) == 2
    for name in ("apiserver", "controllermgr", "worker", "envoy", "ui"):
        annotations = workload(aws[0], name).inputs["metadata"].get("annotations", {})
        assert "pulumi.com/skipAwait" not in annotations


def test_gateway_api_objects_wait_for_their_definitions(minio: tuple[Recording, dict[str, Any]]) -> None:
    """NET-7."""
    (gateway,) = minio[0].of_type("kubernetes:gateway.networking.k8s.io/v1:Gateway")
    assert gateway.hooks == ("gateway-api-backend-tls-definitions",)


def test_a_cluster_is_registered_after_its_queues_are_there() -> None:
    """OPS-6: a job that finds no queue ends; and after Kueue, where the toolkit installs it."""
    queued = {"kubeconfigContext": "gpu", "queues": environments.QUEUES, "operators": {"kueue": "install"}}
    recording, _ = deploy(environments.environment(clusters={"gpu": queued}))
    release = recording.one("kubernetes:helm.sh/v3:Release", "gpu-kueue")
    (cluster,) = recording.of_type("kubernetes:michelangelo.api/v2:Cluster")
    queues = recording.of_type("kubernetes:kueue.x-k8s.io/v1beta2:LocalQueue")
    assert len(queues) == 2
    for queue in queues:
        assert release.identity in recording.waits_for(queue)
        assert queue.identity in recording.waits_for(cluster)


def test_outputs_name_everything_and_hold_no_secret(aws: tuple[Recording, dict[str, Any]]) -> None:
    """CARD-3, NET-8."""
    outputs = aws[1]
    assert outputs["urls"] == {"api": "https://api.ml.example.com", "app": "https://app.ml.example.com"}
    assert set(outputs["clusters"]) == set(environments.production_aws().clusters)
    assert set(outputs) == {
        "urls", "namespaces", "buckets", "iam_roles", "clusters", "tier", "toolkit_version",
    }  # fmt: skip
    text = json.dumps(outputs)
    assert not any(secret in text for secret in (CANARY, STORE_CANARY, TOKEN, "CERTIFICATE"))


def test_buckets_are_protected_and_private(aws: tuple[Recording, dict[str, Any]]) -> None:
    """MR-1, UX-6."""
    buckets = aws[0].of_type("aws:s3/bucket:Bucket")
    assert {bucket.name for bucket in buckets} >= {"workspace", "models"}
    assert all(bucket.protect and bucket.retain_on_delete for bucket in buckets)
    for block in aws[0].of_type("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"):
        assert [block.inputs[key] for key in sorted(block.inputs) if key not in ("bucket", "region")] == [
            True
        ] * 4


def test_service_accounts_carry_their_roles(aws: tuple[Recording, dict[str, Any]]) -> None:
    """MR-2: keyless."""
    for service in ("controllermgr", "worker"):
        account = aws[0].one(
            "kubernetes:core/v1:ServiceAccount", f"{service}-serviceaccount-ma-system-michelangelo-{service}"
        )
        assert account.inputs["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].startswith("arn:aws")


def test_task_pods_get_their_role_by_a_patch_of_an_account_that_is_there() -> None:
    """MR-2 (facts 3.3): on their own cluster; what Kubernetes makes can be neither created nor deleted."""
    source = {"kind": "irsa", "oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/b"}
    env = environments.environment(
        storage=environments.aws_storage(),
        clusters={"gpu": {"kubeconfigContext": "gpu", "taskIdentity": source}},
    )
    recording, outputs = deploy(env)
    patch = recording.one("kubernetes:core/v1:ServiceAccountPatch", "gpu-serviceaccount-default-default")
    assert patch.provider == "k8s-gpu"
    role = patch.inputs["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
    assert role == "arn:aws:iam::123456789012:role/michelangelo-test-tasks-gpu"
    assert set(outputs["iam_roles"]) == {"controllermgr", "worker", "tasks-gpu"}
    assert patch.inputs["metadata"].keys() == {"name", "namespace", "annotations"}


@pytest.mark.parametrize("build", ENVIRONMENTS)
def test_buckets_are_told_alike_for_every_kind_of_store(build: Callable[[], Environment]) -> None:
    """MR-1, UX-6: and what becomes of them with the stack."""
    for told in deployed_once(build)[1]["buckets"].values():
        assert told.keys() == {"name", "arn", "region", "on_destroy"}
        assert told["arn"].endswith(f":::{told['name']}")


def test_a_preview_registers_what_an_update_does(aws: tuple[Recording, dict[str, Any]]) -> None:
    """CARD-3: nothing is created inside an apply."""
    previewed = {r.identity for r in deploy(environments.production_aws(), preview=True)[0].resources}
    assert previewed == {r.identity for r in aws[0].resources}


@settings(max_examples=12)
@given(data=strategies.environments())
def test_every_environment_that_validates_can_be_previewed(data: dict[str, Any]) -> None:
    """CARD-3, CARD-5, CARD-6: whatever may be said in a stack file, the program makes resources of it, each
    under a name of its own."""
    environment = Environment.model_validate(data)
    assume(CONTROL_PLANE not in environment.clusters)
    generations = {
        name: [cluster.credential.generation, *(kept.generation for kept in cluster.credential.keep)]
        for name, cluster in environment.clusters.items()
    }
    assume(all(len(named) == len(set(named)) for named in generations.values()))
    recording, _ = deploy(environment, preview=True)
    urns = [resource.urn for resource in recording.resources]
    assert len(urns) == len(set(urns))
    registered = recording.of_type("kubernetes:michelangelo.api/v2:Cluster")
    assert {r.inputs["metadata"]["name"] for r in registered} == {
        name for name, (generation, *_) in generations.items() if generation > 0
    }


def test_objects_of_tenants_and_nothing_else_stay_when_they_leave_the_settings() -> None:
    """OPS-2, UX-6: a tenant taken out of the file is kept, with its isolation and its limits."""
    recording, _ = deploy(environments.guarded())
    kept = {item.name for item in recording.resources if item.retain_on_delete}
    chosen = {
        item.name
        for item in recording.resources
        if "michelangelo.infra/tenant" in (item.inputs.get("metadata") or {}).get("labels", {})
    }
    assert kept == chosen
    for tenant in ("vision", "speech"):
        kinds = {name.split("-")[1] for name in kept if tenant in name} | {
            name.split("-")[2] for name in kept if tenant in name
        }
        assert {"namespace", "project", "resourcequota", "limitrange", "rolebinding"} <= kinds
