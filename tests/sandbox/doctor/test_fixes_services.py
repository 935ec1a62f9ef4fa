"""What services say whose configuration is not what is generated: each cause is brought about in the stack
file, told by the line, and what is printed ends the line.

Services are played as far as they read their live configuration: what one of them says of it is from
docs/platform.md, 2.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.bench import Act, Bench
from tests.support.clears import cases, clears

pytestmark = pytest.mark.sandbox

Says = Callable[[Bench], str]
"""What is printed now; nothing where all is well."""


def worker_says(bench: Bench) -> str:
    read = bench.config("worker")
    engine = read["workflow-engine"]
    polled = {item["taskList"] for item in engine["workers"]}
    known = {"logging", "minio", "worker", "workflow-engine"}
    told = [f"line 7: field {key} not found in type main.Config" for key in sorted(read.keys() - known)]
    if engine["provider"] != engine["provider"].lower():
        told.append(f"unsupported workflow engine provider: {engine['provider']}")
    told += [f"task queue {queue} has no pollers" for queue in ("pipeline_run",) if queue not in polled]
    if engine["client"]["domain"] not in ("default",):
        told.append(f"Namespace {engine['client']['domain']} is not found.")
    return "\n".join(told)


def manager_says(bench: Bench) -> str:
    read = bench.config("controllermgr")
    told = []
    address = str(read["controllermgr"]["metricsBindAddress"])
    if ":" not in address:
        told.append(f"unable to start the manager: listen tcp: address {address}: missing port in address")
    if read["workflowClient"]["provider"] != "Temporal":
        told.append("code:unimplemented message:unknown service uber.cadence.api.v1.WorkflowAPI")
    if not read["workflowClient"]["taskList"]:
        told.append("BadRequestError{Message: TaskList is not set on request.}")
    if "://" in read["minio"]["awsEndpointUrl"]:
        told.append("Endpoint url cannot have fully qualified paths.")
    return "\n".join(told)


def api_server_says(bench: Bench) -> str:
    read = bench.config("apiserver")
    told = []
    if read["k8s"]["qps"] <= 5:
        told.append(
            "Waited for 1.19s due to client-side throttling, not priority and fairness, request: GET:x"
        )
    if read["metadataStorage"]["enableMetadataStorage"] and "mysql" not in read:
        told.append("failed to create ingester: mysql.host is required")
    return "\n".join(told)


def overridden(service: str, said: dict[str, Any]) -> Callable[[Bench], Act]:
    """Configuration that the stack file adds to what is generated; taken out again by hand."""

    def fault(bench: Bench) -> Act:
        before = bench.sections["controlPlane"]
        bench.sections["controlPlane"] = {**before, service: {"config": said}}
        bench.up()
        return lambda: bench.sections.update(controlPlane=before)

    return fault


def said_of_settings(**sections: Any) -> Callable[[Bench], Act]:
    """Sections of the stack file that are wrong, and are put right by hand."""

    def fault(bench: Bench) -> Act:
        before = dict(bench.sections)
        bench.sections |= sections
        bench.up()
        return lambda: bench.sections.update({name: before.get(name, RIGHT[name]) for name in sections})

    return fault


BUCKETS = {"workspace": "bench-workspace", "models": "bench-models"}
RIGHT: dict[str, Any] = {
    "workflow": {"engine": "temporal", "host": "temporal.example.com:7233"},
    "storage": {"kind": "existing", "region": "eu-west-1", "buckets": BUCKETS},
}
CADENCE = {"engine": "cadence", "host": "temporal.example.com:7233", "domain": "default"}
QUEUES = {"workflow-engine": {"workers": [{"domain": "default", "taskList": "default"}]}}

WORDS: list[tuple[str, str, Callable[[Bench], Act], Says]] = [
    ("differences 1", "MA981", overridden("apiserver", {"k8s": {"qps": 5, "burst": 10}}), api_server_says),
    (
        "differences 3",
        "MA982",
        overridden("controllermgr", {"controllermgr": {"metricsBindAddress": "8091"}}),
        manager_says,
    ),
    ("differences 5", "MA984", said_of_settings(workflow=CADENCE), manager_says),
    (
        "differences 6",
        "MA984",
        overridden("worker", {"workflow-engine": {"provider": "Temporal"}}),
        worker_says,
    ),
    (
        "differences 7",
        "MA985",
        overridden("controllermgr", {"workflowClient": {"taskList": ""}}),
        manager_says,
    ),
    ("differences 8", "MA985", overridden("worker", QUEUES), worker_says),
    (
        "differences 9",
        "MA926",
        said_of_settings(workflow={**RIGHT["workflow"], "domain": "production-uniflow"}),
        worker_says,
    ),
    (
        "differences 11",
        "MA987",
        overridden("controllermgr", {"minio": {"awsEndpointUrl": "https://s3.example.com"}}),
        manager_says,
    ),
    ("differences 14", "MA988", overridden("worker", {"auth": {"rbacEnabled": True}}), worker_says),
    (
        "differences 18",
        "MA933",
        overridden("apiserver", {"metadataStorage": {"enableMetadataStorage": True}}),
        api_server_says,
    ),
]


EVERYDAY = ("MA984-differences 6", "MA985-differences 7")


@clears(*(code for _, code, _, _ in WORDS))
@pytest.mark.parametrize(
    ("row", "code", "fault", "says"), cases({f"{words[1]}-{words[0]}": words for words in WORDS}, EVERYDAY)
)
def test_a_service_stops_saying_so_once_its_configuration_is_what_is_printed(
    row: str, code: str, fault: Callable[[Bench], Act], says: Says, bench: Bench
) -> None:
    """OPS-8, CP-6: rows of docs/platform.md, 2.3; the fix is an edit of the stack file and an update."""
    assert bench.told(says(bench)) == []
    act = fault(bench)
    try:
        bench.clear_words(code, lambda: says(bench), act)
    finally:
        bench.restore()
        bench.up(take_back=True)
