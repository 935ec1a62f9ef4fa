"""What surrounds an environment: domains, the object store, AWS, registries, the workflow engine, each as a
server on the wire. Each fault is found by its code, and what is printed clears it.

Played are those servers, the AWS CLI, whose arguments are read by the services' own models, and the workflow
engines' own programs; this toolkit's commands are real.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from madeploy.doctor import data, front_door, images, storage, workflow_engine
from madeploy.doctor.checks import Seen
from madeploy.engine.commands import update
from tests.support.aws_cli import aws as aws_cli
from tests.support.aws_double import Aws, protected, signed_in
from tests.support.bench import DOMAINS, STACK, Bench, options
from tests.support.clears import clears
from tests.support.environments import aws_storage
from tests.support.image_registry import Registry, serving
from tests.support.local_aws import local_aws
from tests.support.ports import free_port
from tests.support.waiting import wait
from tests.support.workflow_double import engine_double

pytestmark = pytest.mark.sandbox

BUCKETS = {"workspace": "bench-workspace", "models": "bench-models"}


# Domains.


@pytest.mark.long
@clears("MA911", "MA912")
def test_a_domain_leads_to_the_door_once_its_record_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NET-1, UX-8: the record is made outside, where the fix says the address."""
    records: dict[str, set[str]] = {}
    monkeypatch.setattr(front_door, "_addresses", lambda host: records.get(host, set()))
    answer = lambda: front_door.domains(bench.site)  # noqa: E731
    # The door has its address from its controller, a moment after it is made.
    address = wait(lambda: bench.await_codes({"MA911"}, answer)[0].fix.partition("(")[2].partition(")")[0])

    def point(where: str) -> None:
        records.update({host: {where} for host in DOMAINS.values()})

    bench.clear("MA911", answer, lambda: point(address))
    point("198.51.100.1")
    bench.clear("MA912", answer, lambda: point(address))


# The object store and AWS.


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """S3, STS and IAM on the wire, with what they refuse."""
    made = Aws()
    with signed_in(made, monkeypatch):
        yield made


def compatible(**more: Any) -> dict[str, Any]:
    """A store of one's own at the address at hand."""
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    return {"kind": "s3Compatible", "endpoint": endpoint, "region": "eu-west-1", "buckets": BUCKETS} | more


def store(bench: Bench) -> Callable[[], Seen]:
    return lambda: storage.object_store(bench.site, lambda: ("key-of-nobody", "not-a-secret"))


@clears("MA914")
@pytest.mark.parametrize("kind", ["s3Compatible", "existing"])
def test_a_bucket_that_is_not_there_is_made_by_what_is_printed(
    kind: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MR-1, UX-8: with the region where AWS wants it; found before an update and after."""
    with local_aws() as address:
        for name, value in Aws.environ(address).items():
            monkeypatch.setenv(name, value)
        bench.played["aws"] = aws_cli
        bench.sections["storage"] = compatible(region="us-east-1") if kind == "s3Compatible" else EXISTING
        bench.await_codes({"MA914"}, lambda: data.buckets(bench.site, lambda: None))
        bench.clear("MA914", store(bench))
        bench.await_codes(set(), lambda: data.buckets(bench.site, lambda: None))


@pytest.mark.long
@clears("MA966")
def test_safeguards_of_a_bucket_are_set_again_by_the_update(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MR-1, MR-12: the engine is played, by the calls that its provider makes."""
    import boto3

    with local_aws() as address:
        for name, value in Aws.environ(address).items():
            monkeypatch.setenv(name, value)
        s3 = boto3.client("s3", region_name="eu-west-1")
        where = {"LocationConstraint": "eu-west-1"}
        for name in BUCKETS.values():
            s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)

        def pulumi(words: list[str]) -> None:
            assert shlex.join(words) == update(STACK)
            for name in BUCKETS.values():
                protected(s3, name)

        bench.played["pulumi"] = pulumi
        bench.sections["storage"] = aws_storage(pathStyle=True, buckets=BUCKETS)
        bench.clear("MA966", lambda: data.buckets(bench.site, lambda: None))


