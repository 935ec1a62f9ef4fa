"""Which plugin is chosen, tried with directories that look like installations."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.plugins import PluginChoice, select
from madeploy.sandbox.plugins.endpoints import STATE_VARIABLE

KUBERNETES = f"resource-kubernetes-v{version('pulumi-kubernetes')}"


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine where nothing is installed."""
    return {
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path / "home"),
        "MADEPLOY_CACHE": str(tmp_path / "cache"),
    }


@pytest.fixture
def refusing(tmp_path: Path) -> Path:
    """A Pulumi CLI that cannot download, and counts how often it is asked."""
    return program(
        tmp_path / "pulumi",
        f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\necho "error: 403 HTTP error" >&2\nexit 1\n',
    )


def kinds(choice: PluginChoice) -> dict[str, str]:
    return {source.package: source.kind for source in choice.sources}


def test_a_plugin_in_a_bare_directory_on_path_is_used(
    tmp_path: Path, machine: dict[str, str], refusing: Path
) -> None:
    """Item 5: the official plugin is used unchanged where it is installed; each package by itself."""
    found = program(tmp_path / "bin" / "pulumi-resource-kubernetes")
    choice = select(tmp_path / "state", pulumi=refusing, environ=machine)
    assert kinds(choice) == {"kubernetes": "official", "aws": "offline"}
    assert choice.kind == "mixed"
    assert choice.sources[0].executable == found
    assert not (tmp_path / "state" / "plugins" / "pulumi-resource-kubernetes").exists()
    assert (tmp_path / "state" / "plugins" / "pulumi-resource-aws").exists()


@pytest.mark.parametrize("home", ["stated", "own"])
def test_a_plugin_in_pulumis_cache_is_put_on_path(
    tmp_path: Path, machine: dict[str, str], refusing: Path, home: str
) -> None:
    """The sandbox has a PULUMI_HOME of its own; what the user has downloaded is used all the same."""
    cache = tmp_path / "elsewhere" if home == "stated" else tmp_path / "home" / ".pulumi"
    if home == "stated":
        machine["PULUMI_HOME"] = str(cache)
    found = program(cache / "plugins" / KUBERNETES / "pulumi-resource-kubernetes")
    choice = select(tmp_path / "state", pulumi=refusing, environ=machine)
    assert kinds(choice)["kubernetes"] == "official"
    assert found.parent in choice.path_entries


def test_an_unfinished_download_and_another_version_are_not_used(
    tmp_path: Path, machine: dict[str, str], refusing: Path
) -> None:
    """Pulumi marks a broken-off download by a file beside the directory."""
    cache = tmp_path / "home" / ".pulumi" / "plugins"
    program(cache / KUBERNETES / "pulumi-resource-kubernetes")
    (cache / f"{KUBERNETES}.partial").touch()
    program(cache / "resource-kubernetes-v3.0.0" / "pulumi-resource-kubernetes")
    assert kinds(select(tmp_path / "state", pulumi=refusing, environ=machine))["kubernetes"] == "offline"


def test_a_stand_in_on_path_is_not_taken_for_the_official_plugin(
    tmp_path: Path, machine: dict[str, str], refusing: Path
) -> None:
    """`sandbox env` puts the stand-ins on PATH, so the next `sandbox up` finds them there."""
    first = select(tmp_path / "state", "offline", pulumi=refusing, environ=machine)
    machine["PATH"] = os.pathsep.join([*map(str, first.path_entries), machine["PATH"]])
    second = select(tmp_path / "other", pulumi=refusing, environ=machine)
    assert kinds(second) == {"kubernetes": "offline", "aws": "offline"}


def test_a_download_is_tried_once_a_day(tmp_path: Path, machine: dict[str, str], refusing: Path) -> None:
    """UX-1: the second `up` on a machine without a network does not wait for it again, in whichever
    checkout."""
    first = select(tmp_path / "state", pulumi=refusing, environ=machine)
    assert "403 HTTP error" in first.reason
    asked = (tmp_path / "asked").read_text().splitlines()
    assert sorted(line.split()[-2] for line in asked) == ["aws", "kubernetes"]
    assert f"plugin install resource kubernetes v{version('pulumi-kubernetes')}" in asked
    second = select(tmp_path / "another", pulumi=refusing, environ=machine)
    assert (tmp_path / "asked").read_text().splitlines() == asked
    assert "403 HTTP error" in second.reason
    for remembered in (tmp_path / "cache").glob("*-plugin-downloads.json"):
        content = json.loads(remembered.read_text())
        remembered.write_text(json.dumps({**content, "time": time.time() - 25 * 3600}))
    select(tmp_path / "state", pulumi=refusing, environ=machine)
    assert len((tmp_path / "asked").read_text().splitlines()) == 4


