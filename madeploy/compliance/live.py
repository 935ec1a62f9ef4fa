"""What AWS and the front door answer when they are asked about a control."""

from __future__ import annotations

import functools
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from madeploy.clients.aws import asking
from madeploy.clients.errors import ClientError
from madeploy.names.storage import ACCESS_LOGS, AUDIT_LOGS, made_buckets
from madeploy.rules.controls import Question
from madeploy.settings import Environment
from madeploy.settings.identities import PodIdentity
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage

SECONDS: Final = 5.0
"""Time limit of a handshake."""


@dataclass(frozen=True)
class Answer:
    """A live system's answer about one subject."""

    subject: str
    said: str
    kept: bool | None
    """Whether it keeps the control; None where there was no answer."""


def ask(question: Question, environment: Environment) -> tuple[Answer, ...]:
    """Every answer to a question about an environment; none where it has nothing to ask."""
    return tuple(_ASK[question](environment))


def _buckets(environment: Environment) -> Iterator[Answer]:
    """Where buckets are, how they are encrypted, and that nothing of them can become public."""
    storage = environment.storage
    if isinstance(storage, S3CompatibleStorage):
        return
    named: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    if isinstance(storage, AwsStorage):
        named = made_buckets(storage)
    wanted = isinstance(storage, AwsStorage) and bool(storage.kms_key or storage.kms_key_arn)
    for purpose, name in named.items():
        # S3 delivers access logs to no bucket with a key that is not its own.
        look = functools.partial(_bucket, name=name, own_key=wanted and purpose != ACCESS_LOGS)
        yield _asked(f"s3://{name}", "s3", storage.region, look)


def _asked(subject: str, service: str, region: str, look: Callable[[Any], tuple[bool, str]]) -> Answer:
    try:
        with asking(service, region) as client:
            kept, said = look(client)
    except ClientError as error:
        return Answer(subject, f"no answer: {error}", None)
    return Answer(subject, said, kept)


def _bucket(s3: Any, name: str, own_key: bool) -> tuple[bool, str]:
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    algorithm = rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    versions = s3.get_bucket_versioning(Bucket=name).get("Status", "off")
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    region = s3.get_bucket_location(Bucket=name)["LocationConstraint"] or "us-east-1"
    private = all(block.values())
    kept = private and versions == "Enabled" and (algorithm == "aws:kms" or not own_key)
    public = "no public access" if private else "may become public"
    return kept, f"{algorithm}, versions {versions}, {public}, in {region}"


def _audit_bucket(environment: Environment) -> Iterator[Answer]:
    storage = environment.storage
    if not isinstance(storage, AwsStorage) or storage.audit_logs is None:
        return
    audit = storage.audit_logs

    def look(s3: Any) -> tuple[bool, str]:
        lock = s3.get_object_lock_configuration(Bucket=audit.bucket)["ObjectLockConfiguration"]
        default: Mapping[str, Any] = lock.get("Rule", {}).get("DefaultRetention", {})
        mode, days = str(default.get("Mode", "none")), int(default.get("Days") or 0)
        return mode == audit.mode.upper() and days >= audit.days, f"Object Lock {mode}, {days} days"

    yield _asked(f"s3://{made_buckets(storage)[AUDIT_LOGS]}", "s3", storage.region, look)


def _eks(environment: Environment) -> dict[str, str]:
    """EKS clusters that the settings name, and their regions."""
    found = {
        cluster.eks.cluster_name: cluster.eks.region
        for cluster in environment.clusters.values()
        if cluster.eks is not None
    }
    storage = environment.storage
    if isinstance(storage, AwsStorage) and isinstance(storage.identity, PodIdentity):
        found[storage.identity.cluster_name] = storage.identity.region or storage.region
    return found


def _eks_secrets(environment: Environment) -> Iterator[Answer]:
    """Whether Kubernetes' Secrets are encrypted with a key of one's own."""

    def look(name: str) -> Callable[[Any], tuple[bool, str]]:
        def describe(eks: Any) -> tuple[bool, str]:
            configured = eks.describe_cluster(name=name)["cluster"].get("encryptionConfig") or ()
            covered = any("secrets" in item.get("resources", ()) for item in configured)
            return covered, "Secrets with a KMS key" if covered else "Secrets without a key of one's own"

        return describe

    for name, region in _eks(environment).items():
        yield _asked(f"EKS {name}", "eks", region, look(name))


def _eks_audit(environment: Environment) -> Iterator[Answer]:
    """Whether the Kubernetes API logs who did what."""

    def look(name: str) -> Callable[[Any], tuple[bool, str]]:
        def describe(eks: Any) -> tuple[bool, str]:
            logging = eks.describe_cluster(name=name)["cluster"].get("logging") or {}
            enabled = {
                kind
                for item in logging.get("clusterLogging", ())
                if item.get("enabled")
                for kind in item.get("types", ())
            }
            said = "audit log on" if "audit" in enabled else "audit log off"
            return "audit" in enabled, said

        return describe

    for name, region in _eks(environment).items():
        yield _asked(f"EKS {name}", "eks", region, look(name))


def _doors(environment: Environment) -> Iterator[Answer]:
    for host in (environment.domains.api, environment.domains.app):
        yield handshake(host, 443)


def handshake(host: str, port: int) -> Answer:
    """The TLS version a server agrees to when it is offered nothing above 1.1, and its usual one."""
    try:
        usual = _version(host, port, ssl.TLSVersion.MAXIMUM_SUPPORTED)
    except OSError as error:
        return Answer(f"{host}:{port}", f"no answer: {error}", None)
    try:
        old = _version(host, port, ssl.TLSVersion.TLSv1_1)
    except OSError:
        return Answer(f"{host}:{port}", f"{usual}; 1.1 and older refused", True)
    return Answer(f"{host}:{port}", f"speaks {old}", False)


def _version(host: str, port: int, highest: ssl.TLSVersion) -> str:
    """Raises OSError (ssl.SSLError is one) when no connection comes about."""
    context = ssl.create_default_context()
    # Only the version is of interest: whether the certificate is right is others' business.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # This side must be willing to speak old versions, or its own refusal would pass for the server's.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Python warns of versions that are too old; whether a server takes one is the question.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = highest
    with (
        socket.create_connection((host, port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return str(secure.version())


_ASK: Final[Mapping[Question, Callable[[Environment], Iterator[Answer]]]] = {
    "buckets": _buckets,
    "audit-bucket": _audit_bucket,
    "eks-secrets": _eks_secrets,
    "eks-audit": _eks_audit,
    "doors": _doors,
}
