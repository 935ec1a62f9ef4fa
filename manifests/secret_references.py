"""Secrets whose values `pulumi up` would write, as references and as names: what rendered files hold instead.

No value is known here. External Secrets Operator: `external-secrets.io/v1` (ExternalSecret) and `v1alpha1`
(PushSecret), its API reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from madeploy.names.kubernetes import (
    CREDENTIALS_NAMESPACE,
    RAY_NAMESPACE,
    SERVING_MANAGER,
    TASK_CREDENTIALS,
    cluster_ca_secret,
    cluster_serving_token_secret,
    cluster_token_secret,
    common_labels,
)
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.gitops import ExternalSecrets
from madeploy.settings.storage import S3CompatibleStorage
from manifests.credentials import OBJECT_STORE_SECRET, SECRETS_FILE
from manifests.objects import Object, metadata
from manifests.registration import is_registered

API_VERSION: Final = "external-secrets.io/v1"
PUSH_API_VERSION: Final = "external-secrets.io/v1alpha1"

OBJECT_STORE_ENTRY: Final = "object-store"
OBJECT_STORE_PROPERTIES: Final = ("accessKeyId", "secretAccessKey")
CREDENTIAL: Final = {"ca.crt": "certificateAuthority", "token": "token"}
"""Properties of a cluster's entry that its credential's Secret fills, by key of that Secret."""

SERVING_CREDENTIAL: Final = {"token": "servingToken"}
"""The same of the token of serving."""


@dataclass(frozen=True)
class WantedSecret:
    """A Secret that must exist on a cluster, with who gives its values when the engine does not."""

    cluster: str
    """`control-plane`, or a compute cluster's name."""

    namespace: str
    name: str
    keys: tuple[str, ...]
    meaning: str
    """What it holds, in words."""

    entry: str
    """Name in a secret store, below the prefix."""

    properties: Mapping[str, str] = field(default_factory=dict)
    """Property of the entry by key of the Secret, where each key is one value; else there is `template`."""

    template: Mapping[str, str] = field(default_factory=dict)
    """Text of each key as a template of the entry's properties (External Secrets, engine v2)."""

    @property
    def is_registration(self) -> bool:
        """Whether it belongs to the control plane's half of a registration."""
        return bool(self.properties)

    @property
    def entry_properties(self) -> tuple[str, ...]:
        """Every property that the entry must have."""
        return tuple(self.properties.values()) or OBJECT_STORE_PROPERTIES


def wanted_secrets(environment: Environment, among: Iterable[str] | None = None) -> Iterator[WantedSecret]:
    """Every Secret that `pulumi up` makes from secret values: the object store's keys first, registrations
    after them. `among` are compute clusters that are registered, by default those of the environment."""
    storage = environment.storage
    clusters = sorted(environment.clusters) if among is None else list(among)
    registered = [name for name in clusters if among is not None or is_registered(environment, name)]
    if isinstance(storage, S3CompatibleStorage):
        if storage.credentials_secret is None:
            yield WantedSecret(
                CONTROL_PLANE,
                environment.platform.namespace,
                OBJECT_STORE_SECRET,
                (SECRETS_FILE,),
                "keys of the object store, for the controller manager and the worker",
                OBJECT_STORE_ENTRY,
                template={
                    SECRETS_FILE: "minio:\n  awsAccessKeyId: {{ .accessKeyId | toJson }}\n"
                    "  awsSecretAccessKey: {{ .secretAccessKey | toJson }}\n"
                },
            )
        for name in clusters:
            template = _task_template(storage.region)
            yield WantedSecret(
                name,
                RAY_NAMESPACE,
                TASK_CREDENTIALS,
                tuple(template),
                "keys of the object store, for task pods",
                OBJECT_STORE_ENTRY,
                template=template,
            )
    for name in registered:
        yield from registration_secrets(name)
        if among is None and environment.serving is not None and environment.clusters[name].serving:
            yield _serving_secret(name)


def registration_secrets(name: str) -> tuple[WantedSecret, WantedSecret]:
    """The two Secrets of a registered cluster on the control plane (registration guide, step 6)."""
    entry = f"clusters/{name}"
    return (
        WantedSecret(
            CONTROL_PLANE,
            CREDENTIALS_NAMESPACE,
            cluster_ca_secret(name),
            ("cadata",),
            f"certificate authority of {name}'s API server, PEM",
            entry,
            {"cadata": "certificateAuthority"},
        ),
        WantedSecret(
            CONTROL_PLANE,
            CREDENTIALS_NAMESPACE,
            cluster_token_secret(name),
            ("token",),
            f"token of ray-manager on {name}, without a final newline",
            entry,
            {"token": "token"},
        ),
    )


def _serving_secret(name: str) -> WantedSecret:
    """The Secret that inference servers on a cluster are run with."""
    return WantedSecret(
        CONTROL_PLANE,
        CREDENTIALS_NAMESPACE,
        cluster_serving_token_secret(name),
        ("token",),
        f"token of {SERVING_MANAGER} on {name}, without a final newline",
        f"clusters/{name}",
        {"token": "servingToken"},
    )


def external_secret(settings: ExternalSecrets, store: str, prefix: str, wanted: WantedSecret) -> Object:
    """ExternalSecret that makes a Secret of the same name, keys and labels as the engine would."""
    template: dict[str, Any] = {
        "engineVersion": "v2",
        "type": "Opaque",
        "metadata": {"labels": common_labels()},
    }
    if wanted.template:
        template["data"] = dict(wanted.template)
    keys = dict(wanted.properties) or {name: name for name in wanted.entry_properties}
    return {
        "apiVersion": API_VERSION,
        "kind": "ExternalSecret",
        "metadata": metadata(wanted.name, wanted.namespace),
        "spec": {
            "refreshInterval": settings.refresh_interval,
            "secretStoreRef": {"kind": settings.store_kind, "name": store},
            "target": {"name": wanted.name, "creationPolicy": "Owner", "template": template},
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"{prefix}/{wanted.entry}", "property": name}}
                for key, name in keys.items()
            ],
        },
    }


def push_secret(
    settings: ExternalSecrets, store: str, entry: str, source: str, properties: Mapping[str, str]
) -> Object:
    """PushSecret that puts values of a compute cluster's Secret `source` into an entry of the store, where
    the control plane's ExternalSecrets find them. They are withdrawn with the registration."""
    return {
        "apiVersion": PUSH_API_VERSION,
        "kind": "PushSecret",
        "metadata": metadata(source, RAY_NAMESPACE),
        "spec": {
            "refreshInterval": settings.refresh_interval,
            "updatePolicy": "Replace",
            "deletionPolicy": "Delete",
            "secretStoreRefs": [{"kind": settings.store_kind, "name": store}],
            "selector": {"secret": {"name": source}},
            "data": [
                {"match": {"secretKey": key, "remoteRef": {"remoteKey": entry, "property": name}}}
                for key, name in properties.items()
            ],
        },
    }


def _task_template(region: str) -> dict[str, str]:
    """Keys of `aws-credentials` (`manifests.registration.task_credentials_data`)."""
    key_id, key = "{{ .accessKeyId }}", "{{ .secretAccessKey }}"
    return {
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": key,
        "credentials": f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {key}\n",
        "aws-access-key-id": key_id,
        "aws-secret-access-key": key,
        "aws-default-region": region,
    }
