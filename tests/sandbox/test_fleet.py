"""Fleets on real API servers: bad clusters among good ones, both layouts, and engines that are killed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from madeploy.clients.kubernetes import Kubernetes
from madeploy.fleet import urns
from madeploy.fleet.roles import StackRole
from madeploy.sandbox.environment import TOOLS, Environment
from madeploy.sandbox.pki import Authority
from madeploy.sandbox.state import StateDirectory
from tests.support.fleets import UserStack
from tests.support.light_clusters import LightCluster, LightClusters, silent_listener
from tests.support.proves import proves
from tests.support.scale import scale

GOOD = scale(2, 17)
KILLS = scale(2, 30)
FULL = bool(scale(0, 1))
BAD = {"refused": "MA431", "silent": "MA432", "stranger": "MA434"}
"""Clusters that cannot be reached, and the code of each."""
QUICKLY_BAD = {name: code for name, code in BAD.items() if name != "silent"}
"""Those that no engine waits for."""

pytestmark = pytest.mark.sandbox

_DEFAULT = "/api/v1/namespaces/default"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_REGISTERED = "/apis/michelangelo.api/v2/namespaces/ma-system/clusters"


@dataclass
class Fleet:
    """A user's clusters: a control plane, good ones, and one of each bad kind."""

    control_plane: Kubernetes
    good: list[LightCluster]
    stack: UserStack

    def entries(self, *names: str, shard: int | None = None) -> dict[str, dict[str, Any]]:
        """Entries of the stack file."""
        return {name: {} if shard is None else {"shard": shard} for name in names}

    @property
    def names(self) -> list[str]:
        """Good clusters."""
        return [cluster.name for cluster in self.good]

    def up(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """`madeploy fleet up`: exit code and what it says."""
        done = self.stack.madeploy("fleet", "up", str(self.stack.file), "--json", *arguments)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout or "{}") or {"stderr": done.stderr}

    def registered(self) -> set[str]:
        """Clusters the control plane has, each proven to have valid Secrets."""
        found = {item["metadata"]["name"] for item in self.control_plane.items(_REGISTERED)}
        for name in found:
            for secret, key in (("ca-data", "cadata"), ("client-token", "token")):
                data = self.control_plane.get(f"{_DEFAULT}/secrets/cluster-{name}-{secret}")["data"]
                assert data[key], f"{name} is registered without {key}"
        return found


