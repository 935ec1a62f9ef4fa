"""What the program says to the engine besides its resources."""

from __future__ import annotations

import os
from typing import Final

import pulumi

_WANTED: Final = ("1", "true")
"""What the CLI takes for a flag that is set."""


def leave_out_steps() -> None:
    """Keep the SDK from reporting each of its own steps.

    Four or five for a resource, each a call that the program waits for: a fifth of its processor time, and
    some of the engine's. The CLI shows them with `--debug` alone, which a program is not told of; where the
    flag is set by its variable (`PULUMI_OPTION_DEBUG=true`), they are sent.
    """
    if os.environ.get("PULUMI_OPTION_DEBUG", "").lower() not in _WANTED:
        pulumi.log.debug = _unsaid


def _unsaid(
    msg: str,
    resource: pulumi.Resource | None = None,
    stream_id: int | None = None,
    ephemeral: bool | None = None,
) -> None:
    """Takes the place of `pulumi.log.debug`."""
