"""Rules about what the deployed release has, and what it needs besides the stack file."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.descriptors import sets
from madeploy.documents.paths import Path
from madeploy.findings.codes.code import Code
from madeploy.releases.v0_12 import KEPT_LOGS
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment
from madeploy.settings.storage import S3CompatibleStorage

_DESCRIPTORS: Path = ("controlPlane", "envoy", "descriptors")


@rule(
    {
        "MA164": Code(
            "Setting that the release does not have",
            "Services of this release do not read what the setting writes, so it could not take effect.",
            "Remove it, or deploy a release that has it.",
        ),
    },
    reads=("platform", "control_plane", "notifications", "metadata_storage", "ray_logs"),
)
def optional_parts_are_those_of_the_release(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REL-2: a part is there when the release's services read what switches it on."""
    manager, storage = env.control_plane.controllermgr, env.metadata_storage
    parts: tuple[tuple[Path, bool, str, str], ...] = (
        (("notifications", "enabled"), env.notifications.enabled, "controllermgr", "notification.taskList"),
        (("metadataStorage",), storage is not None, "apiserver", "mysql.host"),
        (("rayLogs",), env.ray_logs is not None, "controllermgr", f"{KEPT_LOGS}.enabled"),
        (
            ("controlPlane", "controllermgr", "pipelineRevisions"),
            manager.pipeline_revisions,
            "controllermgr",
            "pipeline.revisioningEnabled",
        ),
    )
    for path, wanted, service, key in parts:
        if wanted and key not in env.release.keys[service]:
            evidence = f"the {service} of release {env.release.name} does not read {key}"
            yield Violation("MA164", path, evidence, key=True)


