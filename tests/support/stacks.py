"""Stack files for tests: the smallest valid one, with sections put over it as an operator writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from madeploy.releases import ReleaseName
from madeploy.stackfile import edit
from madeploy.stackfile.loader import CheckedStack, load_environment
from tests.support import environments
from tests.support.descriptors import FILES

MINIMAL: dict[str, Any] = environments.MINIMAL | {
    "domains": {"api": "api.example.com", "app": "app.example.com"},
    "kubeconfigs": {"control-plane": {"secure": "v1:placeholder"}},
    "access": {
        door: {"kind": "open", "reason": "Tests have no identity provider."} for door in ("browser", "api")
    },
}
"""Sections of a valid production stack."""


def stack_text(sections: dict[str, Any] | None = None, **others: Any) -> str:
    """Text of a stack file: the minimal sections with these put over them, and other top-level keys."""
    merged = MINIMAL | (sections or {})
    config = {f"michelangelo:{name}": value for name, value in merged.items() if value is not ...}
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump({"config": config, **others}, Dumper=dumper, sort_keys=False)
    return text


def load(folder: Path, sections: dict[str, Any] | None = None, **others: Any) -> CheckedStack:
    """The stack of such a file, called `Pulumi.prod.yaml`."""
    path = write(folder, sections, **others)
    return load_environment(path, "stacks/Pulumi.prod.yaml")


def write(folder: Path, sections: dict[str, Any] | None = None, name: str = "prod", **others: Any) -> Path:
    """Write such a file, called `Pulumi.<name>.yaml`, with descriptor sets beside it. Gives its path."""
    for file, content in FILES.items():
        (folder / file).write_bytes(content)
    path = folder / f"Pulumi.{name}.yaml"
    given = {"controlPlane": {"envoy": {"descriptors": "descriptors.pb"}}} | (sections or {})
    path.write_text(stack_text(given, **others), encoding="utf-8")
    return path


def for_release(path: Path, release: ReleaseName, folder: Path) -> CheckedStack:
    """A stack file of the project as its owner would have it for another release."""
    text = path.read_text(encoding="utf-8")
    if release == "2026.04":
        text = edit.set_value(text, ("platform", "release"), release)
        text = edit.set_value(text, ("images", "tag"), "sha-cbf5720")
        text = edit.remove(text, ("controlPlane", "envoy", "descriptors"))
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return load_environment(copy)
