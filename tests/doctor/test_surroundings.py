"""What surrounds a stack's clusters is asked on the wire: domains, workflow engine, object store and AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from madeploy.doctor import front_door, storage, workflow_engine
from madeploy.doctor.checks import Seen
from tests.doctor.answers import codes, look
from tests.support.aws_double import Aws, signed_in
from tests.support.environments import aws_storage, environment
from tests.support.faults import bare_server
from tests.support.furnished import FurnishedSite, named
from tests.support.ports import free_port
from tests.support.proves import proves
from tests.support.workflow_double import engine_double

# Domains.


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Addresses by host, in place of the machine's resolver."""
    known: dict[str, set[str]] = {}
    monkeypatch.setattr(front_door, "_addresses", lambda host: known.get(host, set()))
    return known


def with_door(made: FurnishedSite, *addresses: Mapping[str, str]) -> FurnishedSite:
    made.deploy()
    for path in list(made.hub.objects):
        if "/ingresses/" in path:
            made.hub.objects[path]["status"] = {"loadBalancer": {"ingress": list(addresses)}}
    return made


def test_domains_lead_to_the_front_door(resolved: dict[str, set[str]]) -> None:
    """NET-1, UX-8: by address, and by the name a cloud gives its load balancer."""
    made = FurnishedSite(environment())
    answer = lambda: front_door.domains(made.site)  # noqa: E731
    assert codes(answer) == ["MA911", "MA911"]
    resolved |= {"api.ml.example.com": {"203.0.113.7"}, "app.ml.example.com": {"203.0.113.7"}}
    assert look(answer).state == "passed"
    with_door(made, {"ip": "203.0.113.7"})
    assert look(answer).state == "passed"
    with_door(made, {"hostname": "lb.example.net"})
    resolved["lb.example.net"] = {"203.0.113.7", "203.0.113.8"}
    assert look(answer).state == "passed"
    resolved["app.ml.example.com"] = {"198.51.100.1"}
    (finding,) = look(answer).findings
    assert (finding.code, finding.subject) == ("MA912", "domains.app")
    assert "lb.example.net" in finding.fix


