"""`michelangelo:rayLogs`: logs and events of Ray's pods, kept after their cluster is gone; from release 0.12
on."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from madeploy.settings.base import Accepts, DnsSubdomain, Section
from madeploy.settings.buckets import BucketName
from madeploy.settings.images import Image

Folder = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", max_length=200),
    Accepts("a folder without a slash first or last", "log"),
]

LogUrl = Annotated[
    str,
    Field(
        pattern=r"^https?://([^{}\s]|\{\{ ?\.(Bucket|PathPrefix|ClusterName|RayLocalNamespace) ?\}\})+$",
        max_length=500,
    ),
    Accepts(
        "a URL whose variables are {{.Bucket}}, {{.PathPrefix}}, {{.ClusterName}} and {{.RayLocalNamespace}}",
        "https://logs.example.com/{{.ClusterName}}",
    ),
]
"""A template that does not parse stops the controller manager."""


COLLECTOR: Final = Image(repository="quay.io/kuberay/collector", tag="v1.7.1")


HISTORY_SERVER: Final = Image(repository="quay.io/kuberay/historyserver", tag="v1.7.1")


EventTypes = Annotated[
    str,
    Field(pattern=r"^[A-Z_]+(,[A-Z_]+)*$", max_length=1000),
    Accepts("ALL, or types of Ray's events joined by commas", "ALL"),
]


class HistoryServer(Section):
    """Shows logs and events of Ray clusters that are gone, as Ray's dashboard does. It asks for no login:
    the Service `default/michelangelo-history-server` of each compute cluster leads to it, on port 8080,
    from pods of that namespace or a forwarded port."""

    image: Image = HISTORY_SERVER
    """Image of it, of the collector's version. Default `quay.io/kuberay/historyserver:v1.7.1`."""

    memory_gib: Annotated[int, Field(ge=1, le=256)] = 2
    """Memory in GiB, requested and at most; half of it keeps sessions that were read. Default 2."""


class RayLogs(Section):
    """A collector beside every Ray container, which writes into the object store (`storage`). Off unless this
    section is there. It takes static keys: roles of pods do not reach it. It runs as the Ray container's
    user, and as root where the pod names none, which namespaces under Pod Security `restricted` refuse."""

    bucket: BucketName
    """Bucket, which must exist."""

    prefix: Folder = "log"
    """Folder in it. Default `log`."""

    credentials_secret: DnsSubdomain = "aws-credentials"
    """Secret in the namespace `default` of every compute cluster with `AWS_ACCESS_KEY_ID` and
    `AWS_SECRET_ACCESS_KEY`. Default `aws-credentials`, which an S3-compatible store's clusters get from
    `objectStore`; on AWS it must be made beforehand."""

    collector_image: Image = COLLECTOR
    """Image of the collector. Default `quay.io/kuberay/collector:v1.7.1`."""

    event_types: EventTypes = "ALL"
    """Events of Ray it keeps, joined by commas. Default `ALL`, which takes Ray 2.54 or later in the image of
    every task; earlier ones need the single types."""

    log_url_format: LogUrl | None = None
    """Link to a cluster's logs, shown with it. Default: none."""

    history_server: HistoryServer | None = None
    """Where it is set, even to `{}`, every compute cluster gets a history server of Ray. Default: none."""
