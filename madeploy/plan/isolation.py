"""Namespaces and NetworkPolicies."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.names.kubernetes import workload
from madeploy.plan.changes import Comparison
from madeploy.plan.text import Sentence, listed
from madeploy.settings import CONTROL_PLANE


def moved(comparison: Comparison) -> tuple[str, str] | None:
    """Namespaces the control plane leaves and goes to; None when it stays."""
    places = [
        {
            identity.namespace
            for identity in objects
            if (identity.kind, identity.name) == ("Deployment", workload("apiserver"))
        }
        for objects in (comparison.before, comparison.after)
    ]
    if len(places[0]) == len(places[1]) == 1 and places[0] != places[1]:
        return places[0].pop(), places[1].pop()
    return None


def about_namespaces(comparison: Comparison) -> Iterator[Sentence]:
    """A control plane that moves, and namespaces that go with everything in them."""
    way = moved(comparison)
    if way is not None:
        yield Sentence(
            "outage",
            f"The control plane moves from namespace {way[0]} to {way[1]}: all of it is made anew "
            "there and deleted "
            "here. Until it runs and the front door follows, nobody is served; Secrets provided by "
            "hand must be "
            "there before.",
            tuple(c.identity for c in comparison.changes if c.identity.cluster == CONTROL_PLANE),
        )
        return
    gone = [
        change
        for change in comparison.of("Namespace")
        if change.operation in ("delete", "replace") and not change.kept
    ]
    if gone:
        names = listed(change.identity.name for change in gone)
        text = f"Namespace {names} is deleted with everything in it."
        yield Sentence("loss", text, tuple(change.identity for change in gone))


def about_isolation(comparison: Comparison) -> Iterator[Sentence]:
    """Traffic that is held back from now on, or let through."""
    policies = [change for change in comparison.of("NetworkPolicy") if not change.kept]
    there = any(identity.kind == "NetworkPolicy" for identity in comparison.before)
    remain = any(identity.kind == "NetworkPolicy" for identity in comparison.after)
    if not policies or comparison.first:
        return
    about = tuple(change.identity for change in policies)
    if not there:
        text = (
            "Traffic of the control plane is limited to the declared flows: whatever else calls it or "
            "is called "
            "by it is cut off."
        )
        yield Sentence("outage", text, about)
    elif not remain:
        text = "Traffic of the control plane is no longer limited: any pod may call any service."
        yield Sentence("notice", text, about)
    else:
        names = listed(identity.name for identity in about)
        yield Sentence("notice", f"Permitted traffic changes ({names}); nothing restarts.", about)
