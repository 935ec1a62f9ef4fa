"""Rules about certificates, the front door and networks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from madeploy.documents.paths import Path
from madeploy.documents.words import printable
from madeploy.findings.codes.code import Code
from madeploy.names.acme import authority
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.base import split_host_port
from madeploy.settings.environment import Environment
from madeploy.settings.front_door import IngressFrontDoor
from madeploy.settings.servers import parse_server
from madeploy.settings.tls import AcmeTls, InternalCaTls, ProvidedTls

_STAGING: Final = re.compile(r"staging|\btest(-api)?\b")
"""How authorities call the directories whose certificates nobody trusts."""

_NEVER_PUBLIC: Final = frozenset(
    {"corp", "example", "home", "internal", "invalid", "lan", "local", "localdomain", "localhost", "test"}
)
"""Last labels that are no public domain (RFC 2606, RFC 6762, and names ICANN keeps for private use)."""


@rule(
    {
        "MA210": Code(
            "Public API address with certificates the worker may not trust",
            "The worker verifies the API's certificate against the system's authorities; an internal one is "
            "not among them, and it would never connect.",
            "Give the authority in controlPlane.caBundleConfigMap, or set worker.apiAccess to inCluster.",
        ),
    },
    reads=("control_plane", "tls"),
)
def the_worker_trusts_the_public_address(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-8: TLS with the system's authorities, unless a bundle adds others (facts 1.2)."""
    public = env.control_plane.worker.api_access == "public"
    if public and isinstance(env.tls, InternalCaTls) and env.control_plane.ca_bundle_config_map is None:
        yield Violation(
            "MA210", ("controlPlane", "worker", "apiAccess"), "is public, with certificates of an internal CA"
        )


