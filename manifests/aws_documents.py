"""AWS policy documents and bucket rules as plain data (requirements MR-1, MR-2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from madeploy.names.aws import bucket_arn
from madeploy.settings.identities import Irsa, PodIdentity

Document = dict[str, Any]
_VERSION = "2012-10-17"


def bucket_policy(region: str, bucket: str) -> Document:
    """Refuses every request to a bucket that does not use TLS (AWS Config rule
    `s3-bucket-ssl-requests-only`)."""
    arn = bucket_arn(region, bucket)
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def object_access(region: str, buckets: Iterable[str], kms_key_arn: str | None) -> Document:
    """The model-registry guide's four actions, split by what each applies to: objects and buckets.

    With a customer-managed key, its use through S3 is granted too: without it every read and write of
    an encrypted object is refused.
    """
    arns = [bucket_arn(region, bucket) for bucket in buckets]
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Objects",
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
            "Resource": [f"{arn}/*" for arn in arns],
        },
        {"Sid": "Buckets", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": arns},
    ]
    if kms_key_arn is not None:
        statements.append(
            {
                "Sid": "Encryption",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": [kms_key_arn],
            }
        )
    return {"Version": _VERSION, "Statement": statements}


def trust(identity: Irsa | PodIdentity, namespace: str, service_account: str) -> Document:
    """Who may take a role: one ServiceAccount, by IRSA or EKS Pod Identity (EKS user guide)."""
    if isinstance(identity, Irsa):
        issuer = identity.oidc_provider_arn.split(":oidc-provider/", 1)[1]
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Federated": identity.oidc_provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    f"{issuer}:aud": "sts.amazonaws.com",
                    f"{issuer}:sub": f"system:serviceaccount:{namespace}:{service_account}",
                }
            },
        }
    else:
        # The session tags that the agent sends name the pod's account: without these conditions any
        # association in the AWS account could use the role.
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                    "aws:RequestTag/eks-cluster-name": identity.cluster_name,
                }
            },
        }
    return {"Version": _VERSION, "Statement": [statement]}
