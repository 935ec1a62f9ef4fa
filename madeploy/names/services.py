"""The table of services: what is known of each besides its settings. One row is all that names, policies,
plan and picture need to know of a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from madeploy.names.addresses import (
    API_PORT,
    ENVOY_METRICS_PORT,
    ENVOY_PORT,
    METRICS_PORT,
    UI_PORT,
)
from madeploy.names.kubernetes import Workload
from madeploy.settings import Environment
from madeploy.settings.control_plane import services as with_settings


@dataclass(frozen=True)
class Service:
    """One service of the control plane, or one of its jobs."""

    name: Workload
    """Name in settings, and at the end of its objects' names."""

    title: str
    """What it is called where it stands alone."""

    role: str = ""
    """What it does, in a few words."""

    phrase: str = ""
    """What it is called inside a sentence, `the API server`; by default the title with its article."""

    restart: str = ""
    """What is noticed while its pods are replaced one after the other; empty where callers notice nothing."""

    port: int | None = None
    """TCP port that callers connect to; None where nobody calls it."""

    metrics_port: int | None = None
    """TCP port of its metrics; None where it has none."""

    metrics_path: str = "/metrics"
    """Path of its metrics, where it has a port for them."""

    calls_store: bool = False
    """Whether it calls the object store, and so has an identity on AWS."""

    calls_kubernetes: bool = False
    """Whether it calls the Kubernetes API of the control plane's cluster."""

    calls_workflow_engine: bool = False
    resolves_names: bool = True
    """Whether it opens connections by name."""

    is_job: bool = False
    """Whether it runs at times, and not always."""

    is_deployed: Callable[[Environment], bool] = lambda _: True
    """Whether an environment has it."""

    @property
    def in_sentence(self) -> str:
        """What it is called inside a sentence."""
        return self.phrase or f"the {self.title.lower()}"


_ROWS: Final = (
    # Ports of facts 1.1 and 2.2; who calls whom: facts 1.3, 2.2 and 5.2.
    Service("apiserver", "API server", "gRPC", "the API server", port=API_PORT, calls_kubernetes=True),
    Service(
        "controllermgr",
        "Controller manager",
        "reconciles objects",
        restart="another replica of the controller manager leads within 15 s, running jobs go on",
        metrics_port=METRICS_PORT,
        calls_store=True,
        calls_kubernetes=True,
        calls_workflow_engine=True,
    ),
    Service(
        "worker",
        "Worker",
        "runs workflows",
        restart="workflows go on from their last finished step",
        calls_store=True,
        calls_workflow_engine=True,
    ),
    Service(
        "ui",
        "UI",
        "the application's files",
        phrase="the web application",
        port=UI_PORT,
        resolves_names=False,
    ),
    Service(
        "envoy",
        "Envoy",
        "gRPC-Web to gRPC",
        phrase="Envoy",
        port=ENVOY_PORT,
        metrics_port=ENVOY_METRICS_PORT,
        metrics_path="/stats/prometheus",
    ),
    Service(
        "retention",
        "Retention",
        "removes old models",
        calls_store=True,
        calls_kubernetes=True,
        is_job=True,
        is_deployed=lambda environment: environment.model_registry.retention_days is not None,
    ),
)


def _all() -> tuple[Service, ...]:
    """The rows, and a service without one for each that only the settings know: nobody calls it, and it
    calls nothing but the cluster's DNS."""
    named = {row.name for row in _ROWS}
    others = (Service(name, name.replace("-", " ").capitalize()) for name in with_settings())
    return (*_ROWS, *(service for service in others if service.name not in named))


ALL: Final = _all()
"""Every service and job, in the order of the table."""

BY_NAME: Final = {service.name: service for service in ALL}

SERVICES: Final = tuple(service.name for service in ALL if not service.is_job)
"""Names of those that always run."""

STORE_CLIENTS: Final = tuple(service.name for service in ALL if service.calls_store and not service.is_job)
"""Names of those that always run and call the object store."""


def deployed(environment: Environment) -> tuple[Service, ...]:
    """Services and jobs of one environment, in the order of the table."""
    return tuple(service for service in ALL if service.is_deployed(environment))
