"""The External Secrets Operator, where secrets come from a store: the stores, and what is read from them.

Conditions are those of its API (External Secrets Operator, SecretStore and ExternalSecret, `Ready`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from madeploy.clients.kubernetes import Object
from madeploy.clients.objects import condition, is_ready
from madeploy.doctor.checks import NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE
from madeploy.settings.gitops import ExternalSecrets
from manifests.secret_references import API_VERSION, WantedSecret, wanted_secrets

_API: Final = f"/apis/{API_VERSION}"


def stores(site: Site, cluster: str) -> Seen:
    """Whether every store that a cluster's secrets are read from, or written to, is there and ready. Raises
    ClientError."""
    settings = _settings(site)
    name = settings.store if cluster == CONTROL_PLANE else settings.compute_store
    if name is None:
        raise NotNeededError(f"gitops.secrets names no store for {cluster}")
    found: list[Finding] = []
    seen = []
    for namespace in _namespaces(site, settings, cluster):
        where = f"-n {namespace} " if namespace else ""
        subject = f"{cluster}: {settings.store_kind} {f'{namespace}/' if namespace else ''}{name}"
        scope = f"/namespaces/{namespace}" if namespace else ""
        live = site.client(cluster).find(f"{_API}{scope}/{settings.store_kind.lower()}s/{name}")
        look = site.kubectl(
            f"{where}describe {settings.store_kind.lower()}s.external-secrets.io {name}", cluster
        )
        if live is None:
            setting = "store" if cluster == CONTROL_PLANE else "computeStore"
            fix = f"Make it, or name one that exists in gitops.secrets.{setting}; then see it:\n{look}"
            found.append(find("MA504", subject, "is not there", fix=fix))
        elif not is_ready(live):
            fix = f"See what the operator says of it:\n{look}"
            found.append(find("MA504", subject, _said(live), fix=fix))
        else:
            seen.append(subject)
    return found or f"ready: {', '.join(seen)}"


def synced(site: Site, cluster: str) -> Seen:
    """Whether every Secret of a cluster that is read from the store was read. Those that an update made are
    there without the operator. Raises ClientError."""
    settings = _settings(site)
    wanted = [secret for secret in wanted_secrets(site.environment) if secret.cluster == cluster]
    if not wanted or (cluster != CONTROL_PLANE and settings.compute_store is None):
        raise NotNeededError(f"nothing on {cluster} is read from a store")
    found = [finding for secret in wanted for finding in _unsynced(site, secret)]
    return found or f"{len(wanted)} Secrets on {cluster} are there"


def _unsynced(site: Site, secret: WantedSecret) -> Iterator[Finding]:
    client = site.client(secret.cluster)
    live = client.find(f"{_API}/namespaces/{secret.namespace}/externalsecrets/{secret.name}")
    subject = f"{secret.cluster}: ExternalSecret {secret.namespace}/{secret.name}"
    name = f"-n {secret.namespace} {{}} externalsecrets.external-secrets.io {secret.name}"
    look = site.kubectl(name.format("describe"), secret.cluster)
    if live is None:
        if client.find(f"/api/v1/namespaces/{secret.namespace}/secrets/{secret.name}") is None:
            render = f"bin/madeploy render {site.stack}"
            fix = f"Write the files again, and have them applied by the GitOps engine:\n{render}"
            yield find("MA505", subject, f"is not there, nor is its Secret ({secret.meaning})", fix=fix)
        return
    if not is_ready(live):
        again = site.kubectl(f"{name.format('annotate')} force-sync=$(date +%s) --overwrite", secret.cluster)
        fix = f"Put into the store what is missing there; see it, and have it read again:\n{look}\n{again}"
        yield find("MA505", subject, f"{_said(live)} ({secret.meaning})", fix=fix)


def _settings(site: Site) -> ExternalSecrets:
    gitops = site.environment.gitops
    if gitops is None or not isinstance(gitops.secrets, ExternalSecrets):
        raise NotNeededError("gitops.secrets.kind is not externalSecrets")
    return gitops.secrets


def _namespaces(site: Site, settings: ExternalSecrets, cluster: str) -> list[str]:
    """Where the stores are looked for; one without a name for those of the whole cluster."""
    if settings.store_kind == "ClusterSecretStore":
        return [""]
    return sorted({each.namespace for each in wanted_secrets(site.environment) if each.cluster == cluster})


def _said(live: Object) -> str:
    ready = condition(live, "Ready")
    why = ready.get("message") or ready.get("reason") or "the operator has not looked at it"
    return f"is not ready: {' '.join(str(why).split())}"
