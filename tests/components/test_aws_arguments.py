"""What is registered on AWS, argument by argument, against the classes that pulumi-aws publishes."""

from __future__ import annotations

import importlib
import json
import re
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from pulumi import _types

from components.artifact_store import ArtifactStore, ArtifactStoreArgs
from madeploy.sandbox.tools import FAMILIES
from madeploy.settings import Environment
from madeploy.settings.storage import AwsStorage
from tests.support.environments import aws_storage, environment
from tests.support.recording import Recording, record

pytestmark = pytest.mark.whole

TYPES = FAMILIES["pulumi-aws"].directory / "types.go"
POD_IDENTITY = {"kind": "podIdentity", "clusterName": "control", "region": "eu-west-2"}
EVERYTHING: dict[str, Any] = {
    "buckets": {"workspace": "example-workspace", "models": "example-models", "logs": "example-logs"},
    "kmsKey": {},
    "objectLock": {"mode": "compliance", "days": 10, "buckets": ["models", "logs"]},
    "accessLogs": {"bucket": "example-access-logs"},
    "auditLogs": {"bucket": "example-audit", "days": 365},
    "lifecycle": {
        "models": [
            {
                "prefix": "old/",
                "expireDays": 90,
                "noncurrentDays": 3,
                "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}],
            }
        ]
    },
    "permissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
    "rolePath": "/ml/",
    "tags": {"team": "ml"},
    "ignoreTags": {"keys": ["CostCentre"], "keyPrefixes": ["backup:"]},
}


def deployed(identity: dict[str, Any], **storage: Any) -> Recording:
    """What a store with every setting registers."""
    env: Environment = environment(
        storage=aws_storage(**EVERYTHING | storage, identity=identity),
        clusters={"gpu": {"kubeconfigContext": "gpu", "taskIdentity": identity}},
    )

    def program() -> None:
        assert isinstance(env.storage, AwsStorage)
        ArtifactStore("store", ArtifactStoreArgs(env, env.storage, "test"))

    return record(program)


@pytest.fixture(scope="module")
def irsa() -> Recording:
    arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id"
    return deployed({"kind": "irsa", "oidcProviderArn": arn, "createOidcProvider": True})


@pytest.fixture(scope="module")
def pod_identity() -> Recording:
    return deployed(POD_IDENTITY, accountId="123456789012")


def published(token: str) -> type:
    """The class of a resource type's arguments."""
    _, place, name = token.split(":")
    package = place.partition("/")[0]
    module = importlib.import_module(f"pulumi_aws.{package}.{re.sub('(?<!^)(?=[A-Z])', '_', name).lower()}")
    arguments: type = getattr(module, module.__all__[0])
    return arguments


@cache
def arguments_of(kind: type) -> Mapping[str, Any]:
    """Arguments of a published class by name, each with its type; reading the types takes long."""
    types = _types.input_type_types(kind)
    names = _types.input_type_py_to_pulumi_names(kind)
    return {published: types.get(own) for own, published in names.items()}


def strange(value: Any, kind: Any, path: str) -> Iterator[str]:
    """Paths of arguments below `value` that its published type does not have."""
    if isinstance(value, list):
        (item,) = typing.get_args(kind) or (Any,)
        for element in value:
            yield from strange(element, item, f"{path}[]")
        return
    options = [kind, *typing.get_args(kind)]
    classes = [option for option in options if isinstance(option, type) and _types.is_input_type(option)]
    if not isinstance(value, Mapping) or not classes:
        return
    arguments = arguments_of(classes[0])
    for key, inner in value.items():
        if key in arguments:
            yield from strange(inner, arguments[key], f"{path}.{key}")
        else:
            yield f"{path}.{key}"


@pytest.mark.parametrize("kind", ["irsa", "pod_identity"])
def test_every_argument_is_one_that_pulumi_aws_publishes(kind: str, request: pytest.FixtureRequest) -> None:
    """MR-1, MR-2: nested ones included."""
    recording: Recording = request.getfixturevalue(kind)
    resources = [resource for resource in recording.resources if resource.type.startswith("aws:")]
    assert len({resource.type for resource in resources}) >= 13
    for resource in resources:
        assert list(strange(resource.inputs, published(resource.type), resource.type)) == []


