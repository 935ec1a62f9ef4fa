"""Services that restart, or only change their size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.names.aws import ROLE_ARN_ANNOTATION
from madeploy.names.kubernetes import Workload, config_map, workload
from madeploy.names.services import BY_NAME, SERVICES
from madeploy.plan.changes import Change, Comparison, Identity
from madeploy.plan.differences import Difference
from madeploy.plan.text import Sentence, capital, count, listed
from manifests.controllermgr import CREDENTIALS_ANNOTATION as REVISION_ANNOTATION
from manifests.storage_clients import CREDENTIALS_ANNOTATION as KEYS_ANNOTATION

_ANNOTATIONS: Final = {
    REVISION_ANNOTATION: "cluster credentials that were replaced or withdrawn",
    KEYS_ANNOTATION: "other object store keys",
    ROLE_ARN_ANNOTATION: "another IAM role",
}


def _deployments(comparison: Comparison) -> Iterator[tuple[Workload, Change]]:
    for service in SERVICES:
        change = comparison.find("Deployment", workload(service))
        if change is not None and change.operation == "update":
            yield service, change


def _in_template(change: Change) -> list[Difference]:
    return [field for field in change.fields if field.path[:2] == ("spec", "template")]


def about_restarts(comparison: Comparison) -> Iterator[Sentence]:
    """Which services restart, why, and what their users notice of it."""
    smooth: dict[Workload, str] = {}
    about: list[Identity] = []
    for service, change in _deployments(comparison):
        fields = _in_template(change)
        if not fields:
            continue
        causes = listed(_causes(comparison, service, fields))
        strategy = (change.after or {})["spec"].get("strategy", {}).get("type")
        own = (change.identity, *_config_identities(comparison, service))
        if strategy == "Recreate":
            yield Sentence(
                "outage",
                f"{capital(BY_NAME[service].in_sentence)} stops and starts again, for {causes}: until its "
                "new pod runs, nothing is scheduled and no status is followed; running jobs go on.",
                own,
            )
        else:
            smooth[service] = causes
            about += own
    if not smooth:
        return
    if len(set(smooth.values())) == 1:
        names = listed((BY_NAME[service].in_sentence for service in smooth), shown=len(SERVICES))
        verb = "restarts" if len(smooth) == 1 else "restart"
        text = f"{capital(names)} {verb}, pod after pod, for {next(iter(smooth.values()))}"
    else:
        each = [f"{BY_NAME[service].in_sentence} for {causes}" for service, causes in smooth.items()]
        text = f"{capital(listed(each, shown=len(SERVICES)))} restart, pod after pod"
    told = [BY_NAME[service].restart for service in smooth]
    effects = [effect for effect in told if effect]
    if len(effects) < len(told):
        effects.insert(0, "callers notice nothing")
    yield Sentence("quiet", f"{text}: {'; '.join(effects)}.", tuple(about))


def _config_identities(comparison: Comparison, service: Workload) -> tuple[Identity, ...]:
    change = comparison.find("ConfigMap", config_map(service))
    return (change.identity,) if change is not None else ()


def _causes(comparison: Comparison, service: Workload, fields: list[Difference]) -> Iterator[str]:
    rest: list[str] = []
    for field in fields:
        last = field.path[-1]
        if last == "image":
            yield _image(str(field.before), str(field.after))
        elif field.has("resources", "requests"):
            name = "CPU" if last == "cpu" else last
            yield f"another {name} request ({field.before or 'none'} to {field.after or 'none'})"
        elif field.has("resources"):
            continue  # A limit follows its request.
        elif field.has("metadata", "annotations"):
            yield from _annotation(comparison, service, field)
        else:
            rest.append(field.dotted.removeprefix("spec.template.spec."))
    if rest:
        yield f"other pod settings ({listed(rest)})"


def _image(before: str, after: str) -> str:
    repository, _, version = after.rpartition("@" if "@" in after else ":")
    if before.startswith(repository):
        return f"another image ({version})"
    return f"another image ({after})"


def _annotation(comparison: Comparison, service: Workload, field: Difference) -> Iterator[str]:
    if not isinstance(field.before, (dict, type(None))) or not isinstance(field.after, (dict, type(None))):
        yield from _one_annotation(comparison, service, str(field.path[-1]))
        return
    # The whole map comes or goes.
    for name in {*(field.before or {}), *(field.after or {})}:
        yield from _one_annotation(comparison, service, name)


def _one_annotation(comparison: Comparison, service: Workload, name: str) -> Iterator[str]:
    known: Mapping[str, str] = _ANNOTATIONS
    if name in known:
        yield known[name]
        return
    changed = comparison.find("ConfigMap", config_map(service))
    keys = [_key(field) for field in changed.fields] if changed is not None else []
    if keys:
        yield f"another configuration ({listed(keys)})"
    elif name.endswith("checksum"):
        yield "another configuration"
    else:
        yield f"another annotation {name}"


def _key(field: Difference) -> str:
    """A key of a service's configuration: `minio.awsRegion`, without the file it is in."""
    steps: list[Any] = [step for step in field.path[2:] if isinstance(step, str)]
    if any("allow_origin" in step for step in steps):
        return "CORS origins"
    # Envoy's own tree is deep; its end says most.
    return ".".join(steps[-2:]) if len(steps) > 4 else ".".join(steps) or str(field.path[-1])


_ENGINE: Final = ("host", "domain", "service", "transport", "provider", "engine")


def about_workflows(comparison: Comparison) -> Iterator[Sentence]:
    """Workflows that are left behind in another engine or domain."""
    change = comparison.find("ConfigMap", config_map("worker"))
    fields = change.fields if change is not None else ()
    moved = [f for f in fields if f.has("workflow-engine") and f.path[-1] in _ENGINE]
    if change is not None and moved:
        what = listed(f"{field.path[-1]} {field.after}" for field in moved)
        text = (
            f"Workflows run in another engine or domain ({what}): those in progress stay where they "
            "are and are "
            "not followed any more. Let them finish first."
        )
        yield Sentence("outage", text, (change.identity,))


def about_sizes(comparison: Comparison) -> Iterator[Sentence]:
    """Services that only get more or fewer pods."""
    for service, change in _deployments(comparison):
        for field in change.fields:
            if field.path != ("spec", "replicas"):
                continue
            before, after = int(field.before or 1), int(field.after or 1)
            budget = comparison.find("PodDisruptionBudget", workload(service))
            about = (change.identity, *((budget.identity,) if budget else ()))
            text = (
                f"{capital(BY_NAME[service].in_sentence)} runs in {count(after, 'pod')} instead of {before}"
            )
            if after == 1:
                text += ": the loss of its node takes it down until it is placed elsewhere"
                yield Sentence("notice", f"{text}.", about)
            else:
                yield Sentence("quiet", f"{text}; nothing restarts for that.", about)
