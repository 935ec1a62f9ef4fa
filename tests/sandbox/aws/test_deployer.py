"""`iam deployer` against what the AWS provider really asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madeploy.names.aws import role_arn
from madeploy.sandbox.aws import ACCOUNT, REGION, Aws
from madeploy.settings import Environment
from madeploy.settings.storage import AwsStorage
from manifests import identities
from manifests.deployer import deployer_policy
from tests.sandbox.aws.asked import requests
from tests.sandbox.aws.stores import Client, buckets_of, program, store
from tests.support.engine import Stack
from tests.support.iam import allows
from tests.support.proves import proves

pytestmark = pytest.mark.sandbox


def everything(prefix: str, boundary: str) -> list[dict[str, Any]]:
    """All that a store can have, and each of it changed in place."""
    full = {
        "kmsKey": {"rotationDays": 180, "deletionWindowDays": 14},
        "lifecycle": {"workspace": [{"prefix": "uniflow/", "expireDays": 90}]},
        "objectLock": {"mode": "governance", "days": 30},
        "accessLogs": {"bucket": f"{prefix}-access-logs"},
        "permissionsBoundaryArn": boundary,
        "rolePath": "/ml/",
        "tags": {"team": "ml"},
        "forceDestroy": True,
    }
    changed = {
        "kmsKey": {"rotationDays": 200, "deletionWindowDays": 14},
        "lifecycle": {"workspace": [{"prefix": "uniflow/", "expireDays": 91}]},
        "tags": {"owner": "ml"},
        "serviceAccess": "readOnly",
    }
    return [full, full | changed]


def of_pods(prefix: str, _: str) -> list[dict[str, Any]]:
    """Roles that EKS hands to pods; another path changes their associations."""
    identity = {"kind": "podIdentity", "clusterName": f"{prefix}-control"}
    return [{"identity": identity}, {"identity": identity, "rolePath": "/ml/", "tags": {"team": "ml"}}]


def elsewhere(prefix: str, _: str) -> list[dict[str, Any]]:
    """Buckets and key that move to another region: old and new settings' rights are needed."""
    moved = {"region": "eu-west-2", "buckets": buckets_of(f"{prefix}-b")}
    return [{"kmsKey": {}}, {"kmsKey": {}, **moved}]


@pytest.mark.long
@pytest.mark.parametrize("variant", [everything, of_pods, elsewhere])
@proves("MR-2", played="AWS, by moto")
def test_the_deployers_policy_allows_every_call_of_the_provider(
    variant: Any, stack: Stack, prefix: str, client: Client, aws: Aws
) -> None:
    """MR-2, UX-6: making, refreshing, changing and destroying."""
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
    made = client("iam").create_policy(PolicyName=f"{prefix}-bound", PolicyDocument=json.dumps(document))
    client("eks").create_cluster(
        name=f"{prefix}-control",
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks",
        resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
    )
    before = len(aws.recording.read_text(encoding="utf-8").splitlines())
    states = [store(prefix, **more) for more in variant(prefix, made["Policy"]["Arn"])]
    for env in states:
        assert not (run := stack.up(program(env))).failed, run.text
        assert not (run := stack.refresh()).failed, run.text
    assert not (run := stack.destroy()).failed, run.text

    asked = list(requests(aws.recording, _roles(states, stack.name), stack.name, before))
    policies = [deployer_policy(env, stack.name, ACCOUNT) for env in states]
    refused = {
        (request.action, request.resource)
        for request in asked
        if not any(allows(policy, request).allowed for policy in policies)
    }
    assert refused == set()
    assert len({request.action for request in asked}) > 30


def _roles(states: list[Environment], stack: str) -> dict[str, str]:
    """ARNs of roles by name; of each name the last."""
    found = {}
    for env in states:
        assert isinstance(env.storage, AwsStorage)
        for subject in identities.subjects(env):
            arn = role_arn(REGION, ACCOUNT, stack, subject.identity, env.storage.role_path)
            found[arn.rpartition("/")[2]] = arn
    return found
