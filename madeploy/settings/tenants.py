"""`michelangelo:tenants`: teams that share the platform, each with a project and a namespace of its name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, DnsLabel, Name, Quantity, Section

TenantName = DnsLabel

Text = Annotated[
    str, Field(min_length=1, max_length=500), Accepts("text of 1 to 500 characters", "Vision models")
]

Uuid = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
    Accepts("a UUID in lower case", "3f2b8c1e-0000-4000-8000-000000000001"),
]


class People(Section):
    """Users of the control plane's cluster, by the names that its own sign-in gives them (`kubectl auth
    whoami`)."""

    groups: tuple[Name, ...] = Field(default=(), examples=[["oidc:vision"]])
    """Groups."""

    users: tuple[Name, ...] = Field(default=(), examples=[["oidc:someone@example.com"]])
    """Single users."""


class Quota(Section):
    """What a tenant may use of the control plane's cluster: models that it serves, Spark jobs, and objects of
    its project. Ray's pods run on compute clusters and are not counted here."""

    cpu: Quantity | None = Field(default=None, examples=["32"])
    """Sum of what its pods ask for. Default: no limit."""

    memory: Quantity | None = Field(default=None, examples=["128Gi"])
    """Sum of what its pods ask for and may use. Default: no limit."""

    gpus: int | None = Field(default=None, ge=0, le=10_000)
    """Sum of `nvidia.com/gpu`. Default: no limit."""

    pods: int = Field(default=200, ge=1, le=10_000)
    """Pods that are not finished. Default 200."""

    pipeline_runs: int = Field(default=5000, ge=1, le=1_000_000)
    """PipelineRun objects, finished ones included. Default 5000."""


class ContainerDefaults(Section):
    """What a container gets that says nothing itself; with a quota on it, it could not start."""

    cpu: Quantity = "500m"
    """Processor it asks for. Default 500m."""

    memory: Quantity = "1Gi"
    """Memory it asks for and may use. Default 1Gi."""


class Tenant(Section):
    """One team: its Project, and the namespace of the same name, which is what isolates it. Taken out of the
    file, everything of it stays on the cluster until `bin/madeploy tenants remove`."""

    team: Uuid
    """Id of the owning team (`owner.owningTeam`), which the platform wants as UUID."""

    description: Text
    """What the project is for."""

    git_repo: Text = Field(examples=["https://git.example.com/vision/models"])
    """Repository of its code."""

    root_dir: Text = "."
    """Folder of the project in it. Default `.`."""

    tier: int = Field(default=3, ge=1, le=5)
    """How much depends on it, from 1, the most, to 5. Default 3."""

    owners: tuple[Name, ...] = ()
    """People who own it, as the platform shows them."""

    worker_queue: Name | None = None
    """Queue of its pipelines' runs, which a worker has to poll (`workflow.additionalTaskLists`). Default:
    `workflow.taskList`."""

    pod_security: Literal["restricted", "baseline", "privileged"] = "baseline"
    """Pod Security level of its namespace. Serving by Triton needs `privileged`: it mounts a folder of the
    node. Default `baseline`."""

    quota: Quota = Quota()
    """What it may use."""

    container_defaults: ContainerDefaults = ContainerDefaults()
    """What its containers get that say nothing themselves."""

    viewers: People = People()
    """Who may look at its objects with `kubectl`."""

    editors: People = People()
    """Who may change them."""
