"""Tools on PATH: which copy is taken, which is refused and why."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from madeploy.sandbox.tools import TOOLS, ensure, inspect
from tests.sandbox_tools.conftest import Machine

GOOD = {
    "etcd": "etcd Version: 3.5.21\nGit SHA: 1234567",
    "kube-apiserver": "Kubernetes v1.34.3",
    "kube-controller-manager": "Kubernetes v1.34.0",
    "kube-scheduler": "Kubernetes v1.34.9-eks-1234567",
    "kubectl": json.dumps({"clientVersion": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}}),
    "kwok": "kwok version v0.7.2 go1.24.5 (linux/amd64)",
    "kubeconform": "v0.7.0",
    "kube-score": "kube-score version: 1.20.1, commit: 1234567, built: 2025-05-01",
}


@pytest.mark.parametrize("name", GOOD)
def test_an_acceptable_tool_on_path_is_taken_without_go(machine: Machine, name: str) -> None:
    """UX-1."""
    path = machine.put(name, GOOD[name])
    tool = ensure([name])[name]
    assert (tool.source, tool.path) == ("path", path)
    assert tool.version in GOOD[name]


@pytest.mark.parametrize(
    ("name", "says", "version"),
    [
        ("etcd", "etcd Version: 3.4.30", "3.4.30"),
        ("etcd", "etcd Version: 3.5.7", "3.5.7"),
        ("kube-apiserver", "Kubernetes v1.33.9", "1.33.9"),
        ("kube-scheduler", "Kubernetes v1.35.0-alpha.1", "1.35.0"),
        ("kubectl", '{"clientVersion": {"minor": "32+", "gitVersion": "v1.32.4-dispatcher"}}', "1.32.4"),
        ("kubectl", '{"clientVersion": {"gitVersion": "v1.36.0"}}', "1.36.0"),
        ("kwok", "kwok version v0.6.1", "0.6.1"),
        ("kubeconform", "v0.4.14", "0.4.14"),
    ],
)
def test_a_tool_of_another_version_is_refused_with_the_accepted_range_and_its_reason(
    machine: Machine, name: str, says: str, version: str
) -> None:
    """UX-3."""
    path = machine.put(name, says)
    (status,) = inspect([name])
    assert status.found is None
    assert str(path) in status.rejected
    assert version in status.rejected
    assert TOOLS[name].accepted in status.rejected
    assert TOOLS[name].reason in status.rejected


@pytest.mark.parametrize("says", ["", "development", "see https://example.com/v2"])
def test_a_tool_that_does_not_say_its_version_is_refused(machine: Machine, says: str) -> None:
    """UX-3."""
    machine.put("kubeconform", says)
    (status,) = inspect(["kubeconform"])
    assert status.found is None
    assert "does not say its version" in status.rejected


@pytest.mark.parametrize("name", [name for name, tool in TOOLS.items() if tool.may_be_silent])
@pytest.mark.parametrize("says", ["", "flag provided but not defined: -version", "development"])
def test_a_plugin_on_path_that_does_not_say_its_version_is_taken_as_it_is(
    machine: Machine, name: str, says: str
) -> None:
    """CARD-3: Pulumi's own Kubernetes plugin has no such option."""
    path = machine.put(name, says)
    found = inspect([name])[0].found
    assert found is not None
    assert (found.path, found.version, found.source) == (path, "", "path")


def test_a_tool_that_fails_when_asked_is_refused(machine: Machine) -> None:
    """UX-3."""
    machine.put("kwok", GOOD["kwok"]).write_text("#!/bin/sh\necho kwok version v0.7.0\nexit 1\n")
    assert inspect(["kwok"])[0].found is None


def test_a_later_copy_on_path_does_not_stand_in_for_the_first(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: what the sandbox runs is what its user would run."""
    machine.put("kwok", "kwok version v0.6.0")
    machine.put("kwok", "kwok version v0.7.0", tmp_path / "later")
    monkeypatch.setenv("PATH", str(tmp_path / "later"), prepend=":")
    assert inspect(["kwok"])[0].found is not None
    monkeypatch.setenv("PATH", str(machine.bin), prepend=":")
    assert inspect(["kwok"])[0].found is None


def _put_pulumi(machine: Machine, version: str, *companions: str) -> None:
    for name in companions:
        machine.put(name, "")
    machine.put("pulumi", f"v{version}")


HOST = ("pulumi-language-python", "pulumi-language-python-exec")


def test_pulumi_and_its_language_host_are_taken_from_path_together(machine: Machine) -> None:
    """CARD-3: with the plain Pulumi CLI of the user."""
    _put_pulumi(machine, "3.225.1", *HOST)
    tools = ensure(["pulumi", "pulumi-language-python"])
    assert {tool.source for tool in tools.values()} == {"path"}
    assert tools.path("pulumi-language-python") == machine.bin / "pulumi-language-python"
    assert {tool.version for tool in tools.values()} == {"3.225.1"}


def test_a_pulumi_that_is_a_link_finds_its_language_host_where_the_link_leads(
    machine: Machine, tmp_path: Path
) -> None:
    """CARD-3: package managers link programs into one directory."""
    installed = Machine(tmp_path / "cellar", machine.cache)
    _put_pulumi(installed, "3.250.0", *HOST)
    (machine.bin / "pulumi").symlink_to(installed.bin / "pulumi")
    assert ensure(["pulumi-language-python"]).path("pulumi-language-python") == installed.bin / HOST[0]


@pytest.mark.parametrize("companions", [(), HOST[:1], HOST[1:]])
def test_a_pulumi_without_its_whole_language_host_is_refused(
    machine: Machine, companions: tuple[str, ...]
) -> None:
    """UX-3: the engine would fail later, in the middle of the main job."""
    _put_pulumi(machine, "3.250.0", *companions)
    status, host = inspect(["pulumi", "pulumi-language-python"])
    assert status.found is None
    assert host.found is None
    assert "beside it" in status.rejected


def test_a_language_host_goes_unused_with_a_pulumi_that_is_too_old(machine: Machine) -> None:
    """UX-3."""
    _put_pulumi(machine, "3.100.0", *HOST)
    status, host = inspect(["pulumi", "pulumi-language-python"])
    assert status.found is None
    assert host.found is None
    assert str(machine.bin / "pulumi") in host.rejected


def test_what_is_not_on_path_is_not_said_to_be_refused(machine: Machine) -> None:
    """UX-3."""
    assert {status.rejected for status in inspect()} == {""}


def test_a_program_that_is_still_held_open_by_what_wrote_it_is_asked_again(machine: Machine) -> None:
    """UX-1: a process that another download starts at that moment has a copy of every open file."""
    path = machine.put("etcd", GOOD["etcd"])
    with path.open("ab") as written:
        threading.Timer(0.2, written.close).start()
        assert ensure(["etcd"])["etcd"].path == path
