"""Who works on a stack: the locks that file and object-store backends keep, and the processes that an engine
which was killed left behind."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
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

    defect: str = ""
    """Why it cannot be read, as a phrase; "" for a whole one. What it does not say is 0, "" or None."""

    @property
    def owner(self) -> Owner:
        """Whether the engine that took the lock still runs; `elsewhere` where this machine cannot know, as of
        a lock that does not say whose it is.

        A process of the same id is the owner only when it is a Pulumi CLI that was there before the lock.
        """
        if not self.pid or self.host not in ("", socket.gethostname()):
            return "elsewhere"
        owner = self._owner_here()
        return owner if self.host or owner == "alive" else "elsewhere"

    def _owner_here(self) -> Literal["alive", "gone"]:
        """Whether a process of this machine is the engine that took the lock."""
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
        if self.defect:
            process = f"process {self.pid}" if self.pid else ""
            where = f"on {self.host}" if self.host else ""
            said = " ".join(filter(None, (process, where)))
            return f"a lock that {self.defect}" + (f" and names {said}" if said else "")
        since = f" since {self.since:%Y-%m-%d %H:%M:%S %Z}" if self.since else ""
        return f"process {self.pid} of {self.user} on {self.host}{since}"


def in_directory(backend: Path, project: str, stack: str) -> list[Lock]:
    """Locks of a stack in a file backend, also those that cannot be read: the engine refuses to work while
    there is any file here."""
    found = []
    for file in sorted((backend / ".pulumi" / "locks" / "organization" / project / stack).glob("*")):
        if file.suffix == ".attrs" or file.is_dir():  # beside a file, for the backend's own use
            continue
        try:
            content = file.read_bytes()
        except FileNotFoundError:  # taken away meanwhile
            continue
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            found.append(Lock(0, "", "", None, str(file), f"cannot be opened ({reason})"))
            continue
        found.append(_whole(content, str(file)) or _torn(content, str(file)))
    return found


def _whole(content: bytes, place: str) -> Lock | None:
    try:
        holder = json.loads(content)
        since = _time(str(holder.get("timestamp")))
        return Lock(int(holder["pid"]), str(holder["hostname"]), str(holder["username"]), since, place)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


_FIELD: Final = re.compile(r'"(pid|username|hostname|timestamp)"\s*:\s*(?:"([^"]*)"|(\d+)(?=\s*[,}]))')


def _torn(content: bytes, place: str) -> Lock:
    """A lock whose text is not whole, as after a machine that lost its power, with what it still says."""
    text = content.decode("utf-8", "replace")
    said = {name: string or number for name, string, number in _FIELD.findall(text)}
    defect = "is half written" if text.strip("\0 \r\n") else "is empty"
    return Lock(
        int(said.get("pid") or 0),
        said.get("hostname", ""),
        said.get("username", ""),
        _time(said.get("timestamp", "")),
        place,
        defect,
    )


_TORN_ELSEWHERE: Final = re.compile(
    r"unexpected end of JSON input|invalid character .{1,8} (looking for|after|in) |cannot unmarshal"
)
_TOLD = re.compile(r"^\s*(\S+): created by (.*)@(\S+) \(pid (\d+)\) at (\S+)\s*$", re.MULTILINE)


def in_message(text: str) -> list[Lock]:
    """Locks that the engine names when it refuses to work: `<place>: created by <user>@<host> (pid <id>) at
    <time>`, the same for every file and object store. Of one that it cannot read it only passes on what the
    reader of JSON said."""
    found = [
        Lock(int(pid), host, user, _time(since), place)
        for place, user, host, pid, since in _TOLD.findall(text)
    ]
    if not found and _TORN_ELSEWHERE.search(text):
        return [Lock(0, "", "", None, "the backend, below .pulumi/locks", "cannot be read")]
    return found


def directory_of(url: str) -> Path | None:
    """Directory of a file backend; None for any other backend."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    return Path(unquote(f"{parts.netloc}{parts.path}")).expanduser()


def orphans(where: Path) -> dict[int, str]:
    """Plugins and language hosts of the program in `where` that no engine uses any longer: process id to
    program.

    An engine that is killed does not end them, and one may still finish what it was asked to create.
    """
    found: dict[int, str] = {}
    for pid in processes.own():
        program = _helper(processes.arguments(pid))
        if program is None or _has_engine(pid):
            continue
        directory = processes.directory(pid)
        if directory is not None and directory.is_relative_to(where.resolve()):
            found[pid] = program
    return found


_ADDRESS: Final = re.compile(r"[^:/]:[0-9]{1,5}$")
"""What a helper is told of its engine: `127.0.0.1:41235`."""


def _helper(argv: list[str]) -> str | None:
    """The program's name when a command line is that of an engine's helper: it is told the engine's address.
    One that is only asked for its version is none."""
    if not any(_ADDRESS.search(argument) for argument in argv):
        return None
    for argument in argv[:3]:
        name = os.path.basename(argument)
        if name.startswith(("pulumi-resource-", "pulumi-language-", "pulumi-analyzer-")):
            return name
    return None


def _has_engine(pid: int) -> bool:
    """Whether some ancestor is a Pulumi CLI, or a process that cannot be looked at."""
    above = processes.parent(pid)
    while above is not None and above > 1:
        if any(os.path.basename(argument) == "pulumi" for argument in processes.arguments(above)[:1]):
            return True
        above = processes.parent(above)
    return above is None


def _time(text: str) -> datetime | None:
    # Nanoseconds are more than `fromisoformat` takes, as is the `Z` before Python 3.11.
    try:
        return datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    except ValueError:
        return None
