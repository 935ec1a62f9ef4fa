"""Keys of a stack's configuration as Pulumi's commands take them."""

from __future__ import annotations

from typing import Final

from madeploy.documents.paths import Path, dotted
from madeploy.settings import PROJECT

OBJECT_STORE_KEYS: Final = ("accessKeyId", "secretAccessKey")
"""Names below the secret key `objectStore`."""


def subject(path: Path) -> str:
    """A path as `pulumi config set --path` takes it: `michelangelo:cors.additionalOrigins[0]`."""
    return f"{PROJECT}:{dotted(path)}"


def encrypt_command(path: Path) -> str:
    """The command that stores one secret, read from standard input, with `STACK` for the stack's name."""
    return f"pulumi config set --secret --path '{subject(path)}' --stack STACK < FILE"
