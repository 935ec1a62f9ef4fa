"""`michelangelo:frontDoor`: what receives traffic from outside, Ingress or Gateway API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import AnnotationKey, DnsLabel, DnsSubdomain, Section

ApiTls = Literal["terminate", "passthrough"]


class IngressFrontDoor(Section):
    """Kubernetes Ingress objects, for ingress-nginx by default (network guide, Ingress setup)."""

    kind: Literal["ingress"]
    """Chooses Ingress."""

    class_name: DnsSubdomain = "nginx"
    """IngressClass. Default `nginx`."""

    controller_namespace: DnsLabel = "ingress-nginx"
    """Namespace the controller's pods run in; NetworkPolicies admit traffic from there only."""

    api_annotations: Mapping[AnnotationKey, str] | None = None
    """Annotations of the API Ingress, in place of ingress-nginx's gRPC ones, for another controller.
    Default: `backend-protocol: GRPC`, time-outs of 3600 s and the redirect to HTTPS."""

    app_annotations: Mapping[AnnotationKey, str] | None = None
    """Annotations of the application Ingress for another controller. Default: ingress-nginx's."""

    api_tls: ApiTls = "terminate"
    """Who ends TLS at the API's host: the controller, or, with `passthrough`, Envoy, which then sees callers'
    certificates (`access.api.certificates`). ingress-nginx passes TLS through when it is started with
    `--enable-ssl-passthrough`. Default `terminate`."""


class GatewayApiFrontDoor(Section):
    """Gateway API: one Gateway, a GRPCRoute for the API, an HTTPRoute for the application."""

    kind: Literal["gatewayApi"]
    """Chooses Gateway API."""

    class_name: DnsSubdomain
    """GatewayClass of the installed implementation, such as `istio`, `eg` or `cilium`."""

    controller_namespace: DnsLabel
    """Namespace the gateway's proxy pods run in; NetworkPolicies admit traffic from there only."""

    gateway_name: DnsLabel = "michelangelo"
    """Name of the Gateway. Default `michelangelo`."""

    api_tls: ApiTls = "terminate"
    """Who ends TLS at the API's host: the gateway, or, with `passthrough`, Envoy, which then sees callers'
    certificates (`access.api.certificates`). It takes TLSRoutes: Gateway API 1.5. Default `terminate`."""


FrontDoor = Annotated[IngressFrontDoor | GatewayApiFrontDoor, Field(discriminator="kind")]
