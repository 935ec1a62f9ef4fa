"""How pods get AWS credentials without a static key; used by `storage` and by each entry of `clusters`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, Name, Region, Section

OidcProviderArn = Annotated[
    str,
    Field(pattern=r"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:oidc-provider/[^\s/]\S*$"),
    Accepts(
        "arn:aws:iam::<account>:oidc-provider/<issuer's host and path>",
        "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE",
    ),
]
"""ARN of an IAM OIDC provider: account, and issuer without `https://` (IAM user guide)."""

RoleArn = Annotated[
    str,
    Field(pattern=r"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/\S+$"),
    Accepts("arn:aws:iam::<account>:role/<name>", "arn:aws:iam::123456789012:role/example"),
]
"""ARN of an IAM role."""


class Irsa(Section):
    """IAM roles for service accounts, through the cluster's OIDC provider."""

    kind: Literal["irsa"]
    """Chooses IRSA."""

    oidc_provider_arn: OidcProviderArn
    """ARN of the IAM OIDC provider of the cluster. What follows `oidc-provider/` is the cluster's issuer
    without `https://` (`aws eks describe-cluster --query cluster.identity.oidc.issuer`)."""

    create_oidc_provider: bool = False
    """Whether the OIDC provider is made here, for the issuer that its ARN names. An account has one for
    each issuer. Default false: it exists."""


class PodIdentity(Section):
    """EKS Pod Identity: the agent on each node hands out credentials."""

    kind: Literal["podIdentity"]
    """Chooses EKS Pod Identity."""

    cluster_name: Name
    """Name of the EKS cluster."""

    region: Region | None = None
    """Region of the EKS cluster. Default: that of the buckets."""


class GivenRole(Section):
    """A role that somebody else made, put on the ServiceAccount for IRSA."""

    kind: Literal["role"]
    """Chooses an existing role."""

    role_arn: RoleArn
    """ARN of the role, which must trust the ServiceAccount `default` of namespace `default`."""


ServiceIdentity = Annotated[Irsa | PodIdentity, Field(discriminator="kind")]
"""How the control plane's services get their roles' credentials."""

TaskIdentity = Annotated[Irsa | PodIdentity | GivenRole, Field(discriminator="kind")]
"""How the task pods of a compute cluster get a role's credentials."""
