"""A kubeconfig of a cluster on EKS: its credential comes from the AWS CLI, so it holds none."""

from __future__ import annotations

from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.kubeconfigs.errors import KubeconfigError
from madeploy.settings.cluster_origins import Eks


def eks_kubeconfig(name: str, eks: Eks, server: str, certificate_authority_data: str) -> dict[str, Any]:
    """Kubeconfig of one context, called `name`, as `aws eks update-kubeconfig` writes it."""
    arguments = ["eks", "get-token", "--cluster-name", eks.cluster_name, "--region", eks.region]
    if eks.role_arn is not None:
        arguments += ["--role-arn", eks.role_arn]
    login: dict[str, Any] = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": [*arguments, "--output", "json"],
        "interactiveMode": "Never",
    }
    if eks.profile is not None:
        login["env"] = [{"name": "AWS_PROFILE", "value": eks.profile}]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server, "certificate-authority-data": certificate_authority_data},
            }
        ],
        "users": [{"name": name, "user": {"exec": login}}],
    }


def read_eks(name: str, eks: Eks, server: str | None, authority: str | None) -> dict[str, Any]:
    """The kubeconfig of cluster `name` with the address and the authority (PEM in base64) that its entry
    records; where it does not record both, AWS is asked for them.

    Raises KubeconfigError when AWS does not say.
    """
    if server is None or authority is None:
        from madeploy.clients.eks import describe

        try:
            found = describe(eks.cluster_name, eks.region, eks.profile)
        except ClientError as error:
            raise KubeconfigError(f"clusters.{name}.eks", [f"{eks.cluster_name}: {error}"]) from None
        server, authority = server or found.server, authority or found.certificate_authority_data
    return eks_kubeconfig(name, eks, server, authority)
