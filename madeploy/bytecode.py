"""Compiles what commands and the Pulumi program import, by importing it: `python -m madeploy.bytecode`.

The environment's makers do not: uv compiles nothing, and all of the packages are 14,000 files, of which
one in ten is ever imported.
"""

from __future__ import annotations

import importlib
import pkgutil

# Of the policies, the pack itself starts in its own directory and imports from there.
PACKAGES = ("madeploy", "components", "manifests", "policies.rules")


def compile_imports() -> None:
    """Import every module of the project, but for those that are programs."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


if __name__ == "__main__":
    compile_imports()
