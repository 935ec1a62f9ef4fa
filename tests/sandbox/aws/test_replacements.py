"""What becomes of data where it lies changes in the settings: another name, another region, none."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from madeploy.engine.replaced import take_back
from madeploy.plan.environments import between
from madeploy.plan.sentences import sentences
from madeploy.sandbox.aws import ACCOUNT, Aws
from madeploy.settings import Environment
from tests.sandbox.aws.stores import (
    FILLED,
    Client,
    beside,
    buckets_of,
    contents,
    empty,
    fill,
    is_safe,
    names,
    program,
    store,
)
from tests.support.engine import Run, Stack
from tests.support.proves import proves

pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("kept")]

ELSEWHERE = "eu-west-2"
BUCKET, KEY = "aws:s3/bucket:Bucket", "aws:kms/key:Key"


def up(stack: Stack, env: Environment) -> Run:
    """An update that must go well."""
    run = stack.up(program(env))
    assert not run.failed, run.text
    return run


def planned(before: Environment, after: Environment, word: str) -> tuple[str, str]:
    """Level and text of the one sentence of `plan` that has this word."""
    (found,) = [one for one in sentences(between(before, after, "prod")) if word in one.text]
    return found.level, found.text


def renamed(prefix: str, **more: Any) -> Environment:
    """The store with another name for its models."""
    return store(prefix, **{"buckets": buckets_of(prefix, models=f"{prefix}-renamed"), **more})


@proves("MR-12", played="AWS, by moto")
def test_a_renamed_bucket_comes_complete_and_the_old_one_with_an_object_in_it_keeps_everything(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: the update fails at the old one as long as it holds something, which loses none of its
    settings; emptied by hand, it goes with the next update."""
    s3, old, new = client("s3"), f"{prefix}-models", f"{prefix}-renamed"
    up(stack, store(prefix))
    fill(s3, old)
    before = beside(s3, old)
    assert is_safe(before)
    level, said = planned(store(prefix), renamed(prefix), old)
    assert (level, "leaves it as it is" in said) == ("loss", True)
    for _ in range(2):
        refused = stack.up(program(renamed(prefix)))
        assert refused.failed
        assert "BucketNotEmpty" in refused.text
        assert contents(s3, old) == FILLED
        assert beside(s3, old) == beside(s3, new) == before
    empty(s3, old)
    up(stack, renamed(prefix))
    assert old not in names(s3)
    assert not (gone := stack.destroy()).failed, gone.text


@pytest.mark.long
def test_a_rename_that_was_refused_is_taken_back(stack: Stack, prefix: str, client: Client) -> None:
    """UX-6, MR-1: under the old name S3 has a bucket already; `recover` makes it the stack's own again, with
    all that was in it and beside it, and the new one goes."""
    s3, old, new = client("s3"), f"{prefix}-models", f"{prefix}-renamed"
    logs = {"accessLogs": {"bucket": f"{prefix}-access-logs"}}
    up(stack, store(prefix, **logs))
    fill(s3, old)
    before = beside(s3, old)
    assert "BucketNotEmpty" in stack.up(program(renamed(prefix, **logs))).text
    stuck = stack.up(program(store(prefix, **logs)))
    assert stuck.failed
    assert "BucketAlreadyOwnedByYou" in stuck.text
    assert contents(s3, old) == FILLED
    assert beside(s3, old) == beside(s3, new) == before
    assert stack.edit_state(lambda document: take_back(document, buckets_of(prefix).values())) == [old]
    up(stack, store(prefix, **logs))
    assert contents(s3, old) == FILLED
    assert beside(s3, old) == before
    assert new not in names(s3)
    assert stack.up(program(store(prefix, **logs))).changes == {}
    assert stack.refresh().changes == {}


@pytest.mark.long
def test_a_renamed_bucket_that_may_be_emptied_is_emptied_once_the_new_one_is_complete(
    stack: Stack, prefix: str, client: Client, aws: Aws
) -> None:
    """UX-6, MR-1: with `forceDestroy` the objects go, as `plan` says, and not before."""
    s3, old, new = client("s3"), f"{prefix}-models", f"{prefix}-renamed"
    forced = {"forceDestroy": True}
    up(stack, store(prefix, **forced))
    fill(s3, old)
    before = beside(s3, old)
    level, said = planned(store(prefix, **forced), renamed(prefix, **forced), old)
    assert (level, "every object and version in it as soon as" in said) == ("loss", True)
    up(stack, renamed(prefix, **forced))
    assert old not in names(s3)
    assert beside(s3, new) == before
    asked = [json.loads(line) for line in aws.recording.read_text(encoding="utf-8").splitlines()]
    told = [(request["method"], request["url"].partition("/" + prefix)[2]) for request in asked]
    settings = [number for number, (verb, path) in enumerate(told) if verb == "PUT" and "-renamed?" in path]
    taken = [
        number
        for number, (verb, path) in enumerate(told)
        if path.startswith("-models") and (verb == "DELETE" or (verb, path) == ("POST", "-models?delete="))
    ]
    assert len(settings) >= 6
    assert taken
    assert max(settings) < min(taken)
    assert not (gone := stack.destroy()).failed, gone.text


