"""What a command and the program that its engine runs tell each other of a partial update.

An update that leaves something out (`--exclude`) deletes nothing, and says of nothing that the program has no
more of it. So the program says what it registers; the command tells it in turn what there is no use in
registering. They do so by files in a folder that lives as long as the update.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VARIABLE: Final = "MADEPLOY_UPDATE"
"""Names the folder to the program."""

Registered = frozenset[tuple[str, str]]
"""Type and name of everything a program registers."""

_LEFT_OUT: Final = "left-out.json"
_REGISTERED: Final = "registered.json"


class Exchange:
    """The command's side of one update."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment that leads the program to the folder."""
        return {VARIABLE: str(self._folder)}

    def registered(self) -> Registered | None:
        """What the program registered; None when it did not come to its end."""
        try:
            said = json.loads((self._folder / _REGISTERED).read_bytes())
        except FileNotFoundError:
            return None
        return frozenset((kind, name) for kind, name in said)


@contextmanager
def exchange(left_out: Iterable[str]) -> Iterator[Exchange]:
    """A folder for one update, in which the program need not register what belongs to `left_out`."""
    with tempfile.TemporaryDirectory(prefix="madeploy-update-") as folder:
        (Path(folder) / _LEFT_OUT).write_text(json.dumps(sorted(left_out)), encoding="utf-8")
        yield Exchange(Path(folder))


def left_out() -> frozenset[str]:
    """The program's side: what there is no use in registering. Nothing where no command asks."""
    folder = _told()
    return frozenset(json.loads((folder / _LEFT_OUT).read_bytes())) if folder else frozenset()


def is_asked() -> bool:
    """The program's side: whether a command wants to know what is registered."""
    return _told() is not None


def tell(registered: Collection[tuple[str, str]]) -> None:
    """The program's side: all that it has registered, at its end."""
    folder = _told()
    if folder is not None:
        (folder / _REGISTERED).write_text(json.dumps(sorted(registered)), encoding="utf-8")


def _told() -> Path | None:
    """The folder; None where there is none, be it that the variable stayed from another update."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named and (Path(named) / _LEFT_OUT).is_file() else None
