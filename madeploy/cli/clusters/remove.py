"""`madeploy clusters remove`: a cluster is taken out of a stack, and its credential with it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from madeploy.cli.asking import confirm, limit_of
from madeploy.cli.clusters.drain import running_on, silent
from madeploy.cli.options import AsJson, OfStack, Yes
from madeploy.cli.output import print_json
from madeploy.clients.errors import ClientError
from madeploy.clusters.access import stack_given
from madeploy.clusters.removal import Removal, Removed
from madeploy.clusters.workloads import drained, without_cluster
from madeploy.errors import ToolkitError
from madeploy.findings import Finding
from madeploy.findings.text import report, write
from madeploy.stacks.files import open_environment
from madeploy.stacks.session import StackSession, forgetting


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Cluster to remove.")],
    stack: OfStack = "",
    no_drain: Annotated[
        bool, typer.Option("--no-drain", help="Do not look at what runs there, nor wait for it.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait for what runs: 90s, 30m, 2h.")
    ] = "30m",
    forget: Annotated[
        bool, typer.Option("--forget", help="The cluster may be gone: let go of what was on it.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove a cluster from a stack: drained, let go by the platform, its entry, its secrets, its objects.

    Waits until nothing runs on it, deletes its registration, rolls the controller manager, deletes what was
    made on the cluster, and shows that its credential is refused. Interrupted anywhere, the same command goes
    on. Ends with 1, and nothing removed, when something still runs at the limit, or the cluster does not
    answer and --forget was not said.
    """
    stack_name, _, environment = open_environment(stack_given(stack))
    is_known = name in environment.clusters
    session = StackSession(stack, [name] if is_known else [])
    findings: list[Finding] = []
    if is_known and not no_drain and not forget:
        try:
            shown = silent if as_json else running_on(name)
            there, findings = drained(session, name, limit_of(timeout), shown)
        except ToolkitError as error:
            fix = f"{error.fix}\nor, if the cluster is gone for good, say --forget"
            raise ToolkitError(error.what, error.why, fix, error.exit_code) from None
        if there:
            _print(stack_name, Removed(name), findings, as_json, "nothing was removed")
            raise typer.Exit(1)
    elif is_known:
        findings = [without_cluster(environment, name)]
    if not as_json and not is_known:
        print(f"{name} is not in the settings; what the stack still has of it is removed.")  # noqa: T201
    if not yes:
        confirm(f"Remove {name} from stack {stack_name}?")
    try:
        with forgetting(forget):
            removed = Removal(session, name, forget=forget).run()
    except ClientError as error:
        raise ToolkitError(
            f"{name} cannot be removed now",
            str(error),
            f"once this is gone, again: bin/madeploy clusters remove {name} --stack {stack_name}",
        ) from None
    failed = [item for item in removed.findings if item.severity == "error"]
    said = "not removed yet; the same command goes on" if failed else _said(removed)
    _print(stack_name, removed, findings, as_json, said)
    raise typer.Exit(1 if failed else 0)


def _said(removed: Removed) -> str:
    if not removed.refused:
        return "removed"
    longest = max(removed.refused)
    return f"removed; its credential was refused {longest:.0f} s later"


def _print(stack: str, removed: Removed, findings: list[Finding], as_json: bool, said: str) -> None:
    every = [*findings, *removed.findings]
    if as_json:
        data = {
            "stack": stack,
            "cluster": removed.to_data(),
            "findings": [item.to_data() for item in findings],
        }
        print_json(data)
        return
    print(f"{removed.name}: {said}")  # noqa: T201
    if every:
        write(report(f"stack {stack}", every), sys.stdout)
