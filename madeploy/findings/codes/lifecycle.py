"""MA460 to MA479: a registered cluster's credentials and the rest of its life (docs/compute-clusters.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

LIFECYCLE: Final[dict[str, Code]] = {
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
    "MA477": Code(
        "Controller manager that was not rolled after a registration",
        "With metadataStorage the ingester writes to the new `Cluster`; from then on its health is not "
        "reported until the controller manager has been rolled.",
        "Once the object has the finalizer michelangelo/Ingester, run the command again, or count "
        "controlPlane.controllermgr.credentialsRevision up and run `pulumi up`.",
    ),
    "MA479": Code(
        "Kueue's definitions missing",
        "The cluster's queues are objects of Kueue; without its definitions they cannot be made.",
        "Install Kueue on the compute cluster, or set clusters.<name>.operators.kueue to install.",
    ),
}
