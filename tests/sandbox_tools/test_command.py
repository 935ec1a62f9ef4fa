"""`madeploy tools`."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from madeploy.cli.tools import tools
from madeploy.errors import UsageError
from madeploy.sandbox.tools import TOOLS
from tests.sandbox_tools.conftest import Machine

app = typer.Typer()
app.command()(tools)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"COLUMNS": "40"})
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(*arguments: str) -> dict[str, Any]:
    return {row["name"]: row for row in json.loads(run(*arguments, "--json"))}


def test_the_listing_names_every_tool_and_builds_nothing(machine: Machine) -> None:
    """UX-2."""
    machine.put_go()
    listing = run()
    assert all(f"{name} " in listing and tool.version in listing for name, tool in TOOLS.items())
    assert f"{len(TOOLS)} of {len(TOOLS)} are not there yet" in listing
    assert not machine.go_calls("build")


def test_the_listing_shows_whole_paths_on_a_narrow_terminal(machine: Machine) -> None:
    """UX-2: a path that is cut cannot be copied."""
    path = machine.put("kwok", "kwok version v0.7.0")
    assert f" {path}" in run("kwok")


def test_the_listing_says_why_a_tool_on_path_is_not_used(machine: Machine) -> None:
    """UX-3."""
    machine.put("kubectl", '{"gitVersion": "v1.32.4-dispatcher"}')
    assert "kubectl is supported within one minor version" in run()


def test_json_has_version_source_path_and_time_of_each_tool(machine: Machine) -> None:
    """UX-2."""
    path = machine.put("kwok", "kwok version v0.7.1")
    machine.put("kubectl", "v1.30.0")
    listed = rows()
    assert list(listed) == list(TOOLS)
    kwok = listed["kwok"]
    assert (kwok["version"], kwok["source"], kwok["path"]) == ("0.7.1", "path", str(path))
    assert kwok["seconds"] >= 0
    assert kwok["not_from_path"] is None
    kubectl = listed["kubectl"]
    assert (kubectl["source"], kubectl["path"], kubectl["seconds"]) == ("missing", None, None)
    assert "1.30.0" in kubectl["not_from_path"]


def test_build_builds_the_named_tools_and_says_so(machine: Machine) -> None:
    """UX-1, UX-2."""
    machine.put_go()
    built = rows("--build", "etcd")["etcd"]
    assert built["source"] == "built"
    assert built["build_seconds"] >= 0
    again = rows("--build", "etcd")["etcd"]
    assert again["source"] == "cache"
    assert again["build_seconds"] >= 0
    assert len(machine.go_calls("build")) == 1


def test_an_unknown_name_is_wrong_use(machine: Machine) -> None:
    """UX-2."""
    with pytest.raises(UsageError, match="no such tool: nomad"):
        run("nomad")
