"""The whole environment: every section of one stack file, and the keys that hold secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from madeploy.releases import RELEASES, Release
from madeploy.settings.access import Access
from madeploy.settings.base import Section
from madeploy.settings.clusters import Cluster, ClusterName
from madeploy.settings.compliance import Compliance
from madeploy.settings.control_plane import ControlPlane
from madeploy.settings.cors import Cors
from madeploy.settings.domains import Domains
from madeploy.settings.fleet import Fleet
from madeploy.settings.front_door import FrontDoor, IngressFrontDoor
from madeploy.settings.gitops import Gitops
from madeploy.settings.images import Image, Images
from madeploy.settings.metadata_storage import MetadataStorage
from madeploy.settings.model_registry import ModelRegistry
from madeploy.settings.monitoring import Monitoring
from madeploy.settings.network import Network
from madeploy.settings.notifications import Notifications
from madeploy.settings.platform import Platform
from madeploy.settings.policies import Policies
from madeploy.settings.ray_logs import RayLogs
from madeploy.settings.serving import Serving
from madeploy.settings.storage import Storage
from madeploy.settings.tenants import Tenant, TenantName
from madeploy.settings.tls import Tls
from madeploy.settings.tracking import Tracking
from madeploy.settings.workflow import Workflow

PROJECT = "michelangelo"
"""Pulumi project name and so the prefix of every configuration key."""

CONTROL_PLANE = "control-plane"
"""The control plane's own entry in `kubeconfigs`."""

SECRET_KEYS = {
    "kubeconfigs": "Encrypted kubeconfig of each cluster, by name; the control plane's is `control-plane`.",
    "clusterTokens": "Encrypted token of each cluster whose `credential.kind` is `bounded`, by name; written "
    "by `bin/madeploy clusters rotate`.",
    "objectStore": "Encrypted `accessKeyId` and `secretAccessKey` of an S3-compatible store.",
}
"""Configuration keys that hold secrets: only encrypted values are accepted below them."""


class Environment(Section):
    """One environment: what a stack file says, section by section."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "auth": RELEASES["0.12"].refused["apiserver.auth"] + " `michelangelo:access` does.",
        "secrets": RELEASES["0.12"].refused["secrets.provider"],
    }

    platform: Platform = Platform()
    """Release and tier."""

    domains: Domains
    """Public host names."""

    cors: Cors = Cors()
    """Cross-origin rules."""

    tls: Tls
    """Certificates."""

    front_door: FrontDoor = IngressFrontDoor(kind="ingress")
    """Ingress or Gateway API."""

    access: Access = Access()
    """Who may come in from outside."""

    images: Images = Images()
    """Image versions."""

    control_plane: ControlPlane = ControlPlane()
    """Services of the control plane."""

    workflow: Workflow
    """Workflow engine."""

    storage: Storage
    """Object store."""

    model_registry: ModelRegistry = ModelRegistry()
    """Model registry."""

    notifications: Notifications = Notifications()
    """Notifications of pipeline runs."""

    metadata_storage: MetadataStorage | None = None
    """Mirror of the platform's objects in a database. Default: none."""

    ray_logs: RayLogs | None = None
    """Logs of Ray's pods in the object store. Default: none."""

    serving: Serving | None = None
    """Inference servers. Default: none."""

    tracking: Tracking | None = None
    """Experiment tracking. Default: none."""

    network: Network = Network()
    """Network isolation."""

    monitoring: Monitoring | None = None
    """Scrapes, alerts and dashboards. Default: none."""

    gitops: Gitops = Gitops()
    """The environment as files for a GitOps engine."""

    policies: Policies = Policies()
    """Exceptions from the policies."""

    compliance: Compliance = Compliance()
    """Frameworks whose controls hold."""

    fleet: Fleet = Fleet()
    """Stacks the clusters are spread over."""

    tenants: Mapping[TenantName, Tenant] = Field(default_factory=dict)
    """Teams that share the platform, by the names of their projects."""

    clusters: Mapping[ClusterName, Cluster] = Field(default_factory=dict)
    """Compute clusters by name."""

    def image_of(self, service: str) -> Image:
        """What is said of the image of a service: at the service, else at its older place in `images`."""
        settings = self.control_plane.service(service)
        older = self.images.moved().get(service)
        return older if older is not None and settings.image == type(settings)().image else settings.image

    def tracking_of(self, cluster: str) -> Tracking | None:
        """The tracking server of a cluster's tasks: its own, else the environment's."""
        entry = self.clusters.get(cluster)
        return self.tracking if entry is None or entry.tracking is None else entry.tracking

    @property
    def release(self) -> Release:
        """What the deployed release reads, needs and refuses."""
        return RELEASES[self.platform.release]
