"""MA14x descriptor sets, MA16x releases of the platform and their optional parts, MA8xx upgrades."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

DESCRIPTORS: Final[dict[str, Code]] = {
    "MA143": Code(
        "No descriptor set for Envoy",
        "The browser application sends JSON, which Envoy translates by the descriptor set of exactly the "
        "deployed version; without it every call of the application fails. Other clients are not affected.",
        "Write it with `bin/madeploy descriptors STACK --from-chart FILE.tgz`, or once the API server runs "
        "with `--from-api ADDRESS`.",
        "warning",
    ),
    "MA144": Code(
        "Descriptor set that cannot be used",
        "Envoy stops at start-up when it cannot read the set, and a ConfigMap holds no more than 1 MiB.",
        "Write it again with `bin/madeploy descriptors STACK --from-chart FILE.tgz` or `--from-api ADDRESS`.",
    ),
    "MA145": Code(
        "Descriptor set without a service",
        "Envoy stops at start-up when a service it shall translate is not in the set.",
        "Write the set of the deployed version with `bin/madeploy descriptors STACK`.",
    ),
    "MA146": Code(
        "Descriptor set of another release",
        "Fields it does not know vanish from the application without an error, and values of enumerations "
        "become numbers.",
        "Write the set of exactly the deployed version with `bin/madeploy descriptors STACK`.",
    ),
}

RELEASES: Final[dict[str, Code]] = {
    "MA160": Code(
        "Metadata storage that cannot be turned off again",
        "It cannot be turned off again without a clean-up: deletions would wait for ever for its "
        "finalizer. Its first write to a new `Cluster` freezes that cluster's health until the controller "
        "manager is rolled.",
        "Leave metadataStorage out unless history beyond the cluster is needed; after each registration "
        "count controlPlane.controllermgr.credentialsRevision up, once the cluster has reported.",
        "warning",
    ),
    "MA161": Code(
        "Metadata storage with what it breaks",
        "The health of clusters registered this way would never be reported again.",
        "Remove metadataStorage, or register clusters in the layout inline.",
    ),
    "MA162": Code(
        "Logs of Ray without keys",
        "The collector of every Ray pod reads them; without its Secret no Ray cluster starts.",
        "Make a Secret in `default` of every compute cluster with `AWS_ACCESS_KEY_ID` and "
        "`AWS_SECRET_ACCESS_KEY` of a user who may write to the bucket, and name it in "
        "rayLogs.credentialsSecret.",
    ),
    "MA163": Code(
        "Notifications that nobody delivers",
        "The platform's own worker takes them from the queue, writes a warning and sends nothing.",
        "Build a worker image with activities for mail or Slack and name it in controlPlane.worker.image.",
        "warning",
    ),
    "MA164": Code(
        "Setting that the release does not have",
        "Services of this release do not read what the setting writes, so it could not take effect.",
        "Remove it, or deploy a release that has it.",
    ),
    "MA165": Code(
        "Image of another release",
        "The configuration is written for the release of platform.release; services of another one stop at "
        "keys they do not know, or ignore what they should do.",
        "Use a tag of that release, or set platform.release to the one of the image.",
    ),
    "MA166": Code(
        "Tag of a pre-release",
        "A candidate is replaced by the release and gets no mended version.",
        "Use the tag of the release.",
    ),
}

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
}
