"""What is read of Kubernetes objects, which come as plain data: any part may be missing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


def conditions(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The conditions in an object's status."""
    return (item.get("status") or {}).get("conditions") or ()


def condition(item: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of a type; {} where the object has none."""
    return next((each for each in conditions(item) if each.get("type") == kind), {})


def is_ready(item: Mapping[str, Any]) -> bool:
    """Whether the condition `Ready` is true."""
    return bool(condition(item, "Ready").get("status") == "True")


def secret_value(secret: Mapping[str, Any] | None, key: str) -> bytes:
    """What a Secret holds under a key; nothing where it is not there, or is not base64."""
    try:
        return base64.b64decode(((secret or {}).get("data") or {}).get(key) or "")
    except binascii.Error:
        return b""


def secret_text(secret: Mapping[str, Any] | None, key: str) -> str:
    """The same as text."""
    return secret_value(secret, key).decode("utf-8", errors="replace")


def seconds_of(stamp: str) -> float:
    """A time as Kubernetes writes it (`2026-01-31T12:00:00Z`), in seconds since 1970."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
