"""The stack that the policy pack runs for: its tier, its release and its suppressions.

The engine tells a pack its stack's configuration only through the environment, and not every language host
hands that on. Where nothing is known, production's rules hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from rules.model import Tier
from rules.suppressions import Suppression, day

_PROJECT = "michelangelo"
_STACKS = Path(__file__).resolve().parent.parent / "stacks"


def _file() -> Path | None:
    """The stack's file, as Pulumi's CLI would find it."""
    named = os.environ.get("PULUMI_OPTION_CONFIG_FILE")
    stack = os.environ.get("PULUMI_STACK", "").rpartition("/")[2]
    path = Path(named) if named else _STACKS / f"Pulumi.{stack}.yaml"
    return path if path.is_file() else None


def _section(name: str) -> Mapping[str, Any]:
    """One plain section of the stack's configuration; empty where there is none or it cannot be read: the
    program itself refuses configuration that is wrong."""
    key = f"{_PROJECT}:{name}"
    value: Any = None
    try:
        value = json.loads(os.environ.get("PULUMI_CONFIG", "{}")).get(key)
        if isinstance(value, str):
            value = json.loads(value)
        elif value is None and (path := _file()) is not None:
            value = (yaml.safe_load(path.read_text(encoding="utf-8")).get("config") or {}).get(key)
    except (ValueError, AttributeError, OSError, yaml.YAMLError):
        pass
    return value if isinstance(value, Mapping) else {}


def tier() -> Tier:
    """The environment's tier, `production` where it is not known."""
    given = _section("platform").get("tier")
    return cast(Tier, given) if given in ("development", "staging", "production") else "production"


def release() -> str:
    """The release of the platform that the environment runs; empty where it is not known."""
    given = _section("platform").get("release")
    return given if isinstance(given, str) else ""


def suppressions() -> list[Suppression]:
    """The stack's suppressions; those that the program would refuse are left out."""
    found = []
    for item in _section("policies").get("suppressions") or ():
        try:
            found.append(
                Suppression(
                    item["rule"], item["object"], item["reason"], day(item["expires"]), "the stack's policies"
                )
            )
        except (KeyError, TypeError, ValueError):
            continue
    return found
