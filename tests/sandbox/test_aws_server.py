"""Each answer of moto that is put right, asked of the sandbox's server and of plain moto."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.sandbox.aws_server import _is_met
from tests.support.ports import free_port

pytestmark = pytest.mark.whole

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
ACCOUNT = "123456789012"
Client = Callable[..., Any]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }
)


@contextmanager
def serving(module: str) -> Iterator[Client]:
    """A server of its own; gives clients of it."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    child = subprocess.Popen(
        [sys.executable, "-m", module, "-H", "127.0.0.1", "-p", str(port)],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "MOTO_ACCOUNT_ID": ACCOUNT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def client(name: str, region: str = REGION, **config: Any) -> Any:
        return boto3.client(
            name,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
            config=Config(retries={"max_attempts": 0}, **config),
        )

    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(urllib3.exceptions.HTTPError, OSError):
                if urllib3.PoolManager(retries=False).request("GET", f"{endpoint}/moto-api/").status == 200:
                    break
            time.sleep(0.1)
        yield client
    finally:
        child.kill()
        child.wait()


@pytest.fixture(scope="module")
def corrected() -> Iterator[Client]:
    with serving("madeploy.sandbox.aws_server") as client:
        yield client


@pytest.fixture(scope="module")
def plain() -> Iterator[Client]:
    with serving("moto.server") as client:
        yield client


def new_bucket(client: Client, name: str, policy: dict[str, Any] | None = None) -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if policy is not None:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", **policy}))
    return s3


def denial(bucket: str, condition: dict[str, Any]) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    denied = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["s3:*"], "Resource": resources}
    return {"Statement": [{**denied, "Condition": condition}]}


def a_new_bucket_has_its_tags(client: Client) -> None:
    """One tag and several, in the default region and in another: there the body holds a place too."""
    one, two = {"Key": "team", "Value": "ml"}, {"Key": "empty", "Value": ""}
    for region, tags in ((REGION, [one, two]), ("us-east-1", [one])):
        s3, name = client("s3", region), f"tagged-{region}"
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={**place, "Tags": tags})
        found = s3.get_bucket_tagging(Bucket=name)["TagSet"]
        assert sorted(found, key=str) == sorted(tags, key=str)


def a_bucket_tells_which_encryption_it_refuses(client: Client) -> None:
    """One kind or none, with either key; the rest of the rule is told as before."""
    s3 = new_bucket(client, "blocked")
    for default in ({"SSEAlgorithm": "AES256"}, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"}):
        for blocked in ({"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}, {}):
            rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True, **blocked}
            s3.put_bucket_encryption(Bucket="blocked", ServerSideEncryptionConfiguration={"Rules": [rule]})
            found = s3.get_bucket_encryption(Bucket="blocked")["ServerSideEncryptionConfiguration"]
            assert found["Rules"] == [rule]


def a_bucket_tells_its_lifecycle_as_it_was_put(client: Client) -> None:
    """Every filter, alone and with others; every action; lists of one and of several."""
    s3 = new_bucket(client, "ageing")
    one, two = {"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}
    sizes = {"ObjectSizeGreaterThan": 500, "ObjectSizeLessThan": 5000}
    cold = {"Days": 90, "StorageClass": "GLACIER"}
    later = {"NoncurrentDays": 10, "StorageClass": "GLACIER", "NewerNoncurrentVersions": 2}
    filters: list[dict[str, Any]] = [{"Prefix": ""}, {"Prefix": "p/"}, {"Tag": two}, {}]
    filters += [{name: size} for name, size in sizes.items()]
    filters += [
        {"And": {"Prefix": "p/", "Tags": [one]}},
        {"And": {"Prefix": "", "Tags": [one, two], **sizes}},
    ]
    actions: list[dict[str, Any]] = [
        {"Expiration": {"Days": 365}, "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, cold]},
        {"Transitions": [cold]},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}, "NoncurrentVersionTransitions": [later]},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3}},
        {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    ]
    rules = [
        {"ID": f"rule-{number}", "Status": "Enabled", "Filter": which, **action}
        for number, (which, action) in enumerate(itertools.product(filters, actions))
    ]
    for put, smallest in ((rules, "varies_by_storage_class"), (rules[:1], "all_storage_classes_128K")):
        s3.put_bucket_lifecycle_configuration(
            Bucket="ageing",
            LifecycleConfiguration={"Rules": put},
            TransitionDefaultMinimumObjectSize=smallest,
        )
        found = s3.get_bucket_lifecycle_configuration(Bucket="ageing")
        assert (found["Rules"], found["TransitionDefaultMinimumObjectSize"]) == (put, smallest)


def a_denial_whose_condition_is_not_met_denies_nothing(client: Client) -> None:
    conditions = ({"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": "1.2"}})
    for number, condition in enumerate(conditions):
        name = f"denied-{number}"
        s3 = new_bucket(client, name, denial(name, condition))
        s3.put_object(Bucket=name, Key="a", Body=b"1")
        deleted = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a"}]})
        assert "Errors" not in deleted
        s3.put_object(Bucket=name, Key="b", Body=b"1")
        assert s3.get_object(Bucket=name, Key="b")["Body"].read() == b"1"


