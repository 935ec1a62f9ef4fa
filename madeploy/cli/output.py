"""What commands print: JSON, aligned columns, and lines for people beside their output."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from madeploy.errors import UsageError
from madeploy.findings import Finding
from madeploy.findings.text import aligned, to_json, write


def print_json(data: Any) -> None:
    """Print JSON. In ASCII: what servers say may hold halves of characters, which no terminal takes."""
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def print_findings(findings: Sequence[Finding], text: str, as_json: bool, sarif: str | None) -> None:
    """Print findings as JSON or in words. `sarif` names a file for them as SARIF; with `-` that is what is
    printed. Raises UsageError for a file that cannot be written."""
    if sarif is not None:
        from madeploy import __version__
        from madeploy.findings.sarif import to_sarif

        log = to_sarif(findings, __version__)
        if sarif == "-":
            sys.stdout.write(log)
            return
        write_file(Path(sarif), log)
    if as_json:
        sys.stdout.write(to_json(findings))
    else:
        write(text, sys.stdout)


def write_file(path: Path, text: str) -> None:
    """Write a file that an option names. Raises UsageError."""
    try:
        # What servers say may hold halves of characters, which no file can.
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{path} cannot be written", why, "name another file") from None


def note(line: str) -> None:
    """A line for a person, beside the command's output."""
    print(line, file=sys.stderr)  # noqa: T201


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in aligned columns below a header, each line ending in a line feed."""
    return "".join(f"{line}\n" for line in aligned([header, *rows]))
