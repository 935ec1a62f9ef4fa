"""What the AWS documents allow, and nothing more."""

from __future__ import annotations

import pytest

from madeploy.names import aws
from madeploy.settings.identities import Irsa, PodIdentity
from manifests.aws_documents import bucket_policy, object_access, trust

OIDC = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"


def test_object_access_splits_the_four_actions_by_what_they_apply_to() -> None:
    """MR-2: object actions on objects, ListBucket on the bucket."""
    statements = object_access("eu-west-1", ["models"], None)["Statement"]
    granted = {
        (action, resource)
        for statement in statements
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert granted == {
        ("s3:PutObject", "arn:aws:s3:::models/*"),
        ("s3:GetObject", "arn:aws:s3:::models/*"),
        ("s3:DeleteObject", "arn:aws:s3:::models/*"),
        ("s3:ListBucket", "arn:aws:s3:::models"),
    }


def test_a_customer_managed_key_may_be_used_and_no_other() -> None:
    """MR-1, MR-2."""
    key = "arn:aws:kms:eu-west-1:123456789012:key/example"
    (statement,) = [
        s for s in object_access("eu-west-1", ["m"], key)["Statement"] if s["Sid"] == "Encryption"
    ]
    assert statement["Resource"] == [key]


def test_a_bucket_refuses_requests_without_tls() -> None:
    """MR-1."""
    (statement,) = bucket_policy("eu-west-1", "models")["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["arn:aws:s3:::models", "arn:aws:s3:::models/*"]


def test_only_one_service_account_may_take_a_role_by_irsa() -> None:
    """MR-2: keyless, bound to namespace and name and to the audience of STS."""
    document = trust(Irsa(kind="irsa", oidc_provider_arn=OIDC), "ma-system", "michelangelo-worker")
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"Federated": OIDC}
    assert statement["Condition"] == {
        "StringEquals": {
            "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:aud": "sts.amazonaws.com",
            "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub": (
                "system:serviceaccount:ma-system:michelangelo-worker"
            ),
        }
    }


def test_only_one_service_account_of_one_cluster_may_take_a_role_by_pod_identity() -> None:
    """MR-2."""
    document = trust(
        PodIdentity(kind="podIdentity", cluster_name="control"), "ma-system", "michelangelo-worker"
    )
    (statement,) = document["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/kubernetes-namespace": "ma-system",
        "aws:RequestTag/kubernetes-service-account": "michelangelo-worker",
        "aws:RequestTag/eks-cluster-name": "control",
    }


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_arns_carry_their_regions_partition(region: str, partition: str) -> None:
    """MR-2."""
    assert aws.bucket_arn(region, "b") == f"arn:{partition}:s3:::b"


def test_role_names_fit_iam_and_differ_for_long_stacks() -> None:
    """MR-2: IAM allows 64 characters."""
    names = {aws.role("s" * 80, identity) for identity in aws.IDENTITIES}
    assert len(names) == len(aws.IDENTITIES)
    assert all(len(name) <= 64 for name in names)
