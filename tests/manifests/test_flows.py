"""The table of flows, and NetworkPolicies that permit it and nothing more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.names.kubernetes import Workload, workload
from madeploy.names.services import SERVICES
from madeploy.settings import Environment
from manifests import catalog
from manifests.flows import Anywhere, Component, Flow, Networks, Pods, compute_flows, flows
from manifests.inputs import Inputs
from manifests.network_policies import compute_side, control_plane
from manifests.policy_flows import expected, isolated, permitted
from manifests.workload_pods import workload_pods
from tests.support.environments import ALL, environment, production_aws
from tests.support.objects import of_kind, one
from tests.support.proves import proves

IRSA = {
    "kind": "irsa",
    "oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A",
}
BUCKETS = {"workspace": "example-ml-workspace", "models": "example-ml-models"}
AWS = {"kind": "aws", "region": "eu-west-1", "buckets": BUCKETS}


def _to(made: Environment, service: Workload) -> set[tuple[str, int | None, str]]:
    own = Component(service)
    return {(str(row.destination), row.port, row.protocol) for row in flows(made) if row.source == own}


def _from(made: Environment, service: Workload) -> set[tuple[str, int | None]]:
    own = Component(service)
    return {(str(row.source), row.port) for row in flows(made) if row.destination == own}


DNS = {
    ("pods k8s-app=kube-dns in namespace kube-system", 53, "UDP"),
    ("pods k8s-app=kube-dns in namespace kube-system", 53, "TCP"),
    ("169.254.20.10/32", 53, "UDP"),
    ("169.254.20.10/32", 53, "TCP"),
}


def test_only_the_front_door_and_the_callers_of_the_guide_reach_the_services() -> None:
    """NET-13: network guide, overview; facts 5.2."""
    made = environment()
    door = "pods in namespace ingress-nginx"
    assert _from(made, "apiserver") == {(door, 15566), ("envoy", 15566), ("worker", 15566)}
    assert _from(made, "envoy") == {(door, 8081)}
    assert _from(made, "ui") == {(door, 80)}
    assert _from(made, "controllermgr") == set()
    assert _from(made, "worker") == set()


def test_envoy_and_the_application_open_no_connection_but_the_documented_one() -> None:
    """NET-13."""
    made = environment()
    assert _to(made, "ui") == set()
    assert _to(made, "envoy") == {("apiserver", 15566, "TCP")} | DNS


def test_the_worker_reaches_api_engine_and_object_store_and_no_kubernetes_api() -> None:
    """NET-13, CP-3."""
    store = {"kind": "s3Compatible", "endpoint": "http://minio.storage.example.com:9000"}
    assert (
        _to(environment(storage=store), "worker")
        == {
            ("apiserver", 15566, "TCP"),
            ("any address", 7233, "TCP"),
            ("any address", 9000, "TCP"),
        }
        | DNS
    )


def test_the_controller_manager_reaches_every_compute_api_on_its_own_port() -> None:
    """NET-13, NET-14: the settings' address where there is one, the usual ports where there is none."""
    clusters = {
        "by-name": {"server": "https://gpu.example.com:16443"},
        "by-address": {"server": "https://10.1.2.3"},
        "by-v6": {"server": "https://[2001:db8::7]:6443"},
    }
    reached = _to(environment(clusters=clusters), "controllermgr")
    assert {
        ("any address", 16443, "TCP"),
        ("10.1.2.3/32", 443, "TCP"),
        ("2001:db8::7/128", 6443, "TCP"),
    } <= reached
    fleet = {f"c{number}": {"server": f"https://10.0.0.{number}:6443"} for number in (7, 8)}
    assert ("10.0.0.7/32, 10.0.0.8/32", 6443, "TCP") in _to(environment(clusters=fleet), "controllermgr")
    unknown = _to(environment(clusters={"a": {"kubeconfigContext": "a"}}), "controllermgr")
    assert {("any address", 443, "TCP"), ("any address", 6443, "TCP")} <= unknown


def test_networks_in_the_settings_narrow_what_is_open_to_any_address() -> None:
    """NET-13."""
    made = environment(
        controlPlane={"kubernetesApiCidrs": ["10.0.0.1/32"]},
        network={"workflowCidrs": ["10.2.0.0/16"], "objectStoreCidrs": ["10.3.0.0/16"]},
        storage={"kind": "s3Compatible", "endpoint": "http://minio.storage.example.com:9000"},
    )
    everywhere = {row for row in flows(made) if isinstance(row.destination, Anywhere)}
    assert everywhere == set()
    assert ("10.0.0.1/32", 6443, "TCP") in _to(made, "apiserver")
    assert ("10.2.0.0/16", 7233, "TCP") in _to(made, "worker")
    assert ("10.3.0.0/16", 9000, "TCP") in _to(made, "controllermgr")


