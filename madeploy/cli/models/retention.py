"""`madeploy models retention`: what the nightly job does, now and before a person's eyes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import typer

from madeploy.cli.models.access import PROGRESS_SECONDS, complain, counted, registry
from madeploy.cli.options import AsJson, OfStack, Yes
from madeploy.cli.output import columns, note, print_json
from madeploy.clients.errors import ClientError
from madeploy.errors import ToolkitError, UsageError
from madeploy.findings import find
from madeploy.names.models import artifact_buckets
from madeploy.registry.registry import LiveRegistry, LiveStore
from madeploy.registry.retention.engine import run
from madeploy.registry.retention.terms import ATTENTION, Outcome, Policy, StoreError, Summary
from madeploy.stacks.access import StackAccess
from madeploy.stacks.object_store import open_store
from madeploy.stacks.secrets import static_keys

_HEADER = ("NAMESPACE", "NAME", "CREATED", "ACTION", "OBJECTS", "BYTES", "KEPT", "REASON")


def retention(
    stack: OfStack,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NAMESPACE", help="Only models of this namespace."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove models older than modelRegistry.retentionDays: their objects first, then the Model.

    Objects that younger models refer to stay. What is interrupted is taken up by the next run. Ends with 1
    when something is left that a person has to look into, with 3 when the registry or the object store
    cannot be used.
    """
    summary, outcomes = Summary(), []
    with registry(stack, namespace) as (access, client):
        policy = _policy(access, namespace, dry_run)
        store = LiveStore(open_store(access.environment.storage, lambda: static_keys(access.name)))
        _agreed(access, policy, yes)
        progress = _Progress(summary)
        try:
            for outcome in run(_Watched(client), store, policy, summary, progress.surveyed):
                outcomes.append(outcome)
                progress.show()
        except (ClientError, StoreError) as error:
            if not outcomes and isinstance(error, ClientError):
                raise  # Nothing has been done: the registry cannot be read.
            _print(outcomes, summary, policy, as_json)
            raise ToolkitError(
                "retention stopped before it was through",
                str(error),
                "see to that, and run the command again: it goes on from there",
            ) from None
    _print(outcomes, summary, policy, as_json)
    if summary.needs_attention:
        left = [outcome for outcome in outcomes if outcome.action in ATTENTION]
        evidence = f"{len(left)} of {summary.expired} expired models are left, such as {_about(left[0])}"
        complain([find("MA344", f"stack {access.name}", evidence)])
        raise typer.Exit(1)


def _policy(access: StackAccess, namespace: str | None, dry_run: bool) -> Policy:
    settings = access.environment.model_registry
    if settings.retention_days is None:
        raise UsageError(
            f"stack {access.name} keeps its models for good",
            "modelRegistry.retentionDays is not set",
            "set it to the number of days after which models are removed",
        )
    allowed = settings.retention.namespaces
    if namespace is not None and allowed and namespace not in allowed:
        raise UsageError(
            f"models of namespace {namespace} are not removed",
            f"modelRegistry.retention.namespaces has only {', '.join(allowed)}",
            "name one of these, or add it there",
        )
    return Policy(
        datetime.now(timezone.utc) - timedelta(days=settings.retention_days),
        frozenset(artifact_buckets(access.environment.storage)),
        frozenset([namespace] if namespace else allowed),
        dry_run,
    )


def _agreed(access: StackAccess, policy: Policy, yes: bool) -> None:
    """Ask for the stack's name. Ends the command (2) without it."""
    if policy.is_dry_run or yes:
        return
    where = f"namespace {', '.join(sorted(policy.namespaces))}" if policy.namespaces else "all namespaces"
    note(
        f"Models of {where} created before {policy.cutoff:%Y-%m-%d %H:%M} UTC will be removed, with their "
        f"objects in {', '.join(sorted(policy.buckets))}. --dry-run shows which."
    )
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was removed", "nobody is there to be asked", "look at it with --dry-run, then add --yes"
        )
    if typer.prompt(f"Type the stack's name ({access.name}) to go on", err=True) != access.name:
        raise UsageError("nothing was removed", "that is another name", "run the command again")


class _Watched(LiveRegistry):
    """The registry, with a word about how far reading it is."""

    def models(self) -> Iterator[Mapping[str, Any]]:
        return counted(super().models(), "models read")


class _Progress:
    """Progress of a retention run, told every few seconds."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._last = time.monotonic()

    def surveyed(self, summary: Summary) -> None:
        """Say how much there is to do."""
        note(f"{summary.models:,} models, {summary.expired:,} of them expired")

    def show(self) -> None:
        """Say how much of it is done, unless that was said a moment ago."""
        if time.monotonic() - self._last > PROGRESS_SECONDS:
            self._last = time.monotonic()
            done = sum(self._summary.actions.values())
            note(f"{done:,} of {self._summary.expired:,} done, {self._summary.objects:,} objects")


def _about(outcome: Outcome) -> str:
    return f"{outcome.namespace}/{outcome.name}: {outcome.reason}"


def _print(outcomes: list[Outcome], summary: Summary, policy: Policy, as_json: bool) -> None:
    if as_json:
        data: dict[str, Any] = {
            "dryRun": policy.is_dry_run,
            "cutoff": policy.cutoff.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "buckets": sorted(policy.buckets),
            "summary": summary.to_data(),
            "models": [outcome.to_data() for outcome in outcomes],
        }
        print_json(data)
        return
    if outcomes:
        sys.stdout.write(columns(_HEADER, [_row(outcome) for outcome in outcomes]))
    counts = (
        ", ".join(f"{count:,} {action}" for action, count in sorted(summary.actions.items())) or "nothing"
    )
    would = "would be deleted" if policy.is_dry_run else "deleted"
    print(f"{counts}; {summary.objects:,} objects {would}, {summary.size:,} bytes")  # noqa: T201


def _row(outcome: Outcome) -> tuple[str, ...]:
    return (
        outcome.namespace,
        outcome.name,
        outcome.created,
        outcome.action,
        str(outcome.objects),
        str(outcome.size),
        str(outcome.kept),
        outcome.reason or "-",
    )
