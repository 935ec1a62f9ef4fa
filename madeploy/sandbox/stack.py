"""The sandbox's stack: created, brought up, mended after a killed engine, taken down."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madeploy.sandbox import process
from madeploy.sandbox.engine import Engine, Result
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.stack_files import STACK, StackFiles
from madeploy.sandbox.state import write_private

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Summary:
    """What the stack holds.

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


class Stack:
    """The stack `sandbox` of one program.

    Args:
        files: its files.
        engine: the CLI, with the variables of the sandbox.
    """

    def __init__(self, files: StackFiles, engine: Engine) -> None:
        self._files = files
        self._engine = engine

    def create(self) -> None:
        """Make the stack if there is none. Its salt goes to the copy of the stack file."""
        self._files.directory.mkdir(parents=True, exist_ok=True)
        self._engine.ask("stack", "select", STACK, "--create", where=self._files.directory)

    def exists(self) -> bool:
        """Whether the stack was created; asked of the files, for the CLI may not be there."""
        return any((self._files.backend / ".pulumi" / "stacks").glob(f"*/{STACK}.json"))

    def up(self, tell: Tell, note: Tell) -> Result:
        """Bring the stack to what the program says, mending first what a killed engine left."""
        self.mend(tell, note)
        return self._engine.run("up", where=self._files.program, tell=tell, note=note)

    def refresh(self, tell: Tell, note: Tell) -> Result:
        """Read everything anew."""
        return self._engine.run("refresh", where=self._files.program, tell=tell, note=note)

    def destroy(self, tell: Tell, note: Tell) -> Result:
        """Delete everything the stack holds."""
        self.mend(tell, note)
        return self._engine.run("destroy", where=self._files.program, tell=tell, note=note)

    def summary(self) -> Summary:
        """What the stack holds now."""
        resources: dict[str, dict[str, int]] = {}
        outputs: dict[str, Any] = {}
        for resource in self._export()["deployment"].get("resources") or []:
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

        The engine notes a creation before it asks for it. One whose end it never saw may or may not have
        happened: `up` would fail on the object that exists. So each is entered in the state as if it had been
        created, and read back: what is not there is dropped again, what is there is the stack's from then on.

        Raises:
            SandboxError: another engine is at work on the stack.
        """
        self._break_stale_lock(tell)
        export = self._export()
        deployment = export["deployment"]
        pending = deployment.get("pending_operations") or []
        if not pending:
            return
        known = {resource["urn"] for resource in deployment.get("resources") or []}
        adopted = []
        for operation in pending:
            resource = operation["resource"]
            identity = physical_id(resource)
            if operation["type"] == "creating" and identity and resource["urn"] not in known:
                adopted.append({**resource, "id": identity, "outputs": resource.get("inputs") or {}})
        tell(f"  the engine was interrupted: {len(pending)} operations are checked against what exists")
        deployment["resources"] = [*(deployment.get("resources") or []), *adopted]
        deployment["pending_operations"] = []
        self._import(export)
        if adopted:
            urns = [resource["urn"] for resource in adopted]
            targets = [f"--target={urn}" for urn in urns]
            self._engine.run("refresh", *targets, where=self._files.program, note=note)
            self._restore_field_managers(set(urns))

    def _restore_field_managers(self, urns: set[str]) -> None:
        """Let adopted objects be changed under the name they were created with.

        pulumi-kubernetes makes up a field manager for each object and keeps it in the state. What it was for
        these was lost with the engine; under another name the API server would refuse every change.
        """
        export = self._export()
        has_changed = False
        for resource in export["deployment"].get("resources") or []:
            if resource["urn"] in urns and resource["type"].startswith("kubernetes:"):
                outputs = resource["outputs"]
                entries = (outputs.get("metadata") or {}).get("managedFields") or []
                names = [entry.get("manager", "") for entry in entries]
                own = next((name for name in names if name.startswith("pulumi-kubernetes-")), None)
                if own and outputs.get("__fieldManager") != own:
                    outputs["__fieldManager"] = own
                    has_changed = True
        if has_changed:
            self._import(export)

    def _import(self, export: dict[str, Any]) -> None:
        # An export keeps secrets encrypted; the file is private all the same.
        file = self._files.directory / "mended.json"
        write_private(file, json.dumps(export))
        try:
            self._engine.ask("stack", "import", f"--file={file}", where=self._files.directory)
        finally:
            file.unlink()

    def _break_stale_lock(self, tell: Tell) -> None:
        locks = sorted((self._files.backend / ".pulumi" / "locks").glob(f"**/{STACK}/*.json"))
        for lock in locks:
            try:
                holder = json.loads(lock.read_text(encoding="utf-8"))
                pid, host = int(holder["pid"]), str(holder["hostname"])
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if host == socket.gethostname() and not _is_pulumi(pid):
                continue
            raise SandboxError(
                "another `pulumi` is at work on the sandbox's stack",
                f"process {pid} on {host} holds {lock}",
                "wait for it to end; if it is gone, `pulumi cancel` in the shell of `madeploy sandbox env` "
                "frees the stack",
            )
        if locks:
            tell("  the lock of an engine that was killed is removed")
            self._engine.ask("cancel", "--yes", STACK, where=self._files.directory)

    def _export(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            self._engine.ask("stack", "export", where=self._files.directory)
        )
        return document


def physical_id(resource: dict[str, Any]) -> str | None:
    """The id the provider gives a resource of these inputs; None where it cannot be known beforehand.

    Kubernetes: `namespace/name`, or `name` (pulumi-kubernetes). AWS: those whose creation fails if they
    exist; the rest are settings of these, which a second creation just sets again.
    """
    inputs, kind = resource.get("inputs") or {}, resource["type"]
    if kind.startswith("kubernetes:"):
        metadata = inputs.get("metadata") or {}
        name, namespace = metadata.get("name"), metadata.get("namespace")
        if not name:
            return None
        return f"{namespace}/{name}" if namespace else str(name)
    name = {"aws:s3/bucket:Bucket": "bucket", "aws:iam/role:Role": "name"}.get(kind)
    return str(inputs[name]) if name and inputs.get(name) else None


def _provider(resource: dict[str, Any]) -> str:
    """Name of a resource's provider: `urn:...::k8s-compute-0::<id>` gives `compute-0`."""
    parts = str(resource.get("provider") or "").split("::")
    return parts[-2].removeprefix("k8s-") if len(parts) > 2 else "other"


_SECRET = "4dabf18193072939515e22adb298388d"


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return "[secret]" if _SECRET in value else {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _is_pulumi(pid: int) -> bool:
    """Whether a process of this id lives and is a Pulumi CLI, as far as the system tells."""
    if process.start_mark(pid) is None:
        return False
    command = Path(f"/proc/{pid}/cmdline")
    if not command.exists():
        return True
    program = command.read_bytes().split(b"\0")[0]
    return os.path.basename(program) == b"pulumi"
