"""Where an address leads that was written for another machine than the control plane's pods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.names.reachability import misled, place_of
from madeploy.settings.servers import parse_server

LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)

PLACES = {
    "machine": [
        "localhost",
        "api.localhost",
        "localhost.localdomain",
        "127.0.0.1",
        "127.8.9.10",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
    ],
    "host": [
        "host.docker.internal",
        "kubernetes.docker.internal",
        "gateway.docker.internal",
        "host.minikube.internal",
        "control-plane.minikube.internal",
        "host.containers.internal",
        "host.k3d.internal",
        "host.lima.internal",
        "host.rancher-desktop.internal",
        "host.orb.internal",
    ],
    "apiService": [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "kubernetes.default.svc.k8s.example.com",
    ],
    "apiAddress": ["10.96.0.1", "10.43.0.1", "172.20.0.1", "172.30.0.1", "10.152.183.1"],
    "service": [
        "api.east.svc",
        "api.east.svc.cluster.local",
        "api.east.svc.k8s.example.com",
        "pod-0.api.east.svc.cluster.local",
        "node-1.cluster.local",
    ],
    "multicast": ["macbook.local", "k8s.corp.local"],
    "short": ["master", "node-1"],
    None: [
        "compute.example.com",
        "localhost.example.com",
        "10.0.0.1",
        "[2001:db8::1]",
        "kubernetes.example.com",
        "kubernetes.default.example.com",
        "ip-10-0-0-1.eu-west-1.compute.internal",
        "svc.example.com",
        "api.svc.example.com.au",
        "docker.internal.example.com",
        "host.internal",
    ],
}


@pytest.mark.parametrize(
    ("host", "place"), [(host, place) for place, hosts in PLACES.items() for host in hosts]
)
def test_a_host_is_placed_as_a_pod_of_the_control_plane_sees_it(host: str, place: str | None) -> None:
    """REG-11: names of a pod's own cluster, of a developer's computer and of a network segment are known,
    however the address around them is spelt."""
    for spelling in (host, host.upper(), f"{host}."):
        if not (spelling.endswith(".") and host[-1] in "]0123456789"):
            assert place_of(parse_server(f"https://{spelling}:6443")[0]) == place


@given(st.lists(LABEL, min_size=1, max_size=3).map(".".join), LABEL)
def test_names_in_zones_that_only_one_cluster_or_machine_answers_are_never_taken_for_good(
    prefix: str, namespace: str
) -> None:
    """REG-11: whatever stands before the zone, and in every tier."""
    for zone in ("docker.internal", "minikube.internal", "localhost", "local", "cluster.local"):
        for development in (True, False):
            found = misled(f"{prefix}.{zone}", development=development, is_control_plane=None)
            assert found is not None
            assert found.fix
            assert prefix in found.evidence
    assert place_of(f"{prefix}.{namespace}.svc") in ("service", "apiService")
    assert place_of(f"{prefix}.{namespace}.example.com") is None


@pytest.mark.parametrize(
    ("host", "development", "same", "severity"),
    [
        ("127.0.0.1", True, None, "warning"),
        ("127.0.0.1", False, None, "error"),
        ("host.docker.internal", True, None, "warning"),
        ("host.docker.internal", False, None, "error"),
        ("macbook.local", False, None, "error"),
        ("k8s.corp.local", False, None, "warning"),
        ("kubernetes.default.svc", True, False, "error"),
        ("kubernetes.default.svc", False, None, "warning"),
        ("kubernetes.default.svc", False, True, None),
        ("10.96.0.1", False, None, "warning"),
        ("10.43.0.1", True, False, "warning"),
        ("10.96.0.1", False, True, None),
        ("10.96.0.2", False, None, None),
        ("api.east.svc", False, False, "warning"),
        ("master", False, None, "warning"),
    ],
)
def test_what_cannot_work_is_an_error_and_what_may_work_a_warning(
    host: str, development: bool, same: bool | None, severity: str | None
) -> None:
    """REG-11: a virtual cluster's Service, a directory's zone and a trial on one machine may be right."""
    found = misled(host, development=development, is_control_plane=same)
    assert (found and found.severity) == severity
