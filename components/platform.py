"""The whole platform of one environment."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pulumi

from components import bundles
from components.artifact_store import ArtifactStore, ArtifactStoreArgs
from components.bundles import ObjectGroup
from components.compute_cluster import ComputeCluster, ComputeClusterArgs
from components.configuration import Configuration
from components.control_plane import ControlPlane, ControlPlaneArgs
from components.gates import (
    CERT_MANAGER,
    GATEWAY_API,
    GATEWAY_API_BACKEND_TLS,
    MODEL,
    PROMETHEUS,
    Gate,
    definitions_established,
)
from components.gateway import Gateway, GatewayArgs
from components.providers import kubernetes
from madeploy import __version__
from madeploy.names import addresses
from madeploy.names import kubernetes as names
from madeploy.names.storage import bucket_outputs
from madeploy.settings import CONTROL_PLANE
from madeploy.settings.front_door import GatewayApiFrontDoor
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage
from manifests import catalog, credentials, identities, registration
from manifests.objects import Object


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
        secrets, fingerprint = self._object_store_credentials(args)
        inputs = replace(
            identities.predicted_inputs(environment, pulumi.get_stack()), object_store_checksum=fingerprint
        )
        by_name = bundles.by_name(catalog.bundles(environment, inputs))

        def gate(kind: Gate) -> pulumi.ResourceHookBinding:
            return definitions_established(access.minified, kind, environment)

        control_plane = ControlPlane(
            "control-plane", ControlPlaneArgs(environment, by_name, secrets, access.minified), here
        )
        spaces = control_plane.namespaces
        ObjectGroup("NetworkPolicies", by_name["network-policies"], spaces, here)
        issuers = ObjectGroup("Issuers", by_name["issuers"], spaces, here, gate(CERT_MANAGER))
        doors = None
        if isinstance(environment.front_door, GatewayApiFrontDoor):
            doors = gate(GATEWAY_API_BACKEND_TLS if environment.tls.envoy.enabled else GATEWAY_API)
        Gateway("gateway", GatewayArgs(by_name, [*control_plane.api, *issuers.resources], doors), here)
        ObjectGroup("ModelRegistry", by_name["model-registry"], control_plane.api, here, gate(MODEL))
        ObjectGroup("Alerts", by_name["alerts"], spaces, here, gate(PROMETHEUS))
        tasks = task_credentials(args)
        clusters = {
            cluster: ComputeCluster(
                cluster,
                ComputeClusterArgs(
                    environment,
                    args.access[cluster],
                    provider,
                    tasks,
                    inputs,
                    control_plane.controllers,
                ),
                own,
            )
            for cluster in args.access
            if cluster != CONTROL_PLANE
        }
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
                cluster: {"host": made.host, "port": made.port, "secret_names": made.secrets}
                for cluster, made in clusters.items()
            },
            "tier": environment.platform.tier,
            "toolkit_version": __version__,
        }
        self.register_outputs({})

    def _object_store_credentials(self, args: Configuration) -> tuple[list[Object], Any]:
        """The Secret with static keys and its fingerprint; nothing where pods have roles or the Secret
        is somebody else's."""
        storage = args.environment.storage
        if (
            not isinstance(storage, S3CompatibleStorage)
            or storage.credentials_secret
            or not args.object_store
        ):
            return [], None
        keys = pulumi.Output.all(**args.object_store)
        text = keys.apply(
            lambda values: credentials.object_store_yaml(values["accessKeyId"], values["secretAccessKey"])
        )
        fingerprint = pulumi.Output.unsecret(
            text.apply(lambda value: hashlib.sha256(value.encode()).hexdigest()[:8])
        )
        return [credentials.object_store_secret(args.environment, text)], fingerprint


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
