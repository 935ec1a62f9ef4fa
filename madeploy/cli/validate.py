"""`madeploy validate`: check stack files without network, engine or login."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from madeploy.cli.options import AsJson, Sarif, Strict
from madeploy.cli.output import print_findings
from madeploy.findings import Finding, exit_code, find, in_order
from madeploy.findings.text import report
from madeploy.fleet import renames
from madeploy.stackfile.loader import label, load_environment
from madeploy.stacks.files import all_stacks, known_stacks, open_environment, stack_name, stack_path

INVALID = 2
"""Exit code of a stack file that cannot be used (UX-2)."""


def _check(path: Path) -> tuple[str, tuple[Finding, ...]]:
    """A stack file's name in messages, and its findings."""
    file = label(path)
    if not path.exists():
        fix = f"Name one of the stacks there are ({known_stacks()}), or write it: bin/madeploy init ENV"
        return file, (find("MA101", file, "there is no such file", fix=fix),)
    loaded = load_environment(path, file)
    if loaded.environment is None:
        return file, loaded.findings
    # What the objects refer to is looked up only where there are objects to look at.
    from manifests.catalog import placed
    from manifests.proof import prove_all

    proof = prove_all(placed(loaded.environment), loaded.environment)
    return file, tuple(in_order((*loaded.findings, *proof)))


def _since(path: Path, since: str) -> tuple[Finding, ...]:
    """Clusters that have another name than in an older file, and data that is not where it was. Raises
    UsageError for one that cannot be used."""
    _, _, before = open_environment(since)
    after = load_environment(path, label(path))
    if after.environment is None:
        return ()
    stack = stack_name(path)
    # Whoever gives no older file does not wait for these.
    from madeploy.plan.buckets import about_buckets, about_keys
    from madeploy.plan.environments import between

    renamed = renames.same_entries(before, after.environment)
    comparison = between(before, after.environment, stack)
    data = [*about_buckets(comparison), *about_keys(comparison)]
    return (
        *(renames.finding(name, former, stack) for name, former in renamed.items()),
        *(
            find("MA339", "michelangelo:storage", one.text.removesuffix("."))
            for one in data
            if one.level in ("refused", "loss")
        ),
    )


def validate(
    stacks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STACK]...", help="Names or files of stacks. Default: all in stacks/."),
    ] = None,
    as_json: AsJson = False,
    sarif: Sarif = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FILE", help="Also say what became of an older file's clusters and data."
        ),
    ] = None,
    strict: Strict = False,
) -> None:
    """Check stack files: all findings at once, each with its place and what to do. Of a stack that can be
    deployed the objects are checked, too: that what they name exists and their connections are admitted.

    Needs no network, engine or login. Ends with 0 when every file can be deployed, with 2 when one
    cannot, with 1 on warnings under --strict.
    """
    paths = [stack_path(given) for given in stacks or ()] or all_stacks()
    if not paths:
        print("There is no stack file in stacks/. Write one: bin/madeploy init ENV", file=sys.stderr)  # noqa: T201
        raise typer.Exit(INVALID)
    if since is not None and len(paths) != 1:
        raise typer.BadParameter("name the one stack that --from is an older file of")
    results = [_check(path) for path in paths]
    if since is not None:
        file, found = results[0]
        results = [(file, (*found, *_since(paths[0], since)))]
    findings = [finding for _, found in results for finding in found]
    print_findings(findings, "\n\n".join(report(file, found) for file, found in results), as_json, sarif)
    raise typer.Exit(exit_code(findings, errors=INVALID, strict=strict))
