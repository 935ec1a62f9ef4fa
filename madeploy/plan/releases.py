"""Another release of the platform, and Pipelines, whose deletion is that of their runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from madeploy.names.kubernetes import workload
from madeploy.plan.changes import Comparison
from madeploy.plan.text import Sentence, listed
from madeploy.releases import RELEASES, Release


def about_release(comparison: Comparison) -> Iterator[Sentence]:
    """What is lost, cut off and different from now on with the release that takes over."""
    change = comparison.find("ClusterRole", workload("apiserver"))
    before, after = (_release(item) for item in (change.before, change.after)) if change else (None, None)
    if before is None or after is None or before is after:
        return
    about = (change.identity,) if change else ()
    names = list(RELEASES)
    if names.index(after.name) > names.index(before.name):
        yield Sentence(
            "outage",
            f"The platform cannot go back from release {before.name} to {after.name}: the earlier API server "
            "does not start on the newer definitions, and earlier controllers fail on newer objects. "
            "docs/upgrading.md says what leads back.",
            about,
        )
        return
    lost = "".join(
        f" {kind}s lose {listed(sorted(fields), shown=len(fields))}, and while there are any the new API "
        "server does not start."
        for kind, fields in after.removed_fields.items()
    )
    yield Sentence(
        "loss",
        f"The platform goes from release {before.name} to {after.name}, and there is no way back: earlier "
        f"services fail on what this one writes.{lost} `bin/madeploy upgrade STACK --to {after.name}` looks "
        "for what stands in the way, writes a dump of every object, and goes step by step.",
        about,
    )
    for kind, fields in after.required_fields.items():
        yield Sentence("outage", f"{kind}s without {listed(fields)} serve nothing until they have it.", about)
    if after.cascades and not before.cascades:
        yield Sentence(
            "notice",
            "Whoever deletes a Pipeline deletes all its runs from now on, an engine that prunes or replaces "
            "it included.",
            about,
        )


def _release(role: Mapping[str, Any] | None) -> Release | None:
    """The release whose kinds the API server's role names."""
    granted = {
        resource
        for rule in (role or {}).get("rules") or ()
        if "michelangelo.api" in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        if "/" not in resource
    }
    return next((item for item in RELEASES.values() if set(item.kinds.values()) == granted), None)


def about_pipelines(comparison: Comparison) -> Iterator[Sentence]:
    """Pipelines that whoever's stack it is deletes, by their names."""
    gone = tuple(
        change.identity
        for change in comparison.of("Pipeline")
        if change.operation in ("delete", "replace") and not change.kept
    )
    if gone:
        names = listed(f"{identity.namespace}/{identity.name}" for identity in gone)
        cascading = [release.name for release in RELEASES.values() if release.cascades]
        what, whose = ("Pipeline", "its") if len(gone) == 1 else ("Pipelines", "their")
        text = f"Deleting {what} {names} deletes all {whose} runs, with release {listed(cascading)}."
        yield Sentence("loss", text, gone)
