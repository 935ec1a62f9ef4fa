"""Connectivity in both directions, from where traffic really starts (network guide, required connectivity).

On the control plane a pod with the controller manager's labels, and so under its NetworkPolicies, calls the
API server of each compute cluster; on each compute cluster a pod with the tasks' account calls the API, the
object store and, where there is one, the registry endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from madeploy.clusters.registration import read_registration
from madeploy.doctor.certificates import authorities
from madeploy.doctor.checks import Check, NotNeededError, Seen
from madeploy.doctor.probe import Target
from madeploy.doctor.probe_pods import LABEL, Outcome, Pods, Source
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.names.aws import service_host
from madeploy.names.kubernetes import (
    RAY_NAMESPACE,
    TASK_CONFIG,
    TASK_CREDENTIALS,
    selector_labels,
    workload,
)
from madeploy.names.storage import s3_url
from madeploy.settings.base import split_host_port
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage
from manifests.identities import TASK_ACCOUNT

_MANAGER: Final = "controllermgr"
_KEY: Final = "madeploy-write-check"


def checks_by_pods(site: Site, pods: Pods) -> Iterator[Check]:
    """One pod on the control plane, and one on each compute cluster."""
    yield Check(
        "pods/control-plane", "compute API servers, from a pod", partial(from_control_plane, site, pods)
    )
    for name in site.environment.clusters:
        look = partial(from_compute, site, pods, name)
        yield Check(f"pods/{name}", "API, object store and registry, from a task's pod", look)


def from_control_plane(site: Site, pods: Pods) -> Seen:
    """Whether a pod like the controller manager's reaches the API server of every compute cluster, by the
    registered address and authority. Raises ClientError."""
    if not site.environment.clusters:
        raise NotNeededError("no cluster is registered")
    client = site.client()
    targets: list[Target] = []
    for name in site.environment.clusters:
        made = read_registration(client, name)
        host = made.host.removeprefix("https://").strip("[]")
        if host and made.port.isdigit():
            targets.append(
                {
                    "name": name,
                    "kind": "tls",
                    "host": host,
                    "port": int(made.port),
                    "authority": made.certificate_authority,
                }
            )
    source = Source(site.namespace, workload(_MANAGER), selector_labels(_MANAGER))
    outcome = pods.run(client, site.environment, source, targets)
    if outcome.results is None:
        return [_did_not_run(site, "control-plane", source, outcome)]
    found = []
    for name, result in outcome.results.items():
        if result["state"] != "reached":
            look = f"bin/madeploy clusters verify {name} --stack {site.stack}"
            fix = f"Open the way from the pods of {site.namespace} (NetworkPolicies, routes), then:\n{look}"
            found.append(find("MA970", f"control-plane → {name}", result["said"], fix=fix))
    return found or f"a pod of {site.namespace} reaches {', '.join(outcome.results)}"


def from_compute(site: Site, pods: Pods, cluster: str) -> Seen:
    """Whether a pod with the tasks' account reaches the API and the object store, and may read and write
    there. Raises ClientError."""
    client = site.client(cluster)
    targets = list(_targets(site))
    outcome = pods.run(client, site.environment, _tasks(site), targets)
    if outcome.results is None:
        return [_did_not_run(site, cluster, _tasks(site), outcome)]
    found = [
        _finding(site, cluster, name, result)
        for name, result in outcome.results.items()
        if result["state"] != "reached"
    ]
    return found or f"a pod with the tasks' account reaches {', '.join(outcome.results)}"


def _targets(site: Site) -> Iterator[Target]:
    environment = site.environment
    host, port = site.at or (environment.domains.api, 443)
    yield {
        "name": "api",
        "kind": "tls",
        "host": host,
        "port": port,
        "server_name": environment.domains.api,
        "protocols": ["h2"],
        "authority": authorities(site),
    }
    storage = environment.storage
    compatible = isinstance(storage, S3CompatibleStorage)
    named: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    yield {
        "name": "store",
        "kind": "store",
        "endpoint": s3_url(storage),
        "region": storage.region,
        "path_style": compatible or (isinstance(storage, AwsStorage) and storage.path_style),
        "buckets": list(named.values()),
        "key": _KEY,
    }
    if environment.model_registry.endpoint is not None:
        host, port = split_host_port(environment.model_registry.endpoint)
        yield {"name": "registry", "kind": "tcp", "host": host, "port": port}


def _tasks(site: Site) -> Source:
    """A pod like a task's: its account, its ConfigMap, and the keys that are kept for tasks."""
    storage = site.environment.storage
    env_from: list[Mapping[str, Any]] = [{"configMapRef": {"name": TASK_CONFIG, "optional": True}}]
    env = {}
    if isinstance(storage, S3CompatibleStorage):
        env_from.append({"secretRef": {"name": TASK_CREDENTIALS, "optional": True}})
    else:
        env["AWS_ENDPOINT_URL_STS"] = f"https://{service_host('sts', storage.region)}"
    return Source(RAY_NAMESPACE, TASK_ACCOUNT, env_from=env_from, env=env)


def _finding(site: Site, cluster: str, name: str, result: Mapping[str, str]) -> Finding:
    subject = f"{cluster} → {name}"
    if name == "registry":
        return find("MA975", subject, result["said"])
    if name == "api":
        fix = (
            f"Open the way from the pods of {cluster} to {site.environment.domains.api}:443; see whether it "
            f"answers elsewhere:\nbin/madeploy verify {site.stack}"
        )
        return find("MA971", subject, result["said"], fix=fix)
    if result["state"] == "refused":
        look = site.kubectl(f"-n {RAY_NAMESPACE} get serviceaccount {TASK_ACCOUNT} -o yaml", cluster)
        fix = f"See the account that tasks have, and what its role or keys may do:\n{look}"
        return find("MA973", subject, result["said"], fix=fix)
    return find("MA972", subject, result["said"])


def _did_not_run(site: Site, cluster: str, source: Source, outcome: Outcome) -> Finding:
    look = site.kubectl(f"-n {source.namespace} get events", cluster)
    left = site.kubectl(f"-n {source.namespace} get pods -l {LABEL}=true", cluster)
    fix = f"See why pods do not start there; none of these should be left:\n{look}\n{left}"
    return find("MA974", f"{cluster}: pod in {source.namespace}", outcome.why, fix=fix)
