"""Whose the AWS credentials at hand are."""

from __future__ import annotations

from dataclasses import dataclass

from madeploy.clients.aws import asking


@dataclass(frozen=True)
class Caller:
    """Identity of the caller (STS API, GetCallerIdentity)."""

    account: str
    """12 digits."""

    arn: str
    """User, or role with its session."""


def caller(region: str) -> Caller:
    """The owner of the credentials boto3 finds, asked in `region`. AWS lets everybody ask.

    Raises ClientError: `unauthorized` without credentials.
    """
    with asking("sts", region) as client:
        found = client.get_caller_identity()
    return Caller(found["Account"], found["Arn"])
