"""Ingress controllers: which one serves an Ingress, and which Services and pods are its own.

Names and annotations are those of the controllers' own documentation and charts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from .model import Resource, mapping, texts
from .pods import WORKLOADS, Container, containers, pod, selects

INGRESS: Final = "networking.k8s.io/Ingress"
INGRESS_CLASS: Final = "networking.k8s.io/IngressClass"
ALB_PARAMETERS: Final = frozenset(
    {"elbv2.k8s.aws/IngressClassParams", "eks.amazonaws.com/IngressClassParams"}
)
_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"

INGRESS_NGINX: Final = "ingress-nginx"
"""The Kubernetes project's controller."""

NGINX_INC: Final = "nginx-ingress"
"""The controller of F5 NGINX. Its class is mostly called `nginx` too."""

ALB: Final = "alb"
"""AWS Load Balancer Controller, and EKS Auto Mode's."""

GKE: Final = "gke"
TRAEFIK: Final = "traefik"
KONG: Final = "kong"
OPENSHIFT: Final = "openshift"
HAPROXY: Final = "haproxy"
APPLICATION_GATEWAY: Final = "application-gateway"
CONTOUR: Final = "contour"

_BY_CONTROLLER: Final = {
    "eks.amazonaws.com/alb": ALB,
    "ingress.k8s.aws/alb": ALB,
    "k8s.io/ingress-nginx": INGRESS_NGINX,
    "webapprouting.kubernetes.azure.com/nginx": INGRESS_NGINX,
    "nginx.org/ingress-controller": NGINX_INC,
    "ingress-controllers.konghq.com/kong": KONG,
    "traefik.io/ingress-controller": TRAEFIK,
    "openshift.io/ingress-to-route": OPENSHIFT,
    "haproxy.org/ingress-controller": HAPROXY,
    "haproxy-ingress.github.io/controller": HAPROXY,
    "azure/application-gateway": APPLICATION_GATEWAY,
    "projectcontour.io/ingress-controller": CONTOUR,
}
"""By `spec.controller` of the IngressClass."""

_BY_CLASS: Final = {
    "alb": ALB,
    "nginx": INGRESS_NGINX,
    "webapprouting.kubernetes.azure.com": INGRESS_NGINX,
    "gce": GKE,
    "gce-internal": GKE,
    "traefik": TRAEFIK,
    "kong": KONG,
    "openshift-default": OPENSHIFT,
    "haproxy": HAPROXY,
    "azure-application-gateway": APPLICATION_GATEWAY,
    "azure/application-gateway": APPLICATION_GATEWAY,
    "contour": CONTOUR,
}
"""By the class's usual name, where its IngressClass is not among the objects."""

_BY_ANNOTATION: Final = (
    ("nginx.ingress.kubernetes.io/", INGRESS_NGINX),
    ("nginx.org/", NGINX_INC),
    ("nginx.com/", NGINX_INC),
    ("alb.ingress.kubernetes.io/", ALB),
    ("networking.gke.io/", GKE),
    ("ingress.gcp.kubernetes.io/", GKE),
    ("traefik.ingress.kubernetes.io/", TRAEFIK),
    ("konghq.com/", KONG),
    ("route.openshift.io/", OPENSHIFT),
    ("haproxy.org/", HAPROXY),
    ("haproxy-ingress.github.io/", HAPROXY),
    ("appgw.ingress.kubernetes.io/", APPLICATION_GATEWAY),
    ("projectcontour.io/", CONTOUR),
)
"""By the start of an annotation that only this controller reads."""


def annotations_of(resource: Resource) -> Mapping[str, Any]:
    return mapping(resource.metadata.get("annotations"))


def class_name(ingress: Resource) -> str:
    """Name of an Ingress' class, by its field or the annotation that was before it; empty without both."""
    given = ingress.spec.get("ingressClassName") or annotations_of(ingress).get(_CLASS_ANNOTATION)
    return given if isinstance(given, str) else ""


def classes_of(resources: Iterable[Resource]) -> list[Resource]:
    """The IngressClasses among resources, and what they refer to."""
    return [item for item in resources if item.kind == INGRESS_CLASS or item.kind in ALB_PARAMETERS]


def ingress_class(ingress: Resource, classes: Iterable[Resource]) -> Resource | None:
    """The IngressClass of an Ingress, or the cluster's default where it names none; None when it is not
    among them."""
    name = class_name(ingress)
    for resource in classes:
        if resource.kind == INGRESS_CLASS and (
            resource.metadata.get("name") == name
            if name
            else str(annotations_of(resource).get(_DEFAULT_CLASS)).lower() == "true"
        ):
            return resource
    return None


def controller(ingress: Resource, classes: Iterable[Resource]) -> str | None:
    """Which controller serves an Ingress: one of the names above, or what its class calls it; None when
    nothing says it."""
    found = ingress_class(ingress, classes)
    if found is not None:
        said = str(found.spec.get("controller") or "")
        return _BY_CONTROLLER.get(said, said)
    keys = [str(key) for key in annotations_of(ingress)]
    families = [name for start, name in _BY_ANNOTATION if any(key.startswith(start) for key in keys)]
    name = class_name(ingress)
    usual = _BY_CLASS.get(name)
    if usual == INGRESS_NGINX and NGINX_INC in families and INGRESS_NGINX not in families:
        return NGINX_INC
    return usual or next(iter(families), name or None)


