"""What does not work, taken down to its causes: from conditions, events, logs and what objects say."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.rollouts import Workload, explain
from madeploy.doctor.checks import Check, NotNeededError, Seen
from madeploy.doctor.rollouts import deployments, is_complete, of_each, rollout_finding
from madeploy.doctor.site import Site
from madeploy.documents.redaction import masked_words
from madeploy.findings import Finding, find
from madeploy.findings.symptoms import Where, diagnosed, told_by
from madeploy.names.contexts import context
from madeploy.names.kubernetes import API_GROUP, RAY_NAMESPACE
from madeploy.settings import CONTROL_PLANE

_PARALLEL: Final = 8
_LINES: Final = 200
"""Last lines of each pod's log that are looked at."""
_LOG_BYTES: Final = 256 * 1024
_PLATFORM: Final = f"/apis/{API_GROUP}/v2"
_SPEAKING: Final = ("MA957", "MA963", "MA964")
"""Codes of symptoms that only repeat what the reason of a roll-out says already."""


def where(site: Site, cluster: str = CONTROL_PLANE) -> Where:
    """What commands of fixes are typed with, of one of the site's clusters."""
    # Of no compute cluster in particular its variable stands.
    compute = {} if cluster == CONTROL_PLANE else {"compute": context(site.environment, cluster)}
    return Where(context(site.environment), namespace=site.namespace, stack=site.stack, **compute)


def checks_of_causes(site: Site) -> Iterator[Check]:
    """Every place a cause may show in, besides what `verify` looks at."""
    yield Check("rollouts", "pods that do not run", partial(rollouts, site))
    yield Check("logs", "logs of the services", partial(logs, site))
    for cluster in site.objects:
        yield Check(f"events/{cluster}", "warnings of the cluster", partial(events, site, cluster))
    yield Check("artifacts", "models without artifacts", partial(models, site))
    yield Check("inference-servers", "servers that do not serve", partial(inference_servers, site))


def rollouts(site: Site) -> Seen:
    """What holds each Deployment up, with the cause where the last words of a container tell one. Raises
    ClientError."""
    client, declared = site.client(), deployments(site)
    found = of_each(declared, lambda obj: _rollout(site, client, obj))
    return found or f"{len(declared)} Deployments run"


