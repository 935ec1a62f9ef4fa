"""A registered compute cluster: what it needs on itself and on the control plane (registration guide)."""

from __future__ import annotations

import base64
from typing import Any, Final

from madeploy.names.aws import ROLE_ARN_ANNOTATION, tasks
from madeploy.names.kubernetes import (
    API_VERSION,
    CLUSTERS_NAMESPACE,
    CREDENTIALS_NAMESPACE,
    KUBERAY_NAMESPACE,
    RAY_MANAGER,
    RAY_MANAGER_BINDING,
    RAY_NAMESPACE,
    TASK_CONFIG,
    TASK_CREDENTIALS,
    cluster_ca_secret,
    cluster_token_secret,
    ray_manager_token,
)
from madeploy.names.storage import s3_endpoint, s3_url
from madeploy.settings import Environment
from madeploy.settings.clusters import CredentialKind, KeptCredential, Sku
from madeploy.settings.storage import S3CompatibleStorage
from manifests import network_policies
from manifests.identities import TASK_ACCOUNT
from manifests.inputs import Inputs
from manifests.objects import Bundle, Object, metadata
from manifests.rbac import account, cluster_role, cluster_role_binding, role, role_binding
from manifests.service_config import base_config

_RAY_RULE: Final = {
    "apiGroups": ["ray.io"],
    "resources": ["rayclusters", "rayjobs"],
    "verbs": ["create", "get", "list", "watch", "update", "patch", "delete"],
}
QUEUE_READER: Final = "ray-manager-queues"
"""Role by which `ray-manager` reads Kueue's queues, and its binding."""

EXPIRY_ANNOTATION: Final = "michelangelo.infra/token-expires-at"
"""On the control plane's token Secret: when the token in it ends, RFC 3339."""

SLA: Final = {"production": "SLA_TYPE_PRODUCTION", "ephemeral": "SLA_TYPE_EPHEMERAL"}
"""The platform's words for service levels, by ours."""


def compute_side(inputs: Inputs, name: str) -> Bundle:
    """What cluster `name` gets besides the token Secret and values that are secret: the `ray-manager`
    account and its rights (guide, step 2), the tasks' storage configuration (step 1) and their role on AWS,
    and, where the cluster is self-managed, the NetworkPolicy that admits the control plane (NET-12). The
    bundle has the cluster's name, because every cluster gets objects of the same names."""
    environment = inputs.environment
    return Bundle(
        name,
        (
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": metadata(RAY_MANAGER, RAY_NAMESPACE),
                # It stands for the control plane, never for a pod.
                "automountServiceAccountToken": False,
            },
            *_rights(environment.clusters[name].namespaces),
            *_queue_rights(environment),
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": metadata(TASK_CONFIG, RAY_NAMESPACE),
                "data": task_config(environment, name),
            },
            *task_account(inputs, name),
            *network_policies.compute_side(environment, name),
            *network_policies.tasks(environment, name),
        ),
    )


def task_account(inputs: Inputs, name: str) -> tuple[Object, ...]:
    """The ServiceAccount of cluster `name`'s task pods with the IAM role it takes (MR-2), where it takes one
    by annotation. Kubernetes makes that account in every namespace: only the annotation is ours, no label."""
    arn = inputs.role_arn(tasks(name))
    if arn is None:
        return ()
    return (
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": TASK_ACCOUNT,
                "namespace": RAY_NAMESPACE,
                "annotations": {ROLE_ARN_ANNOTATION: arn},
            },
        },
    )


