"""cert-manager: issuers that are Ready, Certificates with a Secret, and Certificates that annotations ask
for."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from madeploy.clients.kubernetes import Object
from madeploy.sandbox.actors.cluster import View, condition
from madeploy.sandbox.actors.front_doors import GATEWAYS, INGRESSES
from madeploy.sandbox.pki import Authority

GROUP = "/apis/cert-manager.io/v1"
CLUSTER_ISSUERS, ISSUERS, CERTIFICATES = (
    f"{GROUP}/clusterissuers",
    f"{GROUP}/issuers",
    f"{GROUP}/certificates",
)
_ANNOTATIONS = {"cert-manager.io/cluster-issuer": "ClusterIssuer", "cert-manager.io/issuer": "Issuer"}


class CertificateActor:
    """Plays cert-manager with one authority for every issuer.

    Args:
        directory: where the authority and what it issued are kept.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._authority = Authority(directory, "issuing-ca", "madeploy sandbox certificates")

    def play(self, view: View) -> None:
        """One round over issuers, annotated objects and Certificates."""
        for path in (CLUSTER_ISSUERS, ISSUERS):
            for item in view.all(path):
                ready = condition("Ready", True, "Issuing", "played by the sandbox", _generation(item))
                view.set_status(path, item, {"conditions": [ready]})
        for item in view.all(INGRESSES):
            for entry in item["spec"].get("tls") or []:
                if "secretName" in entry:
                    _ask(view, item, "networking.k8s.io/v1", entry["secretName"], entry.get("hosts") or [])
        for item in view.all(GATEWAYS):
            for name, hosts in _listener_secrets(item).items():
                _ask(view, item, "gateway.networking.k8s.io/v1", name, hosts)
        for item in view.all(CERTIFICATES):
            self._issue(view, item)

    def _issue(self, view: View, item: Object) -> None:
        spec, namespace = item["spec"], item["metadata"]["namespace"]
        generation = _generation(item)
        reference = spec["issuerRef"]
        path = CLUSTER_ISSUERS if reference.get("kind") == "ClusterIssuer" else ISSUERS
        issuers = {
            issuer["metadata"]["name"]
            for issuer in view.all(path)
            if issuer["metadata"].get("namespace") in (None, namespace)
        }
        if reference["name"] not in issuers:
            message = f"{reference.get('kind', 'Issuer')} {reference['name']!r} not found"
            missing = condition("Ready", False, "IssuerNotFound", message, generation)
            view.set_status(CERTIFICATES, item, {"conditions": [missing]})
            return
        wanted = self._secret(item)
        present = view.get(f"/api/v1/namespaces/{namespace}/secrets/{spec['secretName']}")
        if present is None or present.get("data") != wanted["data"]:
            view.apply(wanted)
        ready = condition("Ready", True, "Ready", "Certificate is up to date and has not expired", generation)
        view.set_status(CERTIFICATES, item, {"conditions": [ready]})

    def _secret(self, item: Object) -> Object:
        spec, metadata = item["spec"], item["metadata"]
        hosts = tuple(spec.get("dnsNames") or []) + tuple(spec.get("ipAddresses") or [])
        common_name = spec.get("commonName") or (hosts[0] if hosts else metadata["name"])
        if spec.get("isCA"):
            pair = self._authority.pair
        else:
            identity = f"{metadata['namespace']}/{metadata['name']}/{common_name}/{hosts}"
            file = hashlib.sha256(identity.encode()).hexdigest()[:24]
            pair = self._authority.server(file, common_name[:64], hosts)
        data = {
            "tls.crt": pair.certificate.read_bytes(),
            "tls.key": pair.key.read_bytes(),
            "ca.crt": self._authority.pair.certificate.read_bytes(),
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {
                "name": spec["secretName"],
                "namespace": metadata["namespace"],
                "annotations": {"cert-manager.io/certificate-name": metadata["name"]},
            },
            "data": {key: base64.b64encode(value).decode("ascii") for key, value in data.items()},
        }


def _listener_secrets(gateway: Object) -> dict[str, list[str]]:
    """Secrets that a Gateway's listeners name, with the hosts each serves."""
    found: dict[str, list[str]] = {}
    for listener in gateway["spec"].get("listeners", []):
        for reference in (listener.get("tls") or {}).get("certificateRefs") or []:
            if "hostname" in listener:
                found.setdefault(reference["name"], []).append(listener["hostname"])
    return found


def _ask(view: View, item: Object, version: str, secret: str, hosts: list[str]) -> None:
    """Write the Certificate that an annotated Ingress or Gateway asks for, named as its Secret."""
    metadata = item["metadata"]
    annotations = metadata.get("annotations") or {}
    issuer = next(
        ((kind, annotations[key]) for key, kind in _ANNOTATIONS.items() if key in annotations), None
    )
    known = {(found["metadata"]["namespace"], found["metadata"]["name"]) for found in view.all(CERTIFICATES)}
    if issuer is None or (metadata["namespace"], secret) in known:
        return
    kind, name = issuer
    owner: dict[str, Any] = {
        "apiVersion": version,
        "kind": "Ingress" if version.startswith("networking") else "Gateway",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    view.apply(
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": secret, "namespace": metadata["namespace"], "ownerReferences": [owner]},
            "spec": {
                "secretName": secret,
                "dnsNames": hosts,
                "issuerRef": {"group": "cert-manager.io", "kind": kind, "name": name},
            },
        }
    )


def _generation(item: Object) -> int:
    return int(item["metadata"].get("generation", 1))
