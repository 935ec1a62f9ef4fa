"""Rules about Kubernetes rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .model import Rule

_ROLES = tuple(f"kubernetes:rbac.authorization.k8s.io/v1:{kind}" for kind in ("Role", "ClusterRole"))


def _wildcards(token: str, properties: Mapping[str, Any]) -> Iterator[str]:
    if token not in _ROLES:
        return
    name = (properties.get("metadata") or {}).get("name")
    for rule in properties.get("rules") or ():
        for key in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
            if "*" in (rule.get(key) or ()):
                yield f"{token.rpartition(':')[2]} {name} grants every one of {key}; name those it needs."


WILDCARD_RIGHTS = Rule("no-wildcard-rights", "Roles name what they grant.", _wildcards)
