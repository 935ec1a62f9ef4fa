"""The exceptions that end a command: a message for a person, never a traceback."""

from __future__ import annotations


class ToolkitError(Exception):
    """Something outside the program stands in the way, and a person can do something about it.

    The command line prints `str(error)` and ends with `error.exit_code`.

    Args:
        what: what could not be done, in one sentence without a full stop.
        why: the cause as far as it is known; may hold several lines (the end of a log, say).
        fix: what the reader does next, commands included.
        exit_code: 3 for an environment that cannot be used or reached, 1 for work that is not done.
    """

    def __init__(self, what: str, why: str, fix: str, exit_code: int = 3) -> None:
        super().__init__(what, why, fix, exit_code)
        self.what = what
        self.why = why
        self.fix = fix
        self.exit_code = exit_code

    def __str__(self) -> str:
        return "\n".join((self.what, _labelled("why: ", self.why), _labelled("fix: ", self.fix)))


class UsageError(ToolkitError):
    """Wrong use: an argument, or a file that the command was given. Ends the command with 2."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(what, why, fix, exit_code=2)


def _labelled(label: str, text: str) -> str:
    """`text` under a label, further lines indented to stand below the first."""
    first, *rest = text.rstrip().splitlines() or [""]
    indent = " " * (len(label) + 2)
    return "\n".join([f"  {label}{first}", *(f"{indent}{line}" if line else "" for line in rest)])
