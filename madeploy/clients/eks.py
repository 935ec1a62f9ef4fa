"""Clusters on EKS, described by AWS."""

from __future__ import annotations

from dataclasses import dataclass, field

from madeploy.clients.aws import asking
from madeploy.clients.errors import ClientError


@dataclass(frozen=True)
class EksCluster:
    """Description of one cluster (EKS API, DescribeCluster)."""

    server: str
    """`https://host` of its API server."""

    certificate_authority_data: str = field(repr=False)
    """PEM in base64."""

    status: str
    """`ACTIVE` when it can be used."""


def describe(cluster_name: str, region: str, profile: str | None = None) -> EksCluster:
    """A cluster by its name, asked with the credentials of `profile`, or those boto3 finds (environment,
    profile, SSO, role).

    Raises ClientError: `notFound` for a cluster that is not there, `unauthorized` without credentials,
    `invalid` for one that has no API server yet.
    """
    with asking("eks", region, profile) as client:
        found = client.describe_cluster(name=cluster_name)["cluster"]
    endpoint, authority = found.get("endpoint"), (found.get("certificateAuthority") or {}).get("data")
    if not endpoint or not authority:
        said_status = found.get("status", "unknown")
        raise ClientError(
            f"EKS in {region}", "invalid", f"{cluster_name} has no API server yet ({said_status})"
        )
    return EksCluster(endpoint, authority, str(found.get("status", "")))
