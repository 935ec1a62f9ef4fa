"""A registration's objects on the control plane: present, and in the form the platform can use."""

from __future__ import annotations

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.registration import CLUSTERS, Registered, rest_of, secret_path
from madeploy.clusters.remedies import Remedies, holders, steps
from madeploy.findings import Finding, find
from madeploy.kubeconfigs import tokens
from madeploy.names.kubernetes import (
    CLUSTERS_NAMESPACE,
    CREDENTIALS_NAMESPACE,
    RAY_MANAGER,
    RAY_NAMESPACE,
    ray_manager_token,
)
from madeploy.names.servers import split_server
from madeploy.settings import Environment
from madeploy.settings.clusters import Credential
from madeploy.settings.servers import canonical_server
from manifests.registration import is_registered


def registration_findings(
    control_plane: Kubernetes,
    compute: Kubernetes | None,
    registered: Registered,
    environment: Environment,
    remedies: Remedies,
) -> list[Finding]:
    """Findings for the `Cluster` and its two Secrets: missing, malformed, another address than the stack
    says, an address registered twice. Raises ClientError."""
    if registered.cluster is None:
        return [_no_cluster(control_plane, environment, remedies)]
    if registered.cluster["metadata"].get("deletionTimestamp"):
        return [_deleting(registered, remedies)]
    found = _address(control_plane, registered, environment, remedies)
    found += _authority(control_plane, registered, remedies)
    found += _token(control_plane, compute, registered, environment, remedies)
    return found


def _no_cluster(control_plane: Kubernetes, environment: Environment, remedies: Remedies) -> Finding:
    namespace = control_plane.find(f"/api/v1/namespaces/{CLUSTERS_NAMESPACE}")
    if namespace is not None and namespace["metadata"].get("deletionTimestamp"):
        fix = steps(
            "See what holds it, and let that go; once it is gone:",
            remedies.control_plane(holders(CLUSTERS_NAMESPACE)),
            remedies.up,
        )
        return find("MA453", f"namespace {CLUSTERS_NAMESPACE}", "is being deleted", fix=fix)
    evidence = f"there is no such Cluster in namespace {CLUSTERS_NAMESPACE}"
    if remedies.name in environment.clusters and not is_registered(environment, remedies.name):
        evidence += f"; the stack only prepares it: clusters.{remedies.name}.credential.generation is 0"
        return find("MA449", remedies.name, evidence, fix=remedies.rotate)
    return find("MA449", remedies.name, evidence, fix=remedies.up)


def _deleting(registered: Registered, remedies: Remedies) -> Finding:
    metadata = (registered.cluster or {})["metadata"]
    finalizers = ", ".join(metadata.get("finalizers") or ()) or "none"
    fix = steps(
        "The controller manager has to run; where it does not:",
        remedies.control_plane(
            f"-n {remedies.namespace} scale deployment/michelangelo-controllermgr --replicas=2"
        ),
        "Once the Cluster is gone, register it again if it is still wanted:",
        remedies.control_plane(
            f"-n {CLUSTERS_NAMESPACE} wait --for=delete clusters.michelangelo.api/{registered.name} "
            "--timeout=2m"
        ),
        remedies.up,
    )
    evidence = f"is being deleted since {metadata['deletionTimestamp']} and waits for {finalizers}"
    return find("MA452", f"Cluster {CLUSTERS_NAMESPACE}/{registered.name}", evidence, fix=fix)


def _address(
    control_plane: Kubernetes, registered: Registered, environment: Environment, remedies: Remedies
) -> list[Finding]:
    subject = f"Cluster {CLUSTERS_NAMESPACE}/{registered.name}"
    # A Cluster that somebody has edited may not be reported on until a restart (V7).
    again = remedies.take_back_and_roll
    try:
        host, port = split_server(registered.server)
        canonical = canonical_server(registered.server)
    except ValueError as error:
        evidence = f"its address, {registered.server!r} from host and port, {error}"
        return [find("MA449", subject, evidence, fix=again)]
    if (host, port) != (registered.host, registered.port):
        evidence = f"host {registered.host!r} and port {registered.port!r} do not make an address"
        return [find("MA449", subject, evidence, fix=again)]
    entry = environment.clusters.get(registered.name)
    if entry is not None and entry.server and canonical_server(entry.server) != canonical:
        evidence = f"registered as {registered.server}; the stack says {entry.server}"
        return [find("MA449", subject, evidence, fix=again)]
    others = [
        item["metadata"]["name"]
        for item in control_plane.items(CLUSTERS)
        if item["metadata"]["name"] != registered.name and _canonical(item) == canonical
    ]
    if others:
        fix = steps(
            f"Remove {others[0]} or {registered.name} from the stack; one that is in no stack:",
            remedies.control_plane(f"-n {CLUSTERS_NAMESPACE} delete clusters.michelangelo.api {others[0]}"),
            "Then let the controller manager forget the client it keeps:",
            remedies.roll,
        )
        evidence = f"{registered.server} is {', '.join(others)}'s as well"
        return [find("MA459", subject, evidence, fix=fix)]
    return []


