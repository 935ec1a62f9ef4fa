"""`michelangelo:tracking`: the experiment-tracking server that task pods report to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from madeploy.settings.base import Accepts, Cidr, Section

TrackingUri = Annotated[
    str,
    Field(pattern=r"^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[^\s?#@]*)?$", max_length=500),
    Accepts(
        "http:// or https://, a host, and a port and a path where there are any, no name and no key in it",
        "https://tracking.example.com",
    ),
]


class Tracking(Section):
    """Off unless this section is there. Task pods read it as `TRACKING_URI`; those that run keep what they
    started with."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "apiKey": "Task pods of every release read nothing but the ConfigMap `michelangelo-config`, which "
        "everybody in their namespace may read: no key belongs there. Let pods sign in by their identity "
        "(`clusters.<name>.taskIdentity`), or have the tasks read a Secret themselves.",
    }

    uri: TrackingUri = Field(examples=["https://tracking.example.com"])
    """Address of the server."""

    cidrs: tuple[Cidr, ...] = ()
    """Networks of the server. With them a NetworkPolicy leaves Ray's pods what they need, the server
    included, and nothing else. Default: no policy."""
