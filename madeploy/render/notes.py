"""`SECRETS.md`: what must be there for the tree to work, by name, and who puts it there. No value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from madeploy.render.stages import Plan, encrypted_file, key_prefix
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.gitops import ExternalSecrets, NamedSecrets
from manifests import references
from manifests.secret_references import WantedSecret, wanted_secrets

ANY_CLUSTER: Final = "{cluster}"
"""Stands for every compute cluster on the page: a thousand of them differ in nothing else."""

_HEAD = """# What must exist besides these files

Written by `bin/madeploy render {stack}`. No value is in it, nor in any other file here.
"""


def must_exist(environment: Environment, stack: str, clusters: Iterable[str]) -> list[dict[str, Any]]:
    """Everything that somebody else puts in place, as plain data: `where` (`store`, `file` or `cluster`) and
    what identifies it there, its `keys`, what it `holds`, `who` puts it there."""
    found = [_secret(environment, stack, wanted) for wanted in wanted_secrets(environment, clusters)]
    made = {(each.namespace, each.name) for each in wanted_secrets(environment)}
    for name, who in references.provided(environment).items():
        if who == "Kubernetes" or (name.kind == "Secret" and (name.namespace, name.name) in made):
            continue
        found.append(
            {
                "where": "cluster",
                "cluster": CONTROL_PLANE,
                "kind": name.kind,
                "namespace": name.namespace or "",
                "name": name.name,
                "keys": [],
                "holds": "",
                "who": who,
            }
        )
    return found


def page(environment: Environment, stack: str, plan: Plan) -> str:
    """Text of the page."""
    rows = must_exist(environment, stack, [ANY_CLUSTER] if environment.clusters else [])
    return "\n".join([listed(stack, rows), *_remarks(environment, plan)])


def listed(stack: str, rows: Sequence[dict[str, Any]]) -> str:
    """Text of the page's beginning: what must exist, as `must_exist` has it."""
    return "\n".join([_HEAD.format(stack=stack), *_tables(rows)])


def _secret(environment: Environment, stack: str, wanted: WantedSecret) -> dict[str, Any]:
    secrets = environment.gitops.secrets
    data: dict[str, Any] = {
        "where": "cluster",
        "cluster": wanted.cluster,
        "kind": "Secret",
        "namespace": wanted.namespace,
        "name": wanted.name,
        "keys": list(wanted.keys),
        "holds": wanted.meaning,
        "who": "whoever runs the cluster",
    }
    if isinstance(secrets, NamedSecrets):
        return data
    if not isinstance(secrets, ExternalSecrets):
        return data | {"where": "file", "file": encrypted_file(environment, wanted)}
    if wanted.cluster != CONTROL_PLANE and secrets.compute_store is None:
        return data
    pushed = wanted.is_registration and secrets.compute_store is not None
    return data | {
        "where": "store",
        "entry": f"{key_prefix(environment, stack)}/{wanted.entry}",
        "keys": list(wanted.entry_properties),
        "who": "the PushSecret on the compute cluster" if pushed else "whoever keeps the store",
    }


def _tables(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    for where, title, columns in (
        ("store", "In the secret store", ("entry", "keys", "holds", "who")),
        ("file", "As encrypted files", ("cluster", "file", "namespace", "name", "keys", "holds")),
        ("cluster", "On the clusters", ("cluster", "kind", "namespace", "name", "keys", "holds", "who")),
    ):
        lines = dict.fromkeys(_line(row, columns) for row in rows if row["where"] == where)
        if lines:
            yield f"## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
            yield from lines
            yield ""


def _remarks(environment: Environment, plan: Plan) -> Iterator[str]:
    if environment.clusters:
        yield f"`{ANY_CLUSTER}` stands for each of: {', '.join(sorted(environment.clusters))}.\n"
    if plan.unknown:
        yield (
            f"## Not in these files\n\nThe `Cluster` object of {', '.join(plan.unknown)}: only a kubeconfig "
            "has its address.\nSet `clusters.<name>.server`, or render with `--outputs`.\n"
        )


def _line(row: dict[str, Any], columns: Sequence[str]) -> str:
    cells = (", ".join(row[name]) if isinstance(row[name], list) else row[name] for name in columns)
    return f"| {' | '.join(cell or '–' for cell in cells)} |"