EXISTING = {"kind": "existing", "region": "eu-west-1", "buckets": BUCKETS}


def storing(bench: Bench, double: Aws) -> None:
    """`pulumi config set`, which asks for a value: from the second on the store knows the keys."""
    stored: list[str] = []

    def pulumi(words: list[str]) -> None:
        line = shlex.join(words)
        start, end = "pulumi config set --secret --path michelangelo:objectStore.", f" --stack {STACK}"
        assert line.startswith(start)
        assert line.endswith(end)
        stored.append(line.removeprefix(start).removesuffix(end))
        if sorted(stored) == ["accessKeyId", "secretAccessKey"]:
            double.refused.clear()

    bench.played["pulumi"] = pulumi


@pytest.mark.long
@clears("MA913")
def test_keys_that_the_store_refuses_are_stored_anew(bench: Bench, double: Aws) -> None:
    """MR-1, UX-3: both of them."""
    bench.sections["storage"] = compatible()
    double.refused = {"head_bench_models": 403}
    storing(bench, double)
    bench.clear("MA913", store(bench))


@pytest.mark.long
@clears("MA915")
def test_a_bucket_that_may_not_be_written_may_be_once_its_policy_says_so(bench: Bench, double: Aws) -> None:
    """MR-1: the policy is the store's owner's."""
    bench.sections["storage"] = compatible()
    double.refused = {"begin_bench_models": 403}
    bench.clear("MA915", store(bench), double.refused.clear)


@pytest.mark.long
@clears("MA916")
def test_a_bucket_of_somebody_else_is_left_and_another_named(bench: Bench, double: Aws) -> None:
    """MR-1: S3's names are global; the fix is an edit of the stack file."""
    bench.sections["storage"] = aws_storage(pathStyle=True, buckets=BUCKETS)
    double.refused = {"head_bench_models": 403, "head_bench_workspace": 404, "head_bench_models_2": 404}
    other = aws_storage(pathStyle=True, buckets=BUCKETS | {"models": "bench-models-2"})
    bench.clear("MA916", store(bench), lambda: bench.sections.update(storage=other))


@pytest.mark.long
@clears("MA917", "MA918")
def test_a_login_to_the_stacks_account_is_what_an_update_needs(bench: Bench, double: Aws) -> None:
    """MR-11, UX-8: who one is then is what the printed command shows."""
    bench.sections["storage"] = aws_storage()
    bench.played["aws"] = aws_cli
    answer = lambda: storage.aws_account(bench.site)  # noqa: E731
    double.refused = {"GetCallerIdentity": 403}
    bench.clear("MA917", answer, double.refused.clear)
    double.account = "999999999999"
    bench.clear("MA918", answer, lambda: setattr(double, "account", "123456789012"))


@pytest.mark.long
@clears("MA919")
def test_rights_on_aws_are_there_once_the_printed_policy_is_attached(bench: Bench, double: Aws) -> None:
    """MR-11: the policy is printed by this toolkit; attaching it is an administrator's act."""
    bench.sections["storage"] = aws_storage()
    double.denied = "implicitDeny"
    bench.clear("MA919", lambda: storage.aws_rights(bench.site), lambda: setattr(double, "denied", ""))


# Images.

SERVICES = ("apiserver", "controllermgr", "worker", "ui")


@pytest.fixture
def registry(bench: Bench) -> Iterator[Registry]:
    """A registry that has every image of the stack, for the nodes there are."""
    held = {f"ma/{name}:0.12.0": ["amd64"] for name in SERVICES}
    with serving(Registry({**held, "envoy:v1": ["amd64"]})) as made:
        bench.sections["images"] = {"registry": f"{made.address}/ma", "tag": "0.12.0"}
        envoy = {"image": {"repository": f"{made.address}/envoy", "tag": "v1"}}
        bench.sections["controlPlane"] = {**bench.sections["controlPlane"], "envoy": envoy}
        yield made


