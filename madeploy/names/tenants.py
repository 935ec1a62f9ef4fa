"""Names around tenants."""

from __future__ import annotations

from typing import Final

TENANT_LABEL: Final = "michelangelo.infra/tenant"
"""Label of everything that belongs to a tenant, its namespace included: the tenant's name. Objects with it
stay on the cluster when they leave the settings."""

SHARED: Final = "shared"
"""The same label on what all tenants have in common."""

VIEWER: Final = "michelangelo-viewer"
"""ClusterRole of those who look at a tenant's objects; the released charts' own name for it."""

EDITOR: Final = "michelangelo-editor"
"""ClusterRole of those who change them."""

WORKER_QUEUE: Final = "michelangelo/worker_queue"
"""Annotation of a Project that names the queue of its runs (facts 2.2)."""

ISOLATION: Final = "deny-cross-namespace"
"""NetworkPolicy of a tenant's namespace, as the authentication guide calls it."""
