"""A registered cluster whose entry gets another name, on real API servers: what an update leaves of it."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from madeploy.clients.kubernetes import Kubernetes
from madeploy.sandbox.environment import TOOLS, Environment
from madeploy.sandbox.state import StateDirectory
from tests.support.fleets import UserStack
from tests.support.proves import proves

pytestmark = pytest.mark.sandbox

_DEFAULT = "/api/v1/namespaces/default"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_REGISTERED = "/apis/michelangelo.api/v2/namespaces/ma-system/clusters"
MADE = (
    f"{_DEFAULT}/serviceaccounts/ray-manager",
    f"{_DEFAULT}/secrets/ray-manager-token",
    f"{_RBAC}/clusterroles/ray-manager",
    f"{_RBAC}/clusterrolebindings/ray-manager-binding",
)
"""What a registration makes on the cluster itself, under names that the platform fixes."""

WAYS: dict[str, dict[str, Any]] = {
    "one context": {"kubeconfigContext": "compute-0"},
    "another context": {"kubeconfigContext": "other-words"},
    "its address": {"kubeconfigContext": "other-words", "server": "SERVER/"},
}
"""Entries that lead to the cluster `west` is, under another name."""


@dataclass
class Lab:
    """A user's stack with one compute cluster, and both API servers."""

    stack: UserStack
    control_plane: Kubernetes
    compute: Kubernetes
    server: str

    def made(self) -> dict[str, str]:
        """Identities of what the registration made on the compute cluster; what is made anew has another."""
        return {path: str(self.compute.get(path)["metadata"]["uid"]) for path in MADE}

    def registered(self) -> dict[str, str]:
        """Names that clusters are registered under, each with its identity."""
        found = self.control_plane.items(_REGISTERED)
        return {item["metadata"]["name"]: item["metadata"]["uid"] for item in found}

    def write(self, layout: str, **clusters: dict[str, Any]) -> None:
        """The stack file with these clusters."""
        place = {"shard": 0} if layout == "sharded" else {}
        entries = {
            name.replace("_", "-"): {
                **place,
                **{key: value.replace("SERVER", self.server) for key, value in entry.items()},
            }
            for name, entry in clusters.items()
        }
        self.stack.write(entries, fleet={"layout": layout})

    def madeploy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on the stack."""
        verb, noun, *rest = arguments
        done = self.stack.madeploy(verb, noun, *rest)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def up(self) -> None:
        """`fleet up`, which must go well."""
        done = self.madeploy("fleet", "up", str(self.stack.file))
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def lab(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Everything running; the environment's stack brought up without clusters."""
    where = tmp_path_factory.mktemp("renamed")
    directory = StateDirectory(where / "environment")
    running = Environment(directory, {name: tool_paths[name] for name in TOOLS}, die_with_parent=True)
    with directory.locked("test"):
        running.start()
        control, compute = (
            running.clusters[name].kubeconfig_entry() for name in ("control-plane", "compute-0")
        )
        other = dataclasses.replace(compute, name="other-words")
        user = UserStack(where / "user", tool_paths, [control, compute, other])
        user.write({})
        user.create()
        made = Lab(user, user.client("control-plane"), user.client("compute-0"), compute.server)
        made.up()
        yield made
        running.stop()


@pytest.mark.long
@pytest.mark.parametrize("layout", ["inline", "sharded"])
@proves("REG-4")
def test_an_update_under_another_name_is_refused_and_the_way_that_it_names_works(
    layout: str, lab: Lab
) -> None:
    """REG-4, UX-6: by the commands, however the entry leads there, and by the plain CLI; nothing on either
    side is made, changed or deleted. Removed and added again, it has its new name."""
    lab.write(layout, west=WAYS["one context"])
    lab.up()
    made, registered = lab.made(), lab.registered()
    assert registered.keys() == {"west"}
    for way in WAYS.values():
        lab.write(layout, west_1=way)
        refused = lab.madeploy("fleet", "up", str(lab.stack.file))
        assert refused.returncode == 2, refused.stdout + refused.stderr
        assert "is the cluster that is registered as west" in refused.stderr
        assert (lab.made(), lab.registered()) == (made, registered)
    holds_registrations = "lab" if layout == "inline" else "lab-shard-00"
    plain = lab.stack.pulumi("up", holds_registrations, "--yes", "--skip-preview")
    assert plain.returncode != 0, plain.stdout
    assert "registered as west" in plain.stdout + plain.stderr
    assert (lab.made(), lab.registered()) == (made, registered)
    if layout == "inline":
        planned = lab.madeploy("plan", str(lab.stack.file))
        assert "registered as west" in planned.stdout + planned.stderr

    lab.write(layout, west=WAYS["one context"])
    said = re.findall(r"bin/madeploy (clusters \w+) (\S+) --stack", refused.stderr)
    assert said == [("clusters drain", "west"), ("clusters remove", "west"), ("clusters add", "west-1")]
    removed = lab.madeploy("clusters", "remove", "west", "--stack", str(lab.stack.file), "--yes")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert lab.registered() == {}
    lab.write(layout, west_1=WAYS["one context"])
    lab.up()
    assert lab.registered().keys() == {"west-1"}
    assert lab.made().keys() == made.keys()
    lab.write(layout)
    lab.up()
    assert lab.registered() == {}
