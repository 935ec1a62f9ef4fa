"""`madeploy upgrade`: lead a running environment to another release of the platform."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Optional

import typer

from madeploy.clients.errors import ClientError
from madeploy.descriptors.chart import from_chart as in_chart
from madeploy.descriptors.sets import DescriptorError, read
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, in_order
from madeploy.findings.text import report, write
from madeploy.releases import DEFAULT, RELEASES, Release
from madeploy.sandbox.progress import phase, say
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stacks.access import open_stack
from madeploy.stacks.files import open_environment
from madeploy.stacks.session import StackSession
from madeploy.upgrade import dump, obstacles

ORDER = "rights, API server, its definitions, controller manager, worker, Envoy, application"
"""The order of the update, which is that of the table of parts."""


def upgrade(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name or file of the stack.")],
    to: Annotated[str, typer.Option("--to", metavar="RELEASE", help="The release.")] = DEFAULT,
    dump_to: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
        typer.Option("--dump", metavar="FILE", help="Where all of the platform's objects are written first."),
    ] = None,
    from_chart: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--from-chart", metavar="FILE.tgz", help="The release's chart, for Envoy's descriptors."
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only look for obstacles; change nothing.")] = False,
) -> None:
    """Look for obstacles, write a dump of every object, edit the stack file, and update in a safe order.

    Ended anywhere, run it again: what is done is not done twice. `pulumi up` goes on as well. There is no way
    back: services of an earlier release fail on what this one writes.
    """
    name, path, environment = open_environment(stack)
    target = _target(environment, to)
    done = environment.release is target
    access = open_stack(stack, required=[CONTROL_PLANE])
    control_plane = access.client(CONTROL_PLANE)
    try:
        with phase("reading the control plane"):
            found = dump.objects(control_plane)
    except ClientError as error:
        raise ToolkitError(
            f"the control plane of {name} does not answer", str(error), "Run it again."
        ) from None
    if dump_to is not None and not (done and dump_to.exists()):
        say(f"{dump_to}: {dump.write(dump_to, found)} objects")
    findings = list(obstacles.of_objects(found, environment, target)) if not done else []
    for cluster, entry in sorted(environment.clusters.items()):
        with phase(f"reading {cluster}"):
            client = None if cluster in access.unusable else access.client(cluster)
            installs = entry.operators.kube_ray == "install"
            findings += obstacles.of_cluster(cluster, client, target, installs=installs)
    _show(name, findings)
    if any(item.severity == "error" for item in findings):
        raise typer.Exit(1)
    if check:
        return
    session = StackSession(stack, list(environment.clusters))
    if not done:
        if dump_to is None:
            raise ToolkitError(
                "no dump is asked for",
                "nothing leads back from this release but objects made again from a dump",
                "Give --dump FILE.",
                exit_code=2,
            )
        session.edit(_edits(path, target, from_chart))
        say(f"{path.name}: platform.release is {target.name}")
    say(f"updating in this order: {ORDER}")
    failed = session.apply(sorted(environment.clusters), f"to release {target.name}")
    _show(name, failed.values())
    if failed:
        raise typer.Exit(1)
    sys.stdout.write(f"{name} runs release {target.name}\n")


def _target(environment: Environment, to: str) -> Release:
    """The release to go to. Raises ToolkitError for one that is not known, or lies behind."""
    if to not in RELEASES:
        known = ", ".join(RELEASES)
        raise ToolkitError(f"{to} is no release", f"there are {known}", "Name one of them.", exit_code=2)
    names = list(RELEASES)
    if names.index(to) > names.index(environment.platform.release):
        raise ToolkitError(
            f"{environment.release.name} cannot go back to {to}",
            "an earlier API server fails on newer definitions, and earlier controllers on newer objects",
            "Make the environment anew and its objects from the dump (docs/upgrading.md).",
            exit_code=2,
        )
    return RELEASES[to]


def _edits(path: Path, target: Release, chart: Path | None) -> list[tuple[tuple[str, ...], object]]:
    """Changes of the stack file, the descriptor set written beside it."""
    edits: list[tuple[tuple[str, ...], object]] = [
        (("platform", "release"), target.name),
        (("images", "tag"), target.newest),
    ]
    if target.envoy.transcoded:
        if chart is None:
            raise ToolkitError(
                "the chart of the release is not named",
                "Envoy translates the browser application's JSON by a descriptor set of exactly that version",
                "helm pull oci://ghcr.io/michelangelo-ai/michelangelo/charts/michelangelo --version "
                f"{target.newest}\nand give the file with --from-chart.",
                exit_code=2,
            )
        content, version = in_chart(chart)
        try:
            missing = read(content).missing(target.envoy.transcoded)
        except DescriptorError as error:
            raise ToolkitError(
                f"{chart} has no usable descriptor set", f"it {error}", "", exit_code=2
            ) from None
        if missing or version.lstrip("v") != target.newest:
            why = f"it lacks {', '.join(missing)}" if missing else f"it is of version {version}"
            raise ToolkitError(f"{chart} is not of {target.newest}", why, "Pull that version.", exit_code=2)
        file = Path("descriptors") / f"{version}.pb"
        (path.parent / file).parent.mkdir(exist_ok=True)
        (path.parent / file).write_bytes(content)
        edits.append((("controlPlane", "envoy", "descriptors"), file.as_posix()))
    return edits


def _show(name: str, findings: Iterable[Finding]) -> None:
    ordered = in_order(findings)
    if ordered:
        write(report(name, ordered), sys.stdout)