def test_an_argument_that_is_not_published_is_noticed() -> None:
    """MR-1: the check above looks into lists and maps."""
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    wrong = {"rules": [{"id": "a", "expiration": {"dayz": 1}, "filters": {}}], "bukkit": "a"}
    assert sorted(strange(wrong, published(token), "")) == [
        ".bukkit",
        ".rules[].expiration.dayz",
        ".rules[].filters",
    ]


def test_the_plugin_that_is_built_from_source_serves_every_type(
    irsa: Recording, pod_identity: Recording
) -> None:
    """MR-1, MR-2: what is registered can be tried where the official plugin cannot be had."""
    mapped = {
        f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"
        for module, name in re.findall(r'mapped\(\s*"(\w+)", "(\w+)"', TYPES.read_text(encoding="utf-8"))
    }
    used = {r.type for r in (*irsa.resources, *pod_identity.resources) if r.type.startswith("aws:")}
    assert len(used) >= 14
    assert used <= mapped


def test_pods_are_associated_with_their_roles(pod_identity: Recording) -> None:
    """MR-2: by cluster, namespace and ServiceAccount, in the cluster's own region, session tags on."""
    found = pod_identity.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    told = {
        (
            r.name,
            r.inputs["clusterName"],
            r.inputs["region"],
            r.inputs["namespace"],
            r.inputs["serviceAccount"],
        )
        for r in found
    }
    assert told == {
        ("controllermgr", "control", "eu-west-2", "ma-system", "michelangelo-controllermgr"),
        ("worker", "control", "eu-west-2", "ma-system", "michelangelo-worker"),
        ("tasks-gpu", "control", "eu-west-2", "default", "default"),
    }
    assert not any("disableSessionTags" in r.inputs for r in found), "roles trust by these tags"


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "ap-southeast-5"])
def test_whatever_is_in_a_region_is_told_which(region: str) -> None:
    """MR-1, UX-6: another region replaces it, which the provider's own region does not (AWS provider 6)."""
    everything = deployed({**POD_IDENTITY, "region": None}, region=region, permissionsBoundaryArn=None)
    of_aws = [resource for resource in everything.resources if resource.type.startswith("aws:")]
    regional = [resource for resource in of_aws if not resource.type.startswith("aws:iam/")]
    assert len({resource.type for resource in regional}) == 12
    assert {resource.inputs["region"] for resource in regional} == {region}


def test_a_key_goes_only_once_the_buckets_that_it_encrypts_have_gone(irsa: Recording) -> None:
    """MR-1, UX-6: as long as S3 refuses to delete one of them, its objects can be read."""
    (key,) = irsa.of_type("aws:kms/key:Key")
    waiting = {
        item.name for item in irsa.of_type("aws:s3/bucket:Bucket") if key.identity in irsa.waits_for(item)
    }
    assert waiting == {"workspace", "models", "logs", "audit-logs"}


def test_an_oidc_provider_is_made_once_for_its_issuer(irsa: Recording) -> None:
    """MR-2: roles wait for it; no thumbprint is guessed."""
    (provider,) = irsa.of_type("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    assert provider.inputs == {
        "url": "https://oidc.example.com/id",
        "clientIdLists": ["sts.amazonaws.com"],
    }
    for role in irsa.of_type("aws:iam/role:Role"):
        assert provider.identity in irsa.waits_for(role)


def test_data_and_its_key_are_protected_and_outlive_the_stack(irsa: Recording) -> None:
    """MR-1, UX-6: every bucket, the access logs' one too, and the key they cannot be read without."""
    buckets = irsa.of_type("aws:s3/bucket:Bucket")
    assert {bucket.name for bucket in buckets} == {"workspace", "models", "logs", "access-logs", "audit-logs"}
    for resource in (*buckets, *irsa.of_type("aws:kms/key:Key")):
        assert resource.protect
        assert resource.retain_on_delete


