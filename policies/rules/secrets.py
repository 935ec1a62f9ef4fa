"""Rules about secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .model import Rule

_SECRET_KEY = re.compile(r"(secret_?access_?key|password|passwd|token|private_?key)$", re.IGNORECASE)
_CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def _in_config_maps(token: str, properties: Mapping[str, Any]) -> Iterator[str]:
    if token != _CONFIG_MAP:
        return
    name = (properties.get("metadata") or {}).get("name")
    for key, value in (properties.get("data") or {}).items():
        if _SECRET_KEY.search(key) or (isinstance(value, str) and "PRIVATE KEY-----" in value):
            yield f"ConfigMap {name} holds a secret under {key}; everybody may read it. Use a Secret."


SECRETS_IN_CONFIG_MAPS = Rule(
    "no-secrets-in-config-maps", "Credentials are in Secrets, never in ConfigMaps.", _in_config_maps
)
