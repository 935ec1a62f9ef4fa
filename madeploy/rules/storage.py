"""Rules about the object store."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from madeploy.documents.paths import Path
from madeploy.documents.words import did_you_mean
from madeploy.findings.codes.code import Code
from madeploy.findings.model import Severity
from madeploy.names.partitions import partition_of, regions
from madeploy.names.services import deployed
from madeploy.names.storage import SERVING_BUCKET
from madeploy.rules.model import SECRETS, SecretNames, Violation, rule
from madeploy.settings.buckets import Buckets
from madeploy.settings.environment import Environment
from madeploy.settings.identities import Irsa, PodIdentity
from madeploy.settings.storage import AwsStorage, ExistingStorage, S3CompatibleStorage

_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$")
_RESERVED_STARTS: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_PLATFORM_NAMES: Final = ("default", SERVING_BUCKET)
"""Buckets the platform's code names itself (facts 0.4); on AWS they are other people's (facts 9.16)."""

_CREDENTIALS: Final = frozenset({"accessKeyId", "secretAccessKey"})


def _named(buckets: Buckets) -> Iterator[tuple[Path, str]]:
    for purpose in ("workspace", "models", "logs"):
        name = getattr(buckets, purpose)
        if name is not None:
            yield ("storage", "buckets", purpose), name


def _defect(name: str, *, aws: bool) -> str | None:
    """What S3 has against a bucket's name (Amazon S3 User Guide, bucket naming rules)."""
    if not _NAME.match(name):
        return "holds other characters than lower-case letters, digits, dots and hyphens, or one at an end"
    if ".." in name:
        return "has two dots side by side"
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        pass
    else:
        return "has the form of an IP address"
    if aws:
        for start in _RESERVED_STARTS:
            if name.startswith(start):
                return f"starts with {start}, which S3 keeps for itself"
        for end in _RESERVED_ENDS:
            if name.endswith(end):
                return f"ends in {end}, which S3 keeps for itself"
    return None


