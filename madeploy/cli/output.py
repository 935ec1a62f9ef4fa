"""What commands print: JSON, aligned columns, and lines for people beside their output."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def print_json(data: Any) -> None:
    """Print JSON. In ASCII: what servers say may hold halves of characters, which no terminal takes."""
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def note(line: str) -> None:
    """A line for a person, beside the command's output."""
    print(line, file=sys.stderr)  # noqa: T201


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows in aligned columns below a header, each line ending in a line feed."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in (header, *rows)
    )
