"""Every code there is: title, severity, why it matters, what to do.

MA1xx configuration, MA2xx network and TLS, MA3xx storage and IAM, MA4xx clusters, MA5xx security,
MA6xx observability, MA7xx compliance, MA8xx upgrades, MA9xx whole environments. A code keeps its
meaning for good; one that is no longer used is not given to anything else. `docs/findings.md` is
generated from this table.
"""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.access import ACCESS
from madeploy.findings.codes.after import AFTER
from madeploy.findings.codes.before import BEFORE
from madeploy.findings.codes.code import Code
from madeploy.findings.codes.compliance import COMPLIANCE
from madeploy.findings.codes.configuration import FILE, SERVICES, SHAPE
from madeploy.findings.codes.fleets import FLEETS
from madeploy.findings.codes.kubeconfigs import KUBECONFIGS
from madeploy.findings.codes.lifecycle import LIFECYCLE
from madeploy.findings.codes.models import MODELS
from madeploy.findings.codes.monitoring import ALERTS, MONITORING
from madeploy.findings.codes.network import NETWORK, PROOF
from madeploy.findings.codes.platform import CLUSTERS, SECURITY
from madeploy.findings.codes.policies import POLICIES, READING
from madeploy.findings.codes.releases import DESCRIPTORS, RELEASES, UPGRADES
from madeploy.findings.codes.rendering import RENDERING
from madeploy.findings.codes.storage import STORAGE
from madeploy.findings.codes.verification import VERIFICATION

GROUPS: Final = (
    FILE,
    SHAPE,
    SERVICES,
    DESCRIPTORS,
    RENDERING,
    RELEASES,
    NETWORK,
    PROOF,
    ACCESS,
    STORAGE,
    MODELS,
    READING,
    CLUSTERS,
    KUBECONFIGS,
    VERIFICATION,
    LIFECYCLE,
    FLEETS,
    SECURITY,
    POLICIES,
    MONITORING,
    ALERTS,
    COMPLIANCE,
    UPGRADES,
    BEFORE,
    AFTER,
)
"""The parts of the table, in order."""

CODES: Final[dict[str, Code]] = {code: known for group in GROUPS for code, known in group.items()}
"""Every code, in order."""

__all__ = ["CODES", "GROUPS", "Code"]
