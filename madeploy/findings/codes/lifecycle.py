"""MA460 to MA479: a registered cluster's credentials and the rest of its life (docs/compute-clusters.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

LIFECYCLE: Final[dict[str, Code]] = {
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
    "MA462": Code(
        "Spark operator where no Spark job runs",
        "The platform sends Spark jobs to the control plane's own cluster, never to a registered one.",
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
        "Prepare the cluster with credential.generation 0, then: bin/madeploy clusters rotate NAME "
        "--stack STACK",
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
    "MA469": Code(
        "Credential that the platform does not use",
        "As long as the platform has not reached the cluster with the new credential, withdrawing the "
        "old one "
        "could cut it off: both stay valid.",
        "Find out why, then let the rotation finish, or take it back with --rollback.",
    ),
    "MA470": Code(
        "Withdrawn credential that is still accepted",
        "Whoever has a copy of it can go on using it.",
        "Delete ServiceAccount ray-manager's Secret on the cluster, and look at the API server's token "
        "cache.",
    ),
    "MA471": Code(
        "Credential that did not get to the control plane",
        "The control plane's Secret holds another token than the one that is to be registered.",
        "Run the update again: pulumi up --refresh",
    ),
    "MA472": Code(
        "Work that still runs on the cluster",
        "Removing the registration leaves it running there, with nobody who watches over it or ends it.",
        "Wait for it, end it, or remove the cluster with --no-drain.",
    ),
    "MA473": Code(
        "Jobs that another cluster may get",
        "Jobs without the label michelangelo/cluster-affinity go to whichever cluster comes first in the "
        "controller manager's map, ready or not; without a cluster they wait.",
        "Give jobs the label michelangelo/cluster-affinity with the name of the cluster they are to run on.",
        "warning",
    ),
    "MA474": Code(
        "Objects left behind on a cluster",
        "The cluster does not answer, so that nothing could be deleted there; a token of ray-manager stays "
        "valid until its Secret is deleted.",
        "Delete them there once the cluster answers, if it still exists.",
        "warning",
    ),
    "MA475": Code(
        "Cluster that waits for its finalizer",
        "Only a running controller manager takes the finalizer "
        "clusters.michelangelo.uber.com/finalizer away; "
        "until then the deletion waits.",
        "Let the controller manager run, then remove the cluster again.",
    ),
    "MA476": Code(
        "Credential whose age is not known",
        "Whether it is due for rotation is told by its Secret on the compute cluster.",
        "Name the cluster instead of choosing it by age.",
    ),
}
