"""A stack, a namespace and the plugins under test."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pulumi
import pulumi_kubernetes as k8s
import pytest

from madeploy.sandbox.environment import Environment
from madeploy.sandbox.plugins import PluginChoice
from tests.support.engine import Program, Stack
from tests.support.plugins import chosen
from tests.support.ports import free_port

CLUSTER = "control-plane"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def dead_server() -> str:
    """The address of an API server that is down: a port where nobody listens."""
    return f"https://127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
def plugins(
    environment: Environment, tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PluginChoice]:
    """The plugins under test, on PATH with the engine."""
    with chosen(tmp_path_factory.mktemp("plugins"), tool_paths, environment.variables) as choice:
        yield choice


@pytest.fixture
def stack(plugins: PluginChoice, request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    """An empty stack."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40]
    return Stack(name, tmp_path, {})


@pytest.fixture(scope="session")
def api(environment: Environment) -> Any:
    """A client of the control-plane cluster that owes nothing to the plugins."""
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(
        str(environment.kubeconfig), context=CLUSTER, client_configuration=configuration
    )
    return kubernetes.dynamic.DynamicClient(kubernetes.client.ApiClient(configuration))


@pytest.fixture
def namespace(api: Any) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"options-{next(_numbers)}"
    namespaces = api.resources.get(api_version="v1", kind="Namespace")
    namespaces.create(body={"metadata": {"name": name}})
    yield name
    namespaces.delete(name=name)


@pytest.fixture
def live(api: Any, namespace: str) -> Callable[..., dict[str, Any] | None]:
    """Reads an object of the test's namespace: `live("v1", "ConfigMap", name)`; `None` where it is not."""

    def read(api_version: str, kind: str, name: str) -> dict[str, Any] | None:
        try:
            found = api.resources.get(api_version=api_version, kind=kind).get(name=name, namespace=namespace)
        except kubernetes.dynamic.exceptions.NotFoundError:
            return None
        result: dict[str, Any] = found.to_dict()
        return result

    return read


@pytest.fixture(scope="session")
def on_cluster(environment: Environment) -> Callable[..., Program]:
    """Turns a function of resource options into a program with a provider of the control-plane cluster."""

    def program(body: Callable[[pulumi.ResourceOptions], None], **options: Any) -> Program:
        settings: dict[str, Any] = {
            "kubeconfig": str(environment.kubeconfig),
            "context": CLUSTER,
            "cluster_identifier": CLUSTER,
            "enable_config_map_mutable": True,
            "enable_secret_mutable": True,
            **options,
        }

        def run() -> None:
            body(pulumi.ResourceOptions(provider=k8s.Provider("cluster", **settings)))

        return run

    return program
