"""Which tests run one after the other in the same worker, and which workers begin with."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

CLUSTERS = "tests/sandbox/"
"""Where tests on real engine and API servers are."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "deployed": (
        "test_slice.py",
        "test_evidence_live.py",
        "test_render_live.py",
        "test_lifecycle.py",
        "test_clusters_adopt.py",
        "test_tenants_deployed.py",
        "test_down.py",
    ),
    "programs": (
        "test_waiting.py",
        "test_objects.py",
        "test_unreachable.py",
        "test_secrets.py",
        "test_tenants.py",
        "test_helm.py",
        "test_stack.py",
        "test_policy_pack.py",
        "test_user_clusters.py",
    ),
    "clusters": (
        "test_faults.py",
        "test_verification.py",
        "test_wire.py",
        "test_supervision.py",
        "test_environment.py",
        "test_actors.py",
        "test_models.py",
        "test_models_command.py",
        "test_models_workflow.py",
        "test_rollout.py",
        "test_rollouts.py",
        "test_rights.py",
        "test_target_rights.py",
        "test_manifests.py",
        "test_definitions.py",
    ),
    "fixes": (
        "test_fixes_after.py",
        "test_fixes_before.py",
        "test_fixes_doors.py",
        "test_fixes_engine.py",
        "test_fixes_outside.py",
        "test_fixes_pods.py",
        "test_fixes_rollouts.py",
        "test_fixes_services.py",
        "test_fixes_tools.py",
        "test_many_clusters.py",
    ),
}
"""Files that share what takes long to start, in the order in which they use it. Those of `deployed` share one
deployed sandbox, which the last one ends; the others an embedded environment each."""

FIRST = (
    *GROUPS["deployed"],
    *GROUPS["clusters"],
    *GROUPS["programs"],
    "test_artifact_store.py",
    "test_doctor.py",
    "test_upgrade.py",
    "test_fleet.py",
    *GROUPS["fixes"],
    "test_replacements.py",
    "test_recover.py",
    "test_renamed_cluster.py",
    "test_render.py",
    "test_published_definitions.py",
)
"""What takes longest, longest first."""

_GROUP = {file: group for group, files in GROUPS.items() for file in files}


def in_order(items: list[pytest.Item]) -> None:
    """Sort tests: files on Python alone first, because what comes later leaves variables in its process; then
    the longest."""
    on_clusters = {item.path for item in items if item.get_closest_marker("sandbox")}

    def place(item: pytest.Item) -> tuple[bool, int]:
        is_known = item.path in on_clusters and item.path.name in FIRST
        return item.path in on_clusters, FIRST.index(item.path.name) if is_known else len(FIRST)

    items.sort(key=place)


class ByDeployment(LoadScopeScheduling):
    """Gives each worker whole files, and all files of a group to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return _GROUP.get(file.rpartition("/")[2], file) if file.startswith(CLUSTERS) else file
