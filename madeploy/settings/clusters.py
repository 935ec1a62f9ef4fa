"""`michelangelo:clusters`: the registered compute clusters, a map keyed by name."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from madeploy.settings.authorities import authority_text
from madeploy.settings.base import Accepts, DnsLabel, Name, Section
from madeploy.settings.cluster_origins import Adopted, Eks
from madeploy.settings.identities import TaskIdentity
from madeploy.settings.queues import Queues
from madeploy.settings.servers import parse_server
from madeploy.settings.tracking import Tracking

ClusterName = DnsLabel
"""Name of a cluster: a label, because it is used as the value of one."""

Size = Annotated[
    str,
    Field(pattern=r"^[0-9]+(\.[0-9]+)?[A-Za-z]{0,2}$", max_length=20),
    Accepts("a number and a unit", "32G"),
]
"""A size as the platform stores it."""


def _check_server(value: str) -> str:
    parse_server(value)
    return value


def _check_authority(value: str) -> str:
    authority_text(value)
    return value


_EXAMPLE_CA = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n").decode()

Server = Annotated[
    str,
    AfterValidator(_check_server),
    Accepts("https://host or https://host:port, nothing after it", "https://compute.example.com:6443"),
]
"""Address of an API server."""

CertificateAuthority = Annotated[
    str,
    AfterValidator(_check_authority),
    Accepts(
        "a PEM certificate in base64 on one line, as a kubeconfig's certificate-authority-data", _EXAMPLE_CA
    ),
]
"""A PEM certificate in base64."""


class Sku(Section):
    """A machine type the cluster offers. Stored with the registration; not used for scheduling."""

    cpu: int = Field(ge=0)
    """Number of CPU cores."""

    memory_gb: Size
    """Memory, such as `32G`."""

    disk_size_gb: Size | None = None
    """Disk, such as `100G`."""

    gpu: int = Field(default=0, ge=0)
    """Number of GPUs."""

    gpu_sku: Name | None = None
    """GPU model."""


CredentialKind = Literal["longLived", "bounded"]
Generation = Annotated[int, Field(ge=1, le=999_999)]


class KeptCredential(Section):
    """A credential that exists besides the registered one, while one takes over from the other."""

    generation: Generation
    """Its number; `ray-manager-token-<number>` on the cluster, without the number for 1."""

    kind: CredentialKind = "longLived"
    """Its kind. Default `longLived`."""


class Credential(Section):
    """The credential the platform uses. `bin/madeploy clusters rotate` counts it up and does what that needs,
    in the order that leaves no moment without a valid one."""

    kind: CredentialKind = "longLived"
    """`longLived`: the token that Kubernetes writes into Secret `ray-manager-token`, valid until that Secret
    is deleted; `bounded`: a token with an end, asked for by `bin/madeploy clusters rotate --kind bounded`
    and kept encrypted in `clusterTokens.<name>`. Default `longLived`, as the guide has it."""

    lifetime_hours: int | None = Field(default=None, ge=1, le=87_600)
    """Lifetime to ask for, in hours, of kind `bounded` only. The API server may give less; what counts is
    the token's own end. Default 720."""

    generation: int = Field(default=1, ge=0, le=999_999)
    """Number of the credential that is registered, counted up by each rotation. 0 registers nothing: the
    cluster is only prepared."""

    keep: tuple[KeptCredential, ...] = Field(default=(), max_length=8)
    """Credentials that exist besides, in the midst of a rotation. Default: none."""


class Operators(Section):
    """Operators that jobs on the cluster need."""

    kube_ray: Literal["check", "install", "ignore"] = "check"
    """KubeRay: `check` that it is there, `install` its chart into `ray-system`, or `ignore` it. Default
    `check`."""

    kueue: Literal["check", "install", "ignore"] = "check"
    """Kueue, where the cluster has `queues`: `check` that it is there, `install` its chart into
    `kueue-system`, or `ignore` it. Default `check`."""

    spark: Literal["check", "install", "ignore"] = "ignore"
    """Spark's operator. Only `ignore`, the default, is possible at generation 2026.04: Spark jobs run on the
    control plane's own cluster there (facts 3.3)."""


class Cluster(Section):
    """One compute cluster: a Kubernetes cluster the platform dispatches Ray jobs to."""

    kubeconfig_context: Name | None = None
    """Context of the kubeconfig at hand ($KUBECONFIG, else ~/.kube/config) that administers the cluster.
    Default: the encrypted `kubeconfigs.<name>` of the stack file."""

    eks: Eks | None = None
    """The cluster by its name on EKS, in place of a kubeconfig. Default: none."""

    adopted: Adopted | None = None
    """Set by `bin/madeploy clusters adopt`: the registration was made by hand. Default: it was not."""

    server: Server | None = None
    """API server as the control plane reaches it, `https://host` or `https://host:port`. Default: the
    address in the kubeconfig, or EKS's own."""

    certificate_authority_data: CertificateAuthority | None = None
    """Certificate authority of that API server, PEM in base64. Default: the one in the
    kubeconfig, or EKS's own."""

    management: Literal["managed", "selfManaged"] = "managed"
    """`managed` (EKS, GKE, AKS): the API server is not a pod, no NetworkPolicy can admit traffic to it;
    `selfManaged`: `allow-michelangelo-controller` is made in `kube-system`."""

    task_identity: TaskIdentity | None = None
    """How task pods get AWS credentials for the object store. Default: not from here."""

    credential: Credential = Credential()
    """The platform's credential."""

    namespaces: tuple[DnsLabel, ...] | None = None
    """Namespaces the credential is limited to, by a Role in each. At generation 2026.04 the platform makes
    its Ray objects in `default` only, so `[default]` is enough. Default: a ClusterRole, as in the guide."""

    operators: Operators = Operators()
    """Operators that jobs need."""

    queues: Queues | None = None
    """Queues of Kueue for its jobs, from release 0.12 on. Set them before the cluster is registered; a later
    change of whether there are any takes a roll of the controller manager (`bin/madeploy clusters rotate`).
    Default: none."""

    serving: bool = False
    """Whether inference servers may run on it, from release 0.12 on: the cluster gets the Gateway of
    `serving` and the account `inference-server-manager`, whose token turns with the cluster's credential.
    Default false."""

    tracking: Tracking | None = None
    """Experiment-tracking server of its tasks. Default: that of the environment."""

    shard: int | None = Field(default=None, ge=0, le=999)
    """Number of the stack that holds the registration, for fleet.layout sharded; never changed once the
    cluster is registered. Written by `bin/madeploy clusters add`."""

    region: Name | None = None
    """Region, stored with the registration."""

    zone: Name | None = None
    """Zone, stored with the registration."""

    sla: Literal["production", "ephemeral"] | None = None
    """Service level, stored with the registration."""

    skus: tuple[Sku, ...] = ()
    """Machine types. Default: none."""
