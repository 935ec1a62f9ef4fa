"""Whether the account's quotas leave room for what a stack makes on AWS, where its deployer may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from madeploy.clients.aws import asking
from madeploy.clients.errors import ClientError
from madeploy.doctor.checks import NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.names.aws import role
from madeploy.names.storage import made_buckets
from madeploy.settings.storage import AwsStorage
from manifests.identities import subjects

_BUCKETS: Final = ("s3", "L-DC2B2D3D")
"""Service and code of the quota of general purpose buckets (Amazon S3 endpoints and quotas)."""
_ROLES: Final = ("iam", "L-FE177D64")
"""Of roles (IAM endpoints and quotas)."""
_REFUSED: Final = ("forbidden", "unauthorized", "invalid", "notFound")


def aws_quotas(site: Site) -> Seen:
    """Whether the roles and buckets that are not there yet fit into the account. Raises ClientError for an
    AWS that does not answer."""
    storage = site.environment.storage
    if not isinstance(storage, AwsStorage):
        raise NotNeededError("nothing is made on AWS")
    found: list[Finding] = []
    seen = []
    for title, quota, look in (("roles", _ROLES, _roles), ("buckets", _BUCKETS, _buckets)):
        try:
            wanted, used, limit = look(site, storage)
        except ClientError as error:
            if error.cause not in _REFUSED:
                raise
            found.append(_unasked(title, quota, error))
            continue
        if used + wanted > limit:
            evidence = f"{wanted} more are made, {max(limit - used, 0)} of {limit} are left"
            service, code = quota
            raised = (
                f"aws service-quotas request-service-quota-increase --service-code {service} "
                f"--quota-code {code} --desired-value {used + wanted}"
            )
            fix = f"Have it raised, or remove what nobody needs:\n{raised}"
            found.append(find("MA345", f"AWS quota of {title}", evidence, fix=fix))
        else:
            seen.append(f"{title}: {wanted} more, {limit - used} of {limit} left")
    return found or "; ".join(seen)


def _roles(site: Site, storage: AwsStorage) -> tuple[int, int, int]:
    """Roles that are not there yet, those of the account, and how many it may have (IAM,
    GetAccountSummary)."""
    with asking("iam", storage.region) as client:
        summary: dict[str, int] = client.get_account_summary()["SummaryMap"]
        names = [role(site.stack, subject.identity) for subject in subjects(site.environment)]
        missing = sum(not _has_role(client, name) for name in names)
    return missing, summary["Roles"], summary["RolesQuota"]


def _has_role(client: Any, name: str) -> bool:
    try:
        client.get_role(RoleName=name)
    except client.exceptions.NoSuchEntityException:
        return False
    return True


def _buckets(_: Site, storage: AwsStorage) -> tuple[int, int, int]:
    """Buckets that are not there yet, those of the account, and how many it may have."""
    with asking("s3", storage.region) as client:
        there = set(_bucket_names(client))
    service, code = _BUCKETS
    with asking("service-quotas", storage.region) as client:
        quota = client.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    return len(set(made_buckets(storage).values()) - there), len(there), int(quota["Value"])


def _bucket_names(client: Any) -> Iterator[str]:
    for page in client.get_paginator("list_buckets").paginate():
        yield from (bucket["Name"] for bucket in page.get("Buckets") or ())


def _unasked(title: str, quota: tuple[str, str], error: ClientError) -> Finding:
    service, code = quota
    look = f"aws service-quotas get-service-quota --service-code {service} --quota-code {code}"
    evidence = f"this login may not ask: {error.reason}"
    fix = f"Where the account is nearly full, look with a login that may:\n{look}"
    return find("MA346", f"AWS quota of {title}", evidence, fix=fix)
