"""Credentials of `ray-manager` on compute clusters: which there are, how one is come by, when one is dead."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from madeploy.clients import reviews
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import seconds_of, secret_text
from madeploy.clusters.checks.credential import accept, authorize, rights
from madeploy.clusters.registration import Registered, secret_path
from madeploy.clusters.remedies import Remedies
from madeploy.findings import Finding
from madeploy.kubeconfigs import tokens
from madeploy.names.kubernetes import (
    RAY_MANAGER,
    RAY_MANAGER_TOKEN,
    RAY_NAMESPACE,
    common_labels,
    ray_manager_token,
)
from madeploy.settings import Environment
from madeploy.settings.clusters import Credential, CredentialKind, KeptCredential

DEFAULT_HOURS: Final = 720
"""Lifetime asked for where the settings name none: 30 days."""

REFUSED_SECONDS = 60.0
"""How long a withdrawn token may still be accepted: API servers remember one for 10 s (kube-apiserver,
token authentication), and there may be several of them."""

POLL_SECONDS = 1.0
_NAME: Final = re.compile(rf"{RAY_MANAGER_TOKEN}(-(?P<number>[1-9][0-9]{{0,5}}))?")
_TOKEN_TYPE: Final = "kubernetes.io/service-account-token"


def known(credential: Credential) -> tuple[KeptCredential, ...]:
    """Credentials that exist by the settings, the registered one first."""
    if credential.generation == 0:
        return credential.keep
    return (KeptCredential(generation=credential.generation, kind=credential.kind), *credential.keep)


def next_goal(credential: Credential, kind: CredentialKind | None) -> KeptCredential:
    """The credential that is to be registered in the end: the newest one where a rotation is under way, else
    one that does not exist yet, of this kind (None: of the kind there is)."""
    there = known(credential)
    if credential.keep:
        return max(there, key=lambda item: item.generation)
    return KeptCredential(generation=credential.generation + 1, kind=kind or credential.kind)


def former_goal(credential: Credential) -> KeptCredential | None:
    """The credential that a rotation under way started from; None where there is none to go back to."""
    if not credential.keep or credential.generation == 0:
        return None
    return min(known(credential), key=lambda item: item.generation)


def registering(credential: Credential, goal: KeptCredential) -> dict[str, Any] | None:
    """The settings with `goal` registered and everything else kept, as a stack file writes them; None where
    they are the defaults."""
    changed = credential.model_copy(
        update={
            "generation": goal.generation,
            "kind": goal.kind,
            "keep": tuple(item for item in known(credential) if item.generation != goal.generation),
        }
    )
    return changed.to_yaml_data() or None


def keeping(credential: Credential, *kept: KeptCredential) -> dict[str, Any] | None:
    """The settings with exactly these credentials kept besides the registered one; None for the defaults."""
    return credential.model_copy(update={"keep": kept}).to_yaml_data() or None


@dataclass(frozen=True)
class Present:
    """A credential's Secret on a cluster."""

    credential: KeptCredential
    token: str = field(repr=False)
    """What stands in it; "" for a bounded one."""

    is_ours: bool
    """Whether the toolkit made it, by its label."""


def present(compute: Kubernetes) -> list[Present]:
    """Secrets on a cluster that are called like credentials. Raises ClientError."""
    found: list[Present] = []
    ours = common_labels().items()
    for secret in compute.items(f"/api/v1/namespaces/{RAY_NAMESPACE}/secrets"):
        matched = _NAME.fullmatch(secret["metadata"]["name"])
        if matched is None:
            continue
        kind: CredentialKind = "longLived" if secret.get("type") == _TOKEN_TYPE else "bounded"
        token = secret_text(secret, "token")
        labels = secret["metadata"].get("labels") or {}
        credential = KeptCredential(generation=int(matched["number"] or 1), kind=kind)
        found.append(Present(credential, token, ours <= labels.items()))
    return found


def issue(compute: Kubernetes, wanted: KeptCredential, hours: int | None) -> str:
    """The token of a credential whose Secret exists: read, or asked for and bound to that Secret, so that it
    is refused from the moment the Secret is deleted.

    Raises ClientError, and ValueError with a phrase that holds nothing of the token when it is none.
    """
    secret = compute.get(secret_path(ray_manager_token(wanted.generation), RAY_NAMESPACE))
    if wanted.kind == "longLived":
        token = secret_text(secret, "token")
    else:
        bound = {"apiVersion": "v1", "kind": "Secret", "name": secret["metadata"]["name"]}
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "expirationSeconds": (hours or DEFAULT_HOURS) * 3600,
                "boundObjectRef": {**bound, "uid": secret["metadata"]["uid"]},
            },
        }
        account = f"/api/v1/namespaces/{RAY_NAMESPACE}/serviceaccounts/{RAY_MANAGER}"
        answer = compute.review(f"{account}/token", request)
        token = str((answer.get("status") or {}).get("token") or "")
    defect = tokens.defect(token)
    if defect:
        raise ValueError(f"{secret['metadata']['name']} {defect}")
    return token


def prove(
    environment: Environment,
    registered: Registered,
    client: Kubernetes,
    compute: Kubernetes,
    remedies: Remedies,
) -> Finding | None:
    """Whether a token is `ray-manager`'s and has every right, asked by `client` with the token itself.
    Raises ClientError."""
    _, finding = accept(registered, client, compute, remedies)
    if finding is None:
        _, finding = authorize(rights(environment, remedies.name), client, remedies)
    return finding


def with_token(registered: Registered, token: str) -> Registered:
    """A registration as it would be with another token."""
    return replace(registered, token=token)


def is_of(token: str, generation: int) -> bool:
    """Whether a token belongs to the credential of this generation, by the Secret it names."""
    try:
        claims = tokens.claims(token)
    except ValueError:
        return False
    return ray_manager_token(generation) in (claims.secret, claims.bound_secret)


def seconds_until_refused(
    client: Kubernetes, seconds: float = REFUSED_SECONDS, pause: Callable[[float], None] = time.sleep
) -> float | None:
    """Wait until the API server refuses the client's credential (401). Seconds it took; None when it did not
    within the limit."""
    began = time.monotonic()
    while True:
        try:
            reviews.user(client)
        except ClientError as error:
            if error.cause == "unauthorized":
                return time.monotonic() - began
        if time.monotonic() - began >= seconds:
            return None
        pause(POLL_SECONDS)


def age(compute: Kubernetes, credential: Credential, now: float) -> float | None:
    """Seconds since the registered credential was made; None where it is not there. Raises ClientError."""
    secret = compute.find(secret_path(ray_manager_token(credential.generation), RAY_NAMESPACE))
    return None if secret is None else now - seconds_of(secret["metadata"]["creationTimestamp"])