@rule(
    {
        "MA301": Code(
            "Bucket name that S3 refuses",
            "S3 would refuse to create the bucket, after part of the deployment.",
            "Follow S3's rules: 3 to 63 lower-case letters, digits, dots and hyphens.",
        ),
        "MA302": Code(
            "Bucket name that is taken on AWS",
            "S3 bucket names are global; these have belonged to somebody else for years. Neither can an "
            "alias of an access point stand in for them: AWS chooses its name.",
            "Choose a name with your organisation's own prefix, and set spec.workspaceRootDir and "
            "UF_STORAGE_URL in your projects; serving, which reads `deploy-models` only, needs an "
            "S3-compatible store (storage.kind s3Compatible) or images that are patched: "
            "docs/object-store.md.",
        ),
        "MA304": Code(
            "Bucket name with a dot",
            "The certificate of S3's wildcard host names does not cover it, so HTTPS calls fail.",
            "Use hyphens in place of dots, or pathStyle.",
        ),
    },
    reads=("storage",),
)
def bucket_names_can_be_had(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: refused here rather than by S3, after part of the deployment."""
    storage = env.storage
    aws = not isinstance(storage, S3CompatibleStorage)
    named = list(_named(storage.buckets))
    if isinstance(storage, AwsStorage) and storage.access_logs is not None:
        named.append((("storage", "accessLogs", "bucket"), storage.access_logs.bucket))
    if isinstance(storage, AwsStorage) and storage.audit_logs is not None:
        named.append((("storage", "auditLogs", "bucket"), storage.audit_logs.bucket))
    for path, name in named:
        defect = _defect(name, aws=aws)
        if defect is not None:
            yield Violation("MA301", path, defect)
        elif aws and name in _PLATFORM_NAMES:
            yield Violation("MA302", path, f"{name} belongs to somebody else on AWS")
        elif aws and "." in name and not (isinstance(storage, AwsStorage) and storage.path_style):
            yield Violation("MA304", path, f"{name} has a dot", severity="warning")


@rule(
    {
        "MA303": Code(
            "One bucket for two purposes",
            "Lifecycle rules and rights of one purpose would apply to the other's data.",
            "Give each purpose a bucket of its own.",
        ),
    },
    reads=("storage",),
)
def each_purpose_has_its_bucket(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: lifecycle and rights differ by purpose."""
    seen: dict[str, Path] = {}
    for path, name in _named(env.storage.buckets):
        if name in seen:
            evidence = f"{name} is the bucket for {seen[name][-1]} as well"
            ours = isinstance(env.storage, AwsStorage)
            yield Violation("MA303", path, evidence, severity="error" if ours else "warning")
        seen.setdefault(name, path)


@rule(
    {
        "MA305": Code(
            "Bucket name the platform's code does not use",
            "Serving in these releases reads models from the bucket `deploy-models` only.",
            "Serve from a store where that name can be had, or know that serving needs a patched image.",
            "warning",
        ),
    },
    reads=("storage",),
)
def serving_finds_its_models(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: where the fixed name can be had, another one breaks serving (facts 0.4)."""
    if isinstance(env.storage, S3CompatibleStorage) and env.storage.buckets.models != SERVING_BUCKET:
        name = env.storage.buckets.models
        evidence = f"is {name}; serving reads from {SERVING_BUCKET} only"
        yield Violation("MA305", ("storage", "buckets", "models"), evidence)


@rule(
    {
        "MA306": Code(
            "ARN of another region or partition",
            "Keys are regional, and partitions share nothing: every call that needs it would be refused.",
            "Give the ARN in the region of the buckets.",
        ),
    },
    reads=("storage", "clusters"),
)
def arns_are_of_this_region(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1, MR-2: keys are regional, and partitions share nothing."""
    storage = env.storage
    arns: list[tuple[Path, str]] = []
    if isinstance(storage, AwsStorage):
        if storage.kms_key_arn is not None:
            arns.append((("storage", "kmsKeyArn"), storage.kms_key_arn))
        if storage.identity.kind == "irsa":
            arns.append((("storage", "identity", "oidcProviderArn"), storage.identity.oidc_provider_arn))
        if storage.permissions_boundary_arn is not None:
            arns.append((("storage", "permissionsBoundaryArn"), storage.permissions_boundary_arn))
        for cluster, settings in env.clusters.items():
            if isinstance(settings.task_identity, Irsa):
                where: Path = ("clusters", cluster, "taskIdentity", "oidcProviderArn")
                arns.append((where, settings.task_identity.oidc_provider_arn))
    elif isinstance(storage, ExistingStorage):
        arns += [(("storage", "roleArns", name), arn) for name, arn in storage.role_arns.items()]
    else:
        return
    partition = partition_of(storage.region).name
    for path, arn in arns:
        given, region = arn.split(":")[1], arn.split(":")[3]
        if given != partition:
            yield Violation("MA306", path, f"is of the partition {given}; {storage.region} is in {partition}")
        elif region and region != storage.region:
            yield Violation("MA306", path, f"is in {region}; the buckets are in {storage.region}")


@rule(
    {
        "MA307": Code(
            "Region that AWS does not list",
            "The list is botocore's. Nothing answers in a region that does not exist, and its partition "
            "can only be guessed.",
            "Correct it.",
            "warning",
        ),
    },
    reads=("storage", "clusters"),
)
def regions_are_ones_aws_has(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1, UX-3: a name that looks like a region and is none fails at the first call only."""
    named: list[tuple[Path, str | None]] = []
    if not isinstance(env.storage, S3CompatibleStorage):
        named.append((("storage", "region"), env.storage.region))
    if isinstance(env.storage, AwsStorage) and isinstance(env.storage.identity, PodIdentity):
        named.append((("storage", "identity", "region"), env.storage.identity.region))
    for name, cluster in env.clusters.items():
        if cluster.eks is not None:
            named.append((("clusters", name, "eks", "region"), cluster.eks.region))
        if isinstance(cluster.task_identity, PodIdentity):
            named.append((("clusters", name, "taskIdentity", "region"), cluster.task_identity.region))
    known = regions()
    for path, region in named:
        if region is not None and region not in known:
            fix = (
                did_you_mean(region, known) + "Correct it; a region that is newer than the toolkit may stay."
            )
            yield Violation("MA307", path, f"is {region}", fix=fix)


@rule(
    {
        "MA310": Code(
            "Static credentials over plain HTTP",
            "Requests and data could be read and changed on the way to the store.",
            "Use an https:// endpoint.",
        ),
    },
    reads=("storage", "platform"),
)
def static_keys_travel_encrypted(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-1: plain HTTP is for development, and for a store inside the cluster."""
    storage, tier = env.storage, env.platform.tier
    if not isinstance(storage, S3CompatibleStorage) or not storage.endpoint.startswith("http://"):
        return
    if tier == "development":
        return
    host = urlsplit(storage.endpoint).hostname or ""
    inside = host.endswith((".svc", ".svc.cluster.local"))
    severity: Severity = "error" if tier == "production" and not inside else "warning"
    yield Violation("MA310", ("storage", "endpoint"), "is plain HTTP", severity=severity)


@rule(
    {
        "MA311": Code(
            "Credentials of the object store missing",
            "The services would start without credentials and fail at the first object.",
            "Set both keys from standard input:\n"
            "pulumi config set --secret --path 'michelangelo:objectStore.accessKeyId' --stack STACK\n"
            "pulumi config set --secret --path 'michelangelo:objectStore.secretAccessKey' --stack STACK\n"
            "or name an existing Secret in storage.credentialsSecret.",
        ),
        "MA312": Code(
            "Credentials that nothing uses",
            "A secret that is not needed can only leak.",
            "Remove it: pulumi config rm --path 'michelangelo:objectStore' --stack STACK",
            "warning",
        ),
    },
    reads=("storage", SECRETS),
)
def the_stores_keys_are_there_when_needed(env: Environment, secrets: SecretNames) -> Iterator[Violation]:
    """MR-1: both keys, or a Secret that exists, and neither where roles do the work."""
    given = secrets.get("objectStore")
    needed = isinstance(env.storage, S3CompatibleStorage) and env.storage.credentials_secret is None
    if needed and not _CREDENTIALS.issubset(given or frozenset()):
        missing = ", ".join(sorted(_CREDENTIALS - (given or frozenset())))
        yield Violation(
            "MA311", ("objectStore",) if given is not None else ("storage",), f"{missing} not set"
        )
    elif given is not None and not needed:
        reason = (
            "storage.credentialsSecret names a Secret"
            if env.storage.kind == "s3Compatible"
            else "roles are used"
        )
        yield Violation("MA312", ("objectStore",), f"is set, but {reason}", key=True)


@rule(
    {
        "MA313": Code(
            "Production buckets without protection",
            "`pulumi destroy` would delete every model and workspace in them.",
            "Set storage.protect to true.",
            "warning",
        ),
    },
    reads=("storage", "platform"),
)
def production_data_is_protected(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """UX-6: data stores are never destroyed by default."""
    if env.platform.tier == "production" and isinstance(env.storage, AwsStorage) and not env.storage.protect:
        yield Violation("MA313", ("storage", "protect"), "is false in production")


@rule(
    {
        "MA315": Code(
            "Identities without a role",
            "A pod without a role reaches no bucket.",
            "Add the role's ARN to storage.roleArns.",
            "warning",
        ),
    },
    reads=("storage", "model_registry"),
)
def identities_have_their_roles(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """MR-2: with one role given, the other one is probably forgotten. Without any, pods get theirs from
    associations made elsewhere."""
    if isinstance(env.storage, ExistingStorage) and env.storage.role_arns:
        for service in deployed(env):
            if service.calls_store and service.name not in env.storage.role_arns:
                yield Violation("MA315", ("storage", "roleArns"), f"has no role for {service.name}")
