"""The programs the sandbox runs: found on PATH, taken from the cache, downloaded, or built from source.

from madeploy.sandbox.tools import ensure

tools = ensure(["etcd", "kube-apiserver"])
tools.path("etcd")          # Path of an executable
tools.directories()         # to put first on PATH
"""

from madeploy.sandbox.tools.catalog import DEFAULT_TOOLS, FAMILIES, TESTED_TOOLS, TOOLS, Family, Tool
from madeploy.sandbox.tools.resolve import ResolvedTool, ToolPaths, ToolStatus, ensure, inspect

__all__ = [
    "DEFAULT_TOOLS",
    "FAMILIES",
    "TESTED_TOOLS",
    "TOOLS",
    "Family",
    "ResolvedTool",
    "Tool",
    "ToolPaths",
    "ToolStatus",
    "ensure",
    "inspect",
]
