"""MA14x descriptor sets, MA16x releases of the platform and their optional parts, MA8xx upgrades."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

UPGRADES: Final[dict[str, Code]] = {
    "MA801": Code(
        "Objects that the release cannot take over",
        "Their definition changes in a way the new API server refuses to make while there are any: it "
        "would not start. Fields that go are lost at the next write.",
        "They are in the dump (`--dump FILE`), and stay in it. Delete them, then run the upgrade again:\n"
        "kubectl delete revisions.michelangelo.api --all --all-namespaces",
    ),
    "MA802": Code(
        "Objects without a field that the release needs",
        "They serve nothing from the update on until they have it; the definition of today does not know it.",
        "Plan a gap. After the update give each its spec.clusterTargets, with the account and the token of "
        "serving on every target cluster.",
        "warning",
    ),
    "MA803": Code(
        "KubeRay older than the release needs",
        "The release writes objects for the newer operator. Helm upgrades no definitions.",
        "While no Ray cluster runs, apply the definitions of that version, then upgrade the operator:\n"
        "kubectl apply --server-side -k "
        "'github.com/ray-project/kuberay/ray-operator/config/crd?ref=v1.7.1'\n"
        "helm upgrade kuberay-operator kuberay/kuberay-operator -n ray-system --version 1.7.1",
    ),
    "MA804": Code(
        "Ray clusters that run",
        "An upgrade of the operator may start their pods anew, and what they compute is lost.",
        "Wait for them, or end them; `bin/madeploy clusters drain NAME` keeps new ones away.",
    ),
    "MA805": Code(
        "Queues that nobody polls",
        "Runs of these projects wait for ever.",
        "Add the queues to workflow.additionalTaskLists.",
        "warning",
    ),
    "MA806": Code(
        "Pipelines whose deletion deletes their runs",
        "From this release on every run belongs to its Pipeline: whoever deletes one, an engine that "
        "prunes or replaces included, deletes all its runs.",
        "In Pulumi set protect or retainOnDelete for them, in Argo CD the sync option Prune=false.",
        "info",
    ),
    "MA807": Code(
        "Compute cluster that was not looked at",
        "Whether it can work with the release is not known.",
        "Bring it back, or remove it: `bin/madeploy clusters remove NAME`. Then run the upgrade again.",
    ),
    "MA808": Code(
        "Cadence needs consistent queries",
        "Without them runs of this release never leave the state Running. Cadence does not tell what it is "
        "configured to do, so it cannot be checked.",
        "In Cadence's dynamic configuration set history.EnableConsistentQuery and "
        "history.EnableConsistentQueryByDomain to true, in exactly this spelling: others are ignored.",
        "warning",
    ),
    "MA809": Code(
        "Tasks do not know where to register models",
        "Tasks of this release that push a model read the API's address from REGISTRY_ENDPOINT; without it "
        "they keep the model in their own memory, and lose it without a word.",
        "Where tasks push models, set modelRegistry.endpoint to an address that they reach.",
        "info",
    ),
}
