"""`michelangelo:compliance`: frameworks whose controls the environment is held to."""

from __future__ import annotations

from typing import Literal

from madeploy.settings.base import Region, Section

Framework = Literal["soc2", "gdpr", "hipaa"]


class Compliance(Section):
    """Controls of SOC 2, GDPR and HIPAA, as far as settings, objects and questions to AWS show them. What no
    software shows (contracts, training, notices) is named by `bin/madeploy evidence`, never counted."""

    frameworks: tuple[Framework, ...] = ()
    """Frameworks: `soc2`, `gdpr`, `hipaa`. Default: none."""

    regions: tuple[Region, ...] = ()
    """AWS regions that data may be in, with `gdpr`: of every store and every cluster. Default: none named."""
