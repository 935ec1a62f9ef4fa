"""Questions to AWS, why there was no answer, and whose the credentials at hand are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from madeploy.clients.errors import Cause, ClientError, cause_of_exception, cause_of_status

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
ATTEMPTS = 4


@contextmanager
def asking(service: str, region: str, profile: str | None = None) -> Iterator[Any]:
    """boto3's client of a service, with the credentials of `profile`, or those it finds (environment,
    profile, SSO, role); only for calls that read.

    Raises ClientError for what goes wrong inside: `unauthorized` without credentials, else as AWS answers.
    """
    # This import takes a second, which only who asks AWS should wait for.
    import boto3
    from botocore.config import Config

    settings = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    with failures(f"{service.upper()} in {region}"):
        made = boto3 if profile is None else boto3.Session(profile_name=profile)
        yield made.client(service, region_name=region, config=settings)


@contextmanager
def failures(where: str) -> Iterator[None]:
    """Turn what boto3 raises within the block into ClientError of `where`."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    try:
        yield
    except exceptions.ClientError as error:
        said = error.response.get("Error", {})
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        cause: Cause = cause_of_status(status) if status >= 400 else "invalid"
        message = f"{said.get('Code', '')} {said.get('Message', '')}".strip()
        raise ClientError(where, cause, message, status or None) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
        raise ClientError(where, "unauthorized", "there are no AWS credentials") from None
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        inner = error.kwargs.get("error")
        raise ClientError(
            where, cause_of_exception(inner if isinstance(inner, BaseException) else error)
        ) from None
    except ResponseParserError:
        raise ClientError(where, "server", "it answers with something that is not AWS's") from None
    except exceptions.BotoCoreError as error:
        # Expired SSO sessions, profiles that are not there: the text names them, never a credential.
        raise ClientError(where, "unauthorized", str(error)) from None


@dataclass(frozen=True)
class Caller:
    """Identity of the caller (STS API, GetCallerIdentity)."""

    account: str
    """12 digits."""

    arn: str
    """User, or role with its session."""


def caller(region: str) -> Caller:
    """The owner of the credentials boto3 finds, asked in `region`. AWS lets everybody ask.

    Raises ClientError: `unauthorized` without credentials.
    """
    with asking("sts", region) as client:
        found = client.get_caller_identity()
    return Caller(found["Account"], found["Arn"])
