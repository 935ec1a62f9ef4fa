"""The Pulumi CLI as a program that is started, watched and, when asked, stopped cleanly."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from madeploy.engine import processes
from madeploy.engine.events import Follower, Result, Tell, silent
from madeploy.errors import ToolkitError

CANCEL_SECONDS = 60.0
"""How long the engine may take to finish what is under way once it was asked to stop."""

LOOK_SECONDS = 0.1
"""How often its events are looked at."""

ROOMY: Mapping[str, str] = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
"""How the engine and its plugins, one process for each cluster, use memory: they look for garbage at five
times of what they need, not at twice, and above a gibibyte as often as it takes. This saves a seventh of an
onboarding's processor time and takes a seventh more memory. What the caller's environment says counts."""


def ask_cli(
    pulumi: Path,
    arguments: Sequence[str],
    where: Path,
    variables: Mapping[str, str],
    *,
    entered: str = "",
    seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one short command of the CLI without questions, however it ends.

    Args:
        pulumi: the CLI.
        arguments: of the CLI.
        where: the program's directory.
        variables: its whole environment.
        entered: handed over on standard input, so that no list of processes shows it.
        seconds: how long it may take; None for as long as it does.

    Raises subprocess.TimeoutExpired.
    """
    return subprocess.run(
        [str(pulumi), *arguments, "--non-interactive", "--color=never"],
        cwd=where,
        env=dict(variables),
        input=entered,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


class Engine:
    """The Pulumi CLI with an environment.

    Args:
        pulumi: the CLI.
        variables: its whole environment, but for `ROOMY`.
        directory: takes the logs (`logs/`) and, while it runs, the events. Readable for its owner only.
    """

    def __init__(self, pulumi: Path, variables: Mapping[str, str], directory: Path) -> None:
        self._pulumi = pulumi
        self._variables = {**ROOMY, **variables}
        self.directory = directory

    @classmethod
    def of_shell(cls, directory: Path) -> Engine:
        """The CLI on PATH with the environment of whoever runs the command: their backend, their login, their
        passphrase. Raises ToolkitError (3) when there is none."""
        pulumi = shutil.which("pulumi")
        if pulumi is None:
            raise ToolkitError(
                "the stack cannot be worked on",
                "the Pulumi CLI is not on PATH",
                "install it; bin/madeploy tools shows what is there and in which version",
            )
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(Path(pulumi), os.environ, directory)

    def log(self, name: str) -> Path:
        """Where the whole output of the runs of this name goes."""
        return self.directory / "logs" / f"{name}.log"

    def try_ask(
        self, *arguments: str, where: Path, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A short command without questions, however it ends."""
        return ask_cli(self._pulumi, arguments, where, {**self._variables, **(variables or {})})

    def ask(self, *arguments: str, where: Path, variables: Mapping[str, str] | None = None) -> str:
        """Standard output of a short command.

        Raises:
            ToolkitError: it fails; with what it said.
        """
        done = self.try_ask(*arguments, where=where, variables=variables)
        if done.returncode != 0:
            raise ToolkitError(
                f"`pulumi {' '.join(arguments[:2])}` failed",
                done.stderr.strip() or f"exit code {done.returncode}",
                "try it by hand: what it needs (login, backend, passphrase) the command needs as well",
            )
        return done.stdout

    def run(
        self,
        verb: str,
        *arguments: str,
        where: Path,
        name: str,
        variables: Mapping[str, str] | None = None,
        tell: Tell = silent,
        note: Tell = silent,
        stop: threading.Event | None = None,
    ) -> Result:
        """Run `up`, `refresh`, `destroy` or `preview` without questions, and return however it ends.

        Ctrl-C asks the engine to stop cleanly; a second Ctrl-C ends it at once.

        Args:
            verb: the operation.
            arguments: further arguments.
            where: the program's directory.
            name: of the run, for its log; unique among those that run at the same time.
            variables: put over the engine's environment.
            tell: given one line for every resource that changed.
            note: told where the operation stands.
            stop: set from another thread, it is what Ctrl-C is for the main one.

        Raises:
            ToolkitError: the CLI cannot be started.
        """
        # Several commands may be at work on stacks of one name, in backends of their own.
        events, log = self.directory / f"{name}-{os.getpid()}-events.jsonl", self.log(name)
        events.unlink(missing_ok=True)
        confirmed = () if verb == "preview" else ("--yes", "--skip-preview")
        command = [str(self._pulumi), verb, *confirmed, "--non-interactive", "--color=never"]
        began = time.monotonic()
        try:
            child = processes.spawn(
                name,
                [*command, f"--event-log={events}", *arguments],
                log,
                # The flag that writes events is one the CLI shows only to programs.
                {**self._variables, **(variables or {}), "PULUMI_DEBUG_COMMANDS": "true"},
                where,
                parent_death_signal=signal.SIGTERM,
            )
        except OSError as error:
            raise ToolkitError(
                "the Pulumi CLI cannot be started",
                f"{self._pulumi}: {error.strerror}",
                "run `madeploy tools` to see where it comes from",
            ) from None
        try:
            with Follower(events, tell, note) as follower:
                try:
                    while child.poll() is None:
                        follower.look()
                        if stop is not None and stop.is_set():
                            self._cancel(child, note)
                        time.sleep(LOOK_SECONDS)
                except BaseException:
                    self._cancel(child, note)
                    raise
                follower.look()
        finally:
            events.unlink(missing_ok=True)
        result = follower.result
        result.seconds, result.code, result.log = time.monotonic() - began, child.returncode, log
        return result

    def _cancel(self, child: subprocess.Popen[bytes], note: Tell) -> None:
        note("stopping the engine; Ctrl-C again ends it at once")
        try:
            child.send_signal(signal.SIGINT)
            child.wait(CANCEL_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            child.kill()
            child.wait()


def require_success(verb: str, result: Result) -> Result:
    """The result of an operation that must not fail.

    Raises:
        ToolkitError: it failed; with the engine's own errors (exit code 1).
    """
    if result.code == 0:
        return result
    why = "\n".join(map(str, result.failures))
    if not why and result.log is not None:
        why = processes.last_lines(result.log)
    raise ToolkitError(
        f"`pulumi {verb}` failed after {result.seconds:.0f} s, {result.changed} resources changed",
        why,
        f"the whole output is in {result.log}; once the cause is gone, run the command again: it goes on "
        "from where this one stopped",
        exit_code=1,
    )
