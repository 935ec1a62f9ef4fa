"""Readers and retention of models (model-registry guide; requirements MR-4, MR-8)."""

from __future__ import annotations

from typing import Final

from madeploy.names.kubernetes import API_GROUP, PLURALS
from madeploy.settings import Environment
from manifests.inputs import Inputs
from manifests.objects import Object
from manifests.rbac import READ, account, role, role_binding
from manifests.retention import retention

READER: Final = "model-registry-reader"
CI_BINDING: Final = "ci-model-registry-reader"

_RULE: Final = {"apiGroups": [API_GROUP], "resources": [PLURALS["Model"]], "verbs": list(READ)}


def model_registry(inputs: Inputs) -> tuple[Object, ...]:
    """Readers of models, and the job that removes old ones."""
    return (*readers(inputs.environment), *retention(inputs))


def readers(environment: Environment) -> tuple[Object, ...]:
    """In each team's namespace, which exists already: the Role, and the binding of continuous
    integration's ServiceAccount where one is named."""
    settings = environment.model_registry
    objects: list[Object] = []
    for namespace in settings.namespaces:
        objects.append(role(READER, namespace, [_RULE]))
        if settings.ci_reader is not None:
            reader = account(settings.ci_reader.service_account, settings.ci_reader.namespace)
            objects.append(role_binding(CI_BINDING, namespace, READER, reader))
    return tuple(objects)
