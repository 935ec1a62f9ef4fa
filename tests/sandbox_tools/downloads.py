"""What tests of downloads share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from madeploy.progress import Reporter
from madeploy.sandbox.tools import ToolPaths, ensure, releases
from madeploy.sandbox.tools.releases import RELEASES, Platform

if TYPE_CHECKING:
    from tests.sandbox_tools.conftest import Machine

PLATFORMS = [Platform(system, arch) for system in ("linux", "darwin") for arch in ("amd64", "arm64")]
LINUX = Platform("linux", "amd64")


def release_of(family: str) -> releases.Release:
    return next(release for release in RELEASES if family in release.families)


def url_of(family: str, on: Platform = LINUX) -> str:
    return release_of(family).downloads(on)[0].url


class Heard(Reporter):
    """What a run said."""

    def __init__(self) -> None:
        super().__init__(stream=open(os.devnull, "w"))  # noqa: SIM115
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def built_instead(machine: Machine, name: str = "kubeconform") -> str:
    """Ask for a tool that is then built, and return what was said about that."""
    machine.put_go()
    heard = Heard()
    tools = ensure([name], heard)
    assert (tools[name].source, tools[name].official) == ("built", False)
    (said,) = heard.said
    assert f"{name}: not downloaded, so built from source: " in said
    return said


def sources(tools: ToolPaths, expected: set[str]) -> None:
    assert {tool.source for tool in tools.values()} == expected
