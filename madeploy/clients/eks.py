"""Clusters on EKS, described by AWS."""

from __future__ import annotations

from dataclasses import dataclass, field

from madeploy.clients.errors import Cause, ClientError, cause_of_exception, cause_of_status

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
ATTEMPTS = 4


@dataclass(frozen=True)
class EksCluster:
    """What AWS says of one cluster (EKS API, DescribeCluster)."""

    server: str
    """`https://host` of its API server."""

    certificate_authority_data: str = field(repr=False)
    """PEM in base64."""

    status: str
    """`ACTIVE` when it can be used."""


def describe(cluster_name: str, region: str) -> EksCluster:
    """A cluster by its name, asked with the credentials boto3 finds (environment, profile, SSO, role).

    Raises ClientError: `notFound` for a cluster that is not there, `unauthorized` without credentials,
    `invalid` for one that has no API server yet.
    """
    # This import takes a second, which only who has clusters on EKS should wait for.
    import boto3
    from botocore import exceptions
    from botocore.config import Config

    settings = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    where = f"EKS in {region}"
    try:
        client = boto3.client("eks", region_name=region, config=settings)
        found = client.describe_cluster(name=cluster_name)["cluster"]
    except exceptions.ClientError as error:
        said = error.response.get("Error", {})
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        cause: Cause = cause_of_status(status) if status >= 400 else "invalid"
        message = f"{said.get('Code', '')} {said.get('Message', '')}".strip()
        raise ClientError(where, cause, message, status or None) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
        raise ClientError(where, "unauthorized", "there are no AWS credentials") from None
    except exceptions.HTTPClientError as error:
        inner = error.kwargs.get("error")
        raise ClientError(
            where, cause_of_exception(inner if isinstance(inner, BaseException) else error)
        ) from None
    except exceptions.BotoCoreError as error:
        # Expired SSO sessions, profiles that are not there: the text names them, never a credential.
        raise ClientError(where, "unauthorized", str(error)) from None
    endpoint, authority = found.get("endpoint"), (found.get("certificateAuthority") or {}).get("data")
    if not endpoint or not authority:
        said_status = found.get("status", "unknown")
        raise ClientError(where, "invalid", f"{cluster_name} has no API server yet ({said_status})")
    return EksCluster(endpoint, authority, str(found.get("status", "")))
