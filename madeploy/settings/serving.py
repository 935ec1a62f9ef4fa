"""`michelangelo:serving`: what inference servers need on the control plane's cluster, and, from release 0.12
on, on compute clusters with `serving: true`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from madeploy.settings.base import DnsLabel, DnsSubdomain, Name, Section
from madeploy.settings.identities import RoleArn
from madeploy.settings.images import Image

TRITON: Final = Image(repository="nvcr.io/nvidia/tritonserver", tag="23.04-py3")


MODEL_SYNC: Final = Image(repository="public.ecr.aws/aws-cli/aws-cli", tag="2.15.50")


class ModelSync(Section):
    """What brings models from the bucket to the nodes, on every node of a cluster that serves: from a fixed
    image, with nothing downloaded at its start. It runs as root and writes a folder of the node."""

    servers: tuple[DnsLabel, ...] = Field(min_length=1, max_length=100, examples=[["example"]])
    """Names of the InferenceServers whose models it brings."""

    image: Image = MODEL_SYNC
    """Image with bash, sed, grep and the AWS CLI as `aws`. Default
    `public.ecr.aws/aws-cli/aws-cli:2.15.50`."""

    interval_seconds: int = Field(default=60, ge=10, le=3600)
    """Seconds between two looks at the lists. Default 60."""

    role_arns: Mapping[Name, RoleArn] = Field(default_factory=dict)
    """Existing IAM role that reads the bucket of models, by cluster (`control-plane` for the control plane's
    own), put on the ServiceAccount `michelangelo-model-sync`. Default: with `storage.kind: aws` a role of
    this environment, taken as `storage.identity` says on the control plane's cluster and as
    `clusters.<name>.taskIdentity` says (`irsa`, `podIdentity`) on compute clusters; else none."""

    credentials_secret: DnsSubdomain | None = None
    """Existing Secret in the namespace, on every cluster that serves, with `AWS_ACCESS_KEY_ID` and
    `AWS_SECRET_ACCESS_KEY`, for an S3-compatible store. Default: none."""


class Serving(Section):
    """Off unless this section is there. Inference servers, their Gateway and the model-sync that brings them
    models are in one namespace. Pods of Triton and of model-sync mount a folder of the node, which Pod
    Security `baseline` refuses."""

    namespace: DnsLabel = Field(examples=["serving"])
    """Namespace of inference servers, on every cluster that serves."""

    create_namespace: bool = False
    """Whether the namespace is made here, with Pod Security `privileged`. Default false: it exists, as a
    project's does, and holds its pods to no more."""

    gateway_class: DnsSubdomain = "istio"
    """GatewayClass of the Gateway `ma-gateway`. Default `istio`: the platform looks for its Service as Istio
    names it."""

    gateway_service: DnsSubdomain = "ma-gateway-istio"
    """Service that the class makes for the Gateway. Default `ma-gateway-istio`, as Istio does."""

    port_name: DnsLabel = "http"
    """Name of that Service's port. Default `http`."""

    model_sync: ModelSync | None = None
    """model-sync. Default: models come to the nodes some other way."""

    triton_image: Image = TRITON
    """Image of Triton where an InferenceServer names none, from release 0.12 on, whose built-in one is
    private. Default `nvcr.io/nvidia/tritonserver:23.04-py3`."""