def access_logs_go_where_the_policy_lets_the_log_service_write(client: Client) -> None:
    source = new_bucket(client, "logs-source")
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    for number, resource in enumerate(("logs/*", ["logs/*"], ["other/*", "logs/models/*"])):
        target = f"logs-target-{number}"
        places = resource if isinstance(resource, list) else [resource]
        arns = [f"arn:aws:s3:::{target}/{place}" for place in places]
        policy = {"Statement": [{**allowed, "Resource": arns if isinstance(resource, list) else arns[0]}]}
        new_bucket(client, target, policy)
        wanted = {"TargetBucket": target, "TargetPrefix": "logs/models/"}
        source.put_bucket_logging(Bucket="logs-source", BucketLoggingStatus={"LoggingEnabled": wanted})
        assert source.get_bucket_logging(Bucket="logs-source")["LoggingEnabled"] == wanted


def a_key_tells_its_rotation_period(client: Client) -> None:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180
    kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 365
    kms.disable_key_rotation(KeyId=key)
    assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=key)


def an_update_of_a_role_changes_what_it_names(client: Client) -> None:
    iam = client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Description="d", MaxSessionDuration=7200)
    iam.update_role(RoleName="r", MaxSessionDuration=3600)
    assert iam.get_role(RoleName="r")["Role"]["Description"] == "d"
    iam.update_role(RoleName="r", Description="e")
    found = iam.get_role(RoleName="r")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("e", 3600)


def pods_are_associated_with_roles(client: Client) -> None:
    """Made, found by id and by ServiceAccount, changed, tagged, refused twice, deleted; in its own region."""
    eks, role = client("eks", "eu-west-2"), f"arn:aws:iam::{ACCOUNT}:role/r"
    eks.create_cluster(name="c", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]})
    place = {"clusterName": "c", "namespace": "ma-system", "serviceAccount": "worker"}
    made = eks.create_pod_identity_association(**place, roleArn=role, tags={"a": "1"})["association"]
    other = {**place, "serviceAccount": "controllermgr"}
    eks.create_pod_identity_association(**other, roleArn=role)
    known = {"clusterName": "c", "associationId": made["associationId"]}
    read = eks.describe_pod_identity_association(**known)["association"]
    expected = {**place, "roleArn": role, "tags": {"a": "1"}}
    assert {key: read[key] for key in expected} == expected
    assert read["associationArn"].startswith(f"arn:aws:eks:eu-west-2:{ACCOUNT}:podidentityassociation/c/a-")
    found = eks.list_pod_identity_associations(**place)["associations"]
    assert [item["associationId"] for item in found] == [made["associationId"]]
    assert len(eks.list_pod_identity_associations(clusterName="c")["associations"]) == 2
    eks.update_pod_identity_association(**known, roleArn=f"{role}2")
    assert eks.describe_pod_identity_association(**known)["association"]["roleArn"] == f"{role}2"
    eks.tag_resource(resourceArn=made["associationArn"], tags={"b": "2", "c": "3"})
    eks.untag_resource(resourceArn=made["associationArn"], tagKeys=["a", "b"])
    assert eks.list_tags_for_resource(resourceArn=made["associationArn"])["tags"] == {"c": "3"}
    with pytest.raises(eks.exceptions.ResourceInUseException):
        eks.create_pod_identity_association(**place, roleArn=role)
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.create_pod_identity_association(**{**place, "clusterName": "none"}, roleArn=role)
    eks.delete_pod_identity_association(**known)
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.describe_pod_identity_association(**known)