_DEFAULT_CERTIFICATE: Final = ("--default-ssl-certificate", "-wildcard-tls-secret", "--wildcard-tls-secret")
"""Arguments that give a controller a certificate for hosts that name none."""


def has_default_certificate(resources: Iterable[Resource]) -> bool:
    """Whether a controller among the resources is given a certificate for hosts that name none."""
    return any(
        argument.startswith(_DEFAULT_CERTIFICATE)
        for resource in resources
        if resource.kind in WORKLOADS
        for _, container in containers(resource)
        for key in ("command", "args")
        for argument in texts(container.data.get(key))
    )


def alb_parameters(ingress: Resource, classes: Sequence[Resource]) -> Mapping[str, Any]:
    """`spec` of the IngressClassParams that an Ingress' class refers to; empty where there are none."""
    found = ingress_class(ingress, classes)
    named = mapping(found.spec.get("parameters")).get("name") if found else None
    for resource in classes:
        if resource.kind in ALB_PARAMETERS and resource.metadata.get("name") == named:
            return resource.spec
    return {}


_LABELS: Final = frozenset(
    {
        "app",
        "app.kubernetes.io/component",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/name",
        "gloo",
        "istio",
        "k8s-app",
        "name",
        "service",
    }
)
"""Labels that say what a pod is."""

_PODS: Final = re.compile(
    r"(.+-)?(ingress-nginx(-controller)?|nginx-ingress(-controller|-microk8s)?|ingress-controller|traefik"
    r"|kong(-gateway)?|ingress-kong|haproxy-ingress|kubernetes-ingress|contour|istio-ingressgateway"
    r"|ingressgateway|istio-ingress|emissary-ingress|ambassador|apisix|gateway-proxy|skipper-ingress"
    r"|nginx-gateway(-fabric)?|cilium-ingress|envoy-gateway|router-default)"
)
"""What charts call a controller's pods; a release's name may stand before it."""

_GENERATED: Final = (
    "gateway.networking.k8s.io/gateway-name",
    "gateway.envoyproxy.io/owning-gateway-name",
    "gateway.envoyproxy.io/owning-gatewayclass",
    "io.cilium.gateway/owning-gateway",
    "ingresscontroller.operator.openshift.io/deployment-ingresscontroller",
    "ingresscontroller.operator.openshift.io/owning-ingresscontroller",
)
"""Labels that controllers and operators put on what they make for a Gateway or an entry point."""

_CONTOUR: Final = ("projectcontour", "envoy")
"""Namespace of Contour's own manifests, and what they call its proxies."""

_IMAGES: Final = re.compile(
    r"(^|/)(ingress-nginx/controller|nginx-ingress-controller|nginx/nginx-ingress|nginx-ic/[\w.-]+|traefik"
    r"|kong(-gateway)?|kubernetes-ingress(-controller)?|haproxy-ingress|haproxytech/[\w.-]+"
    r"|emissary|apisix|gloo-envoy-wrapper|skipper|nginx-gateway-fabric(/nginx)?|caddy/ingress"
    r"|hardened-ingress-nginx|nginx-ingress-controller-amd64)$"
)
"""Images of controllers and their proxies, without registry, tag and digest."""


_ISTIO: Final = re.compile(r".*(gateway|ingress).*")
"""Istio's own label, on its gateways whatever they are called."""


def _named(labels: Mapping[str, Any]) -> bool:
    for key, value in labels.items():
        pattern = _ISTIO if key == "istio" else _PODS
        if key in _GENERATED or (key in _LABELS and isinstance(value, str) and pattern.fullmatch(value)):
            return True
    return False


def _ours(text: str) -> bool:
    return text.startswith("michelangelo") or "michelangelo-ai/" in text


def _behind(service: Resource, resources: Iterable[Resource]) -> Iterator[Container]:
    """Containers of the pods a Service sends to, as far as they are among the resources."""
    selector = mapping(service.spec.get("selector"))
    for resource in resources:
        if resource.kind not in WORKLOADS or resource.namespace != service.namespace:
            continue
        found = pod(resource)
        if found and selects({"matchLabels": selector}, mapping(found.metadata.get("labels"))):
            yield from (container for _, container in containers(resource))


def is_front_door(service: Resource, resources: Iterable[Resource]) -> bool:
    """Whether a Service is a controller's own, through which all others are published: by the pods it sends
    to, by what it selects, or, where it selects nothing, by its own labels and name."""
    selector = mapping(service.spec.get("selector"))
    behind = list(_behind(service, resources)) if selector else []
    if any(_ours(item.image) for item in behind) or any(_ours(str(value)) for value in selector.values()):
        return False
    if any(_IMAGES.search(item.repository) for item in behind):
        return True
    labels = mapping(service.metadata.get("labels"))
    if not labels.keys().isdisjoint(_GENERATED) or (service.namespace, selector.get("app")) == _CONTOUR:
        return True
    if selector:
        return _named(selector)
    return _named(labels) or _PODS.fullmatch(str(service.metadata.get("name"))) is not None
