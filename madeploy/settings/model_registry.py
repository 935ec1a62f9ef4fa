"""`michelangelo:modelRegistry`: who may read models, and how long they are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from madeploy.settings.base import Accepts, DnsLabel, HostPort, Section
from madeploy.settings.images import Image

Schedule = Annotated[
    str,
    Field(
        pattern=r"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+( \S+){4})$", max_length=100
    ),
    Accepts("a schedule as cron writes it, five fields in UTC", "17 3 * * *"),
]


class CiReader(Section):
    """The ServiceAccount that continuous integration reads models with."""

    namespace: DnsLabel = "ci-namespace"
    """Namespace of the ServiceAccount."""

    service_account: DnsLabel = "ci-service-account"
    """Name of the ServiceAccount."""


class Retention(Section):
    """The job that removes models older than `retentionDays`."""

    schedule: Schedule = "17 3 * * *"
    """When it runs, in UTC. Default 03:17 every night."""

    image: Image = Image(repository="public.ecr.aws/docker/library/python", tag="3.13.7-slim")
    """Image with Python 3.10 or later as `python3`, from its own project; nothing else of it is used. Default
    `public.ecr.aws/docker/library/python:3.13.7-slim`."""

    namespaces: tuple[DnsLabel, ...] = ()
    """Namespaces whose models it removes. Default: all. It reads models everywhere, because those of other
    namespaces may need the same objects."""

    dry_run: bool = False
    """Whether it only writes down what it would remove. Default false."""


class ModelRegistry(Section):
    """Access to models and their retention (model-registry guide)."""

    namespaces: tuple[DnsLabel, ...] = ()
    """Existing namespaces of teams, which get the Role `model-registry-reader`. The platform makes them with
    its projects, and deletes them with these: they are never made here. Default: none."""

    ci_reader: CiReader | None = None
    """Whom the RoleBinding `ci-model-registry-reader` admits. Default: nobody."""

    endpoint: HostPort | None = None
    """Address of the API as `host:port` at which tasks that push models reach it from their cluster, in
    plaintext: the platform's Python client speaks no TLS. They read it as `REGISTRY_ENDPOINT` of
    `michelangelo-config`; without it they push into a registry in their own memory, and their models are lost
    without a word. Default: none."""

    retention_days: int | None = Field(default=None, ge=1, le=3650)
    """Age in days after which models and their artifacts are removed, by a job that runs every night.
    Default: kept for good."""

    retention: Retention = Retention()
    """The job of `retentionDays`; nothing without it."""
