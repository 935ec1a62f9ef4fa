"""`michelangelo:notifications`: what the platform tells people about their runs, from release 0.12 on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from madeploy.settings.base import Accepts, Section

Email = Annotated[
    str,
    Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254),
    Accepts("an address of mail", "ml@example.com"),
]

Url = Annotated[
    str,
    Field(pattern=r"^https?://[^\s/]+(/\S*)?$", max_length=500),
    Accepts("http:// or https://, a host, and a path where there is one", "https://studio.example.com"),
]


class Notifications(Section):
    """Notifications of pipeline runs. The activities for mail and Slack in the platform's own worker write a
    warning and send nothing: real delivery takes a worker image with activities of one's own, in
    `controlPlane.worker.image`."""

    enabled: bool = False
    """Whether runs put notifications into the queue `notification_worker`, which the worker polls in any
    case. Default false."""

    studio_base_url: Url | None = None
    """Start of the links in them. Default: the application's own URL."""

    sender_email: Email | None = None
    """Sender of mails. Default: none."""
