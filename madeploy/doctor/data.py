"""What holds the platform's data: its definitions, the model registry and the buckets."""

from __future__ import annotations

from typing import Final

from madeploy.clients.errors import ClientError
from madeploy.doctor.checks import Seen
from madeploy.doctor.site import Site
from madeploy.doctor.storage import made_again, no_bucket
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import API_VERSION, crd, workload
from madeploy.settings.storage import AwsStorage
from madeploy.stacks.object_store import Keys, open_store
from manifests.definitions import DEFINITIONS, lack

_MODELS: Final = f"/apis/{API_VERSION}"
_SAFEGUARDS: Final = {
    "versioning": "versions are not kept",
    "encryption": "objects are not encrypted",
    "publicAccessBlock": "public access is not blocked",
    "tlsOnly": "requests without TLS are allowed",
    "lifecycle": "old versions and unfinished uploads never expire",
}


def platform_definitions(site: Site) -> Seen:
    """Whether every kind of the deployed release is defined, established and served (CP-8, MR-3). Raises
    ClientError."""
    client = site.client()
    apiserver = f"deployment/{workload('apiserver')}"
    logs = site.kubectl(f"-n {site.namespace} logs {apiserver}")
    again = site.kubectl(f"-n {site.namespace} rollout restart {apiserver}")
    fix = f"The API server makes it when it starts; see what it says, and start it again:\n{logs}\n{again}"
    kinds = sorted(site.environment.release.kinds)
    found: list[Finding] = []
    for kind in kinds:
        lacking = lack(client.find(f"{DEFINITIONS}/{crd(kind)}"), [API_VERSION.rpartition("/")[2]])
        if lacking:
            found.append(find("MA940", crd(kind), lacking, fix=fix))
    return found or f"{len(kinds)} definitions of release {site.environment.release.name}"


def model_registry(site: Site) -> Seen:
    """The registry guide's smoke test: the definition, a list, one model looked into (MR-6). Raises
    ClientError for what says nothing of the registry."""
    client = site.client()
    namespaces = site.environment.model_registry.namespaces
    counted = 0
    shown = ""
    look = site.kubectl(f"get crd {crd('Model')}")
    for where in [f"/namespaces/{name}" for name in namespaces] or [""]:
        path = f"{_MODELS}{where}/models"
        try:
            for model in client.items(path):
                counted += 1
                metadata = model["metadata"]
                one = f"{_MODELS}/namespaces/{metadata['namespace']}/models/{metadata['name']}"
                if not shown and client.find(one) is not None:
                    shown = f", {metadata['namespace']}/{metadata['name']} can be looked into"
        except ClientError as error:
            if error.is_unreachable:
                raise
            fix = f"See whether the definition is there:\n{look}"
            subject = f"models{where.replace('/namespaces/', ' in ')}"
            return [find("MA967", subject, f"cannot be listed: {error.reason}", fix=fix)]
    return f"{counted} models can be listed{shown}"


def buckets(site: Site, keys: Keys) -> Seen:
    """Whether the buckets are there, with the safeguards that the stack gives them. Raises ClientError."""
    storage = site.environment.storage
    store = open_store(storage, keys)
    named: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    found: list[Finding] = []
    for purpose, bucket in named.items():
        subject = f"storage.buckets.{purpose} {bucket}"
        if not store.has_bucket(bucket):
            found.append(no_bucket(site, subject, purpose, bucket))
        elif isinstance(storage, AwsStorage):
            live = store.safeguards(bucket)
            lacking = [words for name, words in _SAFEGUARDS.items() if not live[name]]
            if lacking:
                update = site.up if live["lifecycle"] else made_again(site, purpose)
                fix = f"Set them again by an update:\n{update}"
                found.append(find("MA966", subject, "; ".join(lacking), fix=fix))
    kind = "as declared" if isinstance(storage, AwsStorage) else "there"
    return found or f"{len(named)} buckets are {kind}"
