"""`madeploy plan`: what a change means, in sentences, before it is made."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from madeploy.cli.options import Stack
from madeploy.errors import ToolkitError, UsageError
from madeploy.plan.changes import Comparison
from madeploy.plan.environments import against_tree, between
from madeploy.plan.preview import read_preview
from madeploy.plan.report import to_json, to_markdown, to_text
from madeploy.plan.sentences import sentences
from madeploy.render.folder import MARKER
from madeploy.settings import Environment
from madeploy.stacks.files import open_environment
from madeploy.stacks.pulumi import pulumi

PREVIEW_SECONDS = 1800
_FORMATS = {"text": to_text, "markdown": to_markdown, "json": to_json}


def plan(
    stack: Stack,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="Compare with an older stack file; needs no engine."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="DIR", help="Compare with a rendered folder; needs no engine."),
    ] = None,
    preview: Annotated[
        str | None,
        typer.Option(
            "--preview", metavar="FILE", help="Read a saved `pulumi preview --json`, or - for standard input."
        ),
    ] = None,
    form: Annotated[
        Literal["text", "markdown", "json"], typer.Option("--format", help="Form of the output.")
    ] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Say what a change of STACK means: what restarts, what users notice, what is made, replaced, lost.

    Compares with what the stack holds, by `pulumi preview`, or without a state with the last render below
    gitops.path; with --from, --against or --preview with what these say. Ends with 0 when it could be told,
    with 2 when the stack cannot be used.
    """
    if sum(source is not None for source in (since, against, preview)) > 1:
        raise typer.BadParameter("give one of --from, --against and --preview")
    name, path, environment = open_environment(stack)
    if since is not None:
        comparison = between(open_environment(since)[2], environment, name)
    elif against is not None:
        comparison = _against(Path(against), environment, name)
    elif preview is not None:
        comparison = _saved(preview)
    else:
        comparison = _live(name, path, environment)
    write = to_json if as_json else _FORMATS[form]
    sys.stdout.write(write(name, sentences(comparison), comparison))


def _against(folder: Path, environment: Environment, name: str) -> Comparison:
    if not folder.is_dir():
        raise UsageError(
            f"there is nothing rendered in {folder}",
            "it is no folder",
            "write it first: bin/madeploy render STACK -o DIR",
        )
    try:
        return against_tree(folder, environment, name)
    except ValueError as error:
        raise UsageError("the rendered folder cannot be read", str(error), "render it anew") from None


def _saved(source: str) -> Comparison:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        return read_preview(text)
    except OSError as error:
        why = f"{source}: {error.strerror}"
    except ValueError as error:
        why = f"{source} {error}"
    raise UsageError(
        "the preview cannot be read", why, "make it with `pulumi preview --json --show-sames > FILE`"
    )


def _live(name: str, path: Path, environment: Environment) -> Comparison:
    """From the engine's own preview; without a state, from the last render where `gitops.path` says, or from
    nothing where the stack was never deployed at all."""
    what = f"what stack {name} holds cannot be read"
    fix = "install it, or compare without it: --from OLD_FILE or --against RENDERED_DIR"
    rendered = Path(environment.gitops.path) if environment.gitops.path else None
    if rendered is not None and not (rendered / MARKER).is_file():
        rendered = None
    if rendered is not None and shutil.which("pulumi") is None:
        return _against(rendered, environment, name)
    from madeploy.progress import phase

    with phase(f"previewing stack {name}"):
        done = pulumi(
            *("preview", "--json", "--show-sames", "--stack", name, "--config-file", str(path.resolve())),
            what=what,
            fix=fix,
            seconds=PREVIEW_SECONDS,
        )
    if "no stack named" in done.stderr:
        return _against(rendered, environment, name) if rendered else between(None, environment, name)
    try:
        return read_preview(done.stdout)
    except ValueError as error:
        # A preview that got as far as the program has its errors in the document; beside it are warnings.
        told = done.stdout.lstrip().startswith("{")
        raise ToolkitError(
            f"stack {name} cannot be previewed",
            str(error) if told else done.stderr.strip() or str(error),
            "correct it, or compare without the engine: --from OLD_FILE or --against RENDERED_DIR",
            exit_code=1,
        ) from None
