"""A registration made by hand, as both clusters have it, beside what the settings would make of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import secret_text
from madeploy.clusters.checks.credential import accesses
from madeploy.clusters.registration import CLUSTERS, cluster_path, rest_of, secret_path
from madeploy.documents.words import printable
from madeploy.errors import UsageError
from madeploy.findings import Finding, find
from madeploy.kubeconfigs import Endpoint
from madeploy.names.kubernetes import (
    CLUSTERS_NAMESPACE,
    CREDENTIALS_NAMESPACE,
    RAY_MANAGER,
    RAY_MANAGER_BINDING,
    RAY_MANAGER_TOKEN,
    RAY_NAMESPACE,
    TASK_CONFIG,
    TASK_CREDENTIALS,
    cluster_ca_secret,
    cluster_token_secret,
    common_labels,
)
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.cluster_origins import KeptPart
from madeploy.settings.servers import canonical_server
from madeploy.settings.storage import S3CompatibleStorage
from manifests import registration
from manifests.inputs import Inputs

_RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
_SLA: Final = {theirs: ours for ours, theirs in registration.SLA.items()}
_CREDENTIAL_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True)
class ExistingRegistration:
    """The objects of a registration as they were found; None for one that is not there."""

    name: str
    cluster: Object | None
    authority: Object | None
    token: Object | None
    account: Object | None
    role: Object | None
    binding: Object | None
    credential: Object | None
    config: Object | None
    task_credentials: Object | None


def read(name: str, control_plane: Kubernetes, compute: Kubernetes) -> ExistingRegistration:
    """Ask both clusters for everything the registration guide makes. Raises ClientError."""
    there = f"/api/v1/namespaces/{RAY_NAMESPACE}"
    return ExistingRegistration(
        name,
        control_plane.find(cluster_path(name)),
        control_plane.find(secret_path(cluster_ca_secret(name))),
        control_plane.find(secret_path(cluster_token_secret(name))),
        compute.find(f"{there}/serviceaccounts/{RAY_MANAGER}"),
        compute.find(f"{_RBAC}/clusterroles/{RAY_MANAGER}"),
        compute.find(f"{_RBAC}/clusterrolebindings/{RAY_MANAGER_BINDING}"),
        compute.find(secret_path(RAY_MANAGER_TOKEN, RAY_NAMESPACE)),
        compute.find(f"{there}/configmaps/{TASK_CONFIG}"),
        compute.find(secret_path(TASK_CREDENTIALS, RAY_NAMESPACE)),
    )


def missing(found: ExistingRegistration, environment: Environment) -> list[Finding]:
    """What is not there, or belongs to somebody else already: it cannot be taken over."""
    wanted = {
        f"Cluster {CLUSTERS_NAMESPACE}/{found.name}": (CONTROL_PLANE, found.cluster),
        f"Secret {CREDENTIALS_NAMESPACE}/{cluster_ca_secret(found.name)}": (CONTROL_PLANE, found.authority),
        f"Secret {CREDENTIALS_NAMESPACE}/{cluster_token_secret(found.name)}": (CONTROL_PLANE, found.token),
        f"ServiceAccount {RAY_NAMESPACE}/{RAY_MANAGER}": (found.name, found.account),
        f"ClusterRole {RAY_MANAGER}": (found.name, found.role),
        f"ClusterRoleBinding {RAY_MANAGER_BINDING}": (found.name, found.binding),
        f"Secret {RAY_NAMESPACE}/{RAY_MANAGER_TOKEN}": (found.name, found.credential),
        f"ConfigMap {RAY_NAMESPACE}/{TASK_CONFIG}": (found.name, found.config),
    }
    if isinstance(environment.storage, S3CompatibleStorage):
        wanted[f"Secret {RAY_NAMESPACE}/{TASK_CREDENTIALS}"] = (found.name, found.task_credentials)
    lacking = []
    for what, (where, item) in wanted.items():
        if item is None:
            lacking.append(find("MA428", what, f"is not on {where}"))
        elif _is_ours(item):
            evidence = f"on {where} belongs to a stack of this toolkit already"
            fix = "Work on that stack, or remove the cluster from it first."
            lacking.append(find("MA428", what, evidence, fix=fix))
    return lacking


def _is_ours(item: Object) -> bool:
    labels = item["metadata"].get("labels") or {}
    key = "app.kubernetes.io/managed-by"
    return bool(labels.get(key) == common_labels()[key])


def entry(cluster: Object) -> dict[str, Any]:
    """What a cluster's entry has to say, so that the same `Cluster` comes of it, as far as it can."""
    spec, rest = cluster.get("spec") or {}, rest_of(cluster)
    said: dict[str, Any] = {}
    # Without one, the kubeconfig's address stands in, and the difference is reported.
    with contextlib.suppress(ValueError):
        address = f"{rest.get('host')}:{rest.get('port')}"
        said["server"] = f"https://{canonical_server(address)}"
    said |= {key: spec[key] for key in ("region", "zone") if spec.get(key)}
    if spec.get("sla") in _SLA:
        said["sla"] = _SLA[spec["sla"]]
    if skus := (spec.get("kubernetes") or {}).get("skus"):
        said["skus"] = skus
    return said


