"""MA480 to MA499: layouts of fleets, updates of many clusters (docs/fleets.md, docs/recovering.md), queues
(docs/queues.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

FLEETS: Final[dict[str, Code]] = {
    "MA483": Code(
        "Layout changed while clusters are registered",
        "The stacks of the other layout do not know these registrations: they would be deleted in one stack "
        "before they are made in the other, and jobs lose their cluster in between.",
        "Set it back. To change it, remove the clusters first, then change it, then add them.",
    ),
    "MA484": Code(
        "Cluster that the engine could not update",
        "What was done so far is kept, and nothing of other clusters was changed because of it.",
        "Remove the cause, then run the same command again: it goes on from where this one stopped.",
    ),
    "MA485": Code(
        "Cluster that waits for something else",
        "A stack it needs was not finished, so that its own was not begun.",
        "Follow the other findings first, then run the same command again.",
    ),
    "MA486": Code(
        "Stack that the engine could not update",
        "The error is not about one cluster; all that the stack holds may be behind its settings.",
        "Remove the cause, then run the same command again: it goes on from where this one stopped.",
    ),
    "MA487": Code(
        "Stack of a cluster that is no longer there",
        "What it made on the compute cluster is still there, the platform's account and its rights included.",
        "Remove it: `bin/madeploy fleet up STACK` does when the cluster can be reached.",
        "warning",
    ),
    "MA488": Code(
        "Stack that somebody works on",
        "Two updates at once would overwrite each other's state.",
        "Wait for the other update to end; if its engine was killed, run `bin/madeploy recover STACK`.",
    ),
    "MA497": Code(
        "Queues that admit no job",
        "A job whose queue is missing ends as KueueQueueNotFound; in one that is not active it waits for "
        "ever.",
        "Update the stack; where Kueue calls the queue inactive, see what its ClusterQueue lacks.",
    ),
}