@rule(
    {
        "MA160": Code(
            "Metadata storage that cannot be turned off again",
            "It cannot be turned off again without a clean-up: deletions would wait for ever for its "
            "finalizer. Its first write to a new `Cluster` freezes that cluster's health until the "
            "controller manager is rolled.",
            "Leave metadataStorage out unless history beyond the cluster is needed. `bin/madeploy clusters "
            "add --yes` rolls the controller manager after a registration; after one by `pulumi up` alone, "
            "count controlPlane.controllermgr.credentialsRevision up once the cluster has reported.",
            "warning",
        ),
        "MA161": Code(
            "Metadata storage with what it breaks",
            "The health of clusters registered this way would never be reported again.",
            "Remove metadataStorage, or register clusters in the layout inline.",
        ),
    },
    reads=("metadata_storage", "fleet"),
)
def a_mirror_is_known_for_what_it_does(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REL-2: it writes to every `Cluster`, whose health then stands still until the manager is rolled (V7);
    stacks of a fleet register clusters where no update rolls it."""
    if env.metadata_storage is None:
        return
    path = ("metadataStorage",)
    yield Violation("MA160", path, "every object gets a finalizer and a row in the database")
    if env.fleet.layout == "sharded":
        evidence = "fleet.layout is sharded: clusters are registered by updates that do not roll the manager"
        yield Violation("MA161", path, evidence)


@rule(
    {
        "MA162": Code(
            "Logs of Ray without keys",
            "The collector of every Ray pod reads them; without its Secret no Ray cluster starts.",
            "Make a Secret in `default` of every compute cluster with `AWS_ACCESS_KEY_ID` and "
            "`AWS_SECRET_ACCESS_KEY` of a user who may write to the bucket, and name it in "
            "rayLogs.credentialsSecret.",
        ),
    },
    reads=("ray_logs", "storage"),
)
def collectors_have_keys(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REL-2: the collector takes static keys, which clusters get here only for an S3-compatible store."""
    logs = env.ray_logs
    made = isinstance(env.storage, S3CompatibleStorage) and env.storage.credentials_secret is None
    if (
        logs is None
        or made
        or logs.credentials_secret != type(logs).model_fields["credentials_secret"].default
    ):
        return
    evidence = f"no update makes {logs.credentials_secret} with storage.kind {env.storage.kind}"
    yield Violation("MA162", ("rayLogs", "credentialsSecret"), evidence)


@rule(
    {
        "MA163": Code(
            "Notifications that nobody delivers",
            "The platform's own worker takes them from the queue, writes a warning and sends nothing.",
            "Build a worker image with activities for mail or Slack and name it in "
            "controlPlane.worker.image.",
            "warning",
        ),
    },
    reads=("notifications", "images", "control_plane"),
)
def notifications_are_delivered(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REL-2: the platform's own worker writes a warning in place of a mail."""
    if env.notifications.enabled and env.image_of("worker").repository is None:
        yield Violation("MA163", ("notifications", "enabled"), "is true with the platform's own worker")


@rule("MA164", reads=("platform", "model_registry"))
def the_registrys_address_is_one_that_tasks_read(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """REL-2: tasks of earlier releases push nothing."""
    if env.model_registry.endpoint is not None and not env.release.compute.registry_endpoint:
        path = ("modelRegistry", "endpoint")
        yield Violation(
            "MA164", path, f"tasks of release {env.release.name} do not read REGISTRY_ENDPOINT", key=True
        )


@rule(
    {
        "MA143": Code(
            "No descriptor set for Envoy",
            "The browser application sends JSON, which Envoy translates by the descriptor set of exactly "
            "the deployed version; without it every call of the application fails. Other clients are not "
            "affected.",
            "Write it with `bin/madeploy descriptors STACK --from-chart FILE.tgz`, or once the API server "
            "runs with `--from-api ADDRESS`.",
            "warning",
        ),
        "MA144": Code(
            "Descriptor set that cannot be used",
            "Envoy stops at start-up when it cannot read the set, and a ConfigMap holds no more than 1 MiB.",
            "Write it again with `bin/madeploy descriptors STACK --from-chart FILE.tgz` or `--from-api "
            "ADDRESS`.",
        ),
        "MA145": Code(
            "Descriptor set without a service",
            "Envoy stops at start-up when a service it shall translate is not in the set.",
            "Write the set of the deployed version with `bin/madeploy descriptors STACK`.",
        ),
        "MA146": Code(
            "Descriptor set of another release",
            "Fields it does not know vanish from the application without an error, and values of "
            "enumerations become numbers.",
            "Write the set of exactly the deployed version with `bin/madeploy descriptors STACK`.",
        ),
    },
    "MA164",
    reads=("platform", "control_plane"),
)
def envoy_translates_by_the_deployed_versions_descriptors(
    env: Environment, _: SecretNames
) -> Iterator[Violation]:
    """CP-5, REL-1: the set is read as Envoy reads it, and compared with the release."""
    file, wanted = env.control_plane.envoy.descriptors, env.release.envoy.transcoded
    if file is None:
        if wanted:
            yield Violation("MA143", ("controlPlane", "envoy"), "descriptors are not set")
        return
    if not wanted:
        evidence = f"Envoy translates nothing at release {env.release.name}: its application speaks gRPC-Web"
        yield Violation("MA164", _DESCRIPTORS, evidence, key=True)
        return
    if file.content is None:
        yield Violation("MA144", _DESCRIPTORS, f"{file.path} cannot be read beside the stack file")
        return
    if len(file.content) > sets.MAX_BYTES:
        evidence = f"{file.path} has {len(file.content):,} bytes or more; {sets.MAX_BYTES:,} fit"
        yield Violation("MA144", _DESCRIPTORS, evidence)
        return
    try:
        found = sets.read(file.content)
    except sets.DescriptorError as error:
        yield Violation("MA144", _DESCRIPTORS, f"{file.path} {error}")
        return
    missing = found.missing(wanted)
    if missing:
        yield Violation("MA145", _DESCRIPTORS, f"{file.path} lacks {', '.join(missing)}")
    mark = found.contradicts(env.release.descriptor_marks)
    if mark is not None and not missing:
        has = "has no" if mark.present else "still has"
        evidence = f"{file.path} is of {mark.said}: {mark.message} {has} {mark.field}"
        yield Violation("MA146", _DESCRIPTORS, evidence, severity="error" if mark.fatal else "warning")
