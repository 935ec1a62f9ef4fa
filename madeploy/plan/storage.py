"""Rights to the object store, and how long models are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from madeploy.names.kubernetes import CREDENTIAL_READER
from madeploy.plan.changes import AWS, Change, Comparison, Operation
from madeploy.plan.text import Level, Sentence, listed
from madeploy.settings import CONTROL_PLANE


def about_rights(comparison: Comparison) -> Iterator[Sentence]:
    """Rights that are given or taken, on AWS and in Kubernetes, of things that stay."""
    if comparison.first:
        return
    for change in comparison.of("RolePolicy", "Role"):
        if change.identity.cluster != AWS or change.operation not in ("update", "replace"):
            continue
        before, after = _actions(change, False), _actions(change, True)
        name = change.identity.name
        if before == after:
            yield Sentence(
                "notice", f"Who may take IAM role {name}, or on what, changes.", (change.identity,)
            )
            continue
        what = [
            f"{verb} {listed(sorted(actions))}"
            for verb, actions in (("may now", after - before), ("may no longer", before - after))
            if actions
        ]
        level: Level = "outage" if before - after else "quiet"
        yield Sentence(level, f"IAM role {name} {' and '.join(what)}.", (change.identity,))
    kinds = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    words: dict[Operation, str] = {"create": "given", "update": "changed", "delete": "taken"}
    for operation, word in words.items():
        about = tuple(
            change.identity
            for change in comparison.of(*kinds)
            if change.identity.cluster == CONTROL_PLANE
            and change.operation == operation
            and not change.kept
            and change.identity.name != CREDENTIAL_READER
        )
        if about:
            yield Sentence("notice", f"Rights in Kubernetes are {word}: {listed(about)}.", about)


def _actions(change: Change, after: bool) -> set[str]:
    text: Any = ((change.after if after else change.before) or {}).get("policy")
    try:
        document = json.loads(text) if isinstance(text, str) else text or {}
    except ValueError:
        return set()
    found: set[str] = set()
    for statement in document.get("Statement", ()) if isinstance(document, dict) else ():
        actions = statement.get("Action", ())
        found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def about_retention(comparison: Comparison) -> Iterator[Sentence]:
    """Models that are removed after a while, from now on or no longer."""
    for change in comparison.of("CronJob"):
        if change.operation == "create":
            text = (
                "Models past their retention are removed on schedule "
                f"{(change.after or {})['spec']['schedule']}, "
                "their objects first: bin/madeploy models retention --dry-run lists what the first run takes."
            )
            yield Sentence("loss", text, (change.identity,))
        elif change.operation == "delete":
            yield Sentence("notice", "Models are kept for good from now on.", (change.identity,))
        else:
            keys = listed(field.dotted for field in change.fields)
            yield Sentence(
                "notice",
                f"The removal of old models changes ({keys}): bin/madeploy models retention --dry-run "
                "lists what "
                "the next run takes.",
                (change.identity,),
            )
