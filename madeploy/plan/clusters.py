"""Compute clusters that come, go, move, or get other credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.fleet.renames import address, second_names
from madeploy.names.kubernetes import CREDENTIAL_READER, cluster_ca_secret, cluster_token_secret, workload
from madeploy.plan.changes import Change, Comparison, Identity
from madeploy.plan.text import Sentence, capital, count, is_or_are, listed

_NOTICED: Final = frozenset({"host", "port", "region", "zone", "dc", "sla"})
"""Fields of a registration whose changes the controller manager takes over (facts 3.1)."""


def _names(comparison: Comparison, after: bool) -> list[str]:
    objects = comparison.after if after else comparison.before
    return sorted({identity.name for identity in objects if identity.kind == "Cluster"})


def _whole(comparison: Comparison, names: list[str]) -> tuple[Identity, ...]:
    """Every change that belongs to clusters which come or go: both halves."""
    secrets = {secret for name in names for secret in (cluster_ca_secret(name), cluster_token_secret(name))}
    return tuple(
        change.identity
        for change in comparison.changes
        if change.identity.cluster in names
        or (change.identity.kind == "Cluster" and change.identity.name in names)
        or change.identity.name in secrets
        # The controller manager's rights to exactly these Secrets.
        or change.identity.name == CREDENTIAL_READER
    )


def about_clusters(comparison: Comparison) -> Iterator[Sentence]:
    """Clusters that are registered, let go or changed, and where jobs then go (facts 3.1, 3.4)."""
    before, after = _names(comparison, False), _names(comparison, True)
    renamed = _renamed(comparison)
    for name, former in sorted(renamed.items()):
        yield _under_two_names(comparison, name, former)
    new = sorted(set(after) - set(before) - set(renamed))
    gone = sorted(set(before) - set(after) - set(renamed.values()))
    if new:
        yield Sentence(
            "quiet",
            f"{capital(count(len(new), 'cluster'))} {is_or_are(new)} registered ({listed(new)}): "
            "account, rights and storage settings there, address and credential here; nothing restarts.",
            _whole(comparison, new),
        )
    if gone:
        yield Sentence(
            "outage",
            f"{listed(gone)} {is_or_are(gone)} let go: the platform forgets what runs there "
            "without stopping it, and its credential is withdrawn. Drain first: bin/madeploy clusters drain.",
            _whole(comparison, gone),
        )
    if (new or gone) and not (comparison.first and len(after) > 1):
        yield Sentence("notice", _default_target(before, after))
    yield from _edited(comparison, set(before) & set(after))
    yield from _credentials(comparison, set(before) & set(after))


def _renamed(comparison: Comparison) -> dict[str, str]:
    """Former name by new name, of clusters whose registration moves to another name: reached in the same way,
    or registered with the same address."""
    before, after = (_addresses(objects) for objects in (comparison.before, comparison.after))
    return {**second_names(before, after, after), **comparison.renamed}


def _addresses(objects: Mapping[Identity, Mapping[str, Any]]) -> dict[str, str]:
    """Addresses of registrations by name, in normal form; "" where one is not known yet."""
    found = {}
    for identity, item in objects.items():
        if identity.kind == "Cluster":
            rest = item["spec"]["kubernetes"]["rest"]
            found[identity.name] = address(str(rest.get("host")), str(rest.get("port")))
    return found


def _under_two_names(comparison: Comparison, name: str, former: str) -> Sentence:
    there = [item for item in comparison.before if item.cluster == former]
    again = {(item.kind, item.namespace, item.name) for item in comparison.after if item.cluster == name}
    lost = [str(item) for item in there if (item.kind, item.namespace, item.name) in again]
    taken = f": {listed(lost)}" if lost else ""
    return Sentence(
        "outage",
        f"{name} is the cluster that is registered as {former}. The update would make its objects there "
        f"again for {name} and then delete those of {former}, which are the same ones{taken}: {name} is left "
        f"without account, rights and token, and its jobs fail. It is refused (MA406). Keep the name "
        f"{former}; or drain and remove {former}, and add {name} afterwards.",
        _whole(comparison, [name, former]),
    )


def _default_target(before: list[str], after: list[str]) -> str:
    if not after:
        return "No cluster remains: jobs wait until one is registered."
    if len(after) == 1:
        return f"{after[0]} becomes the target of every job, being the only one."
    several = (
        f"Jobs that name no cluster go to whichever of the {len(after)} the controller manager finds first, "
        "ready or not"
    )
    if len(before) == 1 and before[0] in after:
        return f"{several}: no longer to {before[0]} for certain. Label jobs that must stay there."
    return f"{several}: label jobs that need a certain one (michelangelo/cluster-affinity)."


def _edited(comparison: Comparison, stay: set[str]) -> Iterator[Sentence]:
    for change in comparison.of("Cluster"):
        name = change.identity.name
        if name not in stay:
            continue
        fields = change.fields
        if change.operation == "replace":
            yield Sentence(
                "outage",
                f"The registration of {name} is made anew: jobs there are not followed in between.",
                (change.identity,),
            )
        elif not any(field.path[-1] in _NOTICED for field in fields):
            # V7: every later write of its health conflicts.
            what = "other labels or annotations" if fields[0].path[0] == "metadata" else "another note"
            yield Sentence(
                "notice",
                f"The registration of {name} gets {what} ({listed(field.dotted for field in fields)}), "
                "which the "
                "controller manager does not take over: its health is not reported any more until it "
                "restarts.",
                (change.identity,),
            )
        elif any(field.has("rest") for field in fields):
            yield Sentence(
                "outage",
                f"{name} is called at another address ({_address(change)}): the controller manager "
                "takes it over "
                "at once; jobs there are followed again as soon as it answers.",
                (change.identity,),
            )
        else:
            yield Sentence(
                "quiet",
                f"What is noted about {name} changes ({listed(field.dotted for field in fields)}); "
                "jobs are not "
                "scheduled by it.",
                (change.identity,),
            )


def _address(change: Change) -> str:
    rest: dict[str, Any] = (change.after or {})["spec"]["kubernetes"]["rest"]
    return f"{rest.get('host')}:{rest.get('port')}"


def _credentials(comparison: Comparison, stay: set[str]) -> Iterator[Sentence]:
    by_secret = {
        secret: name for name in stay for secret in (cluster_ca_secret(name), cluster_token_secret(name))
    }
    touched = [change for change in comparison.of("Secret") if change.identity.name in by_secret]
    if not touched:
        return
    names = sorted({by_secret[change.identity.name] for change in touched})
    about = tuple(change.identity for change in touched)
    manager = comparison.find("Deployment", workload("controllermgr"))
    gets = f"{listed(names)} {'gets' if len(names) == 1 else 'get'} another credential or authority"
    rolls = manager is not None and any(field.path[:2] == ("spec", "template") for field in manager.fields)
    if rolls:
        yield Sentence(
            "notice",
            f"{gets}, which the "
            "controller manager reads when it restarts: keep the old one valid until then.",
            about,
        )
    else:
        # V14: it reads each credential once.
        yield Sentence(
            "outage",
            f"{gets}, but the "
            "controller manager does not restart and goes on with the old one: use bin/madeploy "
            "clusters rotate.",
            about,
        )
