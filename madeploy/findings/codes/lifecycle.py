"""MA460 to MA479: a registered cluster's credentials and the rest of its life (docs/compute-clusters.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

LIFECYCLE: Final[dict[str, Code]] = {
    "MA460": Code(
        "Credential that may do nothing where jobs run",
        "The platform of this generation makes its Ray objects in namespace `default`, wherever a job says it "
        "should run: every job sent to the cluster would be refused.",
        "Add `default` to namespaces, or leave namespaces out.",
    ),
    "MA461": Code(
        "Right that the platform does not use",
        "The platform of this generation makes its Ray objects in namespace `default` only; who may create "
        "Ray clusters in a namespace may run pods there.",
        "Take the namespace out.",
        "warning",
    ),
    "MA462": Code(
        "Spark operator where no Spark job runs",
        "The platform of this generation sends Spark jobs to the control plane's own cluster, never to a "
        "registered one.",
        "Set operators.spark to ignore, and install Spark's operator on the control plane's cluster.",
    ),
    "MA463": Code(
        "Credentials that contradict each other",
        "Each generation is one Secret on the cluster: it is registered, or kept besides, and named once.",
        "Name each generation once.",
    ),
    "MA464": Code(
        "Rotation that is not finished",
        "Two credentials of the platform are valid on the cluster for longer than need be.",
        "Let it finish, or take it back: bin/madeploy clusters rotate NAME --stack STACK, with --rollback.",
        "warning",
    ),
    "MA465": Code(
        "Cluster that is prepared and not registered",
        "The platform does not know the cluster as long as credential.generation is 0.",
        "Register it: bin/madeploy clusters rotate NAME --stack STACK",
        "warning",
    ),
    "MA466": Code(
        "Bounded credential without its token",
        "Only a command can ask for such a token; an update would have nothing to register.",
        "Prepare the cluster with credential.generation 0, then: bin/madeploy clusters rotate NAME --stack STACK",
    ),
    "MA467": Code(
        "Token that nothing uses",
        "A credential that nothing uses can only leak; more often the name is misspelt, or the kind is.",
        "Correct the name or credential.kind, or remove the secret.",
    ),
    "MA468": Code(
        "Lifetime that has no effect",
        "A long-lived token is valid until it is revoked; only one of kind bounded has an end.",
        "Set credential.kind to bounded, or take lifetimeHours out.",
        "warning",
    ),
}
