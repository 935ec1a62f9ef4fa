"""Where a compute cluster comes from: a name on EKS, or a registration made by hand."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from madeploy.settings.base import Accepts, Name, Region, Section
from madeploy.settings.identities import RoleArn

EksName = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$"),
    Accepts("1 to 100 letters, digits, hyphens and underscores, as EKS allows", "ml-batch"),
]
"""Name of a cluster on EKS (EKS API, CreateCluster)."""

KeptPart = Literal["rights", "binding", "taskConfig", "taskCredentials", "authority", "registration"]
"""Parts of a registration: the ClusterRole's rules, its binding, data of the ConfigMap
`michelangelo-config`, of the Secret `aws-credentials`, of the authority's Secret, and the spec of the
`Cluster`."""


class Eks(Section):
    """A cluster by its name on EKS, in place of a kubeconfig: whoever deploys needs AWS credentials that the
    cluster's access entries admit, and the AWS CLI, which signs them in (`aws eks get-token`)."""

    cluster_name: EksName
    """Its name there."""

    region: Region
    """Its region."""

    role_arn: RoleArn | None = None
    """IAM role that is taken to sign in (`aws eks get-token --role-arn`). Default: the AWS credentials at
    hand sign in themselves."""

    profile: Name | None = None
    """Profile of the AWS CLI (`AWS_PROFILE`) whose credentials sign in, and ask AWS for the cluster; every
    machine that deploys needs one of that name. Default: the AWS credentials at hand."""


class Adopted(Section):
    """A registration made by hand that was taken over. The first update imports its objects and changes none
    of them; labels, annotations and finalizers stay as they were found."""

    keep: tuple[KeptPart, ...] = ()
    """Parts that stay as they were found: those that differed, and the `Cluster`, which any update would
    write. What is kept is not deleted with the cluster's entry either. Take one out to have the next update
    make it what the settings say. Default: none."""
