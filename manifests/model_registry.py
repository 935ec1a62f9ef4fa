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
    namespaces = environment.model_registry.namespaces
    return tuple(obj for namespace in namespaces for obj in namespace_readers(environment, namespace))


def namespace_readers(environment: Environment, namespace: str) -> tuple[Object, ...]:
    """The same for one namespace."""
    reader_role = role(READER, namespace, [_RULE])
    ci_reader = environment.model_registry.ci_reader
    if ci_reader is None:
        return (reader_role,)
    reader = account(ci_reader.service_account, ci_reader.namespace)
    return reader_role, role_binding(CI_BINDING, namespace, READER, reader)
