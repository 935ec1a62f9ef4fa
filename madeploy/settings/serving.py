"""`michelangelo:serving`: what inference servers need on the control plane's cluster, and, from release 0.12
on, on compute clusters with `serving: true`."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from madeploy.settings.base import DnsLabel, DnsSubdomain, Section
from madeploy.settings.images import Image

TRITON: Final = Image(repository="nvcr.io/nvidia/tritonserver", tag="23.04-py3")


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

    triton_image: Image = TRITON
    """Image of Triton where an InferenceServer names none, from release 0.12 on, whose built-in one is
    private. Default `nvcr.io/nvidia/tritonserver:23.04-py3`."""
