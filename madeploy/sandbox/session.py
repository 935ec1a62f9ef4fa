"""The sandbox as a whole: tools, environment, plugins and stack, in the order they need each other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from madeploy import progress
from madeploy.engine.driver import Engine
from madeploy.engine.events import Result
from madeploy.engine.stack import Explain
from madeploy.errors import UsageError
from madeploy.sandbox import plugins, policy_host, process, tools
from madeploy.sandbox.aws import Aws
from madeploy.sandbox.cluster import CONTROL_PLANE
from madeploy.sandbox.environment import TOOLS, Environment, not_ending
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.stack import SandboxStack, Summary
from madeploy.sandbox.stack_files import StackFiles
from madeploy.sandbox.state import STATE_VARIABLE, StateDirectory
from madeploy.sandbox.tools import ToolPaths

UNWANTED = (
    "PULUMI_CONFIG",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_ACCESS_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
)
"""Variables that would win over the sandbox's own, or lead out of it."""
ENGINE_TOOLS = ("pulumi", "pulumi-language-python", "kubectl")


@dataclass
class Phases:
    """Phases of a command and their durations in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, title: str) -> Iterator[progress.Phase]:
        """A part of the work, under a line of progress."""
        with progress.phase(title) as phase:
            yield phase
        self.seconds[title] = phase.seconds


@dataclass(frozen=True)
class Brought:
    """Result of `up`.

    Attributes:
        phases: seconds by phase.
        result: what the engine changed.
        summary: what the stack holds now.
        plugins: what serves each provider package: its version, its kind and the reason for it.
        started: components that had to be started.
    """

    phases: Mapping[str, float]
    result: Result
    summary: Summary
    plugins: Mapping[str, Mapping[str, str]]
    started: Sequence[str]


class Sandbox:
    """The sandbox of one checkout.

    Args:
        program: directory of the Pulumi program.
        directory: the state directory; `$MADEPLOY_STATE` or `.madeploy/sandbox` beside the program when None.
        explain: asked about what a failed update waited for in vain.
    """

    def __init__(self, program: Path, directory: Path | None = None, explain: Explain | None = None) -> None:
        stated = os.environ.get(STATE_VARIABLE)
        default = Path(stated) if stated else program / ".madeploy" / "sandbox"
        self.program = program
        self._explain = explain
        self.directory = StateDirectory(directory or default)

    def up(
        self,
        compute: int | None = None,
        audit: bool | None = None,
        contexts: Mapping[str, str] | None = None,
    ) -> Brought:
        """Tools, clusters, stack, `pulumi up`. Again: converges.

        Args:
            compute: number of embedded compute clusters; the remembered number when None. Those no longer
                wanted are deleted once the stack has left them.
            audit: write audit logs of the embedded API servers; as remembered when None.
            contexts: contexts of the user's clusters by role, in place of the embedded ones; empty for
                embedded ones, as remembered when None.

        Raises:
            SandboxError: something is in the way.
        """
        phases = Phases()
        with self.directory.locked("up"):
            environment, started = self._start(phases, compute, audit, contexts, choose=True)
            stack = self._stack(environment)
            with phases.of("preparing the stack"):
                self._files().write(*self._contexts(environment, compute))
                stack.create()
            with phases.of("pulumi up") as running:
                result = stack.up(progress.say, running.note)
            summary = stack.summary()
            # Only now: what was registered there had to be taken away by way of its API server.
            if compute is not None and compute < environment.state.compute:
                environment.retire(compute)
        return Brought(phases.seconds, result, summary, environment.state.plugins, started)

    def start(self, compute: int | None = None, audit: bool | None = None) -> Sequence[str]:
        """Start the environment without touching the stack; `compute` can only add clusters.

        Returns the components that were started.
        """
        with self.directory.locked("start"):
            return self._start(Phases(), compute, audit)[1]

    def stop(self) -> list[str]:
        """End every process; data and stack stay. Returns the components that ran."""
        if not self.directory.exists():
            return self._stop_without_state()
        with self.directory.locked("stop"):
            return self._stop(Environment(self.directory))

    def down(self) -> Result | None:
        """Destroy the stack and stop everything. Returns what was destroyed; None when there was no stack."""
        if not self.directory.exists():
            self._stop_without_state()
            return None
        with self.directory.locked("down"):
            environment = Environment(self.directory)
            stack = self._stack(environment) if environment.state.path else None
            result: Result | None = None
            if stack is not None and stack.exists():
                phases = Phases()
                # The plugins need the API servers to delete what is in them.
                environment, _ = self._start(phases)
                stack = self._stack(environment)
                with phases.of("pulumi destroy") as running:
                    result = stack.destroy(progress.say, running.note)
            self._stop(environment)
            environment.state.contexts = {}
            self.directory.save(environment.state)
            Aws(self.directory, 0).forget()
        return result

    def reset(self) -> None:
        """End every process and delete the state, whatever condition it is in."""
        if not self.directory.exists():
            self._stop_without_state()
            return
        with self.directory.locked("reset"):
            try:
                Environment(self.directory).stop()
            except SandboxError:
                self._stop_without_state()
            self.directory.remove()

    def environment(self) -> Environment:
        """The environment as the state file remembers it."""
        return Environment(self.directory)

    def summary(self) -> Summary | None:
        """What the stack holds; None when there is none or the CLI is not at hand."""
        environment = Environment(self.directory)
        if not environment.state.path or not self._files().directory.is_dir():
            return None
        stack = self._stack(environment)
        return stack.summary() if stack.exists() else None

    def variables(self) -> dict[str, str]:
        """Environment variables by which kubectl, pulumi and the AWS tools work on this sandbox.

        Raises:
            SandboxError: it was never started.
        """
        environment = Environment(self.directory)
        if not environment.state.ports:
            raise SandboxError(
                "there is no sandbox yet",
                f"{self.directory.root} does not remember one",
                "run `madeploy sandbox up` first",
            )
        return self._variables(environment)

    def _start(
        self,
        phases: Phases,
        compute: int | None = None,
        audit: bool | None = None,
        contexts: Mapping[str, str] | None = None,
        choose: bool = False,
    ) -> tuple[Environment, list[str]]:
        """Find tools and, if asked to, choose plugins; start. What fails before is not remembered."""
        remembered = Environment(self.directory).state.contexts
        contexts = remembered if contexts is None else dict(contexts)
        self._refuse_exchange(remembered, contexts)
        with phases.of("finding tools"):
            found = tools.ensure(ENGINE_TOOLS if contexts else (*TOOLS, *ENGINE_TOOLS))
        paths = {name: tool.path for name, tool in found.items()}
        environment = Environment(self.directory, paths, audit=audit)
        environment.state.compute = max(environment.state.compute, compute or 1)
        environment.state.contexts = contexts
        if choose:
            with phases.of("choosing provider plugins"):
                self._choose_plugins(environment, found)
        with phases.of("starting AWS" if contexts else "starting clusters and AWS") as starting:
            started = environment.start(starting.note)
        return environment, started

    def _refuse_exchange(self, before: Mapping[str, str], now: Mapping[str, str]) -> None:
        """A stack's objects are in the clusters it was brought up on: on others it would lose them."""
        if before == now or not self.directory.file.exists():
            return
        summary = self.summary()
        if summary is not None and summary.total:
            where = ", ".join(before.values()) if before else "the embedded clusters"
            raise UsageError(
                "the sandbox's stack is deployed to other clusters",
                f"its {summary.total} resources are in {where}",
                "run `madeploy sandbox down` first",
            )

    def _stop(self, environment: Environment) -> list[str]:
        with progress.phase("stopping the sandbox"):
            return environment.stop()

    def _stop_without_state(self) -> list[str]:
        """End what carries this sandbox's label, where the state file is gone or of no use."""
        found = process.labelled(self.directory.root)
        stuck = process.stop(process.marked(found))
        if stuck:
            raise not_ending(stuck)
        return sorted(set(found.values()))

    def _choose_plugins(self, environment: Environment, found: ToolPaths) -> None:
        state = environment.state
        choice = plugins.select(self.directory.root)
        state.plugins = {
            source.package: {"version": source.version, "kind": source.kind, "reason": source.reason}
            for source in choice.sources
        }
        state.environ = dict(choice.environ)
        if found["pulumi-language-python"].source != "path":
            command = policy_host.write_command(self.directory.root / "bin" / "python")
            state.environ["PULUMI_PYTHON_CMD"] = str(command)
        # The language host runs the first `python` on PATH and asks its pip what is installed.
        beside_python = Path(sys.executable).parent
        entries = [*choice.path_entries, beside_python, *found.directories()]
        state.path = list(dict.fromkeys(str(entry) for entry in entries))

    def _contexts(self, environment: Environment, count: int | None) -> tuple[dict[str, str], str]:
        """Contexts of the (first `count`) compute clusters by name, and that of the control plane."""
        contexts = environment.state.contexts or {name: name for name in environment.names}
        compute = [(name, context) for name, context in contexts.items() if name != CONTROL_PLANE]
        return dict(compute if environment.state.contexts else compute[:count]), contexts[CONTROL_PLANE]

    def _files(self) -> StackFiles:
        return StackFiles(self.directory, self.program)

    def _stack(self, environment: Environment) -> SandboxStack:
        variables = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        variables |= self._variables(environment)
        pulumi = _first_on(variables["PATH"], "pulumi")
        variables[process.LABEL] = f"{self.directory.root}|engine"
        return SandboxStack(self._files(), Engine(pulumi, variables, self.directory.root), self._explain)

    def _variables(self, environment: Environment) -> dict[str, str]:
        state = environment.state
        ambient = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry]
        path = [*state.path, *(entry for entry in ambient if entry not in state.path)]
        exempt = [entry for entry in os.environ.get("NO_PROXY", "").split(",") if entry]
        exempt += [host for host in ("127.0.0.1", "localhost") if host not in exempt]
        return {
            **environment.variables,
            **self._files().variables(),
            **state.environ,
            STATE_VARIABLE: str(self.directory.root),
            "NO_PROXY": ",".join(exempt),
            "PATH": os.pathsep.join(path),
        }


def _first_on(path: str, program: str) -> Path:
    for entry in path.split(os.pathsep):
        if os.access(candidate := Path(entry) / program, os.X_OK):
            return candidate
    raise SandboxError(
        f"{program} is not where it was when the sandbox came up",
        "neither on PATH nor in the cache",
        "run `madeploy sandbox up`",
    )
