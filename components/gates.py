"""Waits that no resource option can express: for definitions that somebody else makes, and for what may not
be depended on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi

from madeploy.clients.definitions import wait_for_definitions
from madeploy.clients.kubernetes import Kubernetes
from madeploy.settings import Environment
from manifests.definitions import DEFINITIONS, Definitions

MOVED_SECONDS = 600.0
"""How long an update of the controller manager waits for credentials that move; each takes seconds."""

APART_SECONDS = 1.0
"""How long it waits after them: times of objects are whole seconds, and its pods have to be seen to be
younger than what they read (`madeploy.clusters.controller_manager`)."""


def missing_definitions(kubeconfig: Mapping[str, Any], wanted: Definitions) -> list[str]:
    """Which of the definitions are not established in a cluster.

    Raises ClientError when the cluster does not answer, or refuses to.
    """
    cluster = Kubernetes.from_kubeconfig(kubeconfig, read_seconds=10)
    return wanted.missing(cluster.items(DEFINITIONS))


def definitions_established(
    kubeconfig: Mapping[str, Any], definitions: Definitions, environment: Environment
) -> pulumi.ResourceHookBinding:
    """Hold a resource's creation or update until definitions exist that this program does not create.

    The platform's are made by its API server when it starts (V1), by one of another release anew, the
    others by what the operator installed, so no resource stands for them that could be depended on.
    Nothing runs in a preview.
    """

    hint = definitions.hint.format(namespace=environment.platform.namespace)
    waiting: asyncio.Future[None] | None = None

    async def wait(_: pulumi.ResourceHookArgs) -> None:
        # Many resources wait for the same thing: the first asks the cluster, for all of them. It does so
        # in a thread of its own, because those of the loop are all taken by resources that wait for it.
        nonlocal waiting
        if waiting is None:
            waiting = asyncio.get_running_loop().run_in_executor(
                ThreadPoolExecutor(1, thread_name_prefix=definitions.name),
                wait_for_definitions,
                lambda: missing_definitions(kubeconfig, definitions),
                definitions.limit_seconds,
                hint,
            )
        await asyncio.shield(waiting)

    hook = pulumi.ResourceHook(definitions.name, wait)
    return pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])


def after_credentials(moving: Sequence[pulumi.CustomResource]) -> pulumi.ResourceHook:
    """Hold an update of the controller manager until the Secrets of `moving` are what they are to be: it
    reads credentials once, when it starts (V14). The list is filled while the program goes on.

    They are no dependencies of it: one that fails, or belongs to a cluster that is left out, must not keep
    the control plane from its update. Who rotates looks afterwards whether the pods are younger than the
    Secrets.
    """

    async def wait(_: pulumi.ResourceHookArgs) -> None:
        under_way = [asyncio.ensure_future(secret.id.future()) for secret in moving]
        if under_way:
            await asyncio.wait(under_way, timeout=MOVED_SECONDS)
            await asyncio.sleep(APART_SECONDS)

    return pulumi.ResourceHook("after-credentials", wait)
