"""Which tests on real clusters run one after the other in the same worker, and which workers begin with."""

from __future__ import annotations

from xdist.scheduler.loadscope import LoadScopeScheduling

SHARING = (
    "test_slice.py",
    "test_render_live.py",
    "test_lifecycle.py",
    "test_clusters_adopt.py",
    "test_tenants_deployed.py",
    "test_down.py",
)
"""Files whose tests share one deployed sandbox, in the order in which they use it: the last one ends it."""

FIRST = (
    *SHARING,
    "test_fleet.py",
    "test_upgrade.py",
    "test_replacements.py",
    "test_artifact_store.py",
    "test_supervision.py",
    "test_faults.py",
)
"""What takes longest, longest first."""


def place(file: str) -> int:
    """Where a file of tests stands in the order."""
    return FIRST.index(file) if file in FIRST else len(FIRST)


class ByDeployment(LoadScopeScheduling):
    """Gives each worker whole files, and all files that share a deployed sandbox to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "deployed" if file.rpartition("/")[2] in SHARING else file
