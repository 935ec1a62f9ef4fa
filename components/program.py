"""Components of a stack, by its role in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.configuration import Configuration


def build(args: Configuration) -> Mapping[str, Any]:
    """Register everything the stack holds. Returns its outputs, by name.

    Modules are imported where they are needed: the stack of a compute cluster, of which there can be a
    thousand, must not wait for the platform's.
    """
    role = args.role
    if role.kind == "compute":
        from components.registration import ComputeSide

        return ComputeSide(str(role.cluster), args).outputs
    if role.kind == "shard":
        from components.registration import Shard
        from components.renames import refuse_second_names

        refuse_second_names(args)
        return Shard("michelangelo", args).outputs
    from components.accounts import require_account
    from components.platform import Platform
    from components.renames import refuse_second_names

    require_account(args)
    refuse_second_names(args)
    return Platform("michelangelo", args).outputs
