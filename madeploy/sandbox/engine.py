"""The real Pulumi CLI, run for a person who watches: its events as progress, its full output in a log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madeploy.sandbox import process
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.state import StateDirectory

COMPONENT = "engine"
"""Its name in logs and process labels."""
CANCEL_SECONDS = 60.0
"""How long the engine may take to finish what is under way once it was asked to stop."""
_VERDICTS = ("", "update failed", "refresh failed", "destroy failed", "preview failed")
DONE = {
    "create": "created",
    "create-replacement": "created",
    "update": "updated",
    "delete": "deleted",
    "delete-replaced": "deleted",
    "discard": "forgotten",
}
"""What is said of a resource, by the engine's word for the operation."""


@dataclass
class Result:
    """What one operation did.

    Attributes:
        changes: number of resources by what happened to them, in the engine's words: `create`, `update`,
            `delete`, `same`, ...
        seconds: how long it took, by the clock.
        errors: the engine's error messages, each once.
    """

    changes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """Resources that something happened to."""
        return sum(count for what, count in self.changes.items() if what != "same")


class Engine:
    """The Pulumi CLI with an environment.

    Args:
        pulumi: the CLI.
        variables: its whole environment.
        directory: the sandbox's state directory, which takes the log.
    """

    def __init__(self, pulumi: Path, variables: Mapping[str, str], directory: StateDirectory) -> None:
        self._pulumi = pulumi
        self._variables = dict(variables)
        self._directory = directory

    def ask(self, *arguments: str, where: Path) -> str:
        """Standard output of a short command.

        Raises:
            SandboxError: it fails; with what it said.
        """
        command = [str(self._pulumi), *arguments, "--non-interactive"]
        done = subprocess.run(
            command,
            cwd=where,
            env=self._labelled(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise SandboxError(
                f"`pulumi {' '.join(arguments[:2])}` failed",
                done.stderr.strip() or f"exit code {done.returncode}",
                "`madeploy sandbox status` shows what runs",
            )
        return done.stdout

    def run(
        self,
        verb: str,
        *arguments: str,
        where: Path,
        tell: Callable[[str], None] = lambda line: None,
        note: Callable[[str], None] = lambda detail: None,
    ) -> Result:
        """Run `up`, `refresh` or `destroy` without questions.

        Ctrl-C asks the engine to stop cleanly; a second Ctrl-C ends it at once.

        Args:
            verb: the operation.
            arguments: further arguments.
            where: the program's directory.
            tell: given one line for every resource that changed.
            note: told where the operation stands.

        Raises:
            SandboxError: the operation failed; with the engine's own errors.
        """
        events = self._directory.root / f"{COMPONENT}-events.jsonl"
        events.unlink(missing_ok=True)
        command = [str(self._pulumi), verb, "--yes", "--skip-preview", "--non-interactive", "--color=never"]
        began = time.monotonic()
        log = self._directory.log(COMPONENT)
        try:
            child = process.spawn(
                COMPONENT,
                [*command, f"--event-log={events}", *arguments],
                self._directory.root,
                log,
                # The flag that writes events is one the CLI shows only to programs.
                {**self._variables, "PULUMI_DEBUG_COMMANDS": "true"},
                working_directory=where,
                parent_death_signal=signal.SIGTERM,
            )
        except OSError as error:
            raise SandboxError(
                "the Pulumi CLI cannot be started",
                f"{self._pulumi}: {error.strerror}",
                "run `madeploy tools` to see where it comes from",
            ) from None
        result = Result()
        with _Follower(events, result, tell, note) as follower:
            try:
                while child.poll() is None:
                    follower.look()
                    time.sleep(0.1)
            except BaseException:
                self._cancel(child, note)
                raise
            follower.look()
        result.seconds = time.monotonic() - began
        events.unlink(missing_ok=True)
        if child.returncode != 0:
            why = "\n".join(result.errors) or process.last_lines(log)
            raise SandboxError(
                f"`pulumi {verb}` failed after {result.seconds:.0f} s, {result.changed} resources changed",
                why,
                f"the whole output is in {log}; once the cause is gone, run the command again: it goes on "
                "from where this one stopped",
                exit_code=1,
            )
        return result

    def _labelled(self) -> dict[str, str]:
        return {**self._variables, process.LABEL: f"{self._directory.root}|{COMPONENT}"}

    def _cancel(self, child: subprocess.Popen[bytes], note: Callable[[str], None]) -> None:
        note("stopping the engine; Ctrl-C again ends it at once")
        try:
            child.send_signal(signal.SIGINT)
            child.wait(CANCEL_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            child.kill()
            child.wait()


class _Follower:
    """Reads the engine's events while they are written."""

    def __init__(
        self, path: Path, result: Result, tell: Callable[[str], None], note: Callable[[str], None]
    ) -> None:
        self._path = path
        self._result = result
        self._tell = tell
        self._note = note
        self._file: Any = None
        self._rest = ""
        self._seen: dict[str, int] = {}

    def __enter__(self) -> _Follower:
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
                self._note(f"{_name(metadata)} ...")
        elif "resOutputsEvent" in event:
            metadata = event["resOutputsEvent"]["metadata"]
            operation = metadata["op"]
            self._seen[operation] = self._seen.get(operation, 0) + 1
            self._result.changes = dict(self._seen)
            if operation in DONE:
                self._tell(f"  {DONE[operation]} {_name(metadata)}")
        elif "summaryEvent" in event:
            self._result.changes = dict(event["summaryEvent"].get("resourceChanges") or {})
        elif event.get("diagnosticEvent", {}).get("severity") == "error":
            message = event["diagnosticEvent"]["message"].strip()
            urn = event["diagnosticEvent"].get("urn", "")
            text = f"{urn.rpartition('::')[2]}: {message}" if urn else message
            # That the operation failed is said anyway.
            if message not in _VERDICTS and text not in self._result.errors:
                self._result.errors.append(text)


def _name(metadata: Mapping[str, Any]) -> str:
    kind = str(metadata["type"]).rpartition(":")[2]
    return f"{kind} {str(metadata['urn']).rpartition('::')[2]}"
