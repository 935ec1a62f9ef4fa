"""Objects that a stack refers to and that somebody else has to make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes
from madeploy.doctor.checks import NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE
from manifests.references import CERT_MANAGER, Name, provided, references
from manifests.secret_references import wanted_secrets

PAIR_HERE: Final = "--cert=tls.crt --key=tls.key"
"""Options of `kubectl create secret tls`: files of the folder one is in."""
_PATHS: Final = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps/{}",
    "Namespace": "/api/v1/namespaces/{1}",
    "Secret": "/api/v1/namespaces/{}/secrets/{}",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts/{}",
}


def others_objects(site: Site) -> Seen:
    """Whether everything that settings name and nobody here makes is there, with the keys that are used.
    Raises ClientError."""
    client = site.client()
    made = {(secret.namespace, secret.name) for secret in wanted_secrets(site.environment)}
    wanted = {
        name: who
        for name, who in provided(site.environment).items()
        if name.kind in _PATHS and (name.namespace, name.name) not in made
    }
    if not wanted:
        raise NotNeededError("the stack refers to nothing that others make")
    keys = _keys(site)
    issuers_home = _cert_manager_namespace(client)
    found: list[Finding] = []
    for name, who in wanted.items():
        namespace = issuers_home if name.namespace == CERT_MANAGER else name.namespace
        found += _missing(client, site, name, namespace, who, keys.get(name, set()))
    return found or f"{len(wanted)} objects that others make are there"


def _keys(site: Site) -> dict[Name, set[str]]:
    """Keys of each ConfigMap and Secret that the objects read."""
    found: dict[Name, set[str]] = {}
    for obj in site.objects[CONTROL_PLANE]:
        for reference in references(obj):
            if reference.key is not None and reference.target.kind in ("ConfigMap", "Secret"):
                found.setdefault(reference.target, set()).add(reference.key)
    return found


def _missing(
    client: Kubernetes, site: Site, name: Name, namespace: str | None, who: str, keys: set[str]
) -> Iterator[Finding]:
    subject = f"{name.kind} {namespace}/{name.name}" if namespace else f"{name.kind} {name.name}"
    there = client.find(_PATHS[name.kind].format(namespace, name.name))
    if there is None:
        fix = f"Make it ({who}); then see that it is there:\n{_look(site, name, namespace)}"
        tls = site.environment.tls
        if name.kind == "Secret" and name.name in (tls.api_secret_name, tls.app_secret_name):
            make = site.kubectl(f"-n {namespace} create secret tls {name.name} {PAIR_HERE}")
            fix = f"Make it ({who}), the certificate and its key lying here as tls.crt and tls.key:\n{make}"
        yield find("MA933", subject, "is not there", fix=fix)
        return
    given: dict[str, Any] = {**(there.get("data") or {}), **(there.get("binaryData") or {})}
    lacking = sorted(key for key in keys if not given.get(key))
    if lacking:
        fix = f"Give it these keys ({who}); then see that they are there:\n{_look(site, name, namespace)}"
        yield find("MA933", subject, f"has no key {', '.join(lacking)}", fix=fix)


def _look(site: Site, name: Name, namespace: str | None) -> str:
    where = f"-n {namespace} " if namespace else ""
    return site.kubectl(f"{where}describe {name.kind.lower()} {name.name}")


def _cert_manager_namespace(client: Kubernetes) -> str:
    """Namespace of cert-manager, where a ClusterIssuer's Secrets are looked up."""
    labels = "app.kubernetes.io/name=cert-manager,app.kubernetes.io/component=controller"
    for item in client.items("/apis/apps/v1/deployments", labelSelector=labels):
        return str(item["metadata"]["namespace"])
    return "cert-manager"
