"""The whole platform of one environment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pulumi

from components import bundles
from components.artifact_store import ArtifactStore, ArtifactStoreArgs
from components.compute_cluster import ComputeCluster, ComputeClusterArgs, is_moving
from components.configuration import Access, Configuration
from components.gates import after_credentials, definitions_established
from components.providers import kubernetes
from madeploy import __version__
from madeploy.names import addresses
from madeploy.names import kubernetes as names
from madeploy.names.storage import bucket_outputs
from madeploy.settings import CONTROL_PLANE
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage
from manifests import credentials, identities, registration
from manifests.inputs import Inputs
from manifests.objects import Bundle
from manifests.parts import IN_ORDER, NAMESPACES, PARTS, REGISTRAR, Component
from manifests.rbac import RIGHTS


class Platform(pulumi.ComponentResource):
    """Control plane, front door, object store and registered clusters of one environment."""

    outputs: dict[str, Any]
    """Stack outputs, none of them secret; documented in `docs/outputs.md`."""

    def __init__(self, name: str, args: Configuration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("michelangelo:index:Platform", name, {}, opts)
        environment, storage = args.environment, args.environment.storage
        own = pulumi.ResourceOptions(parent=self)
        access = args.access[CONTROL_PLANE]
        provider = kubernetes(CONTROL_PLANE, access, former_parent=self)
        here = pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(providers=[provider]))

        store = None
        if isinstance(storage, AwsStorage):
            store = ArtifactStore("store", ArtifactStoreArgs(environment, storage, pulumi.get_stack()), own)
        text, fingerprint = _object_store_secrets(args)
        inputs = Inputs(environment, pulumi.get_stack(), text, fingerprint)
        moving: list[pulumi.CustomResource] = []
        made = _create(inputs, access, here, moving)
        tasks = task_credentials(args)
        clusters = {
            cluster: ComputeCluster(
                cluster,
                ComputeClusterArgs(inputs, args.access[cluster], provider, tasks, made[REGISTRAR]),
                own,
            )
            for cluster in args.access
            if cluster != CONTROL_PLANE
        }
        moving += [
            one.token for cluster, one in clusters.items() if one.token and is_moving(environment, cluster)
        ]
        self.outputs = {
            "urls": {"api": addresses.api_url(environment), "app": addresses.app_url(environment)},
            "namespaces": {
                "control_plane": environment.platform.namespace,
                "clusters": names.CLUSTERS_NAMESPACE,
                "credentials": names.CREDENTIALS_NAMESPACE,
            },
            "buckets": bucket_outputs(storage),
            "iam_roles": identities.given_roles(environment) | (store.role_arns if store else {}),
            "clusters": {
                cluster: {"host": one.host, "port": one.port, "secret_names": one.secrets}
                for cluster, one in clusters.items()
            },
            "tier": environment.platform.tier,
            "toolkit_version": __version__,
        }
        self.register_outputs({})


class PartGroup(pulumi.ComponentResource):
    """Parts that belong together in the engine's view: it holds nothing but their resources."""

    def __init__(self, component: Component, opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"michelangelo:index:{component.type}", component.name, {}, opts)


def _create(
    inputs: Inputs,
    access: Access,
    opts: pulumi.ResourceOptions,
    moving: Sequence[pulumi.CustomResource],
) -> dict[str, Sequence[pulumi.Resource]]:
    """Create every part after those it waits for, and after the definitions of its kinds; rights before any
    service; the controller manager anew after the credentials that are `moving`. Returns their resources by
    part; a part without any stands for those it waits for."""
    groups = {
        component: PartGroup(component, opts) for component in dict.fromkeys(part.component for part in PARTS)
    }
    made: dict[str, Sequence[pulumi.Resource]] = {}
    for part in IN_ORDER:
        rights, others = Bundle(part.name, part.build(inputs)).split(RIGHTS)
        own = pulumi.ResourceOptions(parent=groups[part.component])
        granted = bundles.create(rights, own, made.get(NAMESPACES, ()))
        after = list(dict.fromkeys(resource for name in part.after for resource in made[name]))
        needs = part.needs(inputs.environment) if others.objects else None
        hooks = definitions_established(access.minified, needs, inputs.environment) if needs else None
        if part.name == REGISTRAR and any(
            is_moving(inputs.environment, name) for name in inputs.environment.clusters
        ):
            hooks = hooks or pulumi.ResourceHookBinding()
            hooks.before_update = [*(hooks.before_update or ()), after_credentials(moving)]
        made[part.name] = [*granted, *bundles.create(others, own, [*after, *granted], hooks)] or after
    for group in groups.values():
        group.register_outputs({})
    return made


def _object_store_secrets(args: Configuration) -> tuple[Any, Any]:
    """Text of the Secret with static keys and its fingerprint; nothing where pods have roles or the Secret
    is somebody else's."""
    storage = args.environment.storage
    if not isinstance(storage, S3CompatibleStorage) or storage.credentials_secret or not args.object_store:
        return None, None
    keys = pulumi.Output.all(**args.object_store)
    text = keys.apply(
        lambda values: credentials.object_store_yaml(values["accessKeyId"], values["secretAccessKey"])
    )
    fingerprint = pulumi.Output.unsecret(
        text.apply(lambda value: hashlib.sha256(value.encode()).hexdigest()[:8])
    )
    return text, fingerprint


def task_credentials(args: Configuration) -> pulumi.Output[dict[str, str]] | None:
    """Data of the Secret that tasks on compute clusters read static keys from; None where they need none."""
    storage = args.environment.storage
    if not isinstance(storage, S3CompatibleStorage) or not args.object_store:
        return None
    region = storage.region
    return pulumi.Output.all(**args.object_store).apply(
        lambda values: registration.task_credentials_data(
            values["accessKeyId"], values["secretAccessKey"], region
        )
    )
