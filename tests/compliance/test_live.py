"""Questions to AWS and to doors, asked of what answers like them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest

from madeploy.compliance import live
from madeploy.settings import Environment
from tests.support.environments import environment
from tests.support.frameworks import aws, stack
from tests.support.tls import certificate_files

pytestmark = pytest.mark.whole
REGION = "eu-west-1"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An AWS account in memory."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with moto.mock_aws():
        yield boto3.client("s3", region_name=REGION)


def bucket(s3: Any, name: str, algorithm: str = "aws:kms", versions: bool = True, **more: Any) -> None:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, **more)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    if versions:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    switches = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(switches, True))


def kept(answers: tuple[live.Answer, ...]) -> dict[str, bool | None]:
    return {answer.subject: answer.kept for answer in answers}


def hipaa() -> Environment:
    return environment(**stack("hipaa"))


def test_buckets_are_looked_at_one_by_one(cloud: Any) -> None:
    """OPS-4: encryption with a key of one's own where the settings ask for one, but for access logs, which S3
    delivers to none such; a bucket that is not there is no answer."""
    bucket(cloud, "example-a")
    bucket(cloud, "example-b", algorithm="AES256")
    bucket(cloud, "example-c", algorithm="AES256")
    answers = live.ask("buckets", hipaa())
    assert kept(answers) == {
        "s3://example-a": True,
        "s3://example-b": False,
        "s3://example-c": True,
        "s3://example-d": None,
    }
    assert answers[0].said == "aws:kms, versions Enabled, no public access, in eu-west-1"


def test_a_bucket_without_versions_or_that_may_become_public_is_seen(cloud: Any) -> None:
    """OPS-4, MR-1."""
    bucket(cloud, "example-a", versions=False)
    bucket(cloud, "example-b")
    cloud.put_public_access_block(
        Bucket="example-b",
        PublicAccessBlockConfiguration={"BlockPublicAcls": False, "IgnorePublicAcls": True},
    )
    assert kept(live.ask("buckets", environment(storage=aws()))) == {
        "s3://example-a": False,
        "s3://example-b": False,
    }


@pytest.mark.parametrize(
    ("mode", "days", "expected"),
    [("COMPLIANCE", 2190, True), ("COMPLIANCE", 2189, False), ("GOVERNANCE", 2190, False)],
)
def test_the_audit_buckets_lock_is_the_one_that_is_asked_for(
    cloud: Any, mode: str, days: int, expected: bool
) -> None:
    """OPS-4."""
    bucket(cloud, "example-d", ObjectLockEnabledForBucket=True)
    cloud.put_object_lock_configuration(
        Bucket="example-d",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": mode, "Days": days}},
        },
    )
    assert kept(live.ask("audit-bucket", hipaa())) == {"s3://example-d": expected}


@pytest.mark.parametrize("on", [True, False])
def test_clusters_say_whether_they_log_and_encrypt(cloud: Any, on: bool) -> None:
    """OPS-4: EKS's audit log, and Secrets with a key of one's own."""
    eks = boto3.client("eks", region_name=REGION)
    more: dict[str, Any] = {"logging": {"clusterLogging": [{"types": ["api", "audit"], "enabled": on}]}}
    if on:
        key = {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/example"}
        more["encryptionConfig"] = [{"resources": ["secrets"], "provider": key}]
    eks.create_cluster(
        name="control",
        roleArn="arn:aws:iam::123456789012:role/example",
        resourcesVpcConfig={"subnetIds": ["subnet-1"]},
        **more,
    )
    assert kept(live.ask("eks-audit", hipaa())) == {"EKS control": on}
    assert kept(live.ask("eks-secrets", hipaa())) == {"EKS control": on}


def test_a_store_that_is_not_on_aws_is_not_asked_of_aws() -> None:
    """OPS-4."""
    other = environment(storage={"kind": "s3Compatible", "endpoint": "https://minio.example.com"})
    for question in ("buckets", "audit-bucket", "eks-audit", "eks-secrets"):
        assert live.ask(question, other) == ()


@contextlib.contextmanager
def serving(directory: Path, lowest: ssl.TLSVersion) -> Iterator[int]:
    """A TLS server on loopback; its port. It takes connections until the test is over."""
    certificate_files(directory, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = lowest
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_a_front_door_that_speaks_old_tls_is_told_from_one_that_does_not(tmp_path: Path) -> None:
    """OPS-4: 1.2 is the floor."""
    with serving(tmp_path / "new", ssl.TLSVersion.TLSv1_2) as port:
        answer = live.handshake("127.0.0.1", port)
        assert (answer.kept, answer.said) == (True, "TLSv1.3; 1.1 and older refused")
    with serving(tmp_path / "old", ssl.TLSVersion.TLSv1) as port:
        answer = live.handshake("127.0.0.1", port)
        assert (answer.kept, answer.said) == (False, "speaks TLSv1.1")


def test_a_front_door_that_nobody_opens_is_no_answer() -> None:
    """OPS-4: silence keeps nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = live.handshake("127.0.0.1", port)
    assert answer.kept is None
    assert answer.said.startswith("no answer")
