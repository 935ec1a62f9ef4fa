"""One stack of a program: worked on by the engine, looked into, mended after an engine that was killed."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from madeploy.engine import locks, partial
from madeploy.engine.driver import Engine, require_success
from madeploy.engine.events import Result, Tell, silent
from madeploy.engine.locks import Lock
from madeploy.engine.replaced import take_back
from madeploy.errors import ToolkitError

Document = dict[str, Any]
"""A stack's state as `pulumi stack export` gives it; secrets stay encrypted."""

Explain = Callable[[Sequence[Document]], Mapping[str, Sequence[str]]]
"""Says of resources that did not become ready why they did not: reasons by URN."""

LOCKED = "the stack is currently locked"
"""What the engine says of a stack that somebody holds, where the backend is a file or object store."""

BUSY = "[409]"
"""The same from a service."""
SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key by which the engine marks values that are no plain data, secrets first of all (Pulumi, resource
property values)."""

_ABSENT = ("no stack named", "not found")


class Stack:
    """One stack.

    Args:
        engine: the CLI.
        name: the stack's name.
        where: the program's directory, which holds `Pulumi.yaml`.
        config: the file its configuration is in; where the CLI looks by itself when None. Several stacks
            may share one.
        log: name of its log; the stack's when None.
        explain: asked about what a failed update waited for in vain.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        where: Path,
        config: Path | None = None,
        log: str | None = None,
        explain: Explain | None = None,
    ) -> None:
        self.name = name
        self.where = where
        self._engine = engine
        self._config = config
        self._log = log or name
        self._explain = explain

    def run(
        self,
        verb: str,
        *arguments: str,
        exclude: Sequence[str] = (),
        unmade: Sequence[str] = (),
        may_drop: bool = True,
        keep_going: bool = False,
        tell: Tell = silent,
        note: Tell = silent,
        stop: threading.Event | None = None,
    ) -> Result:
        """`up`, `preview`, `refresh` or `destroy`; returns however it ends.

        An `up` that leaves something out deletes nothing by itself, whatever the program has dropped: the
        engine counts everything around what is left out among it (`--exclude-dependents`). So the program
        says what it registers (`madeploy.engine.partial`), and what the state has besides is deleted by name.

        Args:
            verb: the operation.
            arguments: further arguments.
            exclude: URNs that are left as they are, with all that depends on them.
            unmade: names of what is left out and has nothing in the state: the program registers nothing of
                it, so that no provider is started for it.
            may_drop: whether the program may have dropped something since; False saves that look.
            keep_going: go on with what does not depend on a failure (`up` and `destroy`).
            tell: given one line for every resource that changed.
            note: told where the operation stands.
            stop: asks the engine to stop.
        """
        # As a variable, because the program reads it too: its messages name lines of the file.
        config = {"PULUMI_OPTION_CONFIG_FILE": str(self._config)} if self._config is not None else {}
        left = tuple(f"--exclude={urn}" for urn in exclude)
        dependents = ("--exclude-dependents",) if left else ()
        going = ("--continue-on-error",) if keep_going else ()

        def run(verb: str, *more: str, variables: Mapping[str, str]) -> Result:
            return self._engine.run(
                verb,
                f"--stack={self.name}",
                *more,
                where=self.where,
                name=self._log,
                variables=variables,
                tell=tell,
                note=note,
                stop=stop,
            )

        if not exclude:
            result = run(verb, *going, *arguments, variables=config)
            registered = None
        else:
            with partial.exchange(unmade) as exchange:
                more = (*left, *dependents, *going, *arguments)
                result = run(verb, *more, variables={**config, **exchange.variables})
                registered = exchange.registered()
        if verb == "up" and any(failure.urn for failure in result.failures):
            self._add_reasons(result, note)
        if verb == "up" and registered is not None and may_drop and result.code == 0:
            # Not to be seen in this update's events: there it says `same` of what it did not delete.
            dropped = self._dropped(registered, exclude)
            if dropped:
                note(f"deleting {len(dropped)} that the program has no more")
                result.add(self.delete(dropped, keep_going=keep_going, tell=tell, note=note, stop=stop))
        return result

    def delete(
        self,
        urns: Sequence[str],
        *,
        keep_going: bool = False,
        tell: Tell = silent,
        note: Tell = silent,
        stop: threading.Event | None = None,
    ) -> Result:
        """Delete these resources, and nothing else, without running the program; returns however it ends."""
        targets = [f"--target={urn}" for urn in urns]
        return self.run("destroy", *targets, keep_going=keep_going, tell=tell, note=note, stop=stop)

    def _add_reasons(self, result: Result, note: Tell) -> None:
        """Say why objects that the engine waited for are not ready; those it made and did not see ready carry
        what it said of them in the state (`initErrors`)."""
        if self._explain is None:
            return
        failed = {failure.urn for failure in result.failures}
        waited = [item for item in self.resources() if item["urn"] in failed and item.get("initErrors")]
        if not waited:
            return
        note(f"asking why {len(waited)} did not become ready")
        reasons = self._explain(waited)
        result.failures = [
            dataclasses.replace(failure, reasons=tuple(reasons.get(failure.urn, ())))
            for failure in result.failures
        ]

    def _dropped(self, registered: partial.Registered, exclude: Sequence[str]) -> list[str]:
        """Resources that the whole program would delete, without those that belong to what is left out: below
        it, or something that it needs."""
        resources = {str(item["urn"]): item for item in self.resources() if not item.get("delete")}
        kept: set[str] = set()
        waiting = [urn for urn in resources if _is_below(urn, exclude, resources)]
        while waiting:
            urn = waiting.pop()
            if urn in resources and urn not in kept:
                kept.add(urn)
                waiting += _needs(resources[urn])
        return [
            urn
            for urn, resource in resources.items()
            if urn not in kept and _is_programs(resource) and _named(urn) not in registered
        ]

    def export(self) -> Document | None:
        """The stack's state; None when there is no such stack. Raises ToolkitError when it cannot be read."""
        done = self._engine.try_ask("stack", "export", f"--stack={self.name}", where=self.where)
        if done.returncode != 0:
            if any(sign in done.stderr for sign in _ABSENT):
                return None
            raise ToolkitError(
                f"the state of stack {self.name} cannot be read",
                done.stderr.strip() or f"exit code {done.returncode}",
                "log in (`pulumi login`) and give the stack's passphrase or key, as for `pulumi up`",
            )
        document: Document = json.loads(done.stdout)
        return document

    def resources(self) -> list[Document]:
        """Resources in the stack's state; none when there is no such stack."""
        return _resources(self.export() or {})

    def replace_state(self, document: Document) -> None:
        """Put a changed export in the place of the state."""
        # An export keeps secrets encrypted; the file is private all the same.
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "state.json"
            file.write_text(json.dumps(document), encoding="utf-8")
            self._engine.ask("stack", "import", f"--stack={self.name}", f"--file={file}", where=self.where)

    def locks(self, backend: Path | None, project: str) -> list[Lock]:
        """Who holds the stack.

        Args:
            backend: directory of a file backend, whose locks can be read; None for another one, which only
                tells when it is asked to do something. A refresh of the stack's own root does nothing else.
            project: the program's name.
        """
        if backend is not None:
            return locks.in_directory(backend, project, self.name)
        root = f"urn:pulumi:{self.name}::{project}::pulumi:pulumi:Stack::{project}-{self.name}"
        result = self.run("refresh", f"--target={root}")
        told = "\n".join([*map(str, result.failures), self._last_output(result)])
        if result.code == 0:
            return []
        held = locks.in_message(told)
        if held or not any(sign in told for sign in (LOCKED, BUSY)):
            return held
        # A service says that an update is under way, and not whose.
        return [Lock(0, "a machine unknown here", "somebody", None, "the service")]

    def _last_output(self, result: Result) -> str:
        if result.log is None or not result.log.exists():
            return ""
        return result.log.read_text(encoding="utf-8", errors="replace").rpartition("--- ")[2]

    def unlock(self) -> None:
        """Take away every lock on the stack."""
        self._engine.ask("cancel", "--yes", f"--stack={self.name}", where=self.where)

    def repair(self) -> bool:
        """Put a state in order that the engine refuses as damaged. Returns whether it was."""
        done = self._engine.try_ask("state", "repair", "--yes", f"--stack={self.name}", where=self.where)
        if done.returncode != 0:
            raise ToolkitError(
                f"the state of stack {self.name} is damaged",
                done.stderr.strip() or f"exit code {done.returncode}",
                "the backend keeps the state before the last change beside it (`.bak`): "
                "docs/recovering.md says how to go back to it",
            )
        return "repaired" in done.stdout + done.stderr

    def settle(self, tell: Tell = silent, note: Tell = silent) -> int:
        """Find out what became of operations whose end the engine did not see.

        The engine notes a creation before it asks for it. One whose end it never saw may or may not have
        happened: `up` would fail on the object that exists. So each is entered in the state as if it had been
        created, and read back: what is not there is dropped again, what is there is the stack's from then on.

        Returns:
            Number of such operations.
        """
        document = self.export()
        deployment = (document or {}).get("deployment") or {}
        pending = deployment.get("pending_operations") or []
        if document is None or not pending:
            return 0
        tell(f"  the engine was interrupted: {len(pending)} operations are checked against what exists")
        known = {resource["urn"] for resource in _resources(document)}
        adopted = []
        for operation in pending:
            resource = operation["resource"]
            identity = physical_id(resource)
            if operation["type"] == "creating" and identity and resource["urn"] not in known:
                adopted.append({**resource, "id": identity, "outputs": resource.get("inputs") or {}})
        for operation in pending:
            if operation["type"] == "creating" and (told := by_hand(operation["resource"])):
                tell(f"  {told}")
        deployment["resources"] = [*_resources(document), *adopted]
        deployment["pending_operations"] = []
        self.replace_state(document)
        if adopted:
            urns = [resource["urn"] for resource in adopted]
            require_success("refresh", self.run("refresh", *(f"--target={urn}" for urn in urns), note=note))
            self._restore_field_managers(set(urns))
        return len(pending)

    def take_back(self, names: Collection[str], tell: Tell = silent) -> list[str]:
        """Let buckets of these names be the stack's again that a rename left waiting for their deletion.
        Returns their names."""
        document = self.export()
        back = take_back(document, names) if document is not None and names else []
        if document is not None and back:
            self.replace_state(document)
            for name in back:
                tell(f"  {self.name}: bucket {name}, which waited for its deletion, is the stack's own again")
        return back

    def _restore_field_managers(self, urns: set[str]) -> None:
        """Let adopted objects be changed under the name they were created with.

        pulumi-kubernetes makes up a field manager for each object and keeps it in the state. What it was for
        these was lost with the engine; under another name the API server would refuse every change.
        """
        document = self.export() or {}
        has_changed = False
        for resource in _resources(document):
            if resource["urn"] in urns and resource["type"].startswith("kubernetes:"):
                outputs = resource["outputs"]
                entries = (outputs.get("metadata") or {}).get("managedFields") or []
                names = [entry.get("manager", "") for entry in entries]
                own = next((name for name in names if name.startswith("pulumi-kubernetes-")), None)
                if own and outputs.get("__fieldManager") != own:
                    outputs["__fieldManager"] = own
                    has_changed = True
        if has_changed:
            self.replace_state(document)