def _canonical(cluster: dict[str, object]) -> str:
    rest = rest_of(cluster)
    try:
        return canonical_server(f"{rest.get('host')}:{rest.get('port')}")
    except ValueError:
        return ""


def _authority(control_plane: Kubernetes, registered: Registered, remedies: Remedies) -> list[Finding]:
    name = registered.secret_names["ca"]
    if registered.secrets["ca"] is None:
        return [missing_secret(control_plane, name, remedies)]
    text = registered.certificate_authority
    problem = ""
    if not text:
        problem = "has no key cadata, or an empty one"
    elif "PRIVATE KEY" in text:
        problem = "holds a private key"
    elif "-----BEGIN CERTIFICATE-----" not in text:
        problem = "holds no PEM certificate under cadata"
    if not problem:
        return []
    fix = remedies.take_back_and_roll
    return [find("MA442", f"Secret {CREDENTIALS_NAMESPACE}/{name}", problem, fix=fix)]


def _token(
    control_plane: Kubernetes,
    compute: Kubernetes | None,
    registered: Registered,
    environment: Environment,
    remedies: Remedies,
) -> list[Finding]:
    name = registered.secret_names["token"]
    if registered.secrets["token"] is not None:
        problem = tokens.defect(registered.token)
        if not problem:
            return []
        if not registered.token:
            problem = "has no key token, or an empty one: the platform calls the cluster as nobody"
        unfilled = [] if registered.token else _unfilled(compute, environment, remedies)
        fix = remedies.take_back_and_roll
        return unfilled or [find("MA440", f"Secret {CREDENTIALS_NAMESPACE}/{name}", problem, fix=fix)]
    return _unfilled(compute, environment, remedies) or [missing_secret(control_plane, name, remedies)]


def _unfilled(compute: Kubernetes | None, environment: Environment, remedies: Remedies) -> list[Finding]:
    try:
        return unfilled_token_findings(compute, environment, remedies) if compute else []
    except ClientError:
        # What is wrong on the control plane is known without it.
        return []


def missing_secret(control_plane: Kubernetes, name: str, remedies: Remedies) -> Finding:
    """A Secret that is not in `default`, and where it is instead."""
    elsewhere = [
        item["metadata"]["namespace"]
        for item in control_plane.items("/api/v1/secrets", fieldSelector=f"metadata.name={name}")
    ]
    lines = [remedies.up, remedies.roll]
    evidence = f"is not in namespace {CREDENTIALS_NAMESPACE}"
    if elsewhere:
        evidence += f" but in {', '.join(elsewhere)}"
        lines += ["Then remove the one that nothing reads:"]
        lines += [remedies.control_plane(f"-n {where} delete secret {name}") for where in elsewhere]
    return find("MA441", f"Secret {name}", evidence, fix="\n".join(lines))


def unfilled_token_findings(
    compute: Kubernetes, environment: Environment, remedies: Remedies
) -> list[Finding]:
    """Why the long-lived credential's Secret on the compute cluster has no token, in the order of the guide's
    troubleshooting: the ServiceAccount, the annotation, the token controller. [] when it has one, is not
    there, or is not long-lived. Raises ClientError."""
    entry = environment.clusters.get(remedies.name)
    credential = Credential() if entry is None else entry.credential
    name = ray_manager_token(credential.generation)
    secret = compute.find(secret_path(name, RAY_NAMESPACE))
    if credential.kind != "longLived" or secret is None or (secret.get("data") or {}).get("token"):
        return []
    subject = f"{remedies.name}: Secret {RAY_NAMESPACE}/{name}"
    named = (secret["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name")
    account = f"/api/v1/namespaces/{RAY_NAMESPACE}/serviceaccounts/{RAY_MANAGER}"
    if compute.find(account) is None:
        evidence = f"has no token, because ServiceAccount {RAY_NAMESPACE}/{RAY_MANAGER} is not there"
        return [find("MA456", subject, evidence, fix=remedies.up)]
    if named != RAY_MANAGER:
        evidence = f"has no token: its annotation kubernetes.io/service-account.name is {named!r}"
        return [find("MA456", subject, evidence, accepted=RAY_MANAGER, fix=remedies.take_back)]
    evidence = "has no token though its ServiceAccount is there: the cluster's token controller does not run"
    fix = steps(
        "See that kube-controller-manager runs with serviceaccount-token-controller in --controllers "
        "and has a --service-account-private-key-file; on a managed cluster ask its provider. Once "
        "the Secret has a token:",
        remedies.up,
        remedies.roll,
    )
    return [find("MA456", subject, evidence, fix=fix)]