def differences(
    found: ExistingRegistration, environment: Environment, endpoint: Endpoint
) -> tuple[list[KeptPart], list[Finding]]:
    """Parts that have to stay as they were found, in the order of `KeptPart`, and what is to be said about
    those that the settings would make otherwise. A finding that is an error stands in the way of taking the
    registration over."""
    kept: list[KeptPart] = []
    findings = list(_credential(found))
    for part, item_findings in _parts(found, environment, endpoint):
        kept.append(part)
        findings += item_findings
    return kept, findings


def _parts(
    found: ExistingRegistration, environment: Environment, endpoint: Endpoint
) -> Iterator[tuple[KeptPart, list[Finding]]]:
    name = found.name
    made = {
        (item["kind"], item["metadata"]["name"]): item
        for item in registration.compute_side(Inputs(environment), name).objects
    }
    assert found.cluster is not None
    assert found.authority is not None
    assert found.role is not None
    assert found.binding is not None
    assert found.config is not None
    role = made["ClusterRole", RAY_MANAGER]
    if found.role.get("rules") != role["rules"]:
        yield "rights", [_rights(found.role.get("rules") or [], role["rules"])]
    binding = made["ClusterRoleBinding", RAY_MANAGER_BINDING]
    if any(found.binding.get(key) != binding[key] for key in ("subjects", "roleRef")):
        subjects = found.binding.get("subjects") or []
        binds = any(
            item.get("name") == RAY_MANAGER and item.get("namespace") == RAY_NAMESPACE for item in subjects
        )
        said = "binds others besides" if binds and len(subjects) > 1 else "binds otherwise"
        yield "binding", [_difference(f"ClusterRoleBinding {RAY_MANAGER_BINDING}", said)]
    config = made["ConfigMap", TASK_CONFIG]
    if found.config.get("data") != config["data"]:
        yield "taskConfig", list(_task_config(found.config.get("data") or {}, config["data"]))
    if isinstance(environment.storage, S3CompatibleStorage):
        # What the Secret should hold is encrypted with the stack; it is not compared.
        evidence = "is kept as it was found; its values were not compared"
        yield "taskCredentials", [_difference(f"Secret {RAY_NAMESPACE}/{TASK_CREDENTIALS}", evidence)]
    secret = registration.ca_secret(name, endpoint.certificate_authority)
    if found.authority.get("data") != secret["data"]:
        yield "authority", list(_authority(found, endpoint))
    cluster = registration.cluster(environment, name, endpoint.host, endpoint.port)
    # Kept even where it is the same: Pulumi's Kubernetes plugin imports an object of a kind that is not
    # Kubernetes' own without its spec, and writes it at once as a difference.
    yield "registration", list(_cluster(found.cluster.get("spec") or {}, cluster["spec"], name))


def _difference(subject: str, evidence: str, fix: str = "") -> Finding:
    return find("MA429", subject, evidence, fix=fix)


