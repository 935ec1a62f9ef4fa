"""Whether the images of the stack's pods exist, can be pulled, and run on the nodes there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from madeploy.clients import registry
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import secret_value
from madeploy.clients.registry import Credential
from madeploy.doctor.checks import NotCheckedError, NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE
from manifests.workload_pods import workload_pods

_TYPE = "kubernetes.io/dockerconfigjson"
_KEY = ".dockerconfigjson"


def pull_secrets(site: Site) -> Seen:
    """Whether every pull Secret is there, of the kubelet's type, and holds logins. Raises ClientError."""
    names = site.environment.images.pull_secrets
    if not names:
        raise NotNeededError("images.pullSecrets names none")
    found = [finding for name in names for finding in _defects(site.client(), site.namespace, name)]
    return found or f"{len(names)} pull Secrets in {site.namespace}"


def images(site: Site) -> Seen:
    """Whether each image's registry has it, shown to the pull Secrets' logins, for the processors of the
    cluster's nodes. Raises ClientError for a cluster that does not answer, NotCheckedError for registries
    that do not answer here."""
    used = sorted(
        {
            container["image"]
            for pods in workload_pods(site.objects[CONTROL_PLANE])
            for container in (*pods.spec.get("initContainers", ()), *pods.spec["containers"])
        }
    )
    client = site.client()
    logins: dict[str, Credential] = {}
    for name in site.environment.images.pull_secrets:
        logins |= _logins(client, site.namespace, name)
    wanted = {_arch(node) for node in client.items("/api/v1/nodes")} - {""}
    with ThreadPoolExecutor(max(len(used), 1)) as pool:
        results = list(pool.map(lambda image: _look(image, logins, wanted), used))
    found = [result for result in results if isinstance(result, Finding)]
    unseen: dict[str, list[str]] = {}
    for image, result in zip(used, results, strict=True):
        if isinstance(result, str):
            unseen.setdefault(result, []).append(image)
    if found:
        return found
    if unseen:
        raise NotCheckedError("; ".join(f"{_counted(names)}: {why}" for why, names in unseen.items()))
    return f"{len(used)} images are there" + (f", for {', '.join(sorted(wanted))}" if wanted else "")


def _look(image: str, logins: Mapping[str, Credential], wanted: set[str]) -> Finding | str | None:
    reference = registry.parse(image)
    login = registry.credential_for(reference, logins)
    try:
        made_for = registry.platforms(reference, login)
    except ClientError as error:
        if error.cause == "notFound":
            return find("MA920", image, f"{reference.registry} has no {reference.repository} of that version")
        if error.cause in ("unauthorized", "forbidden"):
            said = f"as {login.username}" if login else "without a login"
            return find("MA921", image, f"{reference.registry} does not show it {said}")
        return str(error)
    missing = sorted(wanted - made_for) if made_for else []
    if missing:
        evidence = f"is made for {', '.join(sorted(made_for))}; nodes are {', '.join(missing)}, too"
        return find("MA923", image, evidence)
    return None


def _counted(images: Sequence[str]) -> str:
    """Images that the same is said of, in a few words."""
    return images[0] if len(images) == 1 else f"{len(images)} images, {images[0]} among them"


def _arch(node: Mapping[str, Mapping[str, Mapping[str, str]]]) -> str:
    return (node["metadata"].get("labels") or {}).get("kubernetes.io/arch", "")


def _defects(client: Kubernetes, namespace: str, name: str) -> Iterator[Finding]:
    subject = f"Secret {namespace}/{name}"
    secret = client.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    if secret is None:
        # `others` says that it is missing, as of everything that somebody else makes.
        return
    if secret.get("type") != _TYPE:
        yield find("MA922", subject, f"is of type {secret.get('type')}, not {_TYPE}")
        return
    try:
        registry.credentials(secret_value(secret, _KEY))
    except ValueError as error:
        yield find("MA922", subject, str(error))


def _logins(client: Kubernetes, namespace: str, name: str) -> dict[str, Credential]:
    secret = client.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    try:
        return registry.credentials(secret_value(secret, _KEY))
    except ValueError:
        return {}