def test_aws_credentials_can_be_fetched_the_way_they_are_given() -> None:
    """NET-13, MR-2: the token service, the node's agent, and instance metadata only for node roles."""
    agent, metadata = "169.254.170.23/32, fd00:ec2::23/128", "169.254.169.254/32, fd00:ec2::254/128"
    by_irsa = _to(environment(storage={**AWS, "identity": IRSA}), "worker")
    assert not by_irsa & {(agent, 80, "TCP"), (metadata, 80, "TCP")}
    narrowed = environment(storage={**AWS, "identity": IRSA}, network={"objectStoreCidrs": ["10.3.0.0/16"]})
    assert ("any address", 443, "TCP") in _to(narrowed, "worker")
    pod_identity = {"kind": "podIdentity", "clusterName": "ml"}
    by_agent = _to(environment(storage={**AWS, "identity": pod_identity}), "worker")
    assert (agent, 80, "TCP") in by_agent
    assert (metadata, 80, "TCP") not in by_agent
    assert {(agent, 80, "TCP"), (metadata, 80, "TCP")} <= _to(environment(), "worker")


def test_a_worker_on_the_public_address_gets_no_way_around_the_front_door() -> None:
    """NET-8, NET-13."""
    made = environment(controlPlane={"worker": {"apiAccess": "public"}})
    reached = _to(made, "worker")
    assert ("apiserver", 15566, "TCP") not in reached
    assert {("any address", 443, "TCP"), ("pods in namespace ingress-nginx", None, "TCP")} <= reached


def test_metrics_are_open_to_the_monitoring_namespace_alone() -> None:
    """NET-13, OPS-3."""
    made = environment(network={"monitoringNamespace": "monitoring"})
    scraper = "pods in namespace monitoring"
    assert _from(made, "controllermgr") == {(scraper, 8091)}
    assert (scraper, 9902) in _from(made, "envoy")


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_every_row_says_what_it_is_for_and_where_it_comes_from(make: Any) -> None:
    """NET-13."""
    assert all(row.purpose and row.basis for row in flows(make()))


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_every_pod_is_isolated_both_ways(make: Any) -> None:
    """NET-13: default deny."""
    objects = catalog.targets(Inputs(make()))[0]
    everything = [obj for bundle in objects.bundles for obj in bundle.objects]
    pods = workload_pods(everything)
    assert len(pods) == len(SERVICES)
    assert [isolated(everything, each) for each in pods] == [{"ingress", "egress"}] * len(SERVICES)


