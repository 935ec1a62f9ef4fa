"""`michelangelo:modelRegistry`: who may read models, and how long they are kept."""

from __future__ import annotations

from pydantic import Field

from madeploy.settings.base import DnsLabel, Section


class CiReader(Section):
    """The ServiceAccount that continuous integration reads models with."""

    namespace: DnsLabel = "ci-namespace"
    """Namespace of the ServiceAccount."""

    service_account: DnsLabel = "ci-service-account"
    """Name of the ServiceAccount."""


class ModelRegistry(Section):
    """Access to models (model-registry guide)."""

    namespaces: tuple[DnsLabel, ...] = ()
    """Team namespaces that get the Role `model-registry-reader`. Default: none."""

    ci_reader: CiReader | None = None
    """Whom the RoleBinding `ci-model-registry-reader` admits. Default: nobody."""

    retention_days: int | None = Field(default=None, ge=1, le=3650)
    """Age in days after which models are removed. Default: kept for good."""
