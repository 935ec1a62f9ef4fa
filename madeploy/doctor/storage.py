"""The object store and AWS, with the credentials of whoever deploys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.clients.aws import asking, caller
from madeploy.clients.errors import ClientError
from madeploy.clients.s3 import S3
from madeploy.doctor import engine
from madeploy.doctor.checks import NotCheckedError, NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.engine.commands import forget
from madeploy.findings import Finding, Severity, find
from madeploy.fleet.urns import in_artifact_store
from madeploy.names.storage import s3_url
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage
from madeploy.stacks.object_store import Keys, open_store
from manifests.deployer import Grant, grants
from manifests.identities import stated_account

_SIMULATED: Final = 50
"""Actions asked about in one call (IAM, SimulatePrincipalPolicy)."""

_WITHOUT_CONSTRAINT: Final = "us-east-1"
"""Region whose buckets are made without saying it (Amazon S3, CreateBucket)."""

_LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
"""Type of the resource that holds a bucket's lifecycle rules."""


def object_store(site: Site, keys: Keys) -> Seen:
    """Whether the store answers, takes the credential, and has the buckets, or their names are free; those
    made elsewhere must let themselves be written. Nothing is written: an upload in parts is begun, which
    needs the same right, and given up. Raises ClientError."""
    storage = site.environment.storage
    store = open_store(storage, keys)
    named: dict[str, str] = storage.buckets.model_dump(exclude_none=True)
    found: list[Finding] = []
    seen = []
    for purpose, bucket in named.items():
        outcome = _bucket(site, store, purpose, bucket)
        if isinstance(outcome, Finding):
            found.append(outcome)
        else:
            seen.append(f"{bucket} {outcome}")
    return found or f"{store.endpoint}: {', '.join(seen)}"


def no_bucket(site: Site, subject: str, purpose: str, bucket: str) -> Finding:
    """The finding for a bucket that is not there."""
    storage = site.environment.storage
    if isinstance(storage, AwsStorage):
        fix = f"Make it by an update:\n{made_again(site, purpose)}"
    else:
        make = f"aws s3api create-bucket --bucket {bucket} --region {storage.region}"
        if isinstance(storage, S3CompatibleStorage):
            make += f" --endpoint-url {s3_url(storage)}"
        elif storage.region != _WITHOUT_CONSTRAINT:
            make += f" --create-bucket-configuration LocationConstraint={storage.region}"
        fix = f"Make it, or name one that exists in storage.buckets:\n{make}"
    return find("MA914", subject, f"{s3_url(storage)} has no such bucket", fix=fix)


def made_again(site: Site, purpose: str) -> str:
    """Commands that make a bucket's lifecycle rules again, or the bucket with all that is beside it.

    The Terraform AWS provider 6.34 cannot look at rules that are gone, which ends the update
    (hashicorp/terraform-provider-aws#46674): the stack has to forget them first.
    """
    urn = in_artifact_store(site.stack, _LIFECYCLE, purpose)
    if not engine.has_resource(site, urn):
        return site.up
    return f"{forget(urn, site.stack)}\n{site.up}"


def _who(storage: AwsStorage) -> str:
    """The command that says whose the credentials at hand are."""
    return f"aws sts get-caller-identity --region {storage.region}"


def _keys_again(site: Site) -> str:
    """Commands that store other keys of the object store; the CLI asks for the values."""
    store = [
        f"pulumi config set --secret --path michelangelo:objectStore.{key} --stack {site.stack}"
        for key in ("accessKeyId", "secretAccessKey")
    ]
    return "\n".join(["Store the keys that the object store takes:", *store])


