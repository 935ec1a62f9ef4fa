"""Who may read models."""

from __future__ import annotations

from manifests.model_registry import readers
from tests.support.environments import environment, minimal, production_aws
from tests.support.objects import of_kind, one


def test_each_team_namespace_gets_a_role_that_reads_models_and_nothing_else() -> None:
    """MR-4 (model-registry guide)."""
    objects = readers(production_aws())
    for namespace in ("team-a", "team-b"):
        role = one(objects, "Role", "model-registry-reader", namespace)
        assert role["rules"] == [
            {"apiGroups": ["michelangelo.api"], "resources": ["models"], "verbs": ["get", "list", "watch"]}
        ]
        binding = one(objects, "RoleBinding", "ci-model-registry-reader", namespace)
        assert binding["roleRef"]["name"] == "model-registry-reader"
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "ci-service-account", "namespace": "ci-namespace"}
        ]


def test_without_a_ci_reader_nobody_is_bound() -> None:
    """MR-4."""
    objects = readers(environment(modelRegistry={"namespaces": ["team-a"]}))
    assert [obj["kind"] for obj in objects] == ["Role"]


def test_without_team_namespaces_there_is_nothing() -> None:
    """MR-4: the ServiceAccount alone has nothing to read."""
    assert readers(minimal()) == ()
    assert of_kind(readers(environment(modelRegistry={"ciReader": {}})), "RoleBinding") == []