def _rights(rules: list[Object], wanted: list[Object]) -> Finding:
    have, need = set(accesses(rules)), set(accesses(wanted))
    lacks = ", ".join(sorted({f"{verb} {resource}" for _, resource, verb in need - have}))
    extra = ", ".join(sorted({f"{verb} {resource}" for _, resource, verb in have - need}))
    parts = [f"lacks {lacks}"] * bool(lacks) + [f"allows {printable(extra)} as well"] * bool(extra)
    return _difference(f"ClusterRole {RAY_MANAGER}", "; ".join(parts) or "says the same in other words")


def _task_config(data: dict[str, str], wanted: dict[str, str]) -> Iterator[Finding]:
    subject = f"ConfigMap {RAY_NAMESPACE}/{TASK_CONFIG}"
    other = sorted(key for key in wanted if data.get(key) != wanted[key])
    extra = sorted(printable(key) for key in data if key not in wanted)
    parts = [f"differs in {', '.join(other)}"] * bool(other) + [f"has {', '.join(extra)} besides"] * bool(
        extra
    )
    yield _difference(subject, "; ".join(parts))
    if any(data.get(key) for key in _CREDENTIAL_KEYS):
        fix = (
            "Take taskConfig out of adopted.keep, so that the next update writes it without keys; then "
            "replace the keys: they were readable."
        )
        yield _difference(
            subject, "holds keys of the object store in clear, for everybody who may read it", fix
        )


def _authority(found: ExistingRegistration, endpoint: Endpoint) -> Iterator[Finding]:
    assert found.authority is not None
    registered = secret_text(found.authority, "cadata")
    if registered.split() != endpoint.certificate_authority.split():
        subject = f"Secret {CREDENTIALS_NAMESPACE}/{cluster_ca_secret(found.name)}"
        yield _difference(subject, "holds another authority than the kubeconfig")


def _cluster(spec: Object, wanted: Object, name: str) -> Iterator[Finding]:
    def flat(item: Any, path: str = "") -> dict[str, Any]:
        if not isinstance(item, dict):
            return {path: item}
        return {
            key: value for step, inner in item.items() for key, value in flat(inner, f"{path}.{step}").items()
        }

    have, need = flat(spec), flat(wanted)
    changed = sorted(path for path in have.keys() | need.keys() if have.get(path) != need.get(path))
    matters = [path for path in changed if have.get(path) or need.get(path)]
    if matters:
        shown = ", ".join(printable(f"spec{path}") for path in matters)
        yield _difference(f"Cluster {CLUSTERS_NAMESPACE}/{name}", f"differs in {shown}")


def _credential(found: ExistingRegistration) -> Iterator[Finding]:
    """The registered token has to be the one of the Secret that rotation knows: another could neither be
    compared nor taken back."""
    assert found.token is not None
    assert found.credential is not None
    subject = f"Secret {CREDENTIALS_NAMESPACE}/{cluster_token_secret(found.name)}"
    held = (found.credential.get("data") or {}).get("token")
    fix = (
        f"Register the token of Secret {RAY_NAMESPACE}/{RAY_MANAGER_TOKEN} by hand (guide, step 6) and "
        "restart the controller manager, then adopt."
    )
    if not held:
        where = f"Secret {RAY_NAMESPACE}/{RAY_MANAGER_TOKEN}"
        yield find("MA428", where, "has no token", fix=fix)
    elif (found.token.get("data") or {}) != {"token": held}:
        evidence = f"holds something else than the token of Secret {RAY_NAMESPACE}/{RAY_MANAGER_TOKEN}"
        yield find("MA429", subject, evidence, fix=fix, severity="error")


def registered(control_plane: Kubernetes, name: str, stack: str) -> dict[str, Any]:
    """The `Cluster` on the control plane. Raises UsageError naming those there are."""
    found = control_plane.find(cluster_path(name))
    if found is not None:
        return found
    there = ", ".join(sorted(item["metadata"]["name"] for item in control_plane.items(CLUSTERS))) or "none"
    raise UsageError(
        f"no cluster {name} is registered at the control plane of stack {stack}",
        f"registered are: {there}",
        f"name one of these; a new one is added by bin/madeploy clusters add {name} --stack {stack}",
    )
