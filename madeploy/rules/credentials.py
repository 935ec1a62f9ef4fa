"""Rules about what the platform is given on compute clusters: credentials, rights, operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from madeploy.documents.words import did_you_mean
from madeploy.findings.codes.code import Code
from madeploy.names.kubernetes import RAY_NAMESPACE
from madeploy.rules.model import SECRETS, SecretNames, Violation, rule
from madeploy.settings.environment import Environment


@rule(
    {
        "MA460": Code(
            "Credential that may do nothing where jobs run",
            "The platform makes its Ray objects in namespace `default`, wherever a job "
            "says it "
            "should run: every job sent to the cluster would be refused.",
            "Add `default` to namespaces, or leave namespaces out.",
        ),
        "MA461": Code(
            "Right that the platform does not use",
            "The platform makes its Ray objects in namespace `default` only; who may create "
            "Ray clusters in a namespace may run pods there.",
            "Take the namespace out.",
            "warning",
        ),
    },
    reads=("clusters",),
)
def credentials_reach_where_jobs_run(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-2: in these releases Ray objects are made in one namespace."""
    for name, cluster in env.clusters.items():
        if cluster.namespaces is None:
            continue
        path = ("clusters", name, "namespaces")
        if RAY_NAMESPACE not in cluster.namespaces:
            yield Violation(
                "MA460", path, f"{', '.join(cluster.namespaces) or 'none'}, without {RAY_NAMESPACE}"
            )
        for position, namespace in enumerate(cluster.namespaces):
            if namespace != RAY_NAMESPACE:
                yield Violation("MA461", (*path, position), f"no Ray object is made in {namespace}")


@rule(
    {
        "MA462": Code(
            "Spark operator where no Spark job runs",
            "The platform sends Spark jobs to the control plane's own cluster, never to a registered one.",
            "Set operators.spark to ignore, and install Spark's operator on the control plane's cluster.",
        ),
    },
    reads=("clusters",),
)
def spark_runs_on_the_control_plane(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-7 (facts 3.3)."""
    for name, cluster in env.clusters.items():
        if cluster.operators.spark != "ignore":
            path = ("clusters", name, "operators", "spark")
            yield Violation("MA462", path, f"is {cluster.operators.spark}", accepted="ignore")


@rule(
    {
        "MA463": Code(
            "Credentials that contradict each other",
            "Each generation is one Secret on the cluster: it is registered, or kept besides, and named "
            "once.",
            "Name each generation once.",
        ),
        "MA464": Code(
            "Rotation that is not finished",
            "Two credentials of the platform are valid on the cluster for longer than need be.",
            "Let it finish, or take it back: bin/madeploy clusters rotate NAME --stack STACK, with "
            "--rollback.",
            "warning",
        ),
        "MA465": Code(
            "Cluster that is prepared and not registered",
            "The platform does not know the cluster as long as credential.generation is 0.",
            "Register it: bin/madeploy clusters rotate NAME --stack STACK",
            "warning",
        ),
        "MA468": Code(
            "Lifetime that has no effect",
            "A long-lived token is valid until it is revoked; only one of kind bounded has an end.",
            "Set credential.kind to bounded, or take lifetimeHours out.",
            "warning",
        ),
    },
    reads=("clusters",),
)
def credentials_are_in_order(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REG-8: what an interrupted rotation leaves behind is said, with the way on."""
    for name, cluster in env.clusters.items():
        credential, path = cluster.credential, ("clusters", name, "credential")
        counted = Counter([credential.generation, *(kept.generation for kept in credential.keep)])
        twice = [str(generation) for generation, count in counted.items() if count > 1]
        rotate = f"bin/madeploy clusters rotate {name} --stack STACK"
        if twice:
            yield Violation("MA463", (*path, "keep"), f"generation {', '.join(twice)} is given twice")
        elif credential.generation == 0:
            evidence = "is 0: nothing is registered"
            yield Violation("MA465", (*path, "generation"), evidence, fix=f"Register it: {rotate}")
        elif credential.keep:
            kept = ", ".join(str(kept.generation) for kept in credential.keep)
            evidence = f"generation {kept} is valid besides generation {credential.generation}"
            fix = f"Let it finish: {rotate}\nor take it back: {rotate} --rollback"
            yield Violation("MA464", (*path, "keep"), evidence, fix=fix)
        if credential.lifetime_hours is not None and credential.kind == "longLived":
            evidence = f"is {credential.lifetime_hours}, but the kind is longLived"
            yield Violation("MA468", (*path, "lifetimeHours"), evidence)


@rule(
    {
        "MA466": Code(
            "Bounded credential without its token",
            "Only a command can ask for such a token; an update would have nothing to register.",
            "Prepare the cluster with credential.generation 0, then: bin/madeploy clusters rotate NAME "
            "--stack STACK",
        ),
        "MA467": Code(
            "Token that nothing uses",
            "A credential that nothing uses can only leak; more often the name is misspelt, or the kind is.",
            "Correct the name or credential.kind, or remove the secret.",
        ),
    },
    reads=("clusters", SECRETS),
)
def bounded_credentials_have_tokens(env: Environment, secrets: SecretNames) -> Iterator[Violation]:
    """REG-5: never a registration without a token, never a token without a registration."""
    tokens = secrets.get("clusterTokens", frozenset())
    bounded = [name for name, cluster in env.clusters.items() if cluster.credential.kind == "bounded"]
    for name in bounded:
        generation = env.clusters[name].credential.generation
        if name not in tokens and generation > 0:
            path = ("clusters", name, "credential", "generation")
            evidence = f"is {generation}, and clusterTokens.{name} is not set"
            fix = f"Set it to 0, then: bin/madeploy clusters rotate {name} --stack STACK"
            yield Violation("MA466", path, evidence, fix=fix)
    for name in sorted(tokens.difference(bounded)):
        kept = env.clusters[name].credential.keep if name in env.clusters else ()
        if any(credential.kind == "bounded" for credential in kept):
            continue
        evidence = (
            "is a cluster whose credential.kind is longLived" if name in env.clusters else "is no cluster"
        )
        fix = did_you_mean(name, tuple(bounded)) + (
            f"Otherwise: pulumi config rm --path 'michelangelo:clusterTokens.{name}' --stack STACK"
        )
        yield Violation("MA467", ("clusterTokens", name), evidence, fix=fix, key=True)