def test_the_default_deny_admits_nothing() -> None:
    """NET-13."""
    deny = one(control_plane(environment()), "NetworkPolicy", "michelangelo-default-deny", "ma-system")
    assert deny["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(deny["spec"])


def test_no_policies_are_made_when_they_are_off() -> None:
    """NET-13."""
    assert control_plane(environment(network={"policies": False})) == ()


def _environments() -> st.SearchStrategy[Environment]:
    cidr = st.sampled_from(["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"])
    cidrs = st.lists(cidr, max_size=2, unique=True)
    storages = st.sampled_from(
        [
            {**AWS, "identity": IRSA},
            {**AWS, "identity": {"kind": "podIdentity", "clusterName": "ml"}},
            {"kind": "existing", "region": "eu-west-1", "buckets": BUCKETS},
            {"kind": "s3Compatible", "endpoint": "http://minio.storage.example.com:9000"},
            {"kind": "s3Compatible", "endpoint": "https://minio.storage.example.com"},
        ]
    )
    servers = st.sampled_from(
        [{"kubeconfigContext": "x"}, {"server": "https://10.9.8.7:6443"}, {"server": "https://k.example.com"}]
    )
    return st.builds(
        lambda api, workflow, store, monitoring, access, storage, clusters, dns: environment(
            controlPlane={"kubernetesApiCidrs": api, "worker": {"apiAccess": access}},
            network={
                "workflowCidrs": workflow,
                "objectStoreCidrs": store,
                "monitoringNamespace": monitoring,
                "dns": dns,
            },
            storage=storage,
            clusters=clusters,
        ),
        cidrs,
        cidrs,
        cidrs,
        st.sampled_from([None, "monitoring", "ma-system"]),
        st.sampled_from(["inCluster", "public"]),
        storages,
        st.dictionaries(st.sampled_from(["a", "b", "c"]), servers, max_size=3),
        st.fixed_dictionaries(
            {},
            optional={
                "namespace": st.sampled_from(["kube-system", "openshift-dns"]),
                "labels": st.sampled_from([{"k8s-app": "kube-dns"}, OPENSHIFT["labels"]]),
                "port": st.sampled_from([53, 5353]),
                "addresses": st.sampled_from([[], ["169.254.25.10/32"], ["10.96.0.10/32", "fd00::a/128"]]),
            },
        ),
    )


OPENSHIFT: dict[str, Any] = {
    "namespace": "openshift-dns",
    "labels": {"dns.operator.openshift.io/daemonset-dns": "default"},
    "port": 5353,
    "addresses": [],
}


@pytest.mark.parametrize(
    ("dns", "asked"),
    [
        (
            OPENSHIFT,
            {("pods dns.operator.openshift.io/daemonset-dns=default in namespace openshift-dns", 5353)},
        ),
        (
            {"addresses": ["169.254.25.10/32"]},
            {("pods k8s-app=kube-dns in namespace kube-system", 53), ("169.254.25.10/32", 53)},
        ),
        (
            {"addresses": ["10.96.0.10/32", "169.254.20.10/32"]},
            {
                ("pods k8s-app=kube-dns in namespace kube-system", 53),
                ("10.96.0.10/32, 169.254.20.10/32", 53),
            },
        ),
        (
            {"port": 1053, "labels": {"app.kubernetes.io/name": "rke2-coredns"}},
            {
                ("pods app.kubernetes.io/name=rke2-coredns in namespace kube-system", 1053),
                ("169.254.20.10/32", 53),
            },
        ),
    ],
)
def test_dns_is_asked_where_the_settings_have_it_and_nowhere_else(
    dns: dict[str, Any], asked: set[tuple[str, int]]
) -> None:
    """NET-13: in the table, in every policy that is read back, and in the picture's notes."""
    made = environment(network={"dns": dns})
    rows = [flow for flow in flows(made) if flow.purpose == "name resolution"]
    assert {(str(flow.destination), flow.port) for flow in rows} == asked
    assert {flow.protocol for flow in rows} == {"TCP", "UDP"}
    (target, *_) = catalog.targets(Inputs(made))
    objects = [obj for bundle in target.bundles for obj in bundle.objects]
    assert permitted(objects) == expected(flows(made), made)


@given(made=_environments())
@proves("NET-13")
def test_the_policies_permit_the_table_and_nothing_more(made: Environment) -> None:
    """NET-13: read back from selectors, peers and ports, for any settings."""
    target = catalog.targets(Inputs(made))[0]
    objects = [obj for bundle in target.bundles for obj in bundle.objects]
    assert permitted(objects) == expected(flows(made), made)


@proves("NET-12")
def test_a_self_managed_cluster_gets_the_guides_policy() -> None:
    """NET-12: with the process's own port besides the guide's 443."""
    (policy,) = compute_side(production_aws(), "gpu-west")
    assert policy["metadata"]["name"] == "allow-michelangelo-controller"
    assert policy["metadata"]["namespace"] == "kube-system"
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"component": "kube-apiserver"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"ipBlock": {"cidr": "203.0.113.0/28"}}],
                "ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}],
            }
        ],
    }


def test_a_port_of_its_own_is_admitted_too() -> None:
    """NET-12."""
    made = environment(
        clusters={"a": {"server": "https://a.example.com:16443", "management": "selfManaged"}},
        network={"egressCidrs": ["203.0.113.7/32", "2001:db8::/64"]},
    )
    assert [row.port for row in compute_flows(made, "a")] == [443, 6443, 16443]
    (policy,) = compute_side(made, "a")
    (rule,) = policy["spec"]["ingress"]
    assert [peer["ipBlock"]["cidr"] for peer in rule["from"]] == ["203.0.113.7/32", "2001:db8::/64"]


def test_managed_clusters_and_unknown_sources_get_no_policy() -> None:
    """NET-12: the API server is no pod there, or there is nothing to admit."""
    assert compute_side(production_aws(), "cpu-east") == ()
    unknown = environment(clusters={"a": {"kubeconfigContext": "a", "management": "selfManaged"}})
    assert compute_side(unknown, "a") == ()


def test_policies_select_by_the_label_deployments_select_by() -> None:
    """NET-13: it never changes, and pods of others do not carry it."""
    for policy in of_kind(control_plane(environment()), "NetworkPolicy"):
        if "matchLabels" in policy["spec"]["podSelector"]:
            assert policy["spec"]["podSelector"]["matchLabels"] == {"app": policy["metadata"]["name"]}
    names = {workload(service) for service in SERVICES}
    assert {each["metadata"]["name"] for each in control_plane(environment())} == {
        *names,
        "michelangelo-default-deny",
    }


def test_ends_of_flows_read_as_people_would_write_them() -> None:
    """UX-3."""
    row = Flow(Pods("a"), Networks(("10.0.0.0/8",)), 1, "p", "b")
    assert (str(row.source), str(row.destination)) == ("pods in namespace a", "10.0.0.0/8")
    assert str(Pods(None, (("x", "y"),))) == "pods x=y in any namespace"
    assert str(Pods(None)) == "pods in any namespace"