@rule(
    {
        "MA211": Code(
            "Staging certificates in production",
            "Browsers and clients do not trust certificates of a staging authority.",
            "Use the authority's production directory.",
        ),
    },
    reads=("tls", "platform"),
)
def production_certificates_are_trusted(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-9: a staging authority is for trying out."""
    if env.platform.tier == "production" and isinstance(env.tls, AcmeTls) and _STAGING.search(env.tls.server):
        yield Violation("MA211", ("tls", "server"), "is a staging authority")


@rule(
    {
        "MA215": Code(
            "ACME authority that needs an account of its own",
            "cert-manager could not register with it (externalAccountRequired), and would get no "
            "certificate.",
            "Name the account's key in tls.externalAccountBinding, or use an authority that asks for "
            "none, such as Let's Encrypt.",
        ),
    },
    reads=("tls",),
)
def authorities_know_their_customers(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-9: an account is registered with a customer's key, or not at all (RFC 8555, 7.3.4)."""
    if not isinstance(env.tls, AcmeTls):
        return
    known = authority(env.tls.server)
    if known.binds_accounts and env.tls.external_account_binding is None:
        fix = (
            f"Get a key ({known.where}), put it where cert-manager runs, and name it in "
            "tls.externalAccountBinding (keyId):\n"
            "kubectl --namespace cert-manager create secret generic acme-external-account "
            "--from-file secret=FILE    # no line end after the key"
        )
        evidence = f"is {known.title}, which registers no account without a customer's key"
        yield Violation("MA215", ("tls", "server"), evidence, fix=fix)


@rule(
    {
        "MA212": Code(
            "Two certificates in one Secret",
            "cert-manager would write both certificates into the same Secret, over each other, without end.",
            "Give tls.apiSecretName, tls.appSecretName and tls.envoy.secretName different names.",
        ),
    },
    reads=("tls",),
)
def certificates_have_secrets_of_their_own(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-11: cert-manager writes one certificate per Secret."""
    if not isinstance(env.tls, ProvidedTls) and env.tls.api_secret_name == env.tls.app_secret_name:
        evidence = f"{env.tls.app_secret_name} holds the API's certificate as well"
        yield Violation("MA212", ("tls", "appSecretName"), evidence)


@rule(
    {
        "MA213": Code(
            "Domain for which no certificate can be issued",
            "Public authorities issue no certificate for reserved and internal names; the front door would "
            "serve none.",
            "Use a domain of your own, or tls.mode internalCa or provided.",
        ),
    },
    reads=("tls", "domains"),
)
def public_certificates_are_for_public_names(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-9: an ACME authority checks that the name exists."""
    if not isinstance(env.tls, AcmeTls) or not authority(env.tls.server).is_public:
        return
    for name, host in (("api", env.domains.api), ("app", env.domains.app)):
        last = host.rsplit(".", 1)[-1]
        if last in _NEVER_PUBLIC:
            yield Violation("MA213", ("domains", name), f".{last} is no public domain")


@rule(
    {
        "MA214": Code(
            "Controller annotations missing for a controller other than ingress-nginx",
            "The default annotations speak to ingress-nginx only; another controller needs its own to speak "
            "gRPC to the API server.",
            "Give frontDoor.apiAnnotations and frontDoor.appAnnotations for that controller.",
            "warning",
        ),
    },
    reads=("front_door",),
)
def other_controllers_have_their_annotations(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-5: annotations are each controller's own language."""
    front_door = env.front_door
    if not isinstance(front_door, IngressFrontDoor) or "nginx" in front_door.class_name:
        return
    if front_door.api_annotations is None:
        evidence = f"is {front_door.class_name}, and apiAnnotations are those of ingress-nginx"
        yield Violation("MA214", ("frontDoor", "className"), evidence)


@rule(
    {
        "MA220": Code(
            "NetworkPolicies turned off in production",
            "Every pod of the cluster could reach the API server, which trusts all callers in these "
            "releases.",
            "Set network.policies to true.",
            "warning",
        ),
    },
    reads=("network", "platform"),
)
def production_isolates_its_pods(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-13: default deny."""
    if env.platform.tier == "production" and not env.network.policies:
        yield Violation("MA220", ("network", "policies"), "is false in production")


def _lists(env: Environment) -> Iterator[tuple[Path, tuple[str, ...]]]:
    yield ("network", "workflowCidrs"), env.network.workflow_cidrs
    yield ("network", "objectStoreCidrs"), env.network.object_store_cidrs
    yield ("network", "egressCidrs"), env.network.egress_cidrs
    yield ("controlPlane", "kubernetesApiCidrs"), env.control_plane.kubernetes_api_cidrs


@rule(
    {
        "MA221": Code(
            "Network that contains every address",
            "It admits the whole internet, which is rarely what a list of networks is for.",
            "Name the networks, or leave the list out if any address is meant.",
            "warning",
        ),
        "MA223": Code(
            "Networks that overlap",
            "The smaller one changes nothing, and hides what is admitted.",
            "Keep the one that is meant.",
            "warning",
        ),
    },
    reads=("network", "control_plane"),
)
def networks_are_narrow(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-12, NET-13: everything, and what is covered twice, are said."""
    for path, cidrs in _lists(env):
        networks = [ipaddress.ip_network(cidr) for cidr in cidrs]
        for index, network in enumerate(networks):
            here = (*path, index)
            if network.prefixlen == 0:
                yield Violation("MA221", here, f"{network} is every address")
                continue
            for position, other in enumerate(networks):
                if position == index or other.version != network.version or other.prefixlen == 0:
                    continue
                inside = network != other and network.subnet_of(other)  # type: ignore[arg-type]
                if inside or (network == other and position < index):
                    yield Violation("MA223", here, f"{network} lies in {other} of the same list")
                    break


@rule(
    {
        "MA222": Code(
            "Self-managed cluster without the control plane's networks",
            "The NetworkPolicy `allow-michelangelo-controller` needs the addresses the control plane "
            "comes from.",
            "Set network.egressCidrs.",
        ),
    },
    reads=("network", "clusters"),
)
def self_managed_clusters_know_where_we_come_from(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-12: the policy on the compute cluster names the control plane's networks."""
    if env.network.egress_cidrs:
        return
    for name, cluster in env.clusters.items():
        if cluster.management == "selfManaged":
            yield Violation(
                "MA222", ("clusters", name, "management"), "is selfManaged, and network.egressCidrs is empty"
            )


@rule(
    {
        "MA225": Code(
            "Port of a DNS server whose place is not given",
            "Policies would admit that port to pods in kube-system with k8s-app: kube-dns only; a server "
            "that listens on another port usually is elsewhere, and no name would be resolved.",
            "Take dnsPort out, and say where the pods are and what they listen on. On OpenShift:\n"
            "michelangelo:network:\n"
            "  dns:\n"
            "    namespace: openshift-dns\n"
            "    labels: {dns.operator.openshift.io/daemonset-dns: default}\n"
            "    port: 5353\n"
            "    addresses: []",
        ),
    },
    reads=("network",),
)
def dns_has_a_place(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-13: another port means another DNS server, in another place; policies name both."""
    port, dns = env.network.dns_port, env.network.dns
    if port not in (53, dns.port):
        evidence = f"is {port}, and network.dns says nothing of it"
        yield Violation("MA225", ("network", "dnsPort"), evidence)


@rule("MA224", reads=("clusters", "workflow"))
def hosts_have_names_of_hosts(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-14: an underscore is accepted by some of those on the way, and by others not."""
    hosts: list[tuple[Path, str]] = [(("workflow", "host"), split_host_port(env.workflow.host)[0])]
    for name, cluster in env.clusters.items():
        if cluster.server is not None:
            hosts.append((("clusters", name, "server"), parse_server(cluster.server)[0]))
    for path, host in hosts:
        if "_" in host:
            yield Violation("MA224", path, f"{printable(host)} has an underscore")
