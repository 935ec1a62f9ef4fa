"""The whole program against the recording mock."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pulumi

from components.configuration import Access, Configuration
from components.platform import Platform
from madeploy.fleet.roles import StackRole
from madeploy.kubeconfigs import Endpoint
from madeploy.settings import CONTROL_PLANE, Environment
from tests.support import environments
from tests.support.recording import TOKEN, Recording, record

_PEM = "-----BEGIN CERTIFICATE-----\nZXhhbXBsZQ==\n-----END CERTIFICATE-----\n"
CANARY = "canary-kubeconfig"
STORE_CANARY = "canary-object-store"

ENVIRONMENTS: Final = (
    environments.minimal,
    environments.production_aws,
    environments.gateway_minio,
    environments.every_part,
)


def configuration(environment: Environment) -> Configuration:
    """An environment with access to every cluster; values that must stay secret are canaries."""
    access = {CONTROL_PLANE: Access(pulumi.Output.secret(CANARY), {}, None)}
    for name in environment.clusters:
        endpoint = Endpoint(f"https://{name}.example.com", "6443", _PEM)
        access[name] = Access(pulumi.Output.secret(CANARY), {}, endpoint, pulumi.Output.secret(TOKEN))
    keys = {"accessKeyId": "id", "secretAccessKey": STORE_CANARY}
    store = {k: pulumi.Output.secret(v) for k, v in keys.items()}
    return Configuration(environment, access, store, StackRole("environment", "prod"))


def deploy(environment: Environment, preview: bool = False) -> tuple[Recording, dict[str, Any]]:
    """What the program registers and exports for an environment."""
    outputs: dict[str, Any] = {}

    def program() -> None:
        platform = Platform("michelangelo", configuration(environment))
        pulumi.Output.all(**platform.outputs).apply(outputs.update)

    return record(program, preview=preview), outputs


@cache
def deployed_once(build: Callable[[], Environment]) -> tuple[Recording, dict[str, Any]]:
    """The same, once for all tests that look at an environment. They leave it as it is."""
    return deploy(build())