def test_what_is_replaced_is_there_before_the_old_one_goes_unless_its_name_allows_one_only(
    irsa: Recording, pod_identity: Recording
) -> None:
    """MR-1, MR-2, UX-6: a bucket that S3 refuses to delete keeps its settings; no name collides."""
    order = {
        resource.type.rpartition(":")[2]: resource.delete_before_replace
        for resource in (*irsa.resources, *pod_identity.resources)
        if resource.type.startswith("aws:")
    }
    first_the_new = {kind for kind, deletes_first in order.items() if deletes_first is False}
    first_the_old = {kind for kind, deletes_first in order.items() if deletes_first}
    assert first_the_new == {"Bucket", "Key", "Alias"}
    assert first_the_old == {"Role", "OpenIdConnectProvider", "PodIdentityAssociation"}


def test_customer_keys_with_each_request_are_refused_by_every_bucket(irsa: Recording) -> None:
    """MR-1: as S3 itself does for new buckets, so that old ones are the same and a refresh finds nothing."""
    kind = f"aws:s3/{ENCRYPTION[0].lower()}{ENCRYPTION[1:]}:{ENCRYPTION}"
    rules = {item.name: item.inputs["rules"] for item in irsa.of_type(kind)}
    assert rules.keys() == {"workspace", "models", "logs", "access-logs", "audit-logs"}
    assert all(rule["blockedEncryptionTypes"] == ["SSE-C"] for (rule,) in rules.values())


def test_tags_of_somebody_else_are_left_alone_where_the_settings_say_so(irsa: Recording) -> None:
    """MR-1: by key and by start of keys; said of all resources at once."""
    (provider,) = irsa.of_type("pulumi:providers:aws")
    assert json.loads(provider.inputs["ignoreTags"]) == {"keys": ["CostCentre"], "keyPrefixes": ["backup:"]}
    (plain,) = deployed(POD_IDENTITY, ignoreTags={}).of_type("pulumi:providers:aws")
    assert "ignoreTags" not in plain.inputs


def test_access_logs_are_delivered_once_their_bucket_admits_them(irsa: Recording) -> None:
    """MR-1: and their own bucket is neither logged, nor locked, nor encrypted with a key S3 cannot use."""
    policy = irsa.one("aws:s3/bucketPolicy:BucketPolicy", "access-logs")
    logging = irsa.of_type("aws:s3/bucketLogging:BucketLogging")
    assert {item.name for item in logging} == {"workspace", "models", "logs"}
    assert all(policy.identity in irsa.waits_for(item) for item in logging)
    assert {item.name for item in irsa.of_type(LOCK)} == {"models", "logs", "audit-logs"}
    encryption = irsa.one(f"aws:s3/{ENCRYPTION[0].lower()}{ENCRYPTION[1:]}:{ENCRYPTION}", "access-logs")
    (rule,) = encryption.inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_audit_logs_are_locked_for_as_long_as_they_are_kept(irsa: Recording) -> None:
    """MR-1, OPS-4: by nobody to be shortened, with the buckets' own key, and gone the day after."""
    lock = irsa.one(LOCK, "audit-logs").inputs["rule"]["defaultRetention"]
    assert lock == {"mode": "COMPLIANCE", "days": 365}
    lifecycle = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    (rule,) = irsa.one(lifecycle, "audit-logs").inputs["rules"]
    assert rule["expiration"] == {"days": 366}
    encryption = irsa.one(f"aws:s3/{ENCRYPTION[0].lower()}{ENCRYPTION[1:]}:{ENCRYPTION}", "audit-logs")
    (chosen,) = encryption.inputs["rules"]
    assert chosen["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"


def test_credentials_of_another_account_are_refused(irsa: Recording) -> None:
    """MR-2, UX-6: the account that the settings tell is the only one the provider takes."""
    (provider,) = irsa.of_type("pulumi:providers:aws")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["123456789012"]


def test_an_account_that_the_settings_do_not_tell_is_asked_of_aws() -> None:
    """MR-1, MR-2: for the policies that need it; nothing is refused that the settings do not refuse."""
    recording = deployed(POD_IDENTITY)
    policy = json.loads(recording.one("aws:s3/bucketPolicy:BucketPolicy", "access-logs").inputs["policy"])
    assert policy["Statement"][-1]["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    (provider,) = recording.of_type("pulumi:providers:aws")
    assert "allowedAccountIds" not in provider.inputs


LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
ENCRYPTION = "BucketServerSideEncryptionConfiguration"
