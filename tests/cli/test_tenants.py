"""`madeploy tenants`: what is written, listed and refused before any cluster is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from madeploy.stackfile.loader import load_environment
from tests.cli.conftest import Run

TEAM = "00000000-0000-4000-8000-000000000001"
STACK = Path("stacks/Pulumi.prod.yaml")


def add(run: Run, name: str, *more: str, team: str = TEAM) -> tuple[int, str]:
    given = (
        "--stack",
        "prod",
        "--team",
        team,
        "--description",
        "Example",
        "--git-repo",
        "https://git.example.com/a",
    )
    result = run("tenants", "add", name, *given, *more)
    return result.exit_code, f"{result.output}{result.exception or ''}"


def test_a_tenant_that_is_added_is_in_the_file_and_in_the_list(run: Run) -> None:
    """OPS-2, UX-2: as the settings have it, with the groups that were named."""
    assert (
        add(run, "vision", "--editors", "oidc:vision", "--viewers", "oidc:a", "--viewers", "oidc:b")[0] == 0
    )
    stack = load_environment(STACK)
    assert stack.environment is not None
    tenant = stack.environment.tenants["vision"]
    assert (tenant.team, tenant.editors.groups, tenant.viewers.groups) == (
        TEAM, ("oidc:vision",), ("oidc:a", "oidc:b"),
    )  # fmt: skip
    assert "oidc:vision" in run("tenants", "list", "--stack", "prod").output
    listed = json.loads(run("tenants", "list", "--stack", "prod", "--json").output)
    assert [each["name"] for each in listed["tenants"]] == ["vision"]


def test_a_stack_without_tenants_says_how_to_get_one(run: Run) -> None:
    """UX-3."""
    assert "tenants add" in run("tenants", "list", "--stack", "prod").output


@pytest.mark.parametrize(
    ("name", "team", "said"),
    [("ma-system", TEAM, "MA260"), ("Vision", TEAM, "MA113"), ("vision", "team-a", "MA113")],
)
def test_a_tenant_that_cannot_be_is_not_written(run: Run, name: str, team: str, said: str) -> None:
    """OPS-2, UX-3: by the rules and shapes of the settings."""
    before = STACK.read_bytes()
    code, output = add(run, name, team=team)
    assert code != 0
    assert said in output
    assert STACK.read_bytes() == before


def test_a_tenant_is_not_added_twice(run: Run) -> None:
    """UX-3."""
    assert add(run, "vision")[0] == 0
    code, output = add(run, "vision")
    assert code != 0
    assert "already" in output
