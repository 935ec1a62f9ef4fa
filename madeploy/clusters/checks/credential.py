"""A registered credential, of `ray-manager` or of serving: whether it is accepted, and what it may do. Asked
with itself, never as an administrator."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from madeploy.clients import reviews
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.checks.identity import account_uid
from madeploy.clusters.registration import Registered, secret_path
from madeploy.clusters.remedies import Remedies, steps
from madeploy.findings import Finding, find
from madeploy.kubeconfigs import tokens
from madeploy.names.kubernetes import RAY_MANAGER, RAY_NAMESPACE
from madeploy.settings import Environment
from manifests.inputs import Inputs
from manifests.registration import QUEUE_READER, compute_side

ACCOUNTS = f"system:serviceaccount:{RAY_NAMESPACE}:"
"""How the API server's names of the platform's accounts begin."""

CLOCK_SECONDS = 60.0
"""Difference of clocks that API servers put up with when they judge a token."""


def accept(
    registered: Registered,
    client: Kubernetes,
    compute: Kubernetes | None,
    remedies: Remedies,
    clock: Callable[[], float] = time.time,
    account: str = RAY_MANAGER,
) -> tuple[str, Finding | None]:
    """Whether the API server takes the registered token for that of ServiceAccount `account`. Raises
    ClientError for what says nothing about the token."""
    subject = f"Secret default/{registered.secret_names['token']}"
    claims = tokens.claims(registered.token)
    try:
        user = reviews.user(client)
    except ClientError as error:
        if error.cause != "unauthorized":
            raise
        now = client.clock()
        return "", _refusal(subject, claims, now, _Behind(compute, account), remedies, clock())
    if user != ACCOUNTS + account:
        fix = remedies.take_back_and_roll
        evidence = f"the API server takes it for {user}, not {ACCOUNTS}{account}"
        return "", find("MA444", subject, evidence, fix=fix)
    if compute is not None and claims.account_uid not in (None, account_uid(compute, account)):
        return "", _other_cluster(registered, remedies, account)
    return f"the API server takes the registered token for {user}", None


def accesses(rules: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Group, resource and verb of every access that rules of a role give."""
    for rule in rules:
        yield from itertools.product(
            rule.get("apiGroups") or (), rule.get("resources") or (), rule.get("verbs") or ()
        )


def rights(environment: Environment, name: str) -> Iterator[dict[str, Any]]:
    """Attributes of every access the registered credential must have: those of the roles that the
    registration makes (a ClusterRole's are asked for where Ray's objects are, in `default`), on queues too
    where jobs go to Kueue, and the health check's path (facts 1.3)."""
    for item in compute_side(Inputs(environment), name).objects:
        named = item["metadata"]["name"]
        if item["kind"] in ("ClusterRole", "Role") and named in (RAY_MANAGER, QUEUE_READER):
            namespace = item["metadata"].get("namespace", RAY_NAMESPACE)
            for group, resource, verb in accesses(item["rules"]):
                asked = {"group": group, "resource": resource, "verb": verb, "namespace": namespace}
                yield {"resourceAttributes": asked}
    yield {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}


def authorize(
    wanted: Iterable[dict[str, Any]], client: Kubernetes, remedies: Remedies, account: str = RAY_MANAGER
) -> tuple[str, Finding | None]:
    """Whether the registered credential of `account` has each right, all that are missing at once. Raises
    ClientError."""
    missing, asked = [], 0
    for attributes in wanted:
        asked += 1
        if not reviews.is_allowed(client, attributes):
            missing.append(_sentence(attributes))
    if missing:
        evidence = f"{account} may not {'; may not '.join(missing)}"
        return "", find("MA443", remedies.name, evidence, fix=remedies.take_back)
    return f"all {asked} rights, asked one by one with the registered token", None


def _sentence(attributes: dict[str, Any]) -> str:
    path = attributes.get("nonResourceAttributes")
    if path:
        return f"{path['verb']} {path['path']}"
    wanted = attributes["resourceAttributes"]
    part = f"/{wanted['subresource']}" if "subresource" in wanted else ""
    group = f".{wanted['group']}" if wanted["group"] else ""
    where = f"in namespace {wanted['namespace']}" if "namespace" in wanted else "in all namespaces"
    return f"{wanted['verb']} {wanted['resource']}{part}{group} {where}"


@dataclass(frozen=True)
class _Behind:
    """Where to look for what stands behind a token."""

    compute: Kubernetes | None
    """The cluster as its administrator, where there is one."""

    account: str


def _refusal(
    subject: str,
    claims: tokens.Claims,
    there: float | None,
    behind: _Behind,
    remedies: Remedies,
    here: float,
) -> Finding:
    """Why a token is refused: by its own dates first, then by what stands behind it on the cluster."""
    now = here if there is None else there
    skew = now - here
    clocks = f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    starts = max(claims.not_before or 0.0, claims.issued_at or 0.0)
    if starts > now + CLOCK_SECONDS:
        evidence = f"begins to be valid {starts - now:.0f} s from now by the API server's clock"
        if abs(skew) > CLOCK_SECONDS:
            evidence += f"; {clocks}"
        return find("MA439", subject, evidence, fix=_clock_fix(remedies))
    left = claims.left(now)
    if left is not None and left <= 0:
        if claims.expires_at is not None and claims.expires_at > here and skew > CLOCK_SECONDS:
            evidence = f"has expired by the API server's clock only: {clocks}"
            return find("MA439", subject, evidence, fix=_clock_fix(remedies))
        return find("MA438", subject, f"expired {-left:.0f} s ago", fix=remedies.rotate)
    return find("MA437", subject, _revoked(claims, behind), fix=remedies.rotate)


def _clock_fix(remedies: Remedies) -> str:
    return steps(
        "Set the clocks of the cluster's control plane and of this machine by NTP, then:", remedies.rotate
    )


def _revoked(claims: tokens.Claims, behind: _Behind) -> str:
    refused = "the API server does not accept it (401)"
    compute = behind.compute
    if compute is None:
        return f"{refused}; its dates are in order"
    try:
        account = account_uid(compute, behind.account)
        if account is None:
            return f"{refused}: ServiceAccount {RAY_NAMESPACE}/{behind.account} is not there"
        if claims.account_uid not in (None, account):
            return f"{refused}: it was issued for another ServiceAccount, an earlier one or another cluster's"
        secret = claims.secret or claims.bound_secret
        if secret and compute.find(secret_path(secret, RAY_NAMESPACE)) is None:
            return f"{refused}: Secret {RAY_NAMESPACE}/{secret}, which it ends with, is gone"
    except ClientError:
        # The kubeconfig's user may not look; the refusal itself stands.
        return f"{refused}; its dates are in order"
    return f"{refused}: another cluster issued it, or the API server's keys have changed"


def _other_cluster(registered: Registered, remedies: Remedies, account: str) -> Finding:
    evidence = (
        f"context {remedies.compute_context} leads to another cluster than {registered.server}: the "
        f"registered token is not of the {account} that is there"
    )
    fix = steps(
        f"Name the context of {registered.server} in clusters.{remedies.name}.kubeconfigContext (or "
        "store its kubeconfig), then:",
        remedies.up,
    )
    return find("MA448", remedies.name, evidence, fix=fix)
