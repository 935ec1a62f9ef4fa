"""What `render` writes and what the program registers are the same objects."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from madeploy.names.kubernetes import TASK_CREDENTIALS
from madeploy.render.tree import Tree, tree
from madeploy.settings import Environment
from madeploy.stackfile.loader import load_environment
from manifests.objects import Object
from manifests.secret_references import wanted_secrets
from manifests.storage_clients import CREDENTIALS_ANNOTATION
from tests.support.environments import ALL
from tests.support.programs import deploy

pytestmark = pytest.mark.whole

STACKS = Path(__file__).parents[2] / "stacks"
Key = tuple[str, str, str, str, str]


def _environments() -> dict[str, Environment]:
    found = {name: build() for name, build in ALL.items()}
    for path in sorted(STACKS.glob("Pulumi.*.yaml")):
        stack = load_environment(path)
        assert stack.environment is not None, stack.text
        found[path.stem] = stack.environment
    return found


ENVIRONMENTS = _environments()


def without_the_engines_own(obj: dict[str, Any]) -> Object:
    """The object without what is addressed to the engine, and without the fingerprint of static keys, which
    no renderer can know."""
    made = copy.deepcopy(obj)
    for metadata in (made["metadata"], made.get("spec", {}).get("template", {}).get("metadata", {})):
        annotations = metadata.get("annotations", {})
        for name in list(annotations):
            if name.startswith("pulumi.com/") or name == CREDENTIALS_ANNOTATION:
                del annotations[name]
        if annotations == {}:
            metadata.pop("annotations", None)
    return made


def key(cluster: str, obj: dict[str, Any]) -> Key:
    metadata = obj["metadata"]
    return cluster, obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"]


def registered(environment: Environment) -> tuple[dict[Key, Object], dict[str, Any]]:
    """Every Kubernetes object that the program registers, by cluster, and the program's outputs."""
    recording, outputs = deploy(environment)
    objects = {}
    for resource in recording.resources:
        if resource.type.startswith("kubernetes:"):
            obj = without_the_engines_own(resource.inputs)
            # A change of somebody else's object is a resource of its own kind to the engine.
            obj["kind"] = resource.type.rpartition(":")[2].removesuffix("Patch")
            objects[key(resource.provider.removeprefix("k8s-"), obj)] = obj
    return objects, outputs


def rendered(environment: Environment, outputs: dict[str, Any]) -> Tree:
    endpoints = {name: (made["host"], made["port"]) for name, made in outputs["clusters"].items()}
    return tree(environment, "test", endpoints)


def differences(ours: dict[Key, Object], theirs: dict[Key, Object]) -> Iterator[str]:
    for each in sorted(ours.keys() & theirs.keys()):
        if without_the_engines_own(ours[each]) != theirs[each]:
            yield "/".join(each)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_tree_holds_the_objects_of_an_update_value_for_value(name: str) -> None:
    """CARD-4, CP-1 to CP-5, NET-5, NET-6, NET-13, REG-2, REG-4: on the same clusters; only Secrets with
    values are not in it, and each of those is listed."""
    environment = ENVIRONMENTS[name]
    theirs, outputs = registered(environment)
    made = rendered(environment, outputs)
    ours = {key(document.cluster, document.object): document.object for document in made.documents}
    assert list(differences(ours, theirs)) == []
    assert not ours.keys() - theirs.keys()
    listed = {(w.cluster, "v1", "Secret", w.namespace, w.name) for w in wanted_secrets(environment)}
    missing = theirs.keys() - ours.keys()
    # Where the stack file holds no keys of the object store, the program makes no Secret of them.
    assert missing <= listed
    assert {each for each in listed if each[4] != TASK_CREDENTIALS} <= missing
    assert made.plan.unknown == ()


def test_a_single_changed_value_is_noticed() -> None:
    """So that the test above can fail."""
    environment = ENVIRONMENTS["minimal"]
    theirs, outputs = registered(environment)
    made = rendered(environment, outputs)
    ours = {key(document.cluster, document.object): document.object for document in made.documents}
    chosen = next(each for each in ours if each[2] == "Deployment")
    ours[chosen] = copy.deepcopy(ours[chosen])
    ours[chosen]["spec"]["replicas"] += 1
    assert list(differences(ours, theirs)) == ["/".join(chosen)]