def _is_below(urn: str, above: Collection[str], resources: Mapping[str, Document]) -> bool:
    """Whether a resource is one of these, or has one of them among its parents."""
    line = urn
    while line and line not in above:
        line = str(resources.get(line, {}).get("parent") or "")
    return bool(line)


def _needs(resource: Document) -> list[str]:
    """URNs of what a resource depends on, its provider among them."""
    by_property = (resource.get("propertyDependencies") or {}).values()
    provider = str(resource.get("provider") or "").rpartition("::")[0]
    return [
        *(resource.get("dependencies") or ()),
        *(urn for urns in by_property for urn in urns or ()),
        provider,
    ]


def _is_programs(resource: Document) -> bool:
    """Whether a resource is there because the program registers it: not the stack itself, nor what the engine
    makes of its own, nor what was only read."""
    kind, name = _named(str(resource["urn"]))
    is_default = kind.startswith("pulumi:providers:") and name.startswith("default")
    return kind != "pulumi:pulumi:Stack" and not is_default and not resource.get("external")


def _named(urn: str) -> tuple[str, str]:
    """Type and name: `urn:pulumi:<stack>::<project>::<parents' types>$<type>::<name>`."""
    parts = urn.split("::", 3)
    return (parts[2].rpartition("$")[2], parts[3]) if len(parts) == 4 else ("", "")