@pytest.fixture(scope="module")
def fleet(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Everything running; the environment's stack made, not brought up."""
    where = tmp_path_factory.mktemp("fleet")
    directory = StateDirectory(where / "environment")
    running = Environment(
        directory, {name: tool_paths[name] for name in TOOLS}, audit=True, die_with_parent=True
    )
    light = LightClusters(where / "light", tool_paths)
    (where / "stranger").mkdir()
    with ExitStack() as stack, directory.locked("test"):
        running.start()
        stack.callback(running.stop)
        stack.callback(light.stop)
        good = list(light.start([f"good-{number:02}" for number in range(GOOD)]))
        stranger = Authority(where / "stranger", "ca", "somebody else").pair.certificate.read_bytes()
        bad = [
            light.address_without_server("refused", "https://127.0.0.1:9"),
            light.address_without_server("silent", stack.enter_context(silent_listener())),
            light.address_without_server(
                "stranger", good[0].server.replace("127.0.0.1", "localhost"), stranger
            ),
        ]
        own = running.clusters["control-plane"].kubeconfig_entry()
        user = UserStack(
            where / "user",
            tool_paths,
            [own, *(cluster.entry for cluster in [*good, *bad])],
        )
        user.write({})
        user.create()
        made = Fleet(user.client("control-plane"), good, user)
        code, said = made.up()
        assert code == 0, said
        yield made


def changes(said: Mapping[str, Any]) -> dict[str, int]:
    """What happened to resources, those that stayed the same left out."""
    return {what: count for what, count in said["changes"].items() if what not in ("same", "read")}


def bad_ones(said: Mapping[str, Any]) -> dict[str, str]:
    """Code by what is not done."""
    return {finding["subject"]: finding["code"] for finding in said["notDone"]}


@pytest.mark.parametrize("layout", [pytest.param("inline", marks=pytest.mark.long), "sharded"])
@proves("REG-10", "REG-12")
def test_bad_clusters_are_named_and_the_others_done_with_nothing_of_theirs_replaced(
    fleet: Fleet, layout: str
) -> None:
    """REG-10, REG-12, CARD-6, UX-2: one refuses, one never answers, one has another authority; new ones are
    left out, and good ones registered in the same run and left alone by the next."""
    place = None if layout == "inline" else 0
    bad = QUICKLY_BAD if layout == "inline" and not FULL else BAD
    everything = fleet.entries(*fleet.names, *bad, shard=place)
    fleet.stack.write(everything, fleet={"layout": layout})

    if layout == "sharded":
        # A stack made by hand has an encryption of its own at first.
        init = ("pulumi", "stack", "init", "lab-shard-00", "--no-select")
        made = fleet.stack.run(*init, cwd=fleet.stack.where)
        assert made.returncode == 0, made.stderr

    code, said = fleet.up()

    assert code == 1, said
    assert bad_ones(said) == bad
    assert set(said["done"]) == set(fleet.names)
    assert fleet.registered() == set(fleet.names)
    assert set(changes(said)) <= {"create", "update"}

    if FULL or layout == "inline":
        # The plain CLI does the same with its own flags, on every stack.
        part = StackRole("environment", "lab") if layout == "inline" else StackRole("shard", "lab", shard=0)
        flags = [f"--exclude={urns.component(part, name)}" for name in bad]
        plain = fleet.stack.pulumi(
            "up", part.stack, "--yes", "--skip-preview", "--exclude-dependents", *flags
        )
        assert plain.returncode == 0, plain.stdout + plain.stderr
        happened = r"^ *[+~-] +(\S+) .* (created|deleted|updated|replaced)"
        done = re.findall(happened, plain.stdout, re.MULTILINE)
        # The engine makes every provider that the program registers; the command's program registers none
        # of a cluster that is left out and has nothing yet.
        assert set(done) <= {("pulumi:providers:kubernetes", "created")}, plain.stdout
    if FULL or layout == "sharded":
        # One that is taken out goes, though others cannot be reached; nothing happens to the rest.
        *rest, gone = fleet.names
        fleet.stack.write(fleet.entries(*rest, *bad, shard=place), fleet={"layout": layout})
        code, fewer = fleet.up()
        assert (code, bad_ones(fewer)) == (1, bad), fewer
        # Discarded is what was only read: the reference to the removed cluster's own stack.
        assert set(changes(fewer)) <= {"delete", "update", "discard"}
        assert set(fewer["done"]) == {*rest, gone}
        assert fleet.registered() == set(rest)
        assert left_behind(fleet) == []

    # Taken out of the file, they are gone, and so is what they held themselves.
    fleet.stack.write({}, fleet={"layout": layout})
    code, said = fleet.up()
    assert code == 0, said
    assert fleet.registered() == set()
    assert left_behind(fleet) == []
    assert [name for name in fleet.stack.stacks() if "-compute-" in name] == []


def left_behind(fleet: Fleet) -> list[str]:
    """Objects of registrations that no stack's state has, on any cluster."""
    known: set[tuple[str, str]] = set()
    for stack in fleet.stack.stacks():
        for resource in fleet.stack.state(stack).get("resources") or []:
            if resource["type"].startswith("kubernetes:") and resource.get("id"):
                provider = resource["provider"].split("::")[-2].removeprefix("k8s-")
                known.add((provider, f"{resource['type'].rpartition(':')[2]} {resource['id']}"))
    found: list[tuple[str, str]] = []
    for item in fleet.control_plane.items(f"{_DEFAULT}/secrets"):
        if item["metadata"]["name"].startswith("cluster-"):
            found.append(("control-plane", f"Secret default/{item['metadata']['name']}"))
    for item in fleet.control_plane.items(_REGISTERED):
        found.append(("control-plane", f"Cluster ma-system/{item['metadata']['name']}"))
    for cluster in fleet.good:
        client = cluster.client()
        for path, kind, prefix in (
            (f"{_DEFAULT}/serviceaccounts", "ServiceAccount", "default/"),
            (f"{_DEFAULT}/secrets", "Secret", "default/"),
            (f"{_DEFAULT}/configmaps", "ConfigMap", "default/"),
            (f"{_RBAC}/clusterroles", "ClusterRole", ""),
            (f"{_RBAC}/clusterrolebindings", "ClusterRoleBinding", ""),
        ):
            for item in client.items(path):
                name = item["metadata"]["name"]
                if name.startswith(("ray-manager", "michelangelo")):
                    found.append((cluster.name, f"{kind} {prefix}{name}"))
    return [f"{where}: {what}" for where, what in found if (where, what) not in known]


def kill_engine(fleet: Fleet, after: float) -> bool:
    """Start `fleet up` and end its engine without warning. Returns whether there was one to end."""
    with subprocess.Popen(
        [sys.executable, "-m", "madeploy", "fleet", "up", str(fleet.stack.file)],
        cwd=fleet.stack.root,
        env=fleet.stack.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        began: float | None = None
        while command.poll() is None:
            engines = [pid for pid in children(command.pid) if is_engine(pid)]
            if engines and began is None:
                began = time.monotonic()
            if began is not None and time.monotonic() - began >= after and engines:
                os.kill(engines[0], signal.SIGKILL)
                command.wait(timeout=600)
                return True
            time.sleep(0.02)
    return False


def children(parent: int) -> list[int]:
    """Children of a process, of all its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        try:
            found += [int(pid) for pid in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def is_engine(pid: int) -> bool:
    """Whether a process is `pulumi up`."""
    try:
        program, *arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return program.endswith(b"pulumi") and b"up" in arguments


@pytest.mark.long
def test_engines_killed_at_any_moment_leave_nothing_that_recover_and_one_more_update_do_not_put_right(
    fleet: Fleet,
) -> None:
    """REG-9, REG-10, UX-1: nothing is registered by halves at any time; afterwards nothing is left over, and
    nothing is left to do."""
    chance = random.Random(20261121)
    fleet.stack.write(fleet.entries(fleet.names[-1]))
    code, said = fleet.up()
    assert code == 0, said
    # The program is loaded first; what follows that is what there is to interrupt.
    longest = said["seconds"]
    killed, attempts = 0, 0
    while killed < KILLS:
        # Another one each time, so that there is always something to do.
        name = fleet.names[attempts % len(fleet.names)]
        attempts += 1
        assert attempts <= 4 * KILLS, "engines end before they are killed"
        fleet.stack.write(fleet.entries(name))
        killed += kill_engine(fleet, chance.uniform(0.3, 1.0) * longest)
        fleet.registered()

        recovered = fleet.stack.madeploy("recover", str(fleet.stack.file), "--json")
        assert recovered.returncode == 0, recovered.stdout + recovered.stderr
        assert left_behind(fleet) == [], recovered.stdout
        code, said = fleet.up()

        assert code == 0, (said, recovered.stdout)
        assert fleet.registered() == {name}
        assert left_behind(fleet) == []
        assert not fleet.stack.state("lab").get("pending_operations")
    code, said = fleet.up()
    assert (code, changes(said)) == (0, {})
