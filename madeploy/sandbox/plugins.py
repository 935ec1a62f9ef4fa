"""Which plugin serves which package: an installed one where there is one, else its project's own, else one
built from source.

Decided for each package by itself. A plugin is a tool like others, looked for on PATH and otherwise
downloaded or built, but that Pulumi's plugin cache (`$PULUMI_HOME/plugins`, `~/.pulumi/plugins`) is looked
into first. The engine finds it through PATH, so that the sandbox can have a `PULUMI_HOME` of its own without
downloading anything twice."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Literal

from madeploy.sandbox import tools
from madeploy.sandbox.tools.found import LAUNCHERS, Found, on_path

PACKAGES = ("kubernetes", "aws")


@dataclass(frozen=True)
class Source:
    """A provider plugin and its origin.

    Args:
        package: "kubernetes" or "aws".
        version: of the plugin, "4.32.0"; that of the SDK in use where it does not say its own.
        kind: "official" or "built" (from source).
        executable: the plugin.
        reason: why this one, for the person who wonders.
    """

    package: str
    version: str
    kind: Literal["official", "built"]
    executable: Path
    reason: str


@dataclass(frozen=True)
class PluginChoice:
    """The plugins of a sandbox, and what the engine's environment must hold for it to use them.

    Args:
        sources: one for each package.
        path_entries: directories for the front of PATH, first one first.
        environ: environment variables to set.
    """

    sources: tuple[Source, ...]
    path_entries: tuple[Path, ...]
    environ: Mapping[str, str]

    def source(self, package: str) -> Source:
        """A provider plugin and its origin."""
        return next(source for source in self.sources if source.package == package)


def select(
    state_dir: Path, ensure: Callable[[Sequence[str]], tools.ToolPaths] = tools.ensure
) -> PluginChoice:
    """Decide on the plugins, and write what the engine starts to `<state_dir>/plugins/`.

    Args:
        state_dir: the sandbox's state directory.
        ensure: finds, downloads or builds tools by their names.

    Raises:
        SandboxError: a plugin can be neither found nor got.
    """
    found = {package: on_path(tools.TOOLS[_program(package)]) for package in PACKAGES}
    installed = {package: _installed(package, found[package]) for package in PACKAGES}
    missing = [_program(package) for package, source in installed.items() if source is None]
    got = ensure(missing) if missing else tools.ToolPaths()
    sources = tuple(source or _made(package, found[package], got) for package, source in installed.items())
    launchers = state_dir / "plugins"
    launchers.mkdir(mode=0o700, parents=True, exist_ok=True)
    (launchers / LAUNCHERS).touch()
    for source in sources:
        _write_launcher(launchers / _program(source.package), source)
    return PluginChoice(
        sources=sources,
        path_entries=(launchers,),
        # The engine must neither pass over PATH nor look for anything else.
        environ={
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
    )


def _program(package: str) -> str:
    return f"pulumi-resource-{package}"


def _made(package: str, refused: Found | None, got: tools.ToolPaths) -> Source:
    tool = got[_program(package)]
    if tool.official:
        return Source(package, tool.version, "official", tool.path, "downloaded from its project")
    reason = refused.problem if refused else "no official one is installed or could be downloaded"
    return Source(package, tool.version, "built", tool.path, reason)


def _installed(package: str, found: Found | None) -> Source | None:
    version = installed_version(f"pulumi-{package}")
    if found and not found.problem:
        reason = f"{found.path} is on PATH"
        return Source(package, found.version or version, "official", found.path, reason)
    if cached := _in_cache(_program(package), package, version):
        return Source(package, version, "official", cached, f"in Pulumi's plugin cache, {cached.parent}")
    return None


def _in_cache(name: str, package: str, version: str) -> Path | None:
    for home in _pulumi_homes():
        directory = home / "plugins" / f"resource-{package}-v{version}"
        # Pulumi marks a download under way, or broken off, by a file beside it.
        unfinished = directory.with_name(f"{directory.name}.partial").exists()
        if not unfinished and os.access(directory / name, os.X_OK):
            return directory / name
    return None


def _pulumi_homes() -> list[Path]:
    stated = os.environ.get("PULUMI_HOME")
    own = Path.home() / ".pulumi"
    return [Path(stated), own] if stated else [own]


_LAUNCHER = """#!/bin/sh
# The plugin of pulumi-{package} in the sandbox.
{prepare}exec {plugin} "$@"
"""

_LOCAL_AWS = """: "${AWS_ENDPOINT_URL:?is not set: this plugin serves the local AWS only, see sandbox env}"
# Hosts below the local AWS (S3 Control puts the account before the host) are names that nobody resolves, and
# hosts elsewhere are none of the sandbox's: both go to the local AWS.
export HTTP_PROXY="$AWS_ENDPOINT_URL" HTTPS_PROXY="$AWS_ENDPOINT_URL" NO_PROXY=127.0.0.1,localhost
unset http_proxy https_proxy no_proxy
# Looks until AWS answers alike ten times over are made for AWS, which answers late: here one follows at once
# on the other. The official plugin does not know the variable and waits.
export MADEPLOY_AWS_WAIT_SECONDS=0.2
"""


def _write_launcher(path: Path, source: Source) -> None:
    prepare = _LOCAL_AWS if source.package == "aws" else ""
    plugin = shlex.quote(str(source.executable))
    text = _LAUNCHER.format(package=source.package, prepare=prepare, plugin=plugin)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o755)
    temporary.replace(path)
