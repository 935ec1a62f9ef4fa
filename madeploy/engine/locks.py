"""Who works on a stack: the locks that file and object-store backends keep, and the processes that an engine
which was killed left behind."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from madeploy.engine import processes

CLOCK_SECONDS = 2.0
"""How far the times of a lock and of a process may be apart by rounding alone."""

Owner = Literal["alive", "gone", "elsewhere"]


@dataclass(frozen=True)
class Lock:
    """One lock on a stack, as its backend keeps it."""

    pid: int
    host: str
    user: str
    since: datetime | None
    place: str
    """File or object that is the lock."""

    @property
    def owner(self) -> Owner:
        """Whether the engine that took the lock still runs; `elsewhere` where this machine cannot know.

        A process of the same id is the owner only when it is a Pulumi CLI that was there before the lock.
        """
        if self.host != socket.gethostname():
            return "elsewhere"
        if processes.start_mark(self.pid) is None:
            return "gone"
        program = processes.arguments(self.pid)[:1]
        if program and os.path.basename(program[0]) != "pulumi":
            return "gone"
        started = processes.started_at(self.pid)
        if started is not None and self.since is not None:
            return "alive" if started <= self.since.timestamp() + CLOCK_SECONDS else "gone"
        return "alive"

    def __str__(self) -> str:
        since = f" since {self.since:%Y-%m-%d %H:%M:%S %Z}" if self.since else ""
        return f"process {self.pid} of {self.user} on {self.host}{since}"


def in_directory(backend: Path, project: str, stack: str) -> list[Lock]:
    """Locks of a stack in a file backend."""
    found = []
    for file in sorted((backend / ".pulumi" / "locks" / "organization" / project / stack).glob("*.json")):
        try:
            holder = json.loads(file.read_text(encoding="utf-8"))
            since = _time(str(holder.get("timestamp")))
            found.append(
                Lock(int(holder["pid"]), str(holder["hostname"]), str(holder["username"]), since, str(file))
            )
        except (OSError, ValueError, KeyError, TypeError):  # taken away, or half written
            continue
    return found


_TOLD = re.compile(r"^\s*(\S+): created by (.*)@(\S+) \(pid (\d+)\) at (\S+)\s*$", re.MULTILINE)


def in_message(text: str) -> list[Lock]:
    """Locks that the engine names when it refuses to work: `<place>: created by <user>@<host> (pid <id>) at
    <time>`, the same for every file and object store."""
    return [
        Lock(int(pid), host, user, _time(since), place)
        for place, user, host, pid, since in _TOLD.findall(text)
    ]


def directory_of(url: str) -> Path | None:
    """Directory of a file backend; None for any other backend."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    return Path(unquote(f"{parts.netloc}{parts.path}")).expanduser()


def orphans(where: Path) -> dict[int, str]:
    """Plugins and language hosts of the program in `where` that no engine uses any longer: process id to
    program. Empty without /proc.

    An engine that is killed does not end them, and one may still finish what it was asked to create.
    """
    found: dict[int, str] = {}
    for pid in processes.own():
        program = _helper(processes.arguments(pid))
        if program is None or _has_engine(pid):
            continue
        directory = _directory(pid)
        if directory is not None and directory.is_relative_to(where.resolve()):
            found[pid] = program
    return found


def _helper(argv: list[str]) -> str | None:
    """The program's name when a command line is that of an engine's helper."""
    for argument in argv[:3]:
        name = os.path.basename(argument)
        if name.startswith(("pulumi-resource-", "pulumi-language-", "pulumi-analyzer-")):
            return name
    return None


def _directory(pid: int) -> Path | None:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return None


def _has_engine(pid: int) -> bool:
    """Whether some ancestor is a Pulumi CLI, or a process that cannot be looked at."""
    above = processes.parent(pid)
    while above is not None and above > 1:
        if any(os.path.basename(argument) == "pulumi" for argument in processes.arguments(above)[:1]):
            return True
        above = processes.parent(above)
    return above is None


def marked(pids: Iterable[int]) -> list[tuple[int, str]]:
    """Processes with their start marks, those that have ended left out."""
    return [(pid, mark) for pid in pids if (mark := processes.start_mark(pid)) is not None]


def _time(text: str) -> datetime | None:
    # Nanoseconds are more than `fromisoformat` takes, as is the `Z` before Python 3.11.
    try:
        return datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    except ValueError:
        return None
