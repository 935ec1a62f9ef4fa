"""Every code there is: title, severity, why it matters, what to do.

MA1xx configuration, MA2xx network and TLS, MA3xx storage and IAM, MA4xx clusters, MA5xx security,
MA6xx observability, MA7xx compliance, MA8xx upgrades, MA9xx whole environments. A code keeps its
meaning for good; one that is no longer used is not given to anything else. `docs/findings.md` is
generated from this table, from the rules between settings and from the policies, whose words stand at their
functions (`madeploy/rules/`, `policies/rules/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from madeploy.findings.codes.after import AFTER
from madeploy.findings.codes.before import BEFORE
from madeploy.findings.codes.code import Code
from madeploy.findings.codes.compliance import COMPLIANCE
from madeploy.findings.codes.configuration import FILE, SHAPE
from madeploy.findings.codes.fleets import FLEETS
from madeploy.findings.codes.kubeconfigs import KUBECONFIGS
from madeploy.findings.codes.lifecycle import LIFECYCLE
from madeploy.findings.codes.models import MODELS
from madeploy.findings.codes.monitoring import ALERTS
from madeploy.findings.codes.network import NETWORK, PROOF
from madeploy.findings.codes.platform import CLUSTERS, SECURITY
from madeploy.findings.codes.reading import READING
from madeploy.findings.codes.releases import UPGRADES
from madeploy.findings.codes.rendering import RENDERING
from madeploy.findings.codes.symptoms import SYMPTOMS
from madeploy.findings.codes.verification import VERIFICATION

GROUPS: Final = (
    FILE,
    SHAPE,
    RENDERING,
    NETWORK,
    PROOF,
    MODELS,
    READING,
    CLUSTERS,
    KUBECONFIGS,
    VERIFICATION,
    LIFECYCLE,
    FLEETS,
    SECURITY,
    ALERTS,
    COMPLIANCE,
    UPGRADES,
    BEFORE,
    AFTER,
    SYMPTOMS,
)
"""The parts of the table, in order."""

CODES: Final[dict[str, Code]] = {code: known for group in GROUPS for code, known in group.items()}
"""Every code that is known; with `madeploy.rules` imported those of the rules between settings too, and with
`madeploy.policy` those of the policies."""


def register(words: Mapping[str, Code]) -> None:
    """Add codes whose words stand elsewhere. Raises ValueError for one that is there already."""
    for code, known in words.items():
        if CODES.get(code, known) != known:
            raise ValueError(f"{code} has two meanings")
        CODES[code] = known


__all__ = ["CODES", "GROUPS", "Code", "register"]