def _rollout(site: Site, client: Kubernetes, obj: Object) -> Iterator[Finding]:
    namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
    subject = f"Deployment {namespace}/{name}"
    live = client.find(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    if live is None:
        yield find("MA936", subject, "is not there", fix=f"Make it again:\n{site.up}")
        return
    if is_complete(live):
        return
    for reason in explain(client, Workload("Deployment", namespace, name)):
        told = told_by(reason.text)
        if told is not None and told[0].code not in _SPEAKING and reason.kind in ("crash", "probe", "event"):
            symptom, words = told
            cause = symptom.finding(subject, words, where(site))
            yield find(cause.code, subject, f"{cause.evidence} ({reason.text})", fix=cause.fix)
        else:
            yield rollout_finding(site, subject, namespace, name, reason, live)


def logs(site: Site) -> Seen:
    """What the last lines of the services' logs tell. Raises ClientError."""
    client = site.client()
    names = {obj["metadata"]["name"] for obj in deployments(site)}
    pods = [
        pod
        for pod in client.items(f"/api/v1/namespaces/{site.namespace}/pods")
        if (pod["metadata"].get("labels") or {}).get("app") in names
    ]
    if not pods:
        raise NotNeededError(f"no pod of the services is in {site.namespace}")
    with ThreadPoolExecutor(_PARALLEL) as pool:
        texts = list(pool.map(lambda pod: _log(client, pod), pods))
    read = [text for text in texts if text is not None]
    if not read:
        raise NotNeededError("no kubelet gives logs")
    found: dict[tuple[str, str], Finding] = {}
    for pod, text in zip(pods, texts, strict=True):
        subject = f"log of {pod['metadata']['name']}, line"
        lines = map(masked_words, (text or "").splitlines())
        for finding in diagnosed(lines, where(site), subject):
            found.setdefault((finding.code, finding.evidence), finding)
    return list(found.values()) or f"logs of {len(read)} pods tell nothing"


def events(site: Site, cluster: str) -> Seen:
    """What warnings in the stack's namespaces tell. Raises ClientError."""
    client = site.client(cluster)
    namespaces = [site.namespace] if cluster == CONTROL_PLANE else [RAY_NAMESPACE]
    seen = 0
    found: dict[tuple[str, str], Finding] = {}
    for namespace in namespaces:
        path = f"/api/v1/namespaces/{namespace}/events"
        for event in client.items(path, fieldSelector="type=Warning"):
            if event.get("type", "Warning") != "Warning":
                continue
            seen += 1
            about = event.get("involvedObject") or {}
            subject = f"{cluster}: {about.get('kind')} {namespace}/{about.get('name')}"
            told = told_by(masked_words(str(event.get("message") or "")))
            if told is not None:
                finding = told[0].finding(subject, told[1], where(site, cluster))
                found.setdefault((finding.code, finding.evidence), finding)
    return list(found.values()) or f"{seen} warnings on {cluster} tell nothing"


def models(site: Site) -> Seen:
    """Registered models without artifacts, or without a package to serve (registry guide, troubleshooting).
    Raises ClientError."""
    client = site.client()
    found = []
    counted = 0
    for model in client.items(f"{_PLATFORM}/models"):
        counted += 1
        metadata, spec = model["metadata"], model.get("spec") or {}
        name = f"Model {metadata['namespace']}/{metadata['name']}"
        look = site.kubectl(
            f"-n {metadata['namespace']} get models.michelangelo.api {metadata['name']} -o yaml"
        )
        runs = site.kubectl(f"-n {metadata['namespace']} get pipelineruns.michelangelo.api")
        if not spec.get("modelArtifactUri"):
            fix = f"See the run that registered it, and the rights on the bucket:\n{runs}\n{look}"
            found.append(find("MA977", name, "spec.modelArtifactUri is empty", fix=fix))
        elif not spec.get("deployableArtifactUri"):
            fix = f"See the packaging step of the run that registered it:\n{runs}\n{look}"
            found.append(find("MA978", name, "spec.deployableArtifactUri is empty", fix=fix))
    if not counted:
        raise NotNeededError("no model is registered")
    return found or f"{counted} models have artifacts and packages"


def inference_servers(site: Site) -> Seen:
    """Inference servers that their controller does not take (registry guide, troubleshooting). Raises
    ClientError."""
    client = site.client()
    found = []
    counted = 0
    try:
        servers = list(client.items(f"{_PLATFORM}/inferenceservers"))
    except ClientError as error:
        if error.cause == "notFound":
            raise NotNeededError("inference servers are not served") from None
        raise
    for server in servers:
        counted += 1
        metadata, backend = server["metadata"], (server.get("spec") or {}).get("backendType")
        name = f"InferenceServer {metadata['namespace']}/{metadata['name']}"
        if backend is None or not str(backend).startswith("BACKEND_TYPE_"):
            edit = site.kubectl(
                f"-n {metadata['namespace']} patch inferenceservers.michelangelo.api {metadata['name']} "
                '--type=merge -p \'{"spec":{"backendType":"BACKEND_TYPE_TRITON"}}\''
            )
            evidence = f"spec.backendType is {backend!r}, which is no name of a backend"
            found.append(find("MA356", name, evidence, fix=f"Name the backend:\n{edit}"))
        elif backend != "BACKEND_TYPE_TRITON":
            evidence = f"spec.backendType is {backend}; release {site.environment.release.name} has none such"
            found.append(find("MA359", name, evidence))
    if not counted:
        raise NotNeededError("there is no inference server")
    return found or f"{counted} inference servers name a backend"


def _log(client: Kubernetes, pod: Object) -> str | None:
    """The end of a pod's log; None where it cannot be had: logs are the kubelet's."""
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
    try:
        return client.text(f"{path}?tailLines={_LINES}&limitBytes={_LOG_BYTES}")
    except ClientError as error:
        if error.is_unreachable:
            raise
        return None
