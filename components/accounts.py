"""Check of the AWS account: the credentials at hand have to be of the one that a stack is for."""

from __future__ import annotations

from typing import Final

import pulumi

from components.configuration import Configuration
from madeploy.clients.aws import caller
from madeploy.clients.errors import ClientError
from madeploy.names.configuration import subject
from madeploy.settings.storage import AwsStorage
from manifests.identities import stated_account

_OTHER: Final = """\
the AWS credentials at hand are of another account than this stack
  they are of: {given}, as {arn}
  the stack is for: {wanted}, which {setting} says
Nothing was made or changed. Run it again with credentials of {wanted} (AWS_PROFILE chooses those of a
profile, `aws sts get-caller-identity` shows whose are in use), or correct {setting}."""


def require_account(args: Configuration) -> None:
    """Ask AWS whose the credentials are, before anything is registered: the provider would refuse them at
    whichever resource comes first, and does not know the settings.

    Raises pulumi.RunError for another account than the one the settings tell. Where they tell none, or AWS
    does not say, the provider decides.
    """
    storage, stated = args.environment.storage, stated_account(args.environment)
    if stated is None or not isinstance(storage, AwsStorage):
        return
    try:
        found = caller(storage.region)
    except ClientError:
        # It has ways to credentials of its own, and says what is wrong with them.
        return
    if found.account != stated.number:
        raise pulumi.RunError(
            _OTHER.format(
                given=found.account, arn=found.arn, wanted=stated.number, setting=subject(stated.setting)
            )
        )
