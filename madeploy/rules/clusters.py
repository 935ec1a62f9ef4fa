"""Rules about compute clusters and how they are reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from madeploy.documents.paths import Path
from madeploy.documents.words import did_you_mean
from madeploy.findings.codes.code import Code
from madeploy.names.configuration import encrypt_command
from madeploy.names.public_servers import how_to_trust, public_server, vouches_for
from madeploy.names.reachability import misled
from madeploy.rules.model import SECRETS, SecretNames, Violation, rule
from madeploy.settings.authorities import authority_text
from madeploy.settings.environment import CONTROL_PLANE, Environment
from madeploy.settings.servers import canonical_server, parse_server

_LONGEST_NAME: Final = 63 - len("worker-")


@rule("MA401", reads=("clusters",))
def each_api_server_is_registered_once(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-4: compared after spelling is evened out: port, case, final dot."""
    seen: dict[str, str] = {}
    for name, cluster in env.clusters.items():
        if cluster.server is None:
            continue
        address = canonical_server(cluster.server)
        if address in seen:
            yield Violation("MA401", ("clusters", name, "server"), f"{address} is {seen[address]}'s as well")
        seen.setdefault(address, name)


@rule("MA402", reads=("clusters", "control_plane", SECRETS))
def every_cluster_can_be_reached(env: Environment, secrets: SecretNames) -> Iterator[Violation]:
    """REG-1: by a context of the kubeconfig at hand, by an encrypted kubeconfig, or by a name on EKS."""
    kubeconfigs = secrets.get("kubeconfigs", frozenset())
    wanted: list[tuple[str, Path, str | None]] = [
        (CONTROL_PLANE, ("controlPlane",), env.control_plane.kubeconfig_context),
        *(
            (name, ("clusters", name), cluster.kubeconfig_context)
            for name, cluster in env.clusters.items()
            if name != CONTROL_PLANE and cluster.eks is None
        ),
    ]
    for name, path, context in wanted:
        if context is None and name not in kubeconfigs:
            setting = ".".join(map(str, (*path, "kubeconfigContext")))
            fix = f"Set {setting}, or store its kubeconfig:\n{encrypt_command(('kubeconfigs', name))}"
            yield Violation("MA402", path, "neither kubeconfigContext nor an encrypted kubeconfig", fix=fix)


@rule(
    {
        "MA419": Code(
            "Two ways to reach one cluster",
            "They could lead to two clusters, and nobody could tell which of them is changed.",
            "Keep eks and take the kubeconfig away, or the other way round.",
        ),
    },
    reads=("clusters", SECRETS),
)
def one_way_leads_to_a_cluster_on_eks(env: Environment, secrets: SecretNames) -> Iterator[Violation]:
    """REG-1: nobody could tell which of two is used."""
    kubeconfigs = secrets.get("kubeconfigs", frozenset())
    for name, cluster in env.clusters.items():
        if cluster.eks is not None and (cluster.kubeconfig_context is not None or name in kubeconfigs):
            other = (
                "kubeconfigContext" if cluster.kubeconfig_context is not None else "an encrypted kubeconfig"
            )
            yield Violation("MA419", ("clusters", name, "eks"), f"stands beside {other}")


