"""Which plugin serves which package: the official one where it is at hand, else the offline stand-in.

Decided for each package by itself. An official plugin is looked for on PATH, then in Pulumi's plugin cache
(`$PULUMI_HOME/plugins`, `~/.pulumi/plugins`); then one download is tried. What is found in a cache is
handed to the engine through PATH, so that the sandbox can have a `PULUMI_HOME` of its own without
downloading anything twice."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Literal

from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.plugins.endpoints import STATE_VARIABLE
from madeploy.sandbox.progress import phase, say
from madeploy.sandbox.tools import cache

Mode = Literal["auto", "official", "offline"]

MODE_VARIABLE = "MADEPLOY_PLUGINS"
"""The environment variable that turns `auto` into one of the other two."""
PACKAGES = ("kubernetes", "aws")

DOWNLOAD_SECONDS = 90.0
REFUSAL_SECONDS = 24 * 3600.0
"""How long a failed download is not tried again."""
REFUSALS_FILE = "plugin-downloads.json"

_OURS = "madeploy.sandbox.plugins"


@dataclass(frozen=True)
class Source:
    """Where the plugin of one package comes from.

    Args:
        package: "kubernetes" or "aws".
        version: of the SDK in use, "4.32.0".
        kind: "official" or "offline".
        executable: the plugin.
        reason: why this one, for the person who wonders.
    """

    package: str
    version: str
    kind: Literal["official", "offline"]
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

    @property
    def kind(self) -> Literal["official", "offline", "mixed"]:
        """The kind of all plugins, or "mixed"."""
        kinds = {source.kind for source in self.sources}
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def reason(self) -> str:
        """One line for each package: what is used, and why."""
        return "\n".join(
            f"{source.package} {source.version}: {source.kind} plugin ({source.reason})"
            for source in self.sources
        )


def select(
    state_dir: Path,
    mode: Mode = "auto",
    *,
    pulumi: Path,
    environ: Mapping[str, str],
    download_seconds: float = DOWNLOAD_SECONDS,
) -> PluginChoice:
    """Decide on the plugins, and write the launchers of the stand-ins in use to `<state_dir>/plugins/`.

    Args:
        state_dir: the sandbox's state directory.
        mode: "official" and "offline" allow nothing else; "auto" prefers official. `$MADEPLOY_PLUGINS`
            decides where `mode` is "auto".
        pulumi: the Pulumi CLI, which downloads plugins.
        environ: the user's environment, before the sandbox adds to it.
        download_seconds: how long one download may take; 0 for no download.

    Raises:
        SandboxError: mode "official", and a plugin is neither installed nor downloadable; or
            `$MADEPLOY_PLUGINS` holds another word.
    """
    mode = _mode(mode, environ)
    launchers = state_dir / "plugins"
    launchers.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = {package: installed_version(f"pulumi-{package}") for package in PACKAGES}
    with ThreadPoolExecutor(len(wanted)) as pool:
        asked = [
            pool.submit(_source, package, version, mode, state_dir, pulumi, environ, download_seconds)
            for package, version in wanted.items()
        ]
        sources = tuple(answer.result() for answer in asked)
    for source in sources:
        launcher = launchers / f"pulumi-resource-{source.package}"
        if source.kind == "offline":
            _write_launcher(launcher, source.package)
        else:
            # An old launcher would stand before the official plugin on PATH.
            launcher.unlink(missing_ok=True)
    entries = [launchers] if any(source.kind == "offline" for source in sources) else []
    entries += [source.executable.parent for source in sources if source.kind == "official"]
    return PluginChoice(
        sources=sources,
        path_entries=tuple(dict.fromkeys(entries)),
        environ={
            STATE_VARIABLE: str(state_dir),
            # The engine must neither pass over PATH nor look for what is known not to be downloadable.
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
    )


def _mode(mode: Mode, environ: Mapping[str, str]) -> Mode:
    stated = environ.get(MODE_VARIABLE, "").strip().lower()
    if mode != "auto" or not stated:
        return mode
    modes: dict[str, Mode] = {"auto": "auto", "official": "official", "offline": "offline"}
    if stated not in modes:
        raise SandboxError(
            f"{MODE_VARIABLE} is {stated!r}",
            f"it says which provider plugins the sandbox uses, and accepts {', '.join(modes)}",
            f"unset {MODE_VARIABLE}, or set it to one of them",
            exit_code=2,
        )
    return modes[stated]


def _source(
    package: str,
    version: str,
    mode: Mode,
    state_dir: Path,
    pulumi: Path,
    environ: Mapping[str, str],
    download_seconds: float,
) -> Source:
    name = f"pulumi-resource-{package}"
    offline = state_dir / "plugins" / name
    if mode == "offline":
        return Source(package, version, "offline", offline, "as asked for")
    if found := _on_path(name, environ):
        return Source(package, version, "official", found, f"{found} is on PATH")
    if found := _in_cache(name, package, version, environ):
        return Source(package, version, "official", found, f"in Pulumi's plugin cache, {found.parent}")
    refusal = _download(package, version, mode, pulumi, environ, download_seconds)
    if not refusal and (found := _in_cache(name, package, version, environ)):
        return Source(package, version, "official", found, f"downloaded to {found.parent}")
    refusal = refusal or "the download left no plugin behind"
    if mode == "official":
        raise SandboxError(
            f"the official plugin of pulumi-{package} {version} is not installed and cannot be downloaded",
            refusal,
            f"run `pulumi plugin install resource {package} v{version}` where there is a network, put {name} "
            "on PATH, or leave the choice to the sandbox (auto)",
        )
    return Source(package, version, "offline", offline, f"no official one at hand: {refusal}")


def _on_path(name: str, environ: Mapping[str, str]) -> Path | None:
    for entry in environ.get("PATH", "").split(os.pathsep):
        candidate = Path(entry) / name
        if entry and _is_executable(candidate) and not _is_ours(candidate):
            return candidate.absolute()
    return None


def _in_cache(name: str, package: str, version: str, environ: Mapping[str, str]) -> Path | None:
    for home in _pulumi_homes(environ):
        directory = home / "plugins" / f"resource-{package}-v{version}"
        # Pulumi marks a download under way, or broken off, by a file beside it.
        unfinished = directory.with_name(f"{directory.name}.partial").exists()
        if not unfinished and _is_executable(directory / name) and not _is_ours(directory / name):
            return directory / name
    return None


def _pulumi_homes(environ: Mapping[str, str]) -> list[Path]:
    stated = environ.get("PULUMI_HOME")
    own = Path(environ.get("HOME") or Path.home()) / ".pulumi"
    return [Path(stated), own] if stated else [own]


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _OURS.encode() in file.read(4096)
    except OSError:
        return False


def _download(
    package: str,
    version: str,
    mode: Mode,
    pulumi: Path,
    environ: Mapping[str, str],
    seconds: float,
) -> str:
    """Try to install the official plugin; why that was not to be, or the empty string."""
    if not seconds:
        return "none is installed"
    # Of the machine, not of one sandbox: the next checkout need not wait for the same answer.
    refusals = cache.directory(environ) / f"{package}-{REFUSALS_FILE}"
    if mode == "auto" and (told := _remembered(refusals, version)):
        return told
    command = [str(pulumi), "plugin", "install", "resource", package, f"v{version}"]
    with phase(f"downloading the plugin of pulumi-{package} {version}"):
        refusal = _run(command, {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}, seconds)
    if refusal:
        say(f"no official plugin for pulumi-{package}: {refusal}")
        refusals.parent.mkdir(parents=True, exist_ok=True)
        refusals.write_text(
            json.dumps({"version": version, "time": time.time(), "why": refusal}), encoding="utf-8"
        )
    else:
        refusals.unlink(missing_ok=True)
    return refusal


def _remembered(refusals: Path, version: str) -> str:
    try:
        refused = json.loads(refusals.read_text(encoding="utf-8"))
        recent = 0 <= time.time() - refused["time"] < REFUSAL_SECONDS
        return str(refused["why"]) if recent and refused["version"] == version else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _run(command: list[str], environ: Mapping[str, str], seconds: float) -> str:
    """Run `command` for at most `seconds`; what it said when it failed, or the empty string."""
    try:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        return f"{command[0]} cannot be started ({error.strerror})"
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end_group(process)
        return f"the download was not over after {seconds:.0f} s"
    except BaseException:
        _end_group(process)
        raise
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return "" if process.returncode == 0 else (lines[-1] if lines else f"exit code {process.returncode}")


def _end_group(process: subprocess.Popen[str]) -> None:
    for ending in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, ending)
            process.wait(timeout=5)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        else:
            return


# The engine starts plugins in the program's directory, which must not shadow a module of theirs: isolated
# mode.
_START = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    'runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)'
)


def _write_launcher(path: Path, package: str) -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-I", "-c", _START, str(root), f"{_OURS}.{package}"]
    text = (
        "#!/bin/sh\n"
        f"# Offline stand-in for pulumi-{package}, for the sandbox only ({_OURS}).\n"
        f'exec {shlex.join(command)} "$@"\n'
    )
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o755)
    temporary.replace(path)
