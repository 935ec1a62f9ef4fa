"""Stages of the tree: objects by cluster and order.

A stage is a folder of objects that may be applied at once. Stages of one number do not wait for each other;
a higher number waits until the lower ones are healthy. The numbers are depths in the table of parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from madeploy.names.kubernetes import ray_manager_token, serving_manager_token
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.gitops import ExternalSecrets, NamedSecrets
from manifests import catalog
from manifests.inputs import Inputs
from manifests.objects import Object
from manifests.parts import DEPTHS, PARTS
from manifests.registration import is_registered
from manifests.secret_references import (
    CREDENTIAL,
    SERVING_CREDENTIAL,
    WantedSecret,
    external_secret,
    push_secret,
    wanted_secrets,
)

REGISTRATIONS: Final = "registrations"
"""Folder of the control plane's half of every registration: applied to its cluster, but after its API
server has created the definitions, and deleted before it."""

COMPUTE: Final = "compute"
"""Folder of the compute clusters' folders."""

AWAITED: Final = {part.name: part.awaited for part in PARTS}
STEP: Final = 10
"""Distance between the numbers of two stages."""

SECRETS: Final = "object-store"
"""Part whose objects hold values: references to them, or encrypted files, take their place."""


def number(part: str) -> int:
    """A part's stage: its depth in the table of parts."""
    return DEPTHS[part] * STEP


def folder(part: str) -> str:
    """Folder of a part's stage, such as `10-namespaces`."""
    return f"{number(part)}-{part}"


@dataclass(frozen=True)
class Stage:
    """Objects that may be applied at once."""

    folder: str
    """Such as `10-namespaces`; empty where the target has one stage only."""

    order: int
    objects: tuple[Object, ...]
    encrypted: tuple[str, ...] = ()
    """Names of files with encrypted Secrets, which are put there by hand."""

    awaited: bool = True
    """Whether it counts as applied only once it is ready."""


@dataclass(frozen=True)
class Target:
    """A folder that is applied to one cluster."""

    folder: str
    """`control-plane`, `registrations` or `compute/<cluster>`."""

    cluster: str
    """`control-plane`, or a compute cluster's name."""

    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Plan:
    """Plan of a rendered folder."""

    targets: tuple[Target, ...]
    unknown: tuple[str, ...]
    """Clusters whose `Cluster` object is missing, because settings do not say their address."""


def encrypted_file(environment: Environment, wanted: WantedSecret) -> str:
    """Name of the file that holds an encrypted Secret."""
    kind = "sealedsecret" if environment.gitops.secrets.kind == "sealedSecrets" else "secret"
    suffix = ".yaml" if kind == "sealedsecret" else ".enc.yaml"
    return f"{kind}-{wanted.name}{suffix}"


def key_prefix(environment: Environment, stack: str) -> str:
    """Beginning of every name in the secret store."""
    secrets = environment.gitops.secrets
    prefix = secrets.key_prefix if isinstance(secrets, ExternalSecrets) else None
    return prefix or f"michelangelo/{stack}"


def plan(environment: Environment, stack: str, endpoints: Mapping[str, tuple[str, str]]) -> Plan:
    """All targets of an environment.

    Args:
        environment: the environment.
        stack: its stack's name, the default prefix in secret stores.
        endpoints: `(host, port)` of clusters as an update registered them, for those whose address is not in
            the settings.
    """
    references = _References(environment, stack)
    first, *compute = catalog.targets(Inputs(environment, stack), endpoints)
    control_plane = [
        Stage(folder(bundle.name), number(bundle.name), bundle.objects, awaited=AWAITED[bundle.name])
        for bundle in first.bundles
        if bundle.name in DEPTHS
    ]
    control_plane.append(
        references.stage("secrets", CONTROL_PLANE, lambda wanted: not wanted.is_registration, number(SECRETS))
    )
    (clusters,) = (bundle.objects for bundle in first.bundles if bundle.name == "clusters")
    targets = [Target(CONTROL_PLANE, CONTROL_PLANE, _present(control_plane))]
    registered = _present(
        [
            references.stage("credentials", CONTROL_PLANE, lambda wanted: wanted.is_registration, 10),
            Stage("20-clusters", 20, clusters),
        ]
    )
    if registered:
        targets.append(Target(REGISTRATIONS, CONTROL_PLANE, registered))
    for target in compute:
        objects = tuple(obj for bundle in target.bundles for obj in bundle.objects)
        extra = references.stage("", target.cluster, lambda _: True, STEP)
        pushed = references.pushed(target.cluster, objects)
        stage = Stage("", STEP, (*objects, *extra.objects, *pushed), extra.encrypted)
        targets.append(Target(f"{COMPUTE}/{target.cluster}", target.cluster, (stage,)))
    there = {obj["metadata"]["name"] for obj in clusters}
    unknown = (
        name for name in environment.clusters if is_registered(environment, name) and name not in there
    )
    return Plan(tuple(targets), tuple(sorted(unknown)))


def _present(stages: list[Stage]) -> tuple[Stage, ...]:
    """Stages that hold something, in order."""
    return tuple(
        sorted((stage for stage in stages if stage.objects or stage.encrypted), key=lambda stage: stage.order)
    )


class _References:
    """References in place of Secrets that hold values, as the settings say."""

    def __init__(self, environment: Environment, stack: str) -> None:
        self.environment = environment
        self.prefix = key_prefix(environment, stack)
        self.by_cluster: dict[str, list[WantedSecret]] = {}
        if not isinstance(environment.gitops.secrets, NamedSecrets):
            for wanted in wanted_secrets(environment):
                self.by_cluster.setdefault(wanted.cluster, []).append(wanted)

    def stage(self, name: str, cluster: str, chosen: Callable[[WantedSecret], bool], order: int) -> Stage:
        """References to the chosen Secrets of a cluster."""
        wanted = [each for each in self.by_cluster.get(cluster, ()) if chosen(each)]
        folder = f"{order}-{name}" if name else ""
        secrets = self.environment.gitops.secrets
        if not isinstance(secrets, ExternalSecrets):
            return Stage(folder, order, (), tuple(encrypted_file(self.environment, each) for each in wanted))
        store = secrets.store if cluster == CONTROL_PLANE else secrets.compute_store
        if store is None:
            return Stage(folder, order, ())
        return Stage(
            folder, order, tuple(external_secret(secrets, store, self.prefix, each) for each in wanted)
        )

    def pushed(self, cluster: str, objects: tuple[Object, ...]) -> tuple[Object, ...]:
        """What carries a compute cluster's tokens to the store."""
        secrets = self.environment.gitops.secrets
        if not isinstance(secrets, ExternalSecrets) or secrets.compute_store is None:
            return ()
        generation, entry = self.environment.clusters[cluster].credential.generation, f"clusters/{cluster}"
        # A bounded token is asked for by the command line, so there is no Secret of it to push.
        filled = {
            obj["metadata"]["name"]
            for obj in objects
            if obj["kind"] == "Secret" and obj.get("type") == "kubernetes.io/service-account-token"
        }
        return tuple(
            push_secret(secrets, secrets.compute_store, f"{self.prefix}/{entry}", name, properties)
            for name, properties in (
                (ray_manager_token(generation), CREDENTIAL),
                (serving_manager_token(generation), SERVING_CREDENTIAL),
            )
            if name in filled
        )