def test_a_download_that_succeeds_is_used(tmp_path: Path, machine: dict[str, str]) -> None:
    """The plugin goes where Pulumi keeps plugins, so that it is downloaded once for all checkouts."""
    target = tmp_path / "home" / ".pulumi" / "plugins"
    script = (
        f'#!/bin/sh\nd="{target}/resource-$4-$5"\n/bin/mkdir -p "$d"\n'
        'printf "#!/bin/sh\\n" > "$d/pulumi-resource-$4"\n/bin/chmod +x "$d/pulumi-resource-$4"\n'
    )
    choice = select(tmp_path / "state", pulumi=program(tmp_path / "pulumi", script), environ=machine)
    assert choice.kind == "official"
    assert [path.parent for path in choice.path_entries] == [target, target]


def test_a_download_that_hangs_is_ended(tmp_path: Path, machine: dict[str, str]) -> None:
    """Bounded, and nothing of it is left behind."""
    mark = tmp_path / "pids"
    script = f"#!/bin/sh\necho $$ >> {mark}\n/bin/sleep 60 &\necho $! >> {mark}\nwait\n"
    began = time.monotonic()
    choice = select(
        tmp_path / "state", pulumi=program(tmp_path / "pulumi", script), environ=machine, download_seconds=1
    )
    assert time.monotonic() - began < 10
    assert choice.kind == "offline"
    assert "not over after 1 s" in choice.reason
    pids = [int(line) for line in mark.read_text().split()]
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}/stat").exists() and _runs(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_official_or_nothing_says_what_to_do(tmp_path: Path, machine: dict[str, str], refusing: Path) -> None:
    """Errors are for people: what is missing, why, what to do."""
    with pytest.raises(SandboxError) as caught:
        select(tmp_path / "state", "official", pulumi=refusing, environ=machine)
    assert "pulumi plugin install resource kubernetes" in str(caught.value)
    assert "403 HTTP error" in str(caught.value)
    assert caught.value.exit_code == 3


def test_the_environment_may_decide(tmp_path: Path, machine: dict[str, str], refusing: Path) -> None:
    """`MADEPLOY_PLUGINS` holds a whole test run to one kind of plugin."""
    program(tmp_path / "bin" / "pulumi-resource-kubernetes")
    machine["MADEPLOY_PLUGINS"] = "offline"
    assert select(tmp_path / "state", pulumi=refusing, environ=machine).kind == "offline"
    assert not (tmp_path / "asked").exists()
    machine["MADEPLOY_PLUGINS"] = "both"
    with pytest.raises(SandboxError, match="auto, official, offline") as caught:
        select(tmp_path / "state", pulumi=refusing, environ=machine)
    assert caught.value.exit_code == 2


def test_launchers_stand_alone(tmp_path: Path, machine: dict[str, str], refusing: Path) -> None:
    """The engine starts a plugin in the program's directory, whose files must not be imported by it."""
    choice = select(tmp_path / "state", "offline", pulumi=refusing, environ=machine)
    assert choice.environ[STATE_VARIABLE] == str(tmp_path / "state")
    assert stat.S_IMODE((tmp_path / "state" / "plugins").stat().st_mode) == 0o700
    hostile = tmp_path / "program"
    hostile.mkdir()
    for name in ("json.py", "types.py", "grpc.py"):
        (hostile / name).write_text("raise SystemExit('imported from the program')\n")
    for source in choice.sources:
        with subprocess.Popen(
            [source.executable, "127.0.0.1:1"],
            cwd=hostile,
            env={"PYTHONPATH": str(hostile)},
            stdout=subprocess.PIPE,
            text=True,
        ) as plugin:
            assert plugin.stdout is not None
            port = plugin.stdout.readline().strip()
            plugin.kill()
        assert port.isdigit()
