"""What the engine needs to find its plugins, its language host and Python, in tests as in a sandbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from madeploy.sandbox.plugins import PluginChoice


def engine_variables(choice: PluginChoice, tools: Mapping[str, Path]) -> dict[str, str]:
    """Variables of a shell in which `pulumi` works with these plugins."""
    path = [*choice.path_entries, Path(sys.executable).parent, tools["pulumi"].parent]
    path += [tools["pulumi-language-python"].parent, Path(os.environ["PATH"])]
    return {**choice.environ, "PATH": os.pathsep.join(map(str, path)), "PULUMI_SKIP_UPDATE_CHECK": "true"}
