"""One supervised process, and bringing a set of them up together."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from madeploy.sandbox import process
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.state import ProcessRecord, State, StateDirectory

START_SECONDS = 60.0
"""How long one component may take from its start until it is ready."""
SETTLED_SECONDS = 1.0
"""How long a component without a check must live to count as started: wrong flags end it sooner."""
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Component:
    """One process of the sandbox.

    Attributes:
        name: `<cluster>/<program>`, or `aws`.
        argv: program and arguments.
        environment: its whole environment.
        after: components that must be ready before it starts.
        is_ready: whether it does its work; a component without a check is ready once it has run for a second.
        port: where it listens, None when it does not.
        last_to_stop: ended only after the others (etcd, so that the API server can finish).
        prepare: called just before the process is started anew.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    after: tuple[str, ...] = ()
    is_ready: Callable[[], bool] | None = None
    port: int | None = None
    last_to_stop: bool = False
    prepare: Callable[[], None] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What besides the command line decides how it runs: a digest, for values may be private."""
        text = json.dumps(dict(self.environment), sort_keys=True)
        return {"environment": hashlib.sha256(text.encode()).hexdigest()[:16]}

    def is_same(self, record: ProcessRecord) -> bool:
        """Whether a recorded process was started from just this description."""
        return record.argv == list(self.argv) and record.settings == self.settings


@dataclass
class _Starting:
    component: Component
    since: float
    child: subprocess.Popen[bytes] | None
    """None for a process that ran already."""


@dataclass
class Supervisor:
    """Brings components up, all that can start at once, and keeps the state file in step.

    Args:
        directory: where the state is kept.
        state: the state, changed in place and saved after every start.
        die_with_parent: the components end with this process (for tests).
    """

    directory: StateDirectory
    state: State
    die_with_parent: bool = False
    started: list[str] = field(default_factory=list)
    """Names of the components this supervisor started, as opposed to those it found running."""

    def bring_up(
        self,
        components: Sequence[Component],
        on_ready: Callable[[str], None] = lambda name: None,
        note: Callable[[str], None] = lambda detail: None,
    ) -> None:
        """Start what does not run, restart what runs with other settings or does not answer, wait for all.

        Args:
            components: what shall run; a component comes after those it depends on.
            on_ready: called with the name of each component as soon as it is ready.
            note: told what is waited for.

        Raises:
            SandboxError: a component ended or did not become ready; with the end of its log.
        """
        # Every start happens in this one thread: with `die_with_parent` the kernel ends a child when the
        # thread that started it ends.
        waiting, starting, ready = list(components), list[_Starting](), set[str]()
        while waiting or starting:
            for component in [item for item in waiting if ready.issuperset(item.after)]:
                waiting.remove(component)
                starting.append(self._begin(component))
            for item in list(starting):
                if self._is_up(item):
                    starting.remove(item)
                    ready.add(item.component.name)
                    on_ready(item.component.name)
            if starting:
                note("waiting for " + ", ".join(item.component.name for item in starting))
                time.sleep(_LOOK_SECONDS)

    def _begin(self, component: Component) -> _Starting:
        record = self.state.processes.get(component.name)
        if record is not None and process.is_alive(record.pid, record.mark):
            if component.is_same(record):
                return _Starting(component, time.monotonic(), None)
            process.stop([(record.pid, record.mark)])
        return self._start(component)

    def _start(self, component: Component) -> _Starting:
        if component.prepare is not None:
            component.prepare()
        log = self.directory.log(component.name)
        with process.uninterrupted():
            try:
                child = process.spawn(
                    component.name,
                    component.argv,
                    self.directory.root,
                    log,
                    component.environment,
                    parent_death_signal=signal.SIGKILL if self.die_with_parent else None,
                )
            except OSError as error:
                raise SandboxError(
                    f"{component.name} cannot be started",
                    f"{component.argv[0]}: {error.strerror}",
                    "run `madeploy tools` to see where each program comes from",
                ) from None
            self.started.append(component.name)
            mark = process.start_mark(child.pid) or "ended at once"
            self.state.processes[component.name] = ProcessRecord(
                child.pid, mark, list(component.argv), component.settings, time.time()
            )
            self.directory.save(self.state)
        return _Starting(component, time.monotonic(), child)

    def _is_up(self, item: _Starting) -> bool:
        component = item.component
        if item.child is not None and item.child.poll() is not None:
            raise self._failed(component, f"it ended with exit code {item.child.returncode}")
        waited = time.monotonic() - item.since
        if component.is_ready is None:
            return item.child is None or waited > SETTLED_SECONDS
        if component.is_ready():
            return True
        if item.child is None and (waited > START_SECONDS / 6 or not self.state.is_running(component.name)):
            # It runs, but does not do its work: begin again with a new process.
            record = self.state.processes[component.name]
            process.stop([(record.pid, record.mark)])
            again = self._start(component)
            item.child, item.since = again.child, again.since
        elif waited > START_SECONDS:
            raise self._failed(component, f"it did not become ready within {START_SECONDS:.0f} s")
        return False

    def _failed(self, component: Component, why: str) -> SandboxError:
        log = self.directory.log(component.name)
        return SandboxError(
            f"{component.name} did not start",
            f"{why}; the end of its log ({log}):\n{process.last_lines(log)}",
            "remove the cause and run the command again; "
            "if its data is damaged, `madeploy sandbox reset` clears it",
        )
