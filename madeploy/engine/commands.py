"""Commands of the Pulumi CLI as people type them, for findings that name one as the way out."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import Final

TAKING_BACK: Final = "env PULUMI_K8S_ENABLE_PATCH_FORCE=true"
"""Before an update: fields that others have set are taken back. Without it the API server keeps a field
that another manager set, and the update ends with a conflict (Pulumi, managing resources with server-side
apply)."""

FORGETTING: Final = "pulumi state delete"
"""Takes a resource out of a stack's state, and nothing else."""


def update(stack: str, config_file: PurePosixPath | None = None, *, take_back: bool = False) -> str:
    """An update that looks at what is live first, and so writes whatever was changed or deleted by hand.

    Args:
        stack: whose.
        config_file: of another stack, whose configuration it has.
        take_back: whether fields that others have set are taken back.
    """
    command = f"pulumi up --refresh --stack {stack}"
    if config_file is not None:
        command += f" --config-file {config_file}"
    return f"{TAKING_BACK} {command}" if take_back else command


def forget(urn: str, stack: str) -> str:
    """Lets a stack forget a resource, which an update then makes."""
    return f"{FORGETTING} {shlex.quote(urn)} --stack {stack} --yes"
