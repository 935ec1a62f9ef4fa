"""The engine's events, read while they are written: what was done to which resource, and what failed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Tell = Callable[[str], None]
"""Given one line of news."""

DONE = {
    "create": "created",
    "create-replacement": "created",
    "update": "updated",
    "delete": "deleted",
    "delete-replaced": "deleted",
    "discard": "forgotten",
}
"""What is said of a resource, by the engine's word for the operation."""

SLOW = {
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "about a minute on AWS, which the plugin asks until it has told the new lifecycle ten times over"
    ),
}
"""Types whose creation and change take long whoever does it, and why."""

_VERDICTS = ("", "update failed", "refresh failed", "destroy failed", "preview failed")
"""That the operation failed is said anyway."""


def silent(line: str) -> None:
    """Takes news nobody waits for."""


@dataclass(frozen=True)
class Failure:
    """One error of the engine."""

    message: str
    """What it said, without a secret."""

    urn: str = ""
    """Resource it is about; empty where it is about none."""

    reasons: tuple[str, ...] = ()
    """Why it came to that, as far as whoever was asked knows."""

    @property
    def name(self) -> str:
        """The resource's logical name, or nothing."""
        return self.urn.rpartition("::")[2]

    @property
    def said(self) -> str:
        """The resource's name and what the engine said of it."""
        return f"{self.name}: {self.message}" if self.urn else self.message

    def __str__(self) -> str:
        return "\n  why: ".join([self.said, *self.reasons])


@dataclass
class Result:
    """Result of one operation or preview."""

    changes: dict[str, int] = field(default_factory=dict)
    """Number of resources by what happened to them, in the engine's words: `create`, `update`, `delete`,
    `same`, ..."""

    touched: list[tuple[str, str]] = field(default_factory=list)
    """Operation and URN of everything that changes, in the engine's order."""

    failures: list[Failure] = field(default_factory=list)
    """Its errors, each once."""

    seconds: float = 0.0
    """How long it took, by the clock."""

    code: int = 0
    """Exit code of the CLI."""

    log: Path | None = None
    """Its whole output."""

    @property
    def changed(self) -> int:
        """Resources that something happened to."""
        return sum(count for what, count in self.changes.items() if what != "same")

    def add(self, other: Result) -> None:
        """Count in what a second operation changed, and how it ended."""
        for what, count in other.changes.items():
            if what != "same":
                self.changes[what] = self.changes.get(what, 0) + count
        self.touched += other.touched
        self.failures += other.failures
        self.seconds += other.seconds
        self.code = self.code or other.code


class Follower:
    """Reads the file of events while the engine writes it.

    Args:
        path: the file; it need not be there yet.
        tell: given one line for every resource that changed.
        note: told where the operation stands.
    """

    def __init__(self, path: Path, tell: Tell, note: Tell) -> None:
        self.result = Result()
        self._path = path
        self._tell = tell
        self._note = note
        self._file: Any = None
        self._rest = ""
        self._seen: dict[str, int] = {}
        self._under_way: dict[str, Mapping[str, Any]] = {}

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def look(self) -> None:
        """Take in what was written since the last look."""
        if self._file is None:
            if not self._path.exists():
                return
            self._file = self._path.open(encoding="utf-8")
            os.chmod(self._path, 0o600)
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except ValueError:  # half a line, of an engine that was killed
                continue

    def _take(self, event: Mapping[str, Any]) -> None:
        if "resourcePreEvent" in event:
            metadata = event["resourcePreEvent"]["metadata"]
            if metadata["op"] in DONE:
                self.result.touched.append((metadata["op"], metadata["urn"]))
                self._under_way[metadata["urn"]] = metadata
                self._tell_where_it_stands()
        elif "resOutputsEvent" in event:
            metadata = event["resOutputsEvent"]["metadata"]
            operation = metadata["op"]
            self._seen[operation] = self._seen.get(operation, 0) + 1
            self.result.changes = dict(self._seen)
            if operation in DONE:
                self._tell(f"  {DONE[operation]} {_name(metadata)}")
                self._ended(metadata)
        elif "resOpFailedEvent" in event:
            self._ended(event["resOpFailedEvent"]["metadata"])
        elif "summaryEvent" in event:
            self.result.changes = dict(event["summaryEvent"].get("resourceChanges") or {})
        elif event.get("diagnosticEvent", {}).get("severity") == "error":
            message = event["diagnosticEvent"]["message"].strip()
            failure = Failure(message, event["diagnosticEvent"].get("urn", ""))
            if message not in _VERDICTS and failure not in self.result.failures:
                self.result.failures.append(failure)

    def _ended(self, metadata: Mapping[str, Any]) -> None:
        self._under_way.pop(metadata["urn"], None)
        self._tell_where_it_stands()

    def _tell_where_it_stands(self) -> None:
        """Note what began last of all that has not ended, and why it takes long where that is known."""
        if not self._under_way:
            return
        metadata = list(self._under_way.values())[-1]
        others = len(self._under_way) - 1
        more = f" and {others} more" if others else ""
        writes = "delete" not in metadata["op"]
        slow = f" ({SLOW[metadata['type']]})" if writes and metadata["type"] in SLOW else ""
        self._note(f"{_name(metadata)}{more} ...{slow}")


def _name(metadata: Mapping[str, Any]) -> str:
    kind = str(metadata["type"]).rpartition(":")[2]
    return f"{kind} {str(metadata['urn']).rpartition('::')[2]}"
