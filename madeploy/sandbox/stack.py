"""The sandbox's stack: created, brought up, mended after a killed engine, taken down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from madeploy.engine import checkpoints
from madeploy.engine import stack as engine_stack
from madeploy.engine.driver import Engine, require_success
from madeploy.engine.events import Result
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.stack_files import STACK, StackFiles

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Summary:
    """Resources and outputs of the stack.

    Attributes:
        resources: number of resources by provider (`control-plane`, `compute-0`, `aws`) and kind.
        outputs: the stack's outputs, secrets as `[secret]`.
    """

    resources: dict[str, dict[str, int]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of resources."""
        return sum(sum(kinds.values()) for kinds in self.resources.values())


class SandboxStack:
    """The stack `sandbox` of one program.

    Args:
        files: its files.
        engine: the CLI, with the variables of the sandbox.
        explain: asked about what a failed update waited for in vain.
    """

    def __init__(
        self, files: StackFiles, engine: Engine, explain: engine_stack.Explain | None = None
    ) -> None:
        self._files = files
        self._engine = engine
        self._stack = engine_stack.Stack(
            engine, STACK, files.program, files.copy, log="engine", explain=explain
        )

    def create(self) -> None:
        """Make the stack if there is none. Its salt goes to the copy of the stack file."""
        self._files.directory.mkdir(parents=True, exist_ok=True)
        project = str(self._files.project["name"])
        if all(lock.owner == "gone" for lock in self._stack.locks(self._files.backend, project)):
            checkpoints.restore(self._files.backend, project, STACK)
        self._engine.ask("stack", "select", STACK, "--create", where=self._files.directory)

    def exists(self) -> bool:
        """Whether the stack was created; asked of the files, for the CLI may not be there."""
        return any((self._files.backend / ".pulumi" / "stacks").glob(f"*/{STACK}.json"))

    def up(self, tell: Tell, note: Tell) -> Result:
        """Bring the stack to what the program says, mending first what a killed engine left."""
        self.mend(tell, note)
        return require_success("up", self._stack.run("up", tell=tell, note=note))

    def destroy(self, tell: Tell, note: Tell) -> Result:
        """Delete everything the stack holds."""
        self.mend(tell, note)
        return require_success("destroy", self._stack.run("destroy", tell=tell, note=note))

    def summary(self) -> Summary:
        """What the stack holds now."""
        resources: dict[str, dict[str, int]] = {}
        outputs: dict[str, Any] = {}
        for resource in self._stack.resources():
            kind = resource["type"]
            if kind == "pulumi:pulumi:Stack":
                outputs = {name: _shown(value) for name, value in (resource.get("outputs") or {}).items()}
            elif resource.get("custom") and not kind.startswith("pulumi:providers:"):
                where = _provider(resource)
                kinds = resources.setdefault(where, {})
                name = kind.rpartition(":")[2]
                kinds[name] = kinds.get(name, 0) + 1
        return Summary(resources, outputs)

    def mend(self, tell: Tell, note: Tell) -> None:
        """Undo what a killed engine leaves: its lock, and creations nobody knows the end of.

        Raises:
            SandboxError: another engine is at work on the stack.
        """
        held = self._stack.locks(self._files.backend, str(self._files.project["name"]))
        for lock in held:
            if lock.owner != "gone":
                raise SandboxError(
                    "another `pulumi` is at work on the sandbox's stack",
                    f"{lock} holds {lock.place}",
                    "wait for it to end; if it is gone, `pulumi cancel` in the shell of "
                    "`madeploy sandbox env` frees the stack",
                )
        if held:
            tell("  the lock of an engine that was killed is removed")
            self._stack.unlock()
        self._stack.settle(tell, note)


def _provider(resource: dict[str, Any]) -> str:
    """Name of a resource's provider: `urn:...::k8s-compute-0::<id>` gives `compute-0`."""
    parts = str(resource.get("provider") or "").split("::")
    return parts[-2].removeprefix("k8s-") if len(parts) > 2 else "other"


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        is_secret = engine_stack.SIGNATURE in value
        return "[secret]" if is_secret else {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value
