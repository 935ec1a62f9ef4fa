"""Which objects go to which cluster in which order: folders of the tree.

A stage is a folder of objects that may be applied at once. Stages of one number do not wait for each other;
a higher number waits until the lower ones are healthy. The numbers follow what `components/` makes its
resources depend on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from madeploy.names.kubernetes import ray_manager_token
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.gitops import ExternalSecrets, NamedSecrets
from manifests import catalog
from manifests.objects import Inputs, Object
from manifests.registration import is_registered
from manifests.secret_references import WantedSecret, external_secret, push_secret, wanted_secrets

REGISTRATIONS: Final = "registrations"
"""Folder of the control plane's half of every registration: applied to its cluster, but after its API
server has created the definitions, and deleted before it."""

COMPUTE: Final = "compute"
"""Folder of the compute clusters' folders."""

LAST: Final = 50
ORDER: Final[Mapping[str, int]] = {
    "namespaces": 10,
    "network-policies": 20,
    "issuers": 20,
    "secrets": 20,
    "apiserver": 30,
    "controllermgr": 40,
    "worker": 40,
    "model-registry": 40,
}
"""Number of each of the catalog's bundles; every other one needs nothing more than the API server, and
nothing needs it: `LAST`. Front doors are there because an Ingress may wait long for its address, and Envoy's
own certificate may need the door."""


@dataclass(frozen=True)
class Stage:
    """Objects that may be applied at once."""

    folder: str
    """Such as `10-namespaces`; empty where the target has one stage only."""

    order: int
    objects: tuple[Object, ...]
    encrypted: tuple[str, ...] = ()
    """Names of files with encrypted Secrets, which are put there by hand."""


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
    """Everything there is to write."""

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


def plan(
    environment: Environment, stack: str, inputs: Inputs, endpoints: Mapping[str, tuple[str, str]]
) -> Plan:
    """All targets of an environment.

    Args:
        environment: the environment.
        stack: its stack's name, the default prefix in secret stores.
        inputs: what builders need from other resources.
        endpoints: `(host, port)` of clusters as an update registered them, for those whose address is not in
            the settings.
    """
    references = _References(environment, stack)
    first, *compute = catalog.targets(environment, inputs, endpoints)
    control_plane = [
        _stage(bundle.name, bundle.objects) for bundle in first.bundles if bundle.name != "clusters"
    ]
    control_plane.append(
        references.stage("secrets", CONTROL_PLANE, lambda wanted: not wanted.is_registration)
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
        extra = references.stage("", target.cluster, lambda _: True)
        pushed = references.pushed(target.cluster, objects)
        stage = Stage("", LAST, (*objects, *extra.objects, *pushed), extra.encrypted)
        targets.append(Target(f"{COMPUTE}/{target.cluster}", target.cluster, (stage,)))
    there = {obj["metadata"]["name"] for obj in clusters}
    unknown = (
        name for name in environment.clusters if is_registered(environment, name) and name not in there
    )
    return Plan(tuple(targets), tuple(sorted(unknown)))


def _stage(name: str, objects: tuple[Object, ...]) -> Stage:
    order = ORDER.get(name, LAST)
    return Stage(f"{order}-{name}", order, objects)


def _present(stages: list[Stage]) -> tuple[Stage, ...]:
    """Stages that hold something, in order."""
    return tuple(
        sorted((stage for stage in stages if stage.objects or stage.encrypted), key=lambda stage: stage.order)
    )


class _References:
    """What stands for Secrets that hold values, as the settings say."""

    def __init__(self, environment: Environment, stack: str) -> None:
        self.environment = environment
        self.prefix = key_prefix(environment, stack)
        self.by_cluster: dict[str, list[WantedSecret]] = {}
        if not isinstance(environment.gitops.secrets, NamedSecrets):
            for wanted in wanted_secrets(environment):
                self.by_cluster.setdefault(wanted.cluster, []).append(wanted)

    def stage(
        self, name: str, cluster: str, chosen: Callable[[WantedSecret], bool], order: int | None = None
    ) -> Stage:
        """References to the chosen Secrets of a cluster."""
        wanted = [each for each in self.by_cluster.get(cluster, ()) if chosen(each)]
        number = ORDER.get(name, LAST) if order is None else order
        folder = f"{number}-{name}" if name else ""
        secrets = self.environment.gitops.secrets
        if not isinstance(secrets, ExternalSecrets):
            return Stage(folder, number, (), tuple(encrypted_file(self.environment, each) for each in wanted))
        store = secrets.store if cluster == CONTROL_PLANE else secrets.compute_store
        if store is None:
            return Stage(folder, number, ())
        return Stage(
            folder, number, tuple(external_secret(secrets, store, self.prefix, each) for each in wanted)
        )

    def pushed(self, cluster: str, objects: tuple[Object, ...]) -> tuple[Object, ...]:
        """What carries a compute cluster's token to the store."""
        secrets = self.environment.gitops.secrets
        if not isinstance(secrets, ExternalSecrets) or secrets.compute_store is None:
            return ()
        # A bounded token is asked for by the command line, so there is no Secret of it to push.
        name = ray_manager_token(self.environment.clusters[cluster].credential.generation)
        if not any(obj["kind"] == "Secret" and obj["metadata"]["name"] == name for obj in objects):
            return ()
        return (push_secret(secrets, secrets.compute_store, self.prefix, cluster, name),)