def task_config(environment: Environment, name: str) -> dict[str, str]:
    """Environment of every task pod of cluster `name` (guide, step 1; facts 1.5), without keys: those are in
    a Secret.

    On AWS the endpoint is left to the SDKs, which derive it from the region: `AWS_ENDPOINT_URL` would
    hold for every service, the token service included, and end the pods' own IAM roles.
    """
    storage = environment.storage
    _, tls = s3_endpoint(storage)
    data = {
        "MA_FILE_SYSTEM": f"s3://{storage.buckets.workspace}",
        "MA_FILE_SYSTEM_S3_SCHEME": "https" if tls else "http",
        "AWS_REGION": storage.region,
        "AWS_DEFAULT_REGION": storage.region,
    }
    if isinstance(storage, S3CompatibleStorage):
        data["AWS_ENDPOINT_URL"] = s3_url(storage)
    if environment.model_registry.endpoint is not None:
        data["REGISTRY_ENDPOINT"] = environment.model_registry.endpoint
    tracking = environment.tracking_of(name)
    if tracking is not None:
        data["TRACKING_URI"] = tracking.uri
    return data


def task_credentials(data: Any) -> Object:
    """Secret `aws-credentials` of a compute cluster with an S3-compatible store (guide, step 1). `data`
    is `task_credentials_data`, or the engine's output of it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(TASK_CREDENTIALS, RAY_NAMESPACE),
        "type": "Opaque",
        "data": data,
    }


def task_credentials_data(access_key_id: str, secret_access_key: str, region: str) -> dict[str, str]:
    """Keys of `aws-credentials`, in base64: as variables (the guide), as an AWS credentials file, and in
    the spelling of the platform's log shipper (facts 1.5)."""
    text = {
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret_access_key,
        "credentials": (
            f"[default]\naws_access_key_id = {access_key_id}\naws_secret_access_key = {secret_access_key}\n"
        ),
        "aws-access-key-id": access_key_id,
        "aws-secret-access-key": secret_access_key,
        "aws-default-region": region,
    }
    return {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}


def _rights(namespaces: tuple[str, ...] | None) -> tuple[Object, ...]:
    """Rights on Ray's objects: everywhere as in the guide, or in some namespaces only."""
    subject = account(RAY_MANAGER, RAY_NAMESPACE)
    if namespaces is None:
        return (
            cluster_role(RAY_MANAGER, [_RAY_RULE]),
            cluster_role_binding(RAY_MANAGER_BINDING, RAY_MANAGER, subject),
        )
    return tuple(
        item
        for namespace in dict.fromkeys(namespaces)
        for item in (
            role(RAY_MANAGER, namespace, [_RAY_RULE]),
            role_binding(RAY_MANAGER_BINDING, namespace, RAY_MANAGER, subject),
        )
    )


def _queue_rights(environment: Environment) -> tuple[Object, ...]:
    """Where the control plane hands jobs to Kueue, `ray-manager` looks whether their queue is there; refused,
    every job ends as `KueueQueueCheckFailed` (release 0.12)."""
    jobs = base_config(environment, "controllermgr").get("jobs", {})
    if jobs.get("scheduler", {}).get("backend") != "kueue":
        return ()
    rule = {"apiGroups": ["kueue.x-k8s.io"], "resources": ["localqueues"], "verbs": ["get"]}
    return (
        role(QUEUE_READER, RAY_NAMESPACE, [rule]),
        role_binding(QUEUE_READER, RAY_NAMESPACE, QUEUE_READER, account(RAY_MANAGER, RAY_NAMESPACE)),
    )


def kuberay_release(environment: Environment) -> dict[str, Any]:
    """Arguments of a Helm release of KubeRay's operator, the version the release is made with and
    the namespace the platform looks into (facts 1.4). No value of it is secret."""
    return {
        "name": "kuberay-operator",
        "chart": "kuberay-operator",
        "version": environment.release.compute.kuberay,
        "repositoryOpts": {"repo": "https://ray-project.github.io/kuberay-helm/"},
        "namespace": KUBERAY_NAMESPACE,
        "createNamespace": True,
    }


def is_registered(environment: Environment, name: str) -> bool:
    """Whether cluster `name` has a credential to be registered with; else it is only prepared."""
    return environment.clusters[name].credential.generation > 0


def credentials(environment: Environment, name: str) -> tuple[KeptCredential, ...]:
    """Credentials cluster `name` has for the platform: the registered one, where one is, then those kept
    besides."""
    credential = environment.clusters[name].credential
    if not is_registered(environment, name):
        return credential.keep
    return (KeptCredential(generation=credential.generation, kind=credential.kind), *credential.keep)