def physical_id(resource: Document) -> str | None:
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
    name = _NAMED_BY.get(kind)
    return str(inputs[name]) if name and inputs.get(name) else None


def by_hand(resource: Document) -> str | None:
    """What to do where a creation was interrupted whose id AWS makes up, so that it cannot be looked for;
    None for others. If it was made, an association or an OIDC provider is refused as existing by the next
    update; a second key is made."""
    inputs, kind = resource.get("inputs") or {}, resource["type"]
    name = str(resource["urn"]).rpartition("::")[2]
    region = f" --region {inputs['region']}" if inputs.get("region") else ""
    if kind == "aws:eks/podIdentityAssociation:PodIdentityAssociation":
        cluster, account = inputs.get("clusterName"), inputs.get("serviceAccount")
        where = f"--cluster-name {cluster} --namespace {inputs.get('namespace')} --service-account {account}"
        return (
            f"the association of {name} may have been made: `aws eks list-pod-identity-associations {where}"
            f"{region}` tells; delete it, or import it by the id `{cluster},<association id>`"
        )
    if kind == "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
        return (
            f"the OIDC provider {inputs.get('url')} may have been made: `aws iam "
            "list-open-id-connect-providers` tells; delete it, or import it by its ARN"
        )
    if kind == "aws:kms/key:Key":
        return (
            f"the KMS key {name} may have been made: `aws kms list-keys{region}` tells; one without an alias "
            "and with this description encrypts nothing yet, and can be deleted"
        )
    return None


_NAMED_BY = {"aws:iam/role:Role": "name", "aws:kms/alias:Alias": "name", "aws:s3/bucket:Bucket": "bucket"}


def _resources(document: Document) -> list[Document]:
    return (document.get("deployment") or {}).get("resources") or []
