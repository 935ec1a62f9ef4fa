"""Which plugin is chosen, tried with directories that look like installations."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from madeploy.sandbox import plugins
from madeploy.sandbox.plugins import PluginChoice
from madeploy.sandbox.tools import ResolvedTool, ToolPaths

Select = Callable[..., PluginChoice]
KUBERNETES = f"resource-kubernetes-v{version('pulumi-kubernetes')}"
SHOWING = '#!/bin/sh\necho "$0 $*"\nenv\n'
"""A plugin that prints how it was started."""


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MADEPLOY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PULUMI_HOME", raising=False)


@pytest.fixture
def select(tmp_path: Path) -> Select:
    """`plugins.select` on that machine, with tools that are got at once: `official` says which are."""

    def choose(official: Sequence[str] = (), state: str = "state") -> PluginChoice:
        def ensure(names: Sequence[str]) -> ToolPaths:
            got = ToolPaths()
            for name in names:
                path = program(tmp_path / state / "got" / name, SHOWING)
                got[name] = ResolvedTool(name, "1.2.3", "cache", path, 0.0, name in official)
            return got

        return plugins.select(tmp_path / state, ensure)

    return choose


def kinds(choice: PluginChoice) -> dict[str, str]:
    return {source.package: source.kind for source in choice.sources}


def test_a_plugin_in_a_bare_directory_on_path_is_used(tmp_path: Path, select: Select) -> None:
    """UX-1: the official plugin is used unchanged where it is installed; each package by itself, and only
    what is missing is built."""
    found = program(tmp_path / "bin" / "pulumi-resource-kubernetes")
    choice = select()
    assert kinds(choice) == {"kubernetes": "official", "aws": "built"}
    assert choice.source("kubernetes").executable == found
    assert choice.source("aws").version == "1.2.3"
    assert [path.name for path in (tmp_path / "state" / "got").iterdir()] == ["pulumi-resource-aws"]


@pytest.mark.parametrize("home", ["stated", "own"])
def test_a_plugin_in_pulumis_cache_is_put_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, select: Select, home: str
) -> None:
    """The sandbox has a PULUMI_HOME of its own; what the user has downloaded is used all the same."""
    cache = tmp_path / "elsewhere" if home == "stated" else tmp_path / "home" / ".pulumi"
    if home == "stated":
        monkeypatch.setenv("PULUMI_HOME", str(cache))
    found = program(cache / "plugins" / KUBERNETES / "pulumi-resource-kubernetes")
    choice = select()
    assert choice.source("kubernetes").kind == "official"
    assert choice.source("kubernetes").executable == found


def test_an_unfinished_download_and_another_version_are_not_used(tmp_path: Path, select: Select) -> None:
    """Pulumi marks a broken-off download by a file beside the directory."""
    cache = tmp_path / "home" / ".pulumi" / "plugins"
    program(cache / KUBERNETES / "pulumi-resource-kubernetes")
    (cache / f"{KUBERNETES}.partial").touch()
    program(cache / "resource-kubernetes-v3.0.0" / "pulumi-resource-kubernetes")
    assert kinds(select())["kubernetes"] == "built"


def test_a_launcher_on_path_is_not_taken_for_a_plugin(
    monkeypatch: pytest.MonkeyPatch, select: Select
) -> None:
    """UX-1: `sandbox env` puts launchers on PATH, so the next `sandbox up` finds them there, of whichever
    sandbox."""
    first = select()
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, [*first.path_entries, os.environ["PATH"]])))
    second = select(state="other")
    assert kinds(second) == {"kubernetes": "built", "aws": "built"}


def test_a_plugin_on_path_of_a_version_that_the_program_is_not_made_for_is_passed_over(
    tmp_path: Path, select: Select
) -> None:
    """UX-3: judged like any other tool; the reason stands with the one that is used instead."""
    program(tmp_path / "bin" / "pulumi-resource-aws", "#!/bin/sh\necho v6.83.0\n")
    program(tmp_path / "bin" / "pulumi-resource-kubernetes", "#!/bin/sh\necho v4.33.1\n")
    choice = select()
    assert kinds(choice) == {"kubernetes": "official", "aws": "built"}
    assert choice.source("kubernetes").version == "4.33.1"
    assert "is 6.83.0; accepted is >=7,<8" in choice.source("aws").reason


def test_what_is_got_is_official_or_built_from_source(select: Select) -> None:
    """UX-1: said for each package, with its version and why."""
    choice = select(official=["pulumi-resource-aws"])
    assert kinds(choice) == {"kubernetes": "built", "aws": "official"}
    assert "no official one" in choice.source("kubernetes").reason
    assert {source.version for source in choice.sources} == {"1.2.3"}


def started(choice: PluginChoice, package: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The plugin as the engine starts it: the first of its name on PATH."""
    (entry,) = choice.path_entries
    command = [str(entry / f"pulumi-resource-{package}"), "127.0.0.1:1", "a b"]
    return subprocess.run(
        command, env={"PATH": os.defpath, **environ}, capture_output=True, text=True, check=False
    )


def test_plugins_are_started_with_their_arguments_and_that_of_aws_is_led_to_the_local_one(
    tmp_path: Path, select: Select
) -> None:
    """UX-1: hosts that nobody resolves, and those of AWS itself, whatever proxies the shell has; the
    plugin of Kubernetes, which may work on a user's clusters, keeps them."""
    program(tmp_path / "bin" / "pulumi-resource-kubernetes", SHOWING)
    choice = select()
    local = {"AWS_ENDPOINT_URL": "http://127.0.0.1:5", "https_proxy": "http://proxy:1", "no_proxy": "*"}
    aws = started(choice, "aws", **local)
    assert aws.stdout.splitlines()[0].endswith("/got/pulumi-resource-aws 127.0.0.1:1 a b")
    variables = dict(line.partition("=")[::2] for line in aws.stdout.splitlines()[1:])
    assert {name: value for name, value in variables.items() if "proxy" in name.lower()} == {
        "HTTP_PROXY": "http://127.0.0.1:5",
        "HTTPS_PROXY": "http://127.0.0.1:5",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    kubernetes = started(choice, "kubernetes", **local)
    assert "https_proxy=http://proxy:1" in kubernetes.stdout
    assert "HTTP_PROXY" not in kubernetes.stdout


def test_without_a_local_aws_its_plugin_does_not_start(tmp_path: Path, select: Select) -> None:
    """UX-1: the sandbox never works on an account."""
    refused = started(select(), "aws")
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert "AWS_ENDPOINT_URL: is not set" in refused.stderr