@rule(
    {
        "MA403": Code(
            "Reserved cluster name",
            "The name stands for the control plane itself.",
            "Choose another name.",
        ),
        "MA405": Code(
            "Name that becomes too long",
            "Kubernetes limits names to 253 characters and label values to 63.",
            "Choose a shorter name.",
        ),
    },
    reads=("clusters",),
)
def names_can_be_used_everywhere(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-4: a name becomes Secrets, labels, and the platform's worker groups (facts 3.3)."""
    for name in env.clusters:
        if name == CONTROL_PLANE:
            yield Violation("MA403", ("clusters", name), f"{CONTROL_PLANE} is the control plane", key=True)
        if len(name) > _LONGEST_NAME:
            evidence = f"is {len(name)} characters long; {_LONGEST_NAME} are possible"
            why = "The platform calls a worker group `worker-<name>`, and Ray puts that into a label of 63."
            yield Violation("MA405", ("clusters", name), evidence, why=why, key=True)


@rule(
    {
        "MA404": Code(
            "Kubeconfig of a cluster that is not there",
            "A credential that nothing uses can only leak; more often the name is misspelt.",
            "Correct the name, or remove the secret.",
        ),
    },
    reads=("clusters", SECRETS),
)
def kubeconfigs_belong_to_clusters(env: Environment, secrets: SecretNames) -> Iterator[Violation]:
    """REG-1: a secret for a name that is not there is a slip."""
    known = tuple(dict.fromkeys((CONTROL_PLANE, *env.clusters)))
    for name in sorted(secrets.get("kubeconfigs", frozenset()) - set(known)):
        fix = did_you_mean(name, known) + (
            f"Otherwise: pulumi config rm --path 'michelangelo:kubeconfigs.{name}' --stack STACK"
        )
        accepted = ", ".join(known[:20]) + ("…" if len(known) > 20 else "")
        yield Violation("MA404", ("kubeconfigs", name), "is no cluster", fix=fix, accepted=accepted, key=True)


@rule(
    {
        "MA407": Code(
            "Context of a local kubeconfig in production",
            "What it points at depends on the machine that deploys; two people can deploy to two clusters.",
            "Store the kubeconfig encrypted with the stack instead; or, for the control plane, call the "
            "context as the stack on every machine that deploys: kubectl config rename-context OLD STACK.",
            "warning",
        ),
    },
    reads=("clusters", "control_plane", "platform"),
    named=True,
)
def production_does_not_depend_on_a_laptop(
    env: Environment, _: SecretNames, stack: str = ""
) -> Iterator[Violation]:
    """REG-1: a context is looked up on the machine that deploys. One that has the stack's own name was made
    for it."""
    if env.platform.tier != "production":
        return
    if env.control_plane.kubeconfig_context not in (None, stack):
        yield Violation("MA407", ("controlPlane", "kubeconfigContext"), "names a local context in production")
    for name, cluster in env.clusters.items():
        if cluster.kubeconfig_context is not None:
            yield Violation(
                "MA407", ("clusters", name, "kubeconfigContext"), "names a local context in production"
            )


@rule(
    {
        "MA408": Code(
            "Two clusters with one kubeconfig context, or one name on EKS",
            "Both entries would administer the same cluster.",
            "Give each cluster its own context, or its own name and region on EKS.",
        ),
    },
    reads=("clusters",),
)
def contexts_are_used_once(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-4: two entries for one cluster would share one registration."""
    seen: dict[tuple[str, str], str] = {}
    for name, cluster in env.clusters.items():
        ways = [("kubeconfigContext", cluster.kubeconfig_context or "")]
        if cluster.eks is not None:
            ways.append(("eks", f"{cluster.eks.cluster_name} in {cluster.eks.region}"))
        for key, way in ways:
            if not way:
                continue
            if (key, way) in seen:
                other = seen[key, way]
                evidence = f"is the context of {other} as well" if key != "eks" else f"is {other}'s as well"
                yield Violation("MA408", ("clusters", name, key), evidence)
            seen.setdefault((key, way), name)


@rule("MA409", reads=("clusters", "control_plane", "platform", SECRETS))
def addresses_mean_the_same_to_the_control_plane(
    env: Environment, secrets: SecretNames
) -> Iterator[Violation]:
    """REG-1: the control plane's pods dial the address, not the operator's machine."""
    for name, cluster in env.clusters.items():
        if cluster.server is None:
            continue
        host = parse_server(cluster.server)[0]
        found = misled(
            host,
            development=env.platform.tier == "development",
            is_control_plane=_is_control_plane(env, name, secrets),
        )
        path = ("clusters", name, "server")
        if found is not None:
            yield Violation("MA409", path, found.evidence, fix=found.fix, severity=found.severity)


@rule("MA418", reads=("clusters",))
def public_servers_have_public_authorities(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-11: the control plane trusts the registered authority and no other (facts 3.1)."""
    for name, cluster in env.clusters.items():
        server = public_server(parse_server(cluster.server)[0]) if cluster.server is not None else None
        if server is None:
            continue
        path: Path = ("clusters", name, "certificateAuthorityData")
        fix = f"{how_to_trust(server)}\nor in the entry: base64 -w0 roots.pem, as certificateAuthorityData."
        shows = f"{server.what} shows a public authority's certificate"
        encoded = cluster.certificate_authority_data
        if encoded is None:
            evidence = f"is not given, so the kubeconfig's own is registered; {shows}"
            yield Violation("MA418", path, evidence, fix=fix, severity="warning")
        elif not vouches_for(server, authority_text(encoded)):
            evidence = f"is not of a public authority; {shows}"
            yield Violation("MA418", path, evidence, fix=fix, severity="warning")


def _is_control_plane(env: Environment, name: str, secrets: SecretNames) -> bool | None:
    """Whether an entry names the control plane's own cluster, by its context; None where kubeconfigs are
    encrypted or the cluster is named on EKS, which cannot be compared here."""
    own, context = env.control_plane.kubeconfig_context, env.clusters[name].kubeconfig_context
    stored = secrets.get("kubeconfigs", frozenset())
    if own is None or context is None or stored & {CONTROL_PLANE, name}:
        return None
    return own == context
