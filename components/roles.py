"""IAM roles of the environment's identities (MR-2)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi

from components.resources import Resource
from madeploy.names.aws import issuer
from madeploy.names.aws import role as role_name
from madeploy.settings.identities import Irsa, PodIdentity
from madeploy.settings.storage import AwsStorage
from manifests.iam_documents import access_policy, trust_policy
from manifests.identities import Subject

AUDIENCE = "sts.amazonaws.com"
"""Audience of the tokens that pods exchange for credentials (EKS user guide, IRSA)."""


@dataclass(frozen=True)
class RoleArgs:
    """Arguments of the IAM roles."""

    storage: AwsStorage
    stack: str
    key_arn: pulumi.Input[str] | None
    """Customer-managed key of the buckets, or None for keys managed by S3."""


def oidc_providers(subjects: tuple[Subject, ...], opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """The OIDC providers that are not there yet. IAM reads the issuer's certificate itself."""
    issuers = {
        issuer(subject.source.oidc_provider_arn)
        for subject in subjects
        if isinstance(subject.source, Irsa) and subject.source.create_oidc_provider
    }
    # An account has one for each issuer, so no second one can be made beside it.
    alone = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
    return [
        Resource(
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            name,
            {"url": f"https://{name}", "clientIdLists": [AUDIENCE]},
            alone,
        )
        for name in sorted(issuers)
    ]


def _purpose(subject: Subject) -> str:
    """What a role is for, in the words of its description."""
    return "objects of its buckets" if subject.access else "series to Amazon Managed Prometheus"


def role(subject: Subject, args: RoleArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """One identity's role with its policy, and its association where EKS hands it out; its ARN.

    A role's name is unique in the account whatever its path, and a ServiceAccount has one association: both
    are deleted before they are replaced. Pods are without the role for that moment; nothing of theirs is
    lost."""
    storage, identity = args.storage, subject.identity
    alone = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
    made = Resource(
        "aws:iam/role:Role",
        identity,
        {
            "name": role_name(args.stack, identity),
            "path": storage.role_path,
            "description": f"Michelangelo {identity} of {args.stack}: {_purpose(subject)}",
            "assumeRolePolicy": json.dumps(trust_policy(subject, storage.region)),
            "permissionsBoundary": storage.permissions_boundary_arn,
        },
        alone,
        outputs=["arn"],
    )
    arn = made.output("arn")

    def policy(key_arn: Any) -> str:
        return json.dumps(access_policy(storage, subject, key_arn))

    Resource(
        "aws:iam/rolePolicy:RolePolicy",
        identity,
        {
            # Part of what was made; others than callers of the object store came later.
            "name": "object-access" if subject.access else "access",
            "role": made.id,
            "policy": pulumi.Output.from_input(args.key_arn).apply(policy),
        },
        opts,
    )
    if isinstance(subject.source, PodIdentity):
        Resource(
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            identity,
            {
                "clusterName": subject.source.cluster_name,
                "region": subject.source.region or storage.region,
                "namespace": subject.namespace,
                "serviceAccount": subject.service_account,
                "roleArn": arn,
            },
            alone,
        )
    return arn
