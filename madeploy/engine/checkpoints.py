"""States in a file backend that an engine was writing when it was killed."""

from __future__ import annotations

import json
import os
from pathlib import Path


def restore(backend: Path, project: str, stack: str) -> bool:
    """Put the state before the last change back in place of one that was cut off while it was written.

    The engine writes a state anew for every step and keeps the one before beside it (`.bak`). Nothing is lost
    by going back: a creation is noted before it begins, so the state before has it as under way, and
    `Stack.settle` finds out what became of it. Only for a stack that nobody works on. Returns whether there
    was anything to put back.
    """
    state = backend / ".pulumi" / "stacks" / project / f"{stack}.json"
    before = state.with_name(f"{state.name}.bak")
    if not state.is_file() or _is_whole(state) or not before.is_file() or not _is_whole(before):
        return False
    fresh = state.with_name(f"{state.name}.restored")
    fresh.write_bytes(before.read_bytes())
    os.replace(fresh, state)
    return True


def _is_whole(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        return False