ANSWERS = (
    a_new_bucket_has_its_tags,
    a_bucket_tells_which_encryption_it_refuses,
    a_bucket_tells_its_lifecycle_as_it_was_put,
    a_denial_whose_condition_is_not_met_denies_nothing,
    access_logs_go_where_the_policy_lets_the_log_service_write,
    a_key_tells_its_rotation_period,
    an_update_of_a_role_changes_what_it_names,
    pods_are_associated_with_roles,
)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
def test_the_server_answers_as_aws_does(answer: Callable[[Client], None], corrected: Client) -> None:
    """UX-1: what the program makes can be tried in the sandbox."""
    answer(corrected)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
def test_plain_moto_still_needs_the_correction(answer: Callable[[Client], None], plain: Client) -> None:
    """UX-1: a correction goes when moto no longer needs it."""
    with pytest.raises((AssertionError, ClientError, KeyError)):
        answer(plain)


def test_a_denial_whose_condition_is_met_denies(corrected: Client) -> None:
    """MR-1: the correction does not open what a policy closes."""
    conditions = (
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
        {"Null": {"aws:SourceVpce": "true"}},
    )
    for number, condition in enumerate(conditions):
        name = f"closed-{number}"
        s3 = new_bucket(corrected, name, denial(name, condition))
        with pytest.raises(ClientError, match="403"):
            s3.put_object(Bucket=name, Key="a", Body=b"1")


def test_a_bucket_without_a_lifecycle_says_so(corrected: Client) -> None:
    """MR-1: before the first, and after the last was taken away."""
    s3 = new_bucket(corrected, "ageless")
    rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    for _ in range(2):
        with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
            s3.get_bucket_lifecycle_configuration(Bucket="ageless")
        s3.put_bucket_lifecycle_configuration(Bucket="ageless", LifecycleConfiguration={"Rules": [rule]})
        assert s3.get_bucket_lifecycle_configuration(Bucket="ageless")["Rules"] == [rule]
        s3.delete_bucket_lifecycle(Bucket="ageless")


def test_access_logs_are_refused_where_the_policy_does_not_admit_them(corrected: Client) -> None:
    """MR-1: another prefix, another service, another action."""
    source = new_bucket(corrected, "refused-source")
    admitted = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
    }
    for number, (change, place) in enumerate(
        (
            ({}, "other/*"),
            ({"Principal": {"Service": "ec2.amazonaws.com"}}, "*"),
            ({"Action": "s3:GetObject"}, "*"),
            ({"Effect": "Deny"}, "*"),
        )
    ):
        target = f"refused-target-{number}"
        statement = {**admitted, **change, "Resource": f"arn:aws:s3:::{target}/{place}"}
        new_bucket(corrected, target, {"Statement": [statement]})
        wanted = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "logs/"}}
        with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
            source.put_bucket_logging(Bucket="refused-source", BucketLoggingStatus=wanted)


def test_s3_control_is_reached_through_the_server_as_a_proxy(corrected: Client) -> None:
    """UX-1: S3 Control's host is the account and the endpoint's, a name that nobody resolves."""
    new_bucket(corrected, "controlled")
    endpoint = corrected("s3").meta.endpoint_url
    control = corrected("s3control", proxies={"http": endpoint, "https": endpoint})
    control.tag_resource(
        AccountId=ACCOUNT, ResourceArn="arn:aws:s3:::controlled", Tags=[{"Key": "a", "Value": "1"}]
    )
    found = control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn="arn:aws:s3:::controlled")
    assert found["Tags"] == [{"Key": "a", "Value": "1"}]


@settings(max_examples=200)
@given(
    key=st.sampled_from(["aws:SecureTransport", "s3:TlsVersion", "aws:SourceVpce", "aws:PrincipalOrgID"]),
    operator=st.sampled_from(["StringEquals", "StringNotEquals", "StringEqualsIfExists", "Bool"]),
    value=st.text(max_size=8),
)
def test_a_condition_and_its_opposite_are_never_both_met(key: str, operator: str, value: str) -> None:
    """MR-1: for keys that are known and for those that are not."""
    opposite = {"StringEquals": "StringNotEquals", "StringNotEquals": "StringEquals"}.get(operator)
    met = _is_met({operator: {key: value}})
    if opposite is not None:
        assert met != _is_met({opposite: {key: value}})
    elif operator.endswith("IfExists"):
        assert met or _is_met({"Null": {key: "false"}})
