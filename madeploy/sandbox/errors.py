"""The one exception of the sandbox: a message for a person, never a traceback."""

from __future__ import annotations

from madeploy.errors import ToolkitError


class SandboxError(ToolkitError):
    """Something outside the sandbox stands in its way, and a person can do something about it."""
