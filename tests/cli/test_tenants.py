"""`madeploy tenants`: what is written, listed and refused before any cluster is asked."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
import yaml

from madeploy.clients.errors import ClientError
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


class Cluster:
    """An API server with a few objects, by path, and lists of them."""

    def __init__(self, **objects: dict[str, object]) -> None:
        self.lists = objects
        self.deleted: list[str] = []

    def items(self, path: str, **_: object) -> list[object]:
        return list(self.lists.get(path.rpartition("/")[2], {}).values())

    def find(self, path: str) -> object | None:
        collection, _, name = path.rpartition("/")
        return self.lists.get(collection.rpartition("/")[2], {}).get(name)

    def delete(self, path: str) -> bool:
        collection, _, name = path.rpartition("/")
        self.deleted.append(path)
        return self.lists.get(collection.rpartition("/")[2], {}).pop(name, None) is not None


def _named(name: str, **more: object) -> dict[str, object]:
    return {"metadata": {"name": name, "labels": {"michelangelo.infra/tenant": name}}, **more}


@pytest.fixture
def queued(run: Run, monkeypatch: pytest.MonkeyPatch) -> dict[str, Cluster]:
    """A tenant with a queue on one of two clusters with queues; the third cannot be reached."""
    assert add(run, "vision")[0] == 0
    flavors = [{"name": "cpu", "quotas": {"cpu": "64", "memory": "256Gi"}}]
    entry = {"kubeconfigContext": "x", "queues": {"flavors": flavors}}
    stack = yaml.safe_load(STACK.read_text())
    stack["config"] |= {
        "michelangelo:clusters": {
            name: entry | {"kubeconfigContext": name} for name in ("east", "west", "gone")
        }
    }
    STACK.write_text(yaml.safe_dump(stack))
    queue = _named("ma-vision", status={"pendingWorkloads": 2, "admittedWorkloads": 1})
    clusters = {
        "control-plane": Cluster(
            namespaces={"vision": _named("vision")}, projects={"vision": _named("vision")}
        ),
        "east": Cluster(localqueues={"ma-vision": queue}),
        "west": Cluster(),
    }

    def connect(name: str) -> Cluster:
        if name == "gone":
            raise ClientError("https://gone.example.com", "refused")
        return clusters[name]

    for verb in ("status", "remove"):
        module = f"madeploy.cli.tenants.{verb}"
        here = lambda _: contextlib.nullcontext(clusters["control-plane"])  # noqa: E731
        monkeypatch.setattr(f"{module}.control_plane", here)
        monkeypatch.setattr(f"{module}.connector", lambda *_: connect)
    return clusters


def test_status_shows_queues_and_what_is_missing_or_not_known(run: Run, queued: dict[str, Cluster]) -> None:
    """OPS-2, OPS-6: by cluster; 1 where one lacks what the file says."""
    result = run("tenants", "status", "--stack", "prod")
    assert result.exit_code == 1
    assert "east: 1 running, 2 waiting; gone: not known; west: none" in result.output
    assert "vision has no queue on cluster west yet: pulumi up" in result.output
    assert "cluster gone cannot be asked: https://gone.example.com: nothing listens" in result.output
    shown = json.loads(run("tenants", "status", "--stack", "prod", "--json").stdout)
    assert [queue["there"] for queue in shown["tenants"][0]["queues"]] == [True, False, False]


def test_a_tenant_whose_jobs_wait_in_a_queue_is_not_removed(run: Run, queued: dict[str, Cluster]) -> None:
    """OPS-2, OPS-6: nor one of which a cluster says nothing; afterwards its queue goes with it."""

    def remove() -> tuple[int, str]:
        result = run("tenants", "remove", "vision", "--stack", "prod", "--confirm", "vision")
        return result.exit_code, result.output

    code, said = remove()
    assert (code, "cluster gone cannot be asked" in said) == (1, True)
    stack = yaml.safe_load(STACK.read_text())
    del stack["config"]["michelangelo:clusters"]["gone"]
    STACK.write_text(yaml.safe_dump(stack))
    code, said = remove()
    assert (code, "Queue east: 1 running, 2 waiting" in said) == (1, True)
    assert not any(cluster.deleted for cluster in queued.values())
    queued["east"].lists["localqueues"]["ma-vision"] = _named("ma-vision")
    code, said = remove()
    assert code == 0, said
    assert queued["east"].lists["localqueues"] == {}
    assert "vision" not in STACK.read_text()
