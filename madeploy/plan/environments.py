"""Environments and rendered files as one side of a comparison, without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from madeploy.documents.merges import unresolved_merge
from madeploy.fleet import renames
from madeploy.fleet.urns import in_artifact_store
from madeploy.names.aws import OBJECTS_KEY
from madeploy.names.storage import made_buckets
from madeploy.plan.changes import AWS, Comparison, Identity, indexed
from madeploy.plan.differences import LOADER, UNKNOWN
from madeploy.render import stages
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.storage import AwsStorage
from manifests import registration
from manifests.catalog import placed


def of_environment(environment: Environment, stack: str) -> dict[Identity, Mapping[str, Any]]:
    """Every object that settings and the stack's name determine, buckets and their key by what is decided of
    their data, and every cluster: also one whose address is only in a kubeconfig."""
    found = indexed(placed(environment, stack))
    for name in environment.clusters:
        registered = registration.cluster(environment, name, UNKNOWN, UNKNOWN)
        found.setdefault(*next(iter(indexed([(CONTROL_PLANE, registered)]).items())))
    if isinstance(environment.storage, AwsStorage):
        found |= {identity: item for identity, (_, item) in _stores(environment.storage, stack).items()}
    return found


def _stores(storage: AwsStorage, stack: str) -> dict[Identity, tuple[str, Mapping[str, Any]]]:
    """Buckets and the key that are made: the engine's name of each, and what is decided of its data."""
    decided = {"region": storage.region, "forceDestroy": storage.force_destroy}
    found: dict[Identity, tuple[str, Mapping[str, Any]]] = {
        Identity(AWS, "Bucket", "", name): (
            in_artifact_store(stack, "aws:s3/bucket:Bucket", purpose),
            {"bucket": name, **decided},
        )
        for purpose, name in made_buckets(storage).items()
    }
    if storage.kms_key is not None:
        urn = in_artifact_store(stack, "aws:kms/key:Key", OBJECTS_KEY)
        window = {"deletionWindowInDays": storage.kms_key.deletion_window_days, "region": storage.region}
        found[Identity(AWS, "Key", "", OBJECTS_KEY)] = (urn, window)
    return found


def between(before: Environment | None, after: Environment, stack: str) -> Comparison:
    """What changes from one environment to another of the same stack; from nothing when there is none
    before."""
    old = of_environment(before, stack) if before is not None else {}
    new = of_environment(after, stack)
    stores: dict[Identity, tuple[str, Mapping[str, Any]]] = {}
    for side in (before, after):
        if side is not None and isinstance(side.storage, AwsStorage):
            stores |= _stores(side.storage, stack)
    moved = {
        identity
        for identity in stores
        if identity in old and identity in new and old[identity]["region"] != new[identity]["region"]
    }
    held: frozenset[Identity] = frozenset()
    if before is not None and isinstance(before.storage, AwsStorage) and before.storage.protect:
        held = frozenset(identity for identity in stores if identity in old)
    return Comparison(
        old,
        new,
        replaced=frozenset(moved),
        retained=held,
        protected=held,
        urns={identity: urn for identity, (urn, _) in stores.items()},
        renamed=renames.same_entries(before, after) if before is not None else {},
        first=before is None,
    )


def against_tree(folder: Path, environment: Environment, stack: str) -> Comparison:
    """What changes from a folder that `render` wrote to what it would write now.

    Raises ValueError naming the file that is no YAML.
    """
    before = _of_tree(folder)
    planned = stages.plan(environment, stack, {})
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
        content = path.read_bytes()
        if (merge := unresolved_merge(content)) is not None:
            raise ValueError(f"{path}, line {merge.line + 1}: {merge.evidence}")
        try:
            documents = list(yaml.load_all(content.decode("utf-8"), Loader=LOADER))
        except (yaml.YAMLError, UnicodeDecodeError):
            raise ValueError(f"{path} is no YAML") from None
        found |= indexed((cluster, item) for item in documents if isinstance(item, dict) and "kind" in item)
    return found
