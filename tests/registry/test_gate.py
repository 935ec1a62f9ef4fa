"""The model registry waits for what it consists of."""

from __future__ import annotations

from manifests.definitions import MODEL
from tests.support.environments import environment
from tests.support.programs import deploy


def test_retention_waits_for_the_definition_of_model_and_rights_do_not() -> None:
    """MR-3: it comes with the platform's API server, and not with anything that is created here."""
    assert MODEL.names == ("models.michelangelo.api",)
    recording, _ = deploy(environment(modelRegistry={"namespaces": ["team-a"], "retentionDays": 90}))
    ours = [made for made in recording.resources if made.name.startswith("model-registry-")]
    assert {made.type.rpartition(":")[2] for made in ours} == {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CronJob",
        "Role",
        "ServiceAccount",
    }
    rights = ("ClusterRole", "ClusterRoleBinding", "Role", "ServiceAccount")
    waiting = {made.hooks for made in ours if made.type.rpartition(":")[2] not in rights}
    assert waiting == {("model-definition",)}
