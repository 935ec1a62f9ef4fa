"""TLS that Envoy ends itself: on the hop from the front door, and at the API's host where the door passes TLS
through, with the certificates of callers.

Certificates come through watched files, so that renewed ones are taken over without a restart; a certificate
named in place, as in the guide, is read only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from madeploy.settings import Environment
from manifests.envoy_typed import CONFIG_DIR, message, path_source, typed
from manifests.objects import to_yaml

CERTIFICATE_DIR: Final = "/etc/ssl/certs"
"""Where the Secret `tls.envoy.secretName` is mounted (network guide, Envoy TLS termination). It hides
the image's certificate authorities, which only the identity provider's certificate needs."""

API_CERTIFICATE_DIR: Final = "/etc/envoy-api-tls"
"""Where the Secret `tls.apiSecretName` is mounted when the front door passes TLS through."""

CLIENTS_DIR: Final = "/etc/envoy-api-clients"
"""Where `ca.crt` of the Secret `access.api.certificates.authoritiesSecret` is mounted."""

CLIENTS_FILE: Final = "ca.crt"

_TLS_FILE, _API_FILE, _AUTHORITIES_FILE = "tls.yaml", "api-tls.yaml", "api-clients.yaml"


def door_socket() -> dict[str, Any]:
    """TLS between the front door and Envoy."""
    return _socket("server", _TLS_FILE)


def api_socket(environment: Environment) -> dict[str, Any] | None:
    """TLS at the API's host; None where the front door ends it.

    A caller may come without a certificate, because others come by network or token; one that is shown has to
    be right, or there is no connection.
    """
    if environment.front_door.api_tls != "passthrough":
        return None
    guarded = environment.access.guarded
    if guarded is None or guarded.certificates is None:
        return _socket("api", _API_FILE)
    source = path_source(f"{CONFIG_DIR}/{_AUTHORITIES_FILE}")
    authorities = {"validation_context_sds_secret_config": {"name": "api-clients", "sds_config": source}}
    # A session that is taken up again would not be checked by authorities that are others by then.
    return _socket("api", _API_FILE, authorities, disable_stateless_session_resumption=True)


def _socket(name: str, file: str, common: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """TLS 1.2 and later."""
    return typed(
        "envoy.transport_sockets.tls",
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificate_sds_secret_configs": [
                {"name": name, "sds_config": path_source(f"{CONFIG_DIR}/{file}")}
            ],
            **(common or {}),
        },
        **fields,
    )


def tls_files(environment: Environment) -> dict[str, str]:
    """Files of the ConfigMap that name the Secrets' files."""
    files = {}
    if environment.tls.envoy.enabled:
        files[_TLS_FILE] = _certificate("server", CERTIFICATE_DIR)
    if environment.front_door.api_tls == "passthrough":
        files[_API_FILE] = _certificate("api", API_CERTIFICATE_DIR)
        guarded = environment.access.guarded
        if guarded is not None and guarded.certificates is not None:
            context = {
                "trusted_ca": {"filename": f"{CLIENTS_DIR}/{CLIENTS_FILE}"},
                "watched_directory": {"path": CLIENTS_DIR},
            }
            files[_AUTHORITIES_FILE] = _secret("api-clients", validation_context=context)
    return files


def _certificate(name: str, directory: str) -> str:
    certificate = {
        "certificate_chain": {"filename": f"{directory}/tls.crt"},
        "private_key": {"filename": f"{directory}/tls.key"},
        # The kubelet swaps a link in this directory when the Secret changes.
        "watched_directory": {"path": directory},
    }
    return _secret(name, tls_certificate=certificate)


def _secret(name: str, **fields: Any) -> str:
    secret = message("extensions.transport_sockets.tls.v3.Secret", name=name, **fields)
    return to_yaml({"resources": [secret]})
