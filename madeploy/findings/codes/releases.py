"""MA14x releases of the platform and their optional parts, MA8xx upgrades."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

RELEASES: Final[dict[str, Code]] = {
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
    "MA160": Code(
        "Metadata storage turned on",
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
}
