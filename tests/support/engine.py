"""The real Pulumi engine, driven with programs that are functions of the test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation._stack import StackInitMode

PROJECT = "options"

Program = Callable[[], None]


@dataclass
class Run:
    """One command of the engine.

    Args:
        failed: whether it ended with an error.
        text: all it printed.
        operations: what happened to each resource ("create", "same", "update", "replace", ...), by its name.
        changed: paths of changed properties, by resource name.
        outputs: the stack's outputs after it.
    """

    failed: bool = False
    text: str = ""
    operations: dict[str, str] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> dict[str, str]:
        """The operations that are more than a look."""
        return {name: op for name, op in self.operations.items() if op not in ("same", "refresh", "read")}


class _Engine(auto.Stack):
    """Without the commands that the Automation API adds to each `up`: the events tell as much."""

    def outputs(self) -> auto.OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> auto.UpdateSummary:
        return auto.UpdateSummary("update", datetime.now(timezone.utc), "", {}, {}, "")


class Stack:
    """A stack of its own for one test."""

    def __init__(self, name: str, directory: Path, variables: dict[str, str]) -> None:
        self.name = name
        self._backend = directory / "backend"
        self._backend.mkdir(exist_ok=True)
        workspace = auto.LocalWorkspace(
            program=lambda: None,
            pulumi_home=str(directory / "home"),
            env_vars={
                "PULUMI_BACKEND_URL": f"file://{self._backend}",
                "PULUMI_CONFIG_PASSPHRASE": "of a test",
                **variables,
            },
            project_settings=auto.ProjectSettings(name=PROJECT, runtime="python"),
        )
        self._stack = _Engine(name, workspace, StackInitMode.CREATE)

    def set_environment(self, **variables: str) -> None:
        """Environment variables for the commands that follow."""
        self._stack.workspace.env_vars.update(variables)

    def preview(self, program: Program) -> Run:
        """`pulumi preview`."""
        return self._run(program, lambda **options: self._stack.preview(**options))

    def up(self, program: Program, keep_going: bool = False) -> Run:
        """`pulumi up`; `keep_going`: with `--continue-on-error`."""
        return self._run(program, lambda **options: self._stack.up(continue_on_error=keep_going, **options))

    def refresh(self) -> Run:
        """`pulumi refresh`."""
        return self._run(None, lambda **options: self._stack.refresh(**options))

    def destroy(self) -> Run:
        """`pulumi destroy`."""
        return self._run(None, lambda **options: self._stack.destroy(**options))

    def preview_destroy(self) -> Run:
        """`pulumi destroy --preview-only`: what a destroy shows before it asks whether to go on."""
        return self._run(None, lambda **options: self._stack.destroy(preview_only=True, **options))

    def unprotect(self, kind: str = "", name: str = "") -> None:
        """`pulumi state unprotect` of one resource, by its type and logical name, or of all."""
        resources = json.loads(self.state)["checkpoint"]["latest"]["resources"]
        urns = [r["urn"] for r in resources if (r["type"], r["urn"].rpartition("::")[2]) == (kind, name)]
        self._stack.workspace.pulumi_command.run(
            ["state", "unprotect", *(urns if kind else ["--all"]), "--yes", "--stack", self.name],
            self._stack.workspace.work_dir,
            {**self._stack.workspace.env_vars, "PULUMI_HOME": str(self._stack.workspace.pulumi_home)},
        )

    def edit_state(self, edit: Callable[[dict[str, Any]], Any]) -> Any:
        """`pulumi stack export`, edited, `pulumi stack import`; what the edit gave back."""
        document = self._stack.export_stack()
        given = edit({"deployment": document.deployment})
        self._stack.import_stack(document)
        return given

    @property
    def state(self) -> str:
        """The state file, as it lies on the disk."""
        return (self._backend / ".pulumi" / "stacks" / PROJECT / f"{self.name}.json").read_text()

    def _run(self, program: Program | None, command: Callable[..., Any]) -> Run:
        if program is not None:
            self._stack.workspace.program = program
        run = Run()
        printed: list[str] = []

        def note(event: auto.EngineEvent) -> None:
            # What a refresh found is known after it has looked, everything else before.
            before, after = event.resource_pre_event, event.res_outputs_event
            if after and after.metadata.type == "pulumi:pulumi:Stack" and after.metadata.new:
                run.outputs = dict(after.metadata.new.outputs)
            if told := before if program else after or before:
                metadata = told.metadata
                name = metadata.urn.rpartition("::")[2]
                if metadata.type.startswith("pulumi:"):
                    return
                operation = str(getattr(metadata.op, "value", metadata.op))
                # A replacement is told step by step; here it is one operation.
                if "replace" in operation or run.operations.get(name) == "replace":
                    operation = "replace"
                run.operations[name] = operation
                run.changed[name] = sorted({*run.changed.get(name, ()), *(metadata.detailed_diff or {})})

        try:
            command(on_output=printed.append, on_error=printed.append, on_event=note)
        except auto.CommandError as error:
            run.failed = True
            printed.append(str(error))
        run.text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(printed))
        return run
