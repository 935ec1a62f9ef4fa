"""Outputs of the last update, from a file: `pulumi stack output --json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from madeploy.documents.merges import unresolved_merge
from madeploy.errors import ToolkitError, UsageError


def read_endpoints(path: Path) -> dict[str, tuple[str, str]]:
    """`(host, port)` of each registered cluster. Raises UsageError when the file cannot be read or is
    something else."""
    try:
        content = path.read_bytes()
        if (merge := unresolved_merge(content)) is not None:
            raise _refusal(path, f"line {merge.line + 1}: {merge.evidence}")
        data: Any = json.loads(content)
        return {
            str(name): (_text(made["host"]), _text(made["port"])) for name, made in data["clusters"].items()
        }
    except OSError as error:
        raise _refusal(path, error.strerror or "it cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _refusal(path, "it does not hold the output `clusters` of a stack") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _refusal(path: Path, why: str) -> ToolkitError:
    return UsageError(
        f"the outputs in {path} cannot be used",
        why,
        "write them anew: pulumi stack output --json --stack STACK > FILE",
    )
