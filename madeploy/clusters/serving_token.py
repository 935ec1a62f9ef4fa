"""The token of `inference-server-manager` on a cluster that serves: where it stands, and whether it is good.
It turns with the cluster's credential (REG-8, OPS-5)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.objects import secret_text
from madeploy.clusters.checks.credential import accept, accesses, authorize
from madeploy.clusters.checks.registered_objects import missing_secret
from madeploy.clusters.registration import Registered, secret_path
from madeploy.clusters.remedies import Remedies, remedies
from madeploy.clusters.session import Session
from madeploy.findings import Finding, find
from madeploy.kubeconfigs import tokens
from madeploy.names.kubernetes import (
    CREDENTIALS_NAMESPACE,
    SERVING_MANAGER,
    cluster_serving_token_secret,
    serving_manager_token,
)
from madeploy.settings import CONTROL_PLANE, Environment
from manifests.inputs import Inputs
from manifests.serving import target_side

_NAME: Final = re.compile(rf"{serving_manager_token(1)}(-(?P<number>[1-9][0-9]{{0,5}}))?")


def serves(environment: Environment, name: str) -> bool:
    """Whether inference servers run on compute cluster `name`."""
    entry = environment.clusters.get(name)
    return environment.serving is not None and entry is not None and entry.serving


def registered_token(control_plane: Kubernetes, registered: Registered) -> Registered:
    """A registration as serving reads it: the same address and authority, with the token that
    InferenceServers name as `tokenTag`. Raises ClientError."""
    name = cluster_serving_token_secret(registered.name)
    secret = control_plane.find(secret_path(name))
    return replace(
        registered,
        token=secret_text(secret, "token"),
        secrets={**registered.secrets, "token": secret["metadata"] if secret else None},
        secret_names={**registered.secret_names, "token": name},
    )


def present(compute: Kubernetes) -> dict[int, str]:
    """Tokens of the account that there are on the cluster, by generation. Raises ClientError."""
    found = {}
    for secret in compute.items(f"/api/v1/namespaces/{CREDENTIALS_NAMESPACE}/secrets"):
        matched = _NAME.fullmatch(secret["metadata"]["name"])
        if matched is not None:
            found[int(matched["number"] or 1)] = secret_text(secret, "token")
    return found


def is_of(token: str, generation: int) -> bool:
    """Whether a token belongs to this generation, by the Secret it names."""
    try:
        return tokens.claims(token).secret == serving_manager_token(generation)
    except ValueError:
        return False


def rights(environment: Environment, name: str) -> Iterator[dict[str, Any]]:
    """Attributes of every access that the account must have: its ClusterRole's, in all namespaces."""
    for item in target_side(Inputs(environment), name):
        if item["kind"] != "ClusterRole":
            continue
        for group, what, verb in accesses(item["rules"]):
            resource, _, part = what.partition("/")
            asked = {"group": group, "resource": resource, "verb": verb}
            yield {"resourceAttributes": asked | ({"subresource": part} if part else {})}


def prove(
    environment: Environment,
    registered: Registered,
    client: Callable[[str], Kubernetes],
    hub: Kubernetes,
    compute: Kubernetes | None,
    known: Remedies,
    clock: Callable[[], float] = time.time,
) -> tuple[str, Finding | None]:
    """Whether the cluster takes a token for the account's, with every right of it.

    Args:
        environment: what the stack says.
        registered: the registration with the token (`registered_token`).
        client: the compute cluster with a token.
        hub: the control plane's cluster, as its administrator.
        compute: the compute cluster, as its administrator, where there is one.
        known: commands for the cluster.
        clock: this machine's clock.

    Raises ClientError.
    """
    name = registered.secret_names["token"]
    if registered.secrets["token"] is None:
        return "", missing_secret(hub, name, known)
    defect = tokens.defect(registered.token)
    if defect:
        fix = known.take_back_and_roll
        return "", find("MA440", f"Secret {CREDENTIALS_NAMESPACE}/{name}", defect, fix=fix)
    asking = client(registered.token)
    _, finding = accept(registered, asking, compute, known, clock, account=SERVING_MANAGER)
    if finding is not None:
        return "", finding
    said, finding = authorize(rights(environment, known.name), asking, known, account=SERVING_MANAGER)
    return f"{SERVING_MANAGER}: {said}", finding


def lack(stack: Session, registered: Registered, token: str | None = None) -> Finding | None:
    """What is wrong with the token of serving on a registered cluster of a stack; with `token` in place of
    the one that is registered. None too where nothing serves. Raises ClientError."""
    settings, name = stack.settings(), registered.name
    if not serves(settings, name):
        return None
    hub = stack.client(CONTROL_PLANE)
    found = registered_token(hub, registered)
    if token is not None:
        found = replace(found, token=token, secrets={**found.secrets, "token": {}})
    client, known = partial(stack.with_token, name), remedies(settings, name, stack.name)
    return prove(settings, found, client, hub, stack.client(name), known)[1]
