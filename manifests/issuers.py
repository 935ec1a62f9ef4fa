"""Certificate issuers for cert-manager, and the certificate Envoy itself needs (network guide, TLS)."""

from __future__ import annotations

from typing import Any

from madeploy.names.acme import issuer_name
from madeploy.names.kubernetes import workload
from madeploy.settings import Environment
from madeploy.settings.front_door import GatewayApiFrontDoor, IngressFrontDoor
from madeploy.settings.tls import AcmeTls, Http01Solver, InternalCaTls, ProvidedTls
from manifests.objects import Object, metadata

GATEWAY_HTTP_LISTENER = "http"
"""The Gateway's plaintext listener, which ACME HTTP-01 challenges come in through."""


def issuer_annotations(environment: Environment) -> dict[str, str]:
    """Annotation that makes cert-manager issue the certificates an Ingress or a Gateway names; none
    when certificates are provided by hand."""
    if isinstance(environment.tls, ProvidedTls):
        return {}
    return {"cert-manager.io/cluster-issuer": issuer_name(environment.tls)}


def issuers(environment: Environment) -> tuple[Object, ...]:
    """The `ClusterIssuer` of the environment; none when certificates are provided by hand.

    Ready is condition `Ready` with status `True` (cert-manager v1). The Secret of an internal CA is
    looked up in cert-manager's own namespace, because the issuer is cluster-scoped.
    """
    tls = environment.tls
    if isinstance(tls, ProvidedTls):
        return ()
    spec = _acme(environment, tls) if isinstance(tls, AcmeTls) else _internal_ca(tls)
    return (_cert_manager("ClusterIssuer", metadata(issuer_name(tls), None), spec),)


def certificates(environment: Environment) -> tuple[Object, ...]:
    """The `Certificate`s of an Envoy that ends TLS, where cert-manager issues them: behind
    `tls.envoy.secretName` and, where a Gateway passes TLS through, `tls.apiSecretName`. Those of the public
    hosts need no object otherwise: the Ingress or Gateway that names their Secret asks for them.

    The first is made out to the application's host, whose traffic Envoy carries: an ACME authority signs no
    name inside the cluster.
    """
    tls, domains, front_door = environment.tls, environment.domains, environment.front_door
    if isinstance(tls, ProvidedTls):
        return ()
    found = []
    if tls.envoy.enabled:
        found.append(_issued(environment, tls, workload("envoy"), tls.envoy.secret_name, domains.app))
    if isinstance(front_door, GatewayApiFrontDoor) and front_door.api_tls == "passthrough":
        # A listener that ends no TLS names no Secret.
        found.append(_issued(environment, tls, workload("apiserver"), tls.api_secret_name, domains.api))
    return tuple(found)


def _issued(
    environment: Environment, tls: AcmeTls | InternalCaTls, name: str, secret: str, host: str
) -> Object:
    spec = {
        "secretName": secret,
        "dnsNames": [host],
        "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer_name(tls)},
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
    }
    meta = metadata(name, environment.platform.namespace, "envoy")
    return _cert_manager("Certificate", meta, spec)


def _cert_manager(kind: str, meta: dict[str, Any], spec: dict[str, Any]) -> Object:
    return {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": meta, "spec": spec}


def _internal_ca(tls: InternalCaTls) -> dict[str, Any]:
    return {"ca": {"secretName": tls.ca_secret_name}}


def _acme(environment: Environment, tls: AcmeTls) -> dict[str, Any]:
    acme: dict[str, Any] = {
        "server": tls.server,
        "email": tls.email,
        "privateKeySecretRef": {"name": issuer_name(tls)},
        "solvers": [_solver(environment, tls)],
    }
    binding = tls.external_account_binding
    if binding is not None:
        # Looked up where cert-manager runs, as the issuer is cluster-scoped.
        reference = {"name": binding.secret_name, "key": binding.secret_data_key}
        acme["externalAccountBinding"] = {"keyID": binding.key_id, "keySecretRef": reference}
    return {"acme": acme}


def _solver(environment: Environment, tls: AcmeTls) -> dict[str, Any]:
    if not isinstance(tls.solver, Http01Solver):
        optional = {"hostedZoneID": tls.solver.hosted_zone_id, "role": tls.solver.role_arn}
        given = {key: value for key, value in optional.items() if value is not None}
        return {"dns01": {"route53": {"region": tls.solver.region, **given}}}
    front_door = environment.front_door
    if isinstance(front_door, IngressFrontDoor):
        return {"http01": {"ingress": {"ingressClassName": front_door.class_name}}}
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": front_door.gateway_name,
        "namespace": environment.platform.namespace,
        "sectionName": GATEWAY_HTTP_LISTENER,
    }
    return {"http01": {"gatewayHTTPRoute": {"parentRefs": [parent]}}}
