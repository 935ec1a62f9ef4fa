"""The Pulumi CLI: that it is there, logged in, has the stack and can read its secrets, and its plugins."""

from __future__ import annotations

import json
import os
import re
import shutil
from importlib.metadata import version
from typing import Any, Final

from madeploy.doctor.checks import NotCheckedError, NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, Severity, find
from madeploy.settings import PROJECT
from madeploy.settings.storage import AwsStorage
from madeploy.stacks.pulumi import pulumi

OLDEST: Final = (3, 250)
"""Oldest version of the CLI: the one the program's SDK is made for."""
_SECONDS: Final = 12.0
_NO_FETCHING: Final = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
_NO_STACK: Final = "no stack named"


def cli() -> Seen:
    """Whether the Pulumi CLI is on PATH, in a version that is known to work."""
    try:
        said = _ask("version").strip()
    except _SaidNoError as error:
        said = str(error)
    except ToolkitError as error:
        return [find("MA900", "pulumi", error.why)]
    found = re.search(r"v?(\d+)\.(\d+)\.\d+", said)
    if found is None:
        return [find("MA900", "pulumi", "does not tell its version")]
    if (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return [find("MA900", "pulumi", f"is {found[0]}; {oldest} is the oldest that is known to work")]
    return f"pulumi {found[0]} at {shutil.which('pulumi')}"


def plugins(site: Site) -> Seen:
    """Whether the providers' plugins are installed; the CLI fetches them otherwise, where it may."""
    wanted = ["kubernetes", *(["aws"] if isinstance(site.environment.storage, AwsStorage) else [])]
    installed: list[dict[str, Any]] = _json("plugin", "ls", "--json")
    found: list[Finding] = []
    seen = []
    for name in wanted:
        needed = version(f"pulumi-{name}")
        has = [str(item.get("version")) for item in installed if item.get("name") == name]
        # A plugin on PATH comes before all that are installed.
        on_path = shutil.which(f"pulumi-resource-{name}")
        if on_path or needed in has:
            seen.append(f"{name} {needed}" if needed in has else f"{name} at {on_path}")
            continue
        others = f", only {', '.join(has)}" if has else ""
        fix = f"Install it:\npulumi plugin install resource {name} {needed}"
        forbidden = os.environ.get(_NO_FETCHING) in ("1", "true")
        evidence = f"is not installed{others}" + (f", and {_NO_FETCHING} is set" if forbidden else "")
        severity: Severity | None = "error" if forbidden else None
        found.append(find("MA901", f"plugin {name} {needed}", evidence, fix=fix, severity=severity))
    return found or ", ".join(seen)


def backend(site: Site) -> Seen:
    """Whether the backend takes the login, and has the stack."""
    try:
        listed: list[dict[str, Any]] = _json("stack", "ls", "--json", f"--project={PROJECT}")
    except _SaidNoError as error:
        fix = "Log in to where its state is kept:\npulumi login"
        return [find("MA902", "pulumi", str(error), fix=fix)]
    # Pulumi Cloud puts the organisation before the name.
    names = [str(item["name"]).rpartition("/")[2] for item in listed]
    if site.stack not in names:
        fix = f"Make it:\npulumi stack init {site.stack}"
        return [find("MA935", site.stack, f"the backend has {', '.join(names) or 'no stack'}", fix=fix)]
    return f"the backend has stack {site.stack}"


def secrets(site: Site) -> Seen:
    """Whether the stack's secrets can be decrypted. None is shown."""
    try:
        shown = _json("config", "--show-secrets", "--json", "--stack", site.stack)
    except _SaidNoError as error:
        if _NO_STACK in str(error):
            raise NotCheckedError(f"the backend has no stack {site.stack}") from None
        return [find("MA903", site.stack, str(error))]
    count = sum(bool(item.get("secret")) for item in shown.values())
    if not count:
        raise NotNeededError("the stack file holds no secret")
    return f"{count} secrets of the stack can be decrypted"


def has_resource(site: Site, urn: str) -> bool:
    """Whether the stack's state is known to have a resource."""
    try:
        state = _json("stack", "export", "--stack", site.stack)
    except (ToolkitError, _SaidNoError):
        return False
    return any(item["urn"] == urn for item in (state.get("deployment") or {}).get("resources") or ())


class _SaidNoError(NotCheckedError):
    """The CLI ended with an error; the text is what it said."""


def _ask(*arguments: str) -> str:
    """Standard output of a short command. Raises ToolkitError without a CLI, _SaidNoError when it fails."""
    fix = "install it; bin/madeploy tools shows what is there and in which version"
    done = pulumi(*arguments, what="the Pulumi CLI cannot be asked", fix=fix, seconds=_SECONDS)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        last = said[-1].removeprefix("error: ") if said else f"exit code {done.returncode}"
        raise _SaidNoError(last)
    return done.stdout


def _json(*arguments: str) -> Any:
    try:
        return json.loads(_ask(*arguments))
    except ValueError:
        raise _SaidNoError("the CLI answers with something else than JSON") from None
