"""Access of `madeploy models` to the registry, and its refusals."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer

from madeploy.cli.output import note
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, text
from madeploy.registry.registry import Model, model, refusal
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import StackAccess, open_stack

NamespaceOption = Annotated[
    str, typer.Option("--namespace", "-n", metavar="NAMESPACE", help="Its namespace.")
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the model.")]
Item = TypeVar("Item")
PROGRESS_SECONDS = 2.0


@contextmanager
def registry(stack: str, namespace: str | None) -> Iterator[tuple[StackAccess, Kubernetes]]:
    """A stack and its control plane's API server. Failures of calls to it end the command: with 1 and a
    finding when models are not defined or not to be read, else as ToolkitError (3)."""
    access = open_stack(stack, [CONTROL_PLANE])
    try:
        yield access, access.client(CONTROL_PLANE)
    except ClientError as error:
        finding = refusal(error, namespace)
        if finding is None:
            raise ToolkitError(
                f"the registry of stack {access.name} cannot be read",
                str(error),
                "see that the control plane's cluster answers: kubectl get --raw /readyz",
            ) from None
        complain([finding])
        raise typer.Exit(1) from None


def named(client: Kubernetes, namespace: str, name: str) -> Model:
    """One model. Ends the command with 1 when there is none."""
    found = model(client, namespace, name)
    if found is None:
        note(f"There is no Model {name} in namespace {namespace}.")
        raise typer.Exit(1)
    return found


def complain(findings: Sequence[Finding]) -> None:
    """Findings in full, beside the command's output."""
    if findings:
        text.write("\n\n".join(map(text.one, findings)), sys.stderr)


def counted(items: Iterable[Item], what: str) -> Iterator[Item]:
    """The items, with a note of how many there were every few seconds."""
    last = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if time.monotonic() - last > PROGRESS_SECONDS:
            last = time.monotonic()
            note(f"{number:,} {what} ...")
