"""Credentials of another AWS account, refused before anything is registered."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components import accounts
from components.accounts import require_account
from components.configuration import Configuration
from madeploy.clients.aws import Caller
from madeploy.clients.errors import ClientError
from madeploy.fleet.roles import role_of
from madeploy.settings import Environment
from tests.support.environments import aws_storage, environment

OURS, OTHER = "123456789012", "210987654321"
POD_IDENTITY = {"kind": "podIdentity", "clusterName": "control"}


def irsa(account: str = OURS) -> dict[str, str]:
    return {"kind": "irsa", "oidcProviderArn": f"arn:aws:iam::{account}:oidc-provider/oidc.example.com/id/A"}


def configured(env: Environment) -> Configuration:
    return Configuration(env, {}, None, role_of("prod", env))


@pytest.mark.parametrize(
    ("sections", "setting"),
    [
        ({"storage": aws_storage(identity=POD_IDENTITY, accountId=OURS)}, "michelangelo:storage.accountId"),
        ({"storage": aws_storage(identity=irsa())}, "michelangelo:storage.identity.oidcProviderArn"),
        (
            {
                "storage": aws_storage(identity=POD_IDENTITY),
                "clusters": {
                    "a": {"kubeconfigContext": "a", "taskIdentity": POD_IDENTITY},
                    "gpu": {"kubeconfigContext": "gpu", "taskIdentity": irsa()},
                },
            },
            "michelangelo:clusters.gpu.taskIdentity.oidcProviderArn",
        ),
        ({"storage": aws_storage(identity=irsa(), accountId=OURS)}, "michelangelo:storage.accountId"),
    ],
)
def test_another_account_is_told_with_the_setting_that_expects_this_one(
    sections: dict[str, Any], setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MR-2, UX-3: both accounts, whose credentials these are, and what to do."""
    arn = f"arn:aws:sts::{OTHER}:assumed-role/dev/me"
    monkeypatch.setattr(accounts, "caller", lambda region: Caller(OTHER, arn))
    with pytest.raises(pulumi.RunError) as refused:
        require_account(configured(environment(**sections)))
    for words in (OTHER, OURS, arn, setting, "Nothing was made or changed", "AWS_PROFILE"):
        assert words in str(refused.value)
    monkeypatch.setattr(accounts, "caller", lambda region: Caller(OURS, arn))
    require_account(configured(environment(**sections)))


def test_aws_is_asked_only_where_the_settings_tell_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """MR-2: not for other stores, nor where credentials alone know it; silence leaves it to the provider."""
    asked: list[str] = []

    def caller(region: str) -> Caller:
        asked.append(region)
        raise ClientError("STS in eu-west-1", "unauthorized")

    monkeypatch.setattr(accounts, "caller", caller)
    for env in (environment(), environment(storage=aws_storage(identity=POD_IDENTITY))):
        require_account(configured(env))
    assert asked == []
    require_account(configured(environment(storage=aws_storage(identity=irsa()))))
    assert asked == ["eu-west-1"]
