"""Environments and rendered files as one side of a comparison, without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from madeploy.plan.changes import AWS, Comparison, Identity, indexed
from madeploy.plan.differences import LOADER, UNKNOWN
from madeploy.render import stages
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.storage import AwsStorage
from manifests import registration
from manifests.catalog import placed
from manifests.identities import predicted_inputs


def of_environment(environment: Environment, stack: str) -> dict[Identity, Mapping[str, Any]]:
    """Every object that settings and the stack's name determine, the buckets by name, and every cluster:
    also one whose address is only in a kubeconfig."""
    found = indexed(placed(environment, predicted_inputs(environment, stack)))
    for name in environment.clusters:
        registered = registration.cluster(environment, name, UNKNOWN, UNKNOWN)
        found.setdefault(*next(iter(indexed([(CONTROL_PLANE, registered)]).items())))
    storage = environment.storage
    if isinstance(storage, AwsStorage):
        for name in storage.buckets.model_dump(exclude_none=True).values():
            found[Identity(AWS, "Bucket", "", name)] = {"bucket": name}
    return found


def between(before: Environment | None, after: Environment, stack: str) -> Comparison:
    """What changes from one environment to another of the same stack; from nothing when there is none
    before."""
    old = of_environment(before, stack) if before is not None else {}
    retained = frozenset(
        identity
        for identity in old
        if identity.kind == "Bucket"
        and before is not None
        and isinstance(before.storage, AwsStorage)
        and before.storage.protect
    )
    return Comparison(old, of_environment(after, stack), retained=retained, first=before is None)


def against_tree(folder: Path, environment: Environment, stack: str) -> Comparison:
    """What changes from a folder that `render` wrote to what it would write now.

    Raises ValueError naming the file that is no YAML.
    """
    before = _of_tree(folder)
    planned = stages.plan(environment, stack, predicted_inputs(environment, stack), {})
    after = indexed(
        (target.cluster, item)
        for target in planned.targets
        for stage in target.stages
        for item in stage.objects
    )
    return Comparison(before, after, first=not before)


def _of_tree(folder: Path) -> dict[Identity, Mapping[str, Any]]:
    """Objects of a rendered folder; what hands it to a GitOps engine is left out."""
    found: dict[Identity, Mapping[str, Any]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        first, second, *_ = (*path.relative_to(folder).parts, "")
        cluster = {
            CONTROL_PLANE: CONTROL_PLANE,
            stages.REGISTRATIONS: CONTROL_PLANE,
            stages.COMPUTE: second,
        }.get(first)
        if cluster is None or path.name == "kustomization.yaml":
            continue
        try:
            documents = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=LOADER))
        except (yaml.YAMLError, UnicodeDecodeError):
            raise ValueError(f"{path} is no YAML") from None
        found |= indexed((cluster, item) for item in documents if isinstance(item, dict) and "kind" in item)
    return found
