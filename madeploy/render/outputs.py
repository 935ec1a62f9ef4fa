"""What the last update made, from a file with its outputs: `pulumi stack output --json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from madeploy.errors import ToolkitError
from manifests.objects import Inputs


@dataclass(frozen=True)
class Outputs:
    """What the outputs say about things that settings do not know."""

    role_arns: Mapping[str, str]
    """IAM role by identity."""

    endpoints: Mapping[str, tuple[str, str]]
    """`(host, port)` of each registered cluster."""

    def over(self, predicted: Inputs) -> Inputs:
        """Inputs of builders, what was made in the place of what was predicted."""
        return replace(predicted, role_arns={**predicted.role_arns, **self.role_arns})


def read(path: Path) -> Outputs:
    """Read the file. Raises ToolkitError (2) when it cannot be read or is something else."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        roles = {str(name): _text(arn) for name, arn in data["iam_roles"].items()}
        clusters = {
            str(name): (_text(made["host"]), _text(made["port"])) for name, made in data["clusters"].items()
        }
    except OSError as error:
        raise _refusal(path, error.strerror or "it cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _refusal(path, "it does not hold the outputs `iam_roles` and `clusters` of a stack") from None
    return Outputs(roles, clusters)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _refusal(path: Path, why: str) -> ToolkitError:
    return ToolkitError(
        f"the outputs in {path} cannot be used",
        why,
        "write them anew: pulumi stack output --json --stack STACK > FILE",
        exit_code=2,
    )
