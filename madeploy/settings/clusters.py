"""`michelangelo:clusters`: the registered compute clusters, a map keyed by name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Section

ClusterName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)]


class Sku(Section):
    """A machine type the cluster offers. Stored with the registration; not used for scheduling."""

    cpu: int = Field(ge=0)
    """Number of CPU cores."""

    memory_gb: str
    """Memory, such as `32G`."""

    disk_size_gb: str | None = None
    """Disk, such as `100G`."""

    gpu: int = Field(default=0, ge=0)
    """Number of GPUs."""

    gpu_sku: str | None = None
    """GPU model."""


class Cluster(Section):
    """One compute cluster: a Kubernetes cluster the platform dispatches Ray jobs to."""

    kubeconfig_context: str | None = None
    """Context of the kubeconfig at hand ($KUBECONFIG, else ~/.kube/config) that administers the cluster.
    Default: the encrypted `kubeconfigs.<name>` of the stack file."""

    server: Annotated[str, Field(pattern=r"^https://[^\s/?#@]+$")] | None = None
    """API server as the control plane reaches it, `https://host` or `https://host:port`. Default: the
    address in the kubeconfig."""

    certificate_authority_data: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+=*$")] | None = None
    """Certificate authority of that API server, PEM in base64. Default: the one in the kubeconfig."""

    management: Literal["managed", "selfManaged"] = "managed"
    """`managed` (EKS, GKE, AKS): the API server is not a pod, no NetworkPolicy can admit traffic to it;
    `selfManaged`: `allow-michelangelo-controller` is made in `kube-system`."""

    region: str | None = None
    """Region, stored with the registration."""

    zone: str | None = None
    """Zone, stored with the registration."""

    sla: Literal["production", "ephemeral"] | None = None
    """Service level, stored with the registration."""

    skus: tuple[Sku, ...] = ()
    """Machine types. Default: none."""
