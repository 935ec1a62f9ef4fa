"""What the engine needs to find its plugins, its language host and Python, in tests as in a sandbox."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from madeploy.sandbox.plugins import PluginChoice, select


def engine_variables(choice: PluginChoice, tools: Mapping[str, Path]) -> dict[str, str]:
    """Variables of a shell in which `pulumi` works with these plugins."""
    path = [*choice.path_entries, Path(sys.executable).parent, tools["pulumi"].parent]
    path += [tools["pulumi-language-python"].parent, Path(os.environ["PATH"])]
    return {**choice.environ, "PATH": os.pathsep.join(map(str, path)), "PULUMI_SKIP_UPDATE_CHECK": "true"}


@contextlib.contextmanager
def chosen(folder: Path, tools: Mapping[str, Path], variables: Mapping[str, str]) -> Iterator[PluginChoice]:
    """The plugins under test, laid out in a folder and on PATH with the engine, beside other variables."""
    choice = select(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**variables, **engine_variables(choice, tools)}.items():
            patch.setenv(name, value)
        yield choice
