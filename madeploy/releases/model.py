"""A release of the platform: what its services read, need and refuse, as plain
data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from madeploy.releases.keys import Key


@dataclass(frozen=True)
class Grant:
    """One rule of a role, in Kubernetes' words."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]


CALLER_EMAIL: Final = "x-user-email"
CALLER_NAME: Final = "x-user-name"
"""Request headers by which the platform shows who called. It believes them (facts of release 0.12, 5)."""


@dataclass(frozen=True)
class EnvoyProtocol:
    """Protocol between browsers and the API."""

    filters: tuple[str, ...]
    """Names of the HTTP filters before the router, in order."""

    allow_headers: tuple[str, ...]
    """Request headers a page of another origin may send."""

    transcoded: tuple[str, ...] = ()
    """Kinds whose services Envoy translates from JSON; empty where pages speak gRPC-Web only."""

    shows_callers: bool = False
    """Whether the platform shows callers by `CALLER_EMAIL` and `CALLER_NAME`."""


@dataclass(frozen=True)
class DescriptorMark:
    """A field by which descriptor sets of different releases are told apart."""

    message: str
    """Name of the message within `michelangelo.api.v2`."""

    field: str
    present: bool
    """Whether this release has the field."""

    said: str
    """Which release a set without this mark is of, in words."""

    fatal: bool
    """Whether such a set breaks what the application shows, or only lacks the newest fields."""


@dataclass(frozen=True)
class ComputeClusters:
    """Requirements of compute clusters."""

    kuberay: str
    """Version of KubeRay's operator and its definitions that the release is made with."""

    registry_endpoint: bool
    """Whether tasks read the API's address from `REGISTRY_ENDPOINT`; without it pushed models are lost."""


@dataclass(frozen=True)
class Release:
    """One release of the platform."""

    name: str
    """As `platform.release` says it."""

    newest: str | None
    """Newest published version of it, the tag of its images; None where nothing was published."""

    keys: Mapping[str, Mapping[str, Key]]
    """Keys each service parses, by service and dotted path."""

    refused: Mapping[str, str]
    """Sections and keys that sources or guides mention and no service of the release reads, or that stop
    one: dotted path, and why and what to do."""

    kinds: Mapping[str, str]
    """Kinds of the platform's API and their plurals; one definition each."""

    services: tuple[str, ...]
    """Kinds whose gRPC service the API server registers."""

    task_lists: tuple[str, ...]
    """Queues the platform uses by these very names: without pollers, what is put there waits for ever."""

    temporal_tls: bool
    """Whether workers honour TLS to Temporal."""

    execution_url_variables: tuple[str, ...]
    """Variables of the template of links to executions."""

    envoy: EnvoyProtocol

    descriptor_marks: tuple[DescriptorMark, ...]
    """What a descriptor set of this release shows."""

    apiserver_rights: tuple[Grant, ...]
    """What the API server may do besides the kinds, their definitions and new projects' namespaces."""

    reconciled: tuple[str, ...]
    """Kinds the controller manager writes."""

    created: tuple[str, ...]
    """Of those, the kinds it also creates."""

    read_only: tuple[str, ...]
    """Kinds the controller manager reads."""

    controllermgr_rights: tuple[Grant, ...]
    """What it may do besides, on the control plane's whole cluster."""

    serving_reads_secrets: bool
    """Whether serving reads credentials through the shared cache, which takes rights on all Secrets."""

    compute: ComputeClusters

    reflector_errors: str
    """Metric that counts objects which could not be decoded."""

    cascades: bool
    """Whether deleting a Pipeline deletes its runs."""

    consistent_queries: bool
    """Whether Cadence must allow strongly consistent queries; without them no run is seen to end."""

    required_fields: Mapping[str, tuple[str, ...]]
    """Paths in `spec` that objects of a kind must have, by kind."""

    removed_fields: Mapping[str, tuple[str, ...]]
    """Paths in `spec` that earlier releases had and this one drops when an object is written, by kind."""