def token_request_arguments(generation: int = 1, kind: CredentialKind = "longLived") -> dict[str, Any]:
    """Metadata and type of a credential's Secret on the compute cluster. Kubernetes writes `ray-manager`'s
    token into a long-lived one (guide, step 3; V9). A bounded one stays empty: its token is bound to it, and
    is refused from the moment it is deleted (TokenRequest, `boundObjectRef`)."""
    name = ray_manager_token(generation)
    if kind == "bounded":
        return {"metadata": metadata(name, RAY_NAMESPACE), "type": "Opaque"}
    annotations = {"kubernetes.io/service-account.name": RAY_MANAGER}
    return {
        "metadata": metadata(name, RAY_NAMESPACE, annotations=annotations),
        "type": "kubernetes.io/service-account-token",
    }


def token_requests(environment: Environment, name: str) -> tuple[Object, ...]:
    """These Secrets as objects, one for each credential; no value is in them."""
    return tuple(token_request(item.generation, item.kind) for item in credentials(environment, name))


def token_request(generation: int = 1, kind: CredentialKind = "longLived") -> Object:
    """One of them."""
    return {"apiVersion": "v1", "kind": "Secret", **token_request_arguments(generation, kind)}


def secret_names(name: str) -> dict[str, str]:
    """Names of cluster `name`'s two Secrets on the control plane, by what they hold."""
    return {"ca": cluster_ca_secret(name), "token": cluster_token_secret(name)}


def ca_secret(name: str, certificate_authority: str) -> Object:
    """Secret with a compute cluster's certificate authority, PEM text, under `cadata` (guide, step 6)."""
    return _credential(
        cluster_ca_secret(name), {"cadata": base64.b64encode(certificate_authority.encode()).decode()}
    )


def token_secret(name: str, token: Any, expires_at: Any = None) -> Object:
    """Secret with `ray-manager`'s token under `token` (guide, step 6). `token` is in base64, as the token
    Secret of the compute cluster holds it; `expires_at` is the end of one that has an end, as RFC 3339 text.
    Both may be outputs of the engine. The end stands here, because nothing may on the `Cluster` (V7)."""
    annotations = None if expires_at is None else {EXPIRY_ANNOTATION: expires_at}
    return _credential(cluster_token_secret(name), {"token": token}, annotations)


def cluster(environment: Environment, name: str, host: Any, port: Any) -> Object:
    """The `Cluster` (guide, step 5). `host` is `https://host` and `port` its port as text; the platform
    joins them with a colon (facts 3.1).

    It carries no label and no annotation: any later change to them would end the reporting of its health
    (V7), so nothing that might ever change is put there.
    """
    settings = environment.clusters[name]
    spec: dict[str, Any] = {
        "kubernetes": {
            "rest": {
                "host": host,
                "port": port,
                "tokenTag": cluster_token_secret(name),
                "caDataTag": cluster_ca_secret(name),
            },
            "skus": [_sku(sku) for sku in settings.skus],
        }
    }
    if settings.region is not None:
        spec["region"] = settings.region
    if settings.zone is not None:
        spec["zone"] = settings.zone
    if settings.sla is not None:
        spec["sla"] = SLA[settings.sla]
    if settings.queues is not None:
        spec["schedulerType"] = "SCHEDULER_TYPE_KUEUE"
    return {
        "apiVersion": API_VERSION,
        "kind": "Cluster",
        "metadata": {"name": name, "namespace": CLUSTERS_NAMESPACE},
        "spec": spec,
    }


def _sku(sku: Sku) -> dict[str, Any]:
    data: dict[str, Any] = sku.model_dump(mode="json", by_alias=True, exclude_none=True)
    return data


def _credential(name: str, data: dict[str, Any], annotations: dict[str, Any] | None = None) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(name, CREDENTIALS_NAMESPACE, annotations=annotations),
        "type": "Opaque",
        "data": data,
    }
