"""`michelangelo:workflow`: the workflow engine, Cadence or Temporal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, HostPort, Section

TaskList = Annotated[
    str,
    Field(max_length=200, pattern=r"^[A-Za-z0-9_.-]+$"),
    Accepts("1 to 200 letters, digits, underscores, dots and hyphens", "example"),
]
"""Name of a queue: task list in Cadence's words, task queue in Temporal's. Domains are written alike."""


class _Workflow(Section):
    domain: TaskList = "default"
    """Name under which the engine keeps the platform's work. It must exist already. One for everything:
    pollers and clients that disagree leave work undone (facts 2.3 row 9)."""

    task_list: TaskList = "default"
    """Queue for pipeline runs whose project names none (`workflowClient.taskList`)."""

    additional_task_lists: tuple[TaskList, ...] = ()
    """More queues the worker polls, as used by projects' annotation `michelangelo/worker_queue`. The
    platform's own queues `trigger_run`, `pipeline_run` and, from 0.12 on, `notification_worker` are always
    polled."""

    tls: bool = False
    """Whether connections to the engine use TLS with the system's certificate authorities."""

    execution_url_format: str | None = Field(
        default=None, examples=["https://engine.example.com/{{.Domain}}/{{.ExecutionID}}"]
    )
    """Go template of the link to one execution, with `{{.Domain}}`, `{{.ExecutionID}}` and, from
    0.12 on, `{{.RunID}}`."""


class Cadence(_Workflow):
    """Cadence."""

    engine: Literal["cadence"]
    """Chooses Cadence. From release 0.12 on its dynamic configuration has to set
    `history.EnableConsistentQuery` and `history.EnableConsistentQueryByDomain` to true, in exactly this
    spelling, or no run is ever seen to end; Cadence does not tell what it is configured to do."""

    host: HostPort = Field(examples=["cadence.example.com:7833"])
    """Front end of the engine as `host:port`; usual ports are 7833 for gRPC and 7933 for TChannel."""

    domain: TaskList = "default"
    """Cadence domain. It must exist already; the controller manager and every poller of the worker use it
    (facts 2.3 row 9)."""

    tls: bool = False
    """Whether connections to Cadence use TLS with the system's certificate authorities; there is no setting
    for a client certificate. With transport `grpc` both services honour it; TChannel has no TLS. Default
    false."""

    transport: Literal["grpc", "tchannel"] = "grpc"
    """Protocol: `grpc` (port 7833) or `tchannel` (port 7933)."""


class Temporal(_Workflow):
    """Temporal."""

    engine: Literal["temporal"]
    """Chooses Temporal."""

    host: HostPort
    """Front end of the engine as `host:port`; the usual port is 7233. Release 0.12 reaches it without TLS or,
    with `tls`, by TLS that asks for no client certificate; 2026.04 without TLS only. Temporal Cloud
    (`….tmprl.cloud`, `….api.temporal.io`) asks for a client certificate or an API key, which no release can
    be given: it is reached through a proxy in the network that adds TLS and the credential."""

    domain: TaskList = "default"
    """Temporal namespace. It must exist already; the controller manager and every poller of the worker use
    it (facts 2.3 row 9). In Temporal Cloud it ends in the account's id, as `ml.a1b2c`."""

    tls: bool = False
    """Whether connections to Temporal use TLS with the system's certificate authorities; there is no setting
    for a client certificate or an API key. Both services of release 0.12 honour it; workers of 2026.04
    connect without TLS whatever this says, so there only `false` works (facts 2.2). Default false."""


Workflow = Annotated[Cadence | Temporal, Field(discriminator="engine")]
