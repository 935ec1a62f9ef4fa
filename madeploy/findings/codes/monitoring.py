"""MA6xx: monitoring. MA61x and MA62x are the alerts' pages."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

ALERTS: Final[dict[str, Code]] = {
    "MA610": Code(
        "No controller manager is up",
        "Nothing new is dispatched and nothing fails over.",
        "Look at the pods of Deployment michelangelo-controllermgr and their previous logs; it stops at "
        "start-up when a configuration key is unknown, a definition is missing, or Temporal is unreachable.",
    ),
    "MA611": Code(
        "No controller manager leads",
        "They run, and nothing is reconciled.",
        "Look at the Lease that controlPlane.controllermgr.leaderElectionId names and whether its holder is "
        "alive.",
    ),
    "MA612": Code(
        "A controller keeps failing",
        "Its objects stay as they are: runs do not start or end, clusters and servers do not follow.",
        "The log of the controller manager names the objects and the reason.",
        "warning",
    ),
    "MA613": Code(
        "A controller hangs",
        "One call of it has not returned for a quarter of an hour, and its other objects may wait behind it.",
        "Look in the log of the controller manager for the object it took last, and at what that calls: the "
        "workflow engine, the object store or a compute cluster. A restart frees it.",
        "warning",
    ),
    "MA614": Code(
        "Objects that the controller manager cannot decode",
        "It leaves them alone: what they ask for is not done.",
        "Its log names them. Mostly a definition is newer than the service: both come from one release.",
        "warning",
    ),
    "MA615": Code(
        "Runs of a deleted pipeline did not end",
        "They were let go after a day; their workflows may still run and use clusters.",
        "End them in the workflow engine.",
        "warning",
    ),
    "MA616": Code(
        "A Kubernetes API does not answer the controller manager",
        "Nothing is dispatched there; a `Cluster` keeps its last status meanwhile, so it may still say it is "
        "ready.",
        "Check the cluster, the network path and the firewall; `bin/madeploy clusters verify` says which.",
    ),
    "MA617": Code(
        "A Kubernetes API refuses the controller manager's credential",
        "Jobs on that cluster are neither started nor followed. Often a bounded token has run out.",
        "Replace the cluster's token with `bin/madeploy clusters rotate`: the controller manager keeps a "
        "credential for as long as it runs, and has to be rolled afterwards, which the command does.",
    ),
    "MA618": Code(
        "A cluster's health has not been proven for minutes",
        "The condition keeps its last value for ever: only the age of its time stamp tells (V15).",
        "`bin/madeploy clusters verify` says what is wrong; after an edit of the `Cluster` object only a "
        "roll of the controller manager helps (V7).",
    ),
    "MA619": Code(
        "A registered cluster is not ready",
        "The platform's scheduler pays no attention to it: jobs still go there, and wait.",
        "The condition's message says why; `bin/madeploy clusters verify` goes through the causes.",
    ),
    "MA620": Code(
        "No Envoy is up",
        "The browser application cannot reach the API.",
        "Look at the pods of Deployment michelangelo-envoy.",
    ),
    "MA621": Code(
        "Envoy gets no connection to the API server",
        "Users, workers and task pods are cut off. There is no automatic failover.",
        "Look at the pods of Deployment michelangelo-apiserver and at the NetworkPolicies between the two.",
    ),
    "MA622": Code(
        "Calls of browsers fail",
        "More than one in twenty ends without an answer of the API server.",
        "Envoy's access log names the reason of each in `flags` and `details`.",
        "warning",
    ),
    "MA623": Code(
        "A certificate was not renewed",
        "When it runs out, browsers and clients refuse the connection.",
        "Its Certificate object and the challenges below it say why it was not renewed.",
    ),
    "MA624": Code(
        "Pipeline runs have failed",
        "Somebody's training or evaluation has no result.",
        "The status of the PipelineRun names the step; many at once point at a cluster, the "
        "object store or the workflow engine.",
        "warning",
    ),
    "MA625": Code(
        "A pipeline run took long",
        "It held its cluster longer than monitoring.runMinutes allows.",
        "Compare its steps with those of an earlier run; waiting for a cluster counts, too.",
        "warning",
    ),
    "MA626": Code(
        "Inference requests fail",
        "More than one in a hundred requests to a model ends in an error.",
        "The log of the inference server's pods names the request and the reason.",
        "warning",
    ),
    "MA627": Code(
        "Inference is slow",
        "Requests to a model take more than half a second on average.",
        "Compare the time in the queue with the time of computing: more replicas help with the first only.",
        "warning",
    ),
    "MA628": Code(
        "A cluster's token ends soon",
        "From then on jobs on that cluster are neither started nor followed.",
        "Replace it with `bin/madeploy clusters rotate`, best on a schedule.",
    ),
}