def _bucket(site: Site, store: S3, purpose: str, bucket: str) -> Finding | str:
    storage = site.environment.storage
    subject = f"storage.buckets.{purpose} {bucket}"
    is_ours = isinstance(storage, AwsStorage)
    try:
        if not store.has_bucket(bucket):
            return "is free" if is_ours else no_bucket(site, subject, purpose, bucket)
    except ClientError as error:
        if error.cause == "forbidden" and is_ours:
            return find("MA916", subject, "exists, and is not shown to these credentials")
        if error.cause == "unauthorized" and not isinstance(storage, S3CompatibleStorage):
            # The services have roles of their own; of the deployer's login speaks the check `aws`.
            raise NotCheckedError(f"{store.endpoint}: {error.reason}") from None
        if error.cause in ("forbidden", "unauthorized"):
            fix = _keys_again(site) if isinstance(storage, S3CompatibleStorage) else ""
            return find("MA913", subject, f"{store.endpoint}: {error.reason}", fix=fix)
        if error.is_unreachable:
            raise NotCheckedError(f"{store.endpoint} cannot be reached from here: {error.reason}") from None
        raise
    if is_ours:
        # Whoever makes buckets need not, and should not, be allowed to write objects.
        return "is there"
    try:
        store.try_write(bucket)
    except ClientError as error:
        if error.cause == "forbidden":
            # With static keys the services are refused like this; with roles only the deployer is.
            severity: Severity = "error" if isinstance(storage, S3CompatibleStorage) else "warning"
            evidence = f"{store.endpoint} refuses an upload: {error.reason}"
            return find("MA915", subject, evidence, severity=severity)
        raise
    return "may be written"


def aws_account(site: Site) -> Seen:
    """Whether there are AWS credentials, of the stack's account. Raises ClientError."""
    storage = site.environment.storage
    if not isinstance(storage, AwsStorage):
        raise NotNeededError("nothing is made on AWS")
    try:
        who = caller(storage.region)
    except ClientError as error:
        if error.cause in ("unauthorized", "forbidden", "invalid"):
            fix = f"Log in to AWS, and see whom for:\n{_who(storage)}"
            return [find("MA917", "AWS credentials", error.reason, fix=fix)]
        raise
    stated = stated_account(site.environment)
    if stated is not None and stated.number != who.account:
        evidence = f"{who.arn} belongs to {who.account}, the stack to {stated.number}"
        fix = f"Log in to account {stated.number}, and see whom for:\n{_who(storage)}"
        return [find("MA918", f"AWS account {who.account}", evidence, fix=fix)]
    return f"{who.arn}"


def aws_rights(site: Site) -> Seen:
    """Whether the deployer is allowed every action of the least policy, as IAM simulates it. Raises
    ClientError; NotCheckedError where simulating is not allowed."""
    storage = site.environment.storage
    if not isinstance(storage, AwsStorage):
        raise NotNeededError("nothing is made on AWS")
    who = caller(storage.region)
    wanted = grants(site.environment, site.stack, who.account)
    try:
        denied = list(_denied(storage.region, _principal(who.arn), wanted))
    except ClientError as error:
        raise NotCheckedError(f"rights of {who.arn} cannot be simulated: {error.reason}") from None
    if denied:
        policy = f"bin/madeploy iam deployer {site.stack}"
        evidence = f"may not {'; may not '.join(denied)}"
        return [find("MA919", who.arn, evidence, fix=f"Attach the policy that this prints:\n{policy}")]
    actions = {action for grant in wanted for action in grant.actions}
    return f"{who.arn} is allowed all {len(actions)} actions"


def _principal(arn: str) -> str:
    """The role behind a session: IAM simulates users and roles only (IAM, SimulatePrincipalPolicy)."""
    start, _, path = arn.partition(":assumed-role/")
    if not path:
        return arn
    return f"{start.replace(':sts:', ':iam:')}:role/{path.partition('/')[0]}"


def _denied(region: str, principal: str, wanted: tuple[Grant, ...]) -> Iterator[str]:
    with asking("iam", region) as client:
        for grant in wanted:
            for start in range(0, len(grant.actions), _SIMULATED):
                answer: Mapping[str, Any] = client.simulate_principal_policy(
                    PolicySourceArn=principal,
                    ActionNames=list(grant.actions[start : start + _SIMULATED]),
                    ResourceArns=list(grant.resources),
                    ContextEntries=list(_context(grant)),
                )
                for result in answer.get("EvaluationResults") or ():
                    if result["EvalDecision"] != "allowed":
                        yield f"{result['EvalActionName']} on {result.get('EvalResourceName', '*')}"


def _context(grant: Grant) -> Iterator[Mapping[str, Any]]:
    """What a request will carry, as far as the grant's condition asks for it."""
    for pairs in grant.condition.values():
        for key, value in pairs.items():
            values = [value] if isinstance(value, str) else list(value)
            yield {"ContextKeyName": key, "ContextKeyValues": values, "ContextKeyType": "string"}