@pytest.mark.long
def test_a_rename_in_two_updates_keeps_the_old_bucket(stack: Stack, prefix: str, client: Client) -> None:
    """UX-6, MR-1: the way that `plan` names: protected first, let go with the new name."""
    s3, old, new = client("s3"), f"{prefix}-models", f"{prefix}-renamed"
    up(stack, store(prefix))
    fill(s3, old)
    before = beside(s3, old)
    _, said = planned(store(prefix), renamed(prefix), old)
    assert (
        "first storage.protect: true under the old name; then the new name, and `pulumi state unprot" in said
    )
    up(stack, store(prefix, protect=True))
    refused = stack.up(program(renamed(prefix, protect=True)))
    assert refused.failed
    assert "protect" in refused.text
    assert new not in names(s3)
    stack.unprotect(BUCKET, "models")
    up(stack, renamed(prefix, protect=True))
    assert contents(s3, old) == FILLED
    assert beside(s3, old) == beside(s3, new) == before
    assert stack.up(program(renamed(prefix, protect=True))).changes == {}


@pytest.mark.long
@pytest.mark.parametrize(
    "more", [{}, {"forceDestroy": True}, {"protect": True}], ids=["", "forced", "protected"]
)
def test_a_bucket_whose_region_changes_stays_where_it_is(
    more: dict[str, Any], stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: its name cannot be had a second time; refused, as `plan` says, with nothing
    changed, and going back changes nothing either."""
    s3, models = client("s3"), f"{prefix}-models"
    up(stack, store(prefix, **more))
    fill(s3, models)
    before = beside(s3, models)
    level, said = planned(store(prefix, **more), store(prefix, region=ELSEWHERE, **more), models)
    assert (level, "nothing of the bucket is changed" in said) == ("refused", True)
    for _ in range(2):
        refused = stack.up(program(store(prefix, region=ELSEWHERE, **more)))
        assert refused.failed
        assert "BucketAlready" in refused.text or "protect" in refused.text
        assert contents(s3, models) == FILLED
        assert beside(s3, models) == before
    assert s3.get_bucket_location(Bucket=models)["LocationConstraint"] == "eu-west-1"
    up(stack, store(prefix, **more))
    assert contents(s3, models) == FILLED
    assert beside(s3, models) == before


@pytest.mark.long
def test_buckets_and_key_of_another_region_come_complete_beside_the_old_ones(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: under other names. What holds something stays, with its settings and with the key that its
    objects need; emptied by hand, bucket and key go with the next update."""
    s3, old, new = client("s3"), f"{prefix}-models", f"{prefix}-b-models"
    here, there = (client("kms", region_name=region) for region in ("eu-west-1", ELSEWHERE))
    key = {"kmsKey": {"deletionWindowDays": 7}}
    moved = {"region": ELSEWHERE, "buckets": buckets_of(f"{prefix}-b"), **key}
    up(stack, store(prefix, **key))
    fill(s3, old)
    before = beside(s3, old)
    (rule,) = before["encryption"]
    arn = rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert ":kms:eu-west-1:" in arn
    for keep_going in (False, True):
        refused = stack.up(program(store(prefix, **moved)), keep_going)
        assert refused.failed
        assert "BucketNotEmpty" in refused.text
        assert contents(s3, old) == FILLED
        assert beside(s3, old) == before
        assert here.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"
        after = beside(s3, new)
        assert is_safe(after)
        assert (
            ":kms:eu-west-2:"
            in after["encryption"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
        )
    assert s3.get_bucket_location(Bucket=new)["LocationConstraint"] == ELSEWHERE
    aliases = [item["AliasName"] for item in there.list_aliases()["Aliases"]]
    assert f"alias/michelangelo-{stack.name}" in aliases
    empty(s3, old)
    up(stack, store(prefix, **moved))
    assert old not in names(s3)
    assert here.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert stack.up(program(store(prefix, **moved))).changes == {}
    assert not (gone := stack.destroy()).failed, gone.text


def extras(prefix: str) -> dict[str, Any]:
    """Settings of two buckets that a store may have or not."""
    return {
        "accessLogs": {"bucket": f"{prefix}-access-logs"},
        "buckets": buckets_of(prefix, logs=f"{prefix}-logs"),
    }


EXTRAS = ("access-logs", "logs")
"""What the engine calls them, and ends of their names."""


@pytest.mark.long
def test_buckets_that_are_taken_out_with_something_in_them_go_in_two_updates(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: one alone is refused again and again, as `plan` says, and leaves them whole."""
    s3, more = client("s3"), extras(prefix)
    up(stack, store(prefix, **more))
    buckets = [f"{prefix}-{extra}" for extra in EXTRAS]
    for bucket in buckets:
        fill(s3, bucket)
        level, said = planned(store(prefix, **more), store(prefix), bucket)
        assert (level, "first storage.forceDestroy: true with the bucket still" in said) == ("loss", True)
    before = {bucket: beside(s3, bucket) for bucket in buckets}
    for _ in range(2):
        refused = stack.up(program(store(prefix)), keep_going=True)
        assert refused.failed
        assert "BucketNotEmpty" in refused.text
        assert {bucket: beside(s3, bucket) for bucket in buckets} == before
    up(stack, store(prefix, forceDestroy=True, **more))
    assert {bucket: beside(s3, bucket) for bucket in buckets} == before
    up(stack, store(prefix))
    assert not set(buckets) & names(s3)
    assert stack.up(program(store(prefix))).changes == {}
    assert not (gone := stack.destroy()).failed, gone.text


@pytest.mark.long
def test_buckets_that_are_taken_out_stay_by_the_two_updates_that_keep_them(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: protected first, then out of the settings and let go as they are."""
    s3, more = client("s3"), extras(prefix)
    up(stack, store(prefix, **more))
    buckets = [f"{prefix}-{extra}" for extra in EXTRAS]
    for bucket in buckets:
        fill(s3, bucket)
        _, said = planned(store(prefix, **more), store(prefix), bucket)
        assert (
            "first storage.protect: true with the bucket still in the settings; then without it, and" in said
        )
    before = {bucket: beside(s3, bucket) for bucket in buckets}
    up(stack, store(prefix, protect=True, **more))
    refused = stack.up(program(store(prefix, protect=True)))
    assert refused.failed
    assert "protect" in refused.text
    for extra in EXTRAS:
        stack.unprotect(BUCKET, extra)
    up(stack, store(prefix, protect=True))
    assert {bucket: beside(s3, bucket) for bucket in buckets} == before
    assert all(contents(s3, bucket) == FILLED for bucket in buckets)
    assert stack.up(program(store(prefix, protect=True))).changes == {}


@pytest.mark.long
def test_a_key_that_is_taken_out_stays_by_the_two_updates_that_keep_it(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: let go, and named by its ARN for the buckets that go on with it."""
    s3, kms, models = client("s3"), client("kms"), f"{prefix}-models"
    key = {"kmsKey": {"deletionWindowDays": 7}}
    up(stack, store(prefix, **key))
    fill(s3, models)
    before = beside(s3, models)
    arn = before["encryption"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    level, said = planned(store(prefix, **key), store(prefix), "KMS key")
    assert (level, "first storage.protect: true with kmsKey still there" in said) == ("loss", True)
    up(stack, store(prefix, protect=True, **key))
    given = store(prefix, protect=True, kmsKeyArn=arn)
    assert stack.up(program(given)).failed
    stack.unprotect(KEY, "objects")
    up(stack, given)
    assert beside(s3, models) == before
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"
    assert stack.up(program(given)).changes == {}


@pytest.mark.long
def test_a_key_that_is_taken_out_at_once_waits_for_its_deletion(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-1: as many days as the settings said."""
    s3, kms, models = client("s3"), client("kms"), f"{prefix}-models"
    up(stack, store(prefix, kmsKey={"deletionWindowDays": 7}))
    arn = beside(s3, models)["encryption"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    up(stack, store(prefix))
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    left = kms.describe_key(KeyId=arn)["KeyMetadata"]["DeletionDate"] - datetime.now(timezone.utc)
    assert round(left.total_seconds() / 86_400) == 7
    assert not (gone := stack.destroy()).failed, gone.text


def test_a_role_that_is_replaced_has_its_policy_and_its_trust(
    stack: Stack, prefix: str, client: Client
) -> None:
    """UX-6, MR-2: another path is another role under the same name; what is beside it comes with it."""
    iam = client("iam")

    def beside_roles(run: Run) -> dict[str, Any]:
        found = {}
        for identity, arn in run.outputs["roles"].items():
            name = arn.rpartition("/")[2]
            role = iam.get_role(RoleName=name)["Role"]
            assert role["Arn"] == arn == f"arn:aws:iam::{ACCOUNT}:role{role['Path']}{name}"
            inline = iam.get_role_policy(RoleName=name, PolicyName="object-access")["PolicyDocument"]
            found[identity] = (inline, role["AssumeRolePolicyDocument"], sorted(map(str, role["Tags"])))
        return found

    before = beside_roles(up(stack, store(prefix)))
    assert len(before) == 3
    after = beside_roles(up(stack, store(prefix, rolePath="/ml/")))
    assert after == before
    assert stack.up(program(store(prefix, rolePath="/ml/"))).changes == {}
    assert not (gone := stack.destroy()).failed, gone.text
