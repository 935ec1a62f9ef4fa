"""`madeploy sandbox`: the whole platform on this machine, with the real engine and real API servers."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from madeploy import progress
from madeploy.cli import sandbox_report as report
from madeploy.cli.options import AsJson, Yes
from madeploy.cli.output import print_json
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import UsageError
from madeploy.kubeconfigs.files import read_context
from madeploy.sandbox import process, tools
from madeploy.sandbox.session import UNWANTED, Sandbox
from madeploy.sandbox.user_clusters import contexts as contexts_of
from madeploy.sandbox.user_clusters import find
from madeploy.stacks.diagnosis import explainer

ROOT = Path(__file__).resolve().parents[2]
FOLLOW_SECONDS = 0.3
NOT_RUNNING = 3
PARTLY_RUNNING = 1

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Run the platform on this machine: two Kubernetes API servers, a local AWS, the real engine.",
)


@app.callback()
def sandbox() -> None:
    """Run the platform on this machine: two Kubernetes API servers, a local AWS, the real engine."""
    # Ended by a signal, a command cleans up as after Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _sandbox() -> Sandbox:
    def client_of(cluster: str) -> Kubernetes:
        context = made.environment().state.contexts.get(cluster, cluster)
        return Kubernetes.from_kubeconfig(read_context(context, {**os.environ, **made.variables()}))

    made = Sandbox(ROOT, explain=explainer(client_of))
    return made


@app.command()
def up(
    compute: Annotated[
        list[str] | None,
        typer.Option(
            "--compute",
            metavar="N|CONTEXT",
            help="How many compute clusters; with --control-plane, the context of one (repeat it for more).",
            show_default=False,
        ),
    ] = None,
    control_plane: Annotated[
        str | None,
        typer.Option(
            "--control-plane",
            metavar="CONTEXT",
            help="Deploy to clusters of your own kubeconfig instead: this context is the control plane.",
            show_default=False,
        ),
    ] = None,
    audit: Annotated[
        bool | None,
        typer.Option("--audit/--no-audit", help="Let the API servers log every write.", show_default=False),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Bring everything up: tools, clusters, stack, `pulumi up`. Run again, it converges.

    Exit codes: 0 up, 1 the engine reported errors, 2 wrong use, 3 something the sandbox needs is missing.
    """
    began = time.monotonic()
    number, contexts = _clusters(compute or [], control_plane, yes)
    brought = _sandbox().up(number, audit, contexts)
    seconds = time.monotonic() - began
    if as_json:
        print_json(report.brought_as_data(brought, seconds))
    else:
        typer.echo(report.brought_as_text(brought, seconds))


@app.command()
def start(
    compute: Annotated[
        int | None, typer.Option("--compute", metavar="N", min=1, help="How many compute clusters.")
    ] = None,
    audit: Annotated[
        bool | None,
        typer.Option("--audit/--no-audit", help="Let the API servers log every write.", show_default=False),
    ] = None,
) -> None:
    """Start clusters and AWS only, with what they held when they were stopped."""
    started = _sandbox().start(compute, audit)
    progress.say(f"started {', '.join(started)}" if started else "everything was running already")


@app.command()
def stop() -> None:
    """End every process. What the clusters hold stays for the next start."""
    ended = _sandbox().stop()
    progress.say(f"ended {', '.join(ended)}" if ended else "nothing was running")


@app.command()
def down(as_json: AsJson = False) -> None:
    """Destroy the stack and end every process."""
    result = _sandbox().down()
    deleted = result.changed if result is not None else 0
    if as_json:
        print_json({"deleted": deleted})
    else:
        progress.say(f"down: {deleted} resources deleted, nothing runs")


@app.command()
def reset(yes: Yes = False) -> None:
    """End every process and delete all of the sandbox's state: clusters, stack, logs."""
    sandbox = _sandbox()
    if sandbox.directory.exists():
        _ask(f"Delete {sandbox.directory.root} with the clusters, the stack and the logs in it?", yes)
    sandbox.reset()
    progress.say("reset: the next `madeploy sandbox up` starts afresh")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show what runs, on which ports, in which versions, and what the stack holds.

    Exit codes: 0 everything runs, 1 some component has ended, 3 nothing runs.
    """
    sandbox = _sandbox()
    data = report.status_as_data(sandbox, tools.inspect())
    if as_json:
        print_json(data)
    else:
        typer.echo(report.status_as_text(data))
    running = [component["pid"] is not None for component in data["components"]]
    if not any(running):
        raise typer.Exit(NOT_RUNNING)
    if not all(running):
        raise typer.Exit(PARTLY_RUNNING)


@app.command()
def logs(
    component: Annotated[
        str | None, typer.Argument(help="Such as control-plane/apiserver, aws or engine.", show_default=False)
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Print the end of a component's log, or list the logs there are."""
    directory = _sandbox().directory
    known = {path.stem: path for path in sorted(directory.logs.glob("*.log"))}
    if component is None:
        if as_json:
            print_json({name: str(path) for name, path in known.items()})
            return
        for name, file in known.items():
            typer.echo(f"{name:32}{file}")
        return
    path = known.get(component.replace("/", "-"))
    if path is None:
        raise UsageError(
            f"there is no log of {component!r}",
            f"there are logs of {', '.join(known) or 'nothing yet'}",
            "`madeploy sandbox logs` lists them",
        )
    end = process.last_lines(path, lines)
    if as_json:
        print_json({"component": component, "file": str(path), "lines": end.splitlines()})
        return
    typer.echo(end)
    if follow:
        _follow(path)


@app.command()
def env(as_json: AsJson = False) -> None:
    """Print exports for kubectl, pulumi and aws: eval "$(bin/madeploy sandbox env)"."""
    variables: dict[str, str | None] = {**dict.fromkeys(UNWANTED), **_sandbox().variables()}
    if as_json:
        print_json(variables)
    else:
        typer.echo(report.exports(variables))


def _follow(path: Path) -> None:
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        while True:
            text = file.read()
            if text:
                sys.stdout.write(text)
                sys.stdout.flush()
            else:
                time.sleep(FOLLOW_SECONDS)


def _clusters(
    compute: Sequence[str], control_plane: str | None, yes: bool
) -> tuple[int | None, dict[str, str] | None]:
    """What --compute and --control-plane mean: a number of embedded clusters, or the user's own contexts."""
    if control_plane is None:
        if not compute:
            return None, None
        if len(compute) > 1 or not compute[0].isdecimal() or int(compute[0]) < 1:
            given = " ".join(f"--compute {value}" for value in compute)
            raise _wrong_use(given, "without --control-plane it is a number of clusters, from 1")
        return int(compute[0]), {}
    if not compute:
        raise _wrong_use(f"--control-plane {control_plane}", "at least one --compute CONTEXT belongs to it")
    found = find(tools.ensure(["kubectl"]).path("kubectl"), control_plane, compute)
    for cluster in found:
        progress.say(f"  {cluster.role}: {cluster.context} ({cluster.server})")
    _ask("Deploy the sandbox's stack to these clusters?", yes)
    return None, dict(contexts_of(found))


def _ask(question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise _wrong_use(question, "there is nobody to ask", "add --yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(2)


def _wrong_use(what: str, why: str, fix: str = "see `madeploy sandbox up --help`") -> UsageError:
    return UsageError(what, why, fix)