def test_a_gateway_class_is_there_and_accepted() -> None:
    """NET-7, UX-8."""
    door = {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"}
    made = FurnishedSite(environment(frontDoor=door))
    answer = lambda: front_door.door_class(made.site)  # noqa: E731
    assert codes(answer) == ["MA908"]
    version = "gateway.networking.k8s.io/v1"
    waiting = named("GatewayClass", "eg", version=version, spec={"controllerName": "x"})
    made.hub.hold(waiting)
    assert codes(answer) == ["MA910"]
    refused = {"conditions": [{"type": "Accepted", "status": "False", "message": "bad parameters"}]}
    made.hub.hold(waiting | {"status": refused})
    assert "bad parameters" in look(answer).detail
    made.hub.hold(waiting | {"status": {"conditions": [{"type": "Accepted", "status": "True"}]}})
    assert look(answer).state == "passed"


# The workflow engine.


def workflow(port: int, engine: str = "temporal", **more: Any) -> Callable[[], Seen]:
    settings = {"engine": engine, "host": f"127.0.0.1:{port}", "domain": "ml", **more}
    made = FurnishedSite(environment(workflow=settings))
    return lambda: workflow_engine.workflow_engine(made.site)


@pytest.mark.parametrize("name", ["temporal", "cadence"])
def test_an_engine_is_asked_for_its_namespace_or_domain(name: str) -> None:
    """CP-3, UX-8, facts 2.3 row 9."""
    with engine_double({b"ml"}) as port:
        assert look(workflow(port, name)).state == "passed"
    with engine_double({b"other"}) as port:
        (finding,) = look(workflow(port, name)).findings
    assert finding.code == "MA926"
    at = f"--address 127.0.0.1:{port}"
    assert finding.commands == (
        {
            "temporal": f"temporal operator namespace create {at} --namespace ml",
            "cadence": f"cadence --transport grpc {at} --domain ml domain register",
        }[name],
    )


def test_an_engine_that_speaks_tls_otherwise_is_told_from_one_that_is_silent(tmp_path: Path) -> None:
    """CP-3, UX-8."""
    with engine_double({b"ml"}, tmp_path) as port:
        assert codes(workflow(port, "temporal")) == ["MA925"]
        assert codes(workflow(port, "cadence")) == ["MA925"]
    with engine_double({b"ml"}) as port:
        assert codes(workflow(port, "cadence", tls=True)) == ["MA925"]
    assert codes(workflow(free_port())) == ["MA924"]
    inside = FurnishedSite(environment(workflow={"engine": "temporal", "host": "temporal.nowhere.svc:7233"}))
    outcome = look(lambda: workflow_engine.workflow_engine(inside.site))
    assert (outcome.state, outcome.findings) == ("notChecked", ()), outcome.detail


def test_an_engine_that_is_none_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-8: something else listens there."""
    monkeypatch.setattr(workflow_engine, "SECONDS", 1.0)
    with bare_server("text") as port:
        assert look(workflow(port)).state == "notChecked"


# The object store and AWS.


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    made = Aws()
    with signed_in(made, monkeypatch):
        yield made


def store(kind: str, **more: Any) -> Callable[[], Seen]:
    settings: dict[str, Any] = {
        "aws": aws_storage(pathStyle=True),
        "s3Compatible": {
            "kind": "s3Compatible",
            "endpoint": os.environ["AWS_ENDPOINT_URL"],
            "region": "eu-west-1",
            "buckets": {"workspace": "space", "models": "models"},
        },
    }[kind]
    made = FurnishedSite(environment(storage=settings | more))
    return lambda: storage.object_store(made.site, lambda: ("key-of-nobody", "not-a-secret"))


def test_a_store_that_takes_everything_is_left_as_it_was(aws: Aws) -> None:
    """MR-1, UX-8: an upload is begun and given up."""
    assert look(store("s3Compatible")).state == "passed"
    assert aws.written == []


@pytest.mark.parametrize(
    ("refused", "found"),
    [
        ({"head_models": 404}, ["MA914"]),
        ({"head_models": 403}, ["MA913"]),
        ({"begin_models": 403}, ["MA915"]),
        ({"head_models": 404, "begin_space": 403}, ["MA914", "MA915"]),
    ],
    ids=["no bucket", "refused", "read-only", "both"],
)
def test_a_store_of_ones_own_is_judged_bucket_by_bucket(
    refused: dict[str, int], found: list[str], aws: Aws
) -> None:
    """MR-1, MR-6, UX-8."""
    aws.refused = refused
    assert sorted(codes(store("s3Compatible"))) == found


def test_names_of_buckets_to_be_made_are_free_or_somebody_elses(aws: Aws) -> None:
    """MR-1, UX-8: S3 names are global."""
    aws.refused = {"head_example_ml_models": 404, "head_example_ml_workspace": 404}
    assert look(store("aws")).state == "passed"
    aws.refused = {"head_example_ml_models": 403, "head_example_ml_workspace": 404}
    assert codes(store("aws")) == ["MA916"]


def test_a_store_that_does_not_answer_here_is_no_pass(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-8, NET-14."""
    monkeypatch.setattr("madeploy.clients.s3.ATTEMPTS", 1)
    answer = store("s3Compatible", endpoint=f"http://127.0.0.1:{free_port()}")
    outcome = look(answer)
    assert (outcome.state, outcome.findings) == ("notChecked", ()), outcome.detail


def account() -> Callable[[], Seen]:
    made = FurnishedSite(environment(storage=aws_storage()))
    return lambda: storage.aws_account(made.site)


def test_the_account_is_the_stacks(aws: Aws) -> None:
    """MR-11, UX-8."""
    assert look(account()).state == "passed"
    aws.account = "999999999999"
    assert codes(account()) == ["MA918"]
    aws.refused = {"GetCallerIdentity": 403}
    assert codes(account()) == ["MA917"]
    none = FurnishedSite(environment())
    assert look(lambda: storage.aws_account(none.site)).state == "notNeeded"


@proves("MR-11", played="AWS, by moto")
def test_rights_on_aws_are_simulated_where_that_is_allowed(aws: Aws) -> None:
    """MR-11, UX-8: of the role behind the session, and what may not be asked is no pass."""
    made = FurnishedSite(environment(storage=aws_storage()))
    answer = lambda: storage.aws_rights(made.site)  # noqa: E731
    assert look(answer).state == "passed"
    aws.denied = "implicitDeny"
    (finding,) = look(answer).findings
    assert finding.code == "MA919"
    assert "s3:CreateBucket" in finding.evidence
    assert finding.commands == ("bin/madeploy iam deployer prod",)
    aws.refused = {"SimulatePrincipalPolicy": 403}
    assert look(answer).state == "notChecked"


def test_the_role_behind_a_session_is_what_is_simulated() -> None:
    """MR-11: IAM knows no sessions."""
    session = "arn:aws-us-gov:sts::123456789012:assumed-role/deployer/me@example.com"
    assert storage._principal(session) == "arn:aws-us-gov:iam::123456789012:role/deployer"
    assert storage._principal("arn:aws:iam::1:user/me") == "arn:aws:iam::1:user/me"
