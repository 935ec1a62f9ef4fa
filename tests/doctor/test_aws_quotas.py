"""An account's quotas are asked for before anything is made there; what may not be asked says so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from madeploy.doctor.aws_quotas import aws_quotas
from tests.doctor.answers import codes, look
from tests.support.environments import aws_storage, environment
from tests.support.furnished import FurnishedSite
from tests.support.http_double import Answer, http_double

pytestmark = pytest.mark.whole


class Account:
    """IAM, S3 and Service Quotas on the wire, as far as they are asked."""

    def __init__(self) -> None:
        self.roles = 10
        self.roles_quota = 1000
        self.buckets = ["somebodys"]
        self.buckets_quota = 100.0
        self.refused: set[str] = set()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """By each service's own protocol."""
        if "ServiceQuotas" in headers.get("x-amz-target", ""):
            if "quotas" in self.refused:
                return 400, {}, json.dumps({"__type": "AccessDeniedException", "message": "no"}).encode()
            return 200, {}, json.dumps({"Quota": {"Value": self.buckets_quota}}).encode()
        action = body.decode().partition("Action=")[2].partition("&")[0]
        if action == "GetRole":
            return 404, {}, b"<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>"
        if action in self.refused:
            return 403, {}, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
        if action:
            entries = {"Roles": self.roles, "RolesQuota": self.roles_quota}.items()
            shown = "".join(
                f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in entries
            )
            result = f"<GetAccountSummaryResult><SummaryMap>{shown}</SummaryMap></GetAccountSummaryResult>"
            return 200, {}, f"<GetAccountSummaryResponse>{result}</GetAccountSummaryResponse>".encode()
        names = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in self.buckets)
        return (
            200,
            {},
            f"<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>".encode(),
        )


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    made = Account()
    with http_double(made.answer) as address:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{address}",
            "AWS_ACCESS_KEY_ID": "key-of-nobody",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        yield made


def test_what_a_stack_makes_fits_or_does_not(account: Account) -> None:
    """MR-11, UX-8: counted without what is there already; the command asks for as much as is needed."""
    site = FurnishedSite(environment(storage=aws_storage())).site
    answer = lambda: aws_quotas(site)  # noqa: E731
    assert look(answer).state == "passed", look(answer)
    account.buckets_quota = 2.0
    (finding,) = look(answer).findings
    assert (finding.code, finding.evidence) == ("MA345", "2 more are made, 1 of 2 are left")
    assert finding.commands[0].endswith("--service-code s3 --quota-code L-DC2B2D3D --desired-value 3")
    account.buckets.append("example-ml-models")
    account.buckets_quota = 3.0
    assert look(answer).state == "passed"
    account.roles_quota = 10
    assert codes(answer) == ["MA345"]


def test_what_may_not_be_asked_is_no_obstacle_and_says_so(account: Account) -> None:
    """MR-11, UX-8: deployers need no more rights for it."""
    site = FurnishedSite(environment(storage=aws_storage())).site
    account.refused = {"GetAccountSummary", "quotas"}
    outcome = look(lambda: aws_quotas(site))
    assert outcome.state == "warned"
    assert [(finding.code, finding.severity) for finding in outcome.findings] == [("MA346", "info")] * 2
    assert "AccessDenied" in outcome.findings[0].evidence


def test_a_stack_that_makes_nothing_on_aws_asks_for_nothing() -> None:
    """UX-8."""
    site = FurnishedSite(environment()).site
    assert look(lambda: aws_quotas(site)).state == "notNeeded"
