"""Components of a stack, by its role in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime.stack import register_stack_transformation

from components.configuration import Configuration
from madeploy.engine import partial


def build(args: Configuration) -> Mapping[str, Any]:
    """Register everything the stack holds. Returns its outputs, by name."""
    if not partial.is_asked():
        return _registered(args)
    made: set[tuple[str, str]] = set()

    def note(resource: pulumi.ResourceTransformationArgs) -> None:
        made.add((resource.type_, resource.name))

    register_stack_transformation(note)
    outputs = _registered(args)
    # Nothing is registered later than this: a resource that waited for another's output would count as gone.
    partial.tell(made)
    return outputs


def _registered(args: Configuration) -> Mapping[str, Any]:
    """The components of the stack's role.

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