@clears("MA920")
def test_an_image_that_is_not_there_is_pushed(bench: Bench, registry: Registry) -> None:
    """CP-9."""
    pushed = registry.platforms.pop("ma/worker:0.12.0")
    bench.clear(
        "MA920",
        lambda: images.images(bench.site),
        lambda: registry.platforms.update({"ma/worker:0.12.0": pushed}),
    )


@pytest.mark.long
@clears("MA921")
def test_a_registry_that_wants_a_login_is_given_one(bench: Bench, registry: Registry) -> None:
    """CP-9: by a pull Secret that the stack file names."""
    registry.login = "basic"

    def login() -> None:
        user, password = registry.user
        bench.kubectl(
            f"-n ma-system create secret docker-registry bench-pull --docker-server={registry.address} "
            f"--docker-username={user} --docker-password={password}"
        )
        bench.sections["images"] = {**bench.sections["images"], "pullSecrets": ["bench-pull"]}

    try:
        bench.clear("MA921", lambda: images.images(bench.site), login)
    finally:
        bench.kubectl("-n ma-system delete secret bench-pull --ignore-not-found")


@pytest.mark.long
@clears("MA923")
def test_an_image_for_other_processors_is_made_for_the_nodes(bench: Bench, registry: Registry) -> None:
    """CP-9: by the nodes' own label."""
    registry.platforms["ma/ui:0.12.0"] = ["arm64"]
    bench.clear(
        "MA923",
        lambda: images.images(bench.site),
        lambda: registry.platforms.update({"ma/ui:0.12.0": ["amd64"]}),
    )


# The workflow engine.


def workflow(port: int, **more: Any) -> dict[str, Any]:
    return {"engine": "temporal", "host": f"127.0.0.1:{port}", "domain": "ml", **more}


@pytest.mark.long
@clears("MA924")
def test_an_engine_that_does_not_answer_is_named_right(bench: Bench) -> None:
    """CP-3: the fix is an edit of the stack file."""
    bench.sections["workflow"] = workflow(free_port())
    with engine_double({b"ml"}) as port:
        bench.clear(
            "MA924",
            lambda: workflow_engine.workflow_engine(bench.site),
            lambda: bench.sections.update(workflow=workflow(port)),
        )


@pytest.mark.long
@clears("MA925")
@pytest.mark.parametrize("engine", ["temporal", "cadence"])
def test_an_engine_that_speaks_tls_otherwise_is_told_so(engine: str, bench: Bench, tmp_path: Path) -> None:
    """CP-3: of Cadence the setting is turned round, of Temporal an address without TLS is named."""
    with engine_double({b"ml"}) as plain, engine_double({b"ml"}, tmp_path) as secured:
        wrong = workflow(plain, tls=True) if engine == "cadence" else workflow(secured)
        bench.sections["workflow"] = wrong | {"engine": engine}
        bench.clear(
            "MA925",
            lambda: workflow_engine.workflow_engine(bench.site),
            lambda: bench.sections.update(workflow=workflow(plain, engine=engine)),
        )


@pytest.mark.long
@clears("MA926")
@pytest.mark.parametrize("engine", ["temporal", "cadence"])
def test_a_namespace_or_domain_is_made_by_the_engines_own_program(engine: str, bench: Bench) -> None:
    """CP-3, facts 2.3 row 9: on the engine that the stack names, and not on the program's own."""
    known: set[bytes] = set()
    with engine_double(known) as port:
        bench.sections["workflow"] = workflow(port, engine=engine)

        def temporal(words: list[str]) -> None:
            assert words[:4] == ["temporal", "operator", "namespace", "create"]
            given = options(words[4:])
            assert given.keys() == {"--address", "--namespace"}
            assert given["--address"] == f"127.0.0.1:{port}"
            known.add(given["--namespace"].encode())

        def cadence(words: list[str]) -> None:
            assert words[-2:] == ["domain", "register"]
            given = options(words[1:-2])
            assert given == {"--transport": "grpc", "--address": f"127.0.0.1:{port}", "--domain": "ml"}
            known.add(given["--domain"].encode())

        bench.played |= {"temporal": temporal, "cadence": cadence}
        bench.clear("MA926", lambda: workflow_engine.workflow_engine(bench.site))
