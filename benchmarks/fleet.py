"""What updates of a fleet cost on a file backend: processor time, memory and processes, over many clusters.

    python -m benchmarks.fleet --clusters 16 [--halves apart] [--size 8] [--servers 2]

Clusters are contexts of a kubeconfig that lead to few real API servers, over one etcd: what several of them
hold has the same names, and is one set of objects there. Who wrote their fields is taken out of these again
and again: with an entry for each cluster they would grow, and be slow to read. What the engine and its
plugins do for each cluster is what it would be. The environment's own stack is no part of it: nothing waits
for the platform.

Each phase is one command with its processes. Processor time is theirs, without that of the API servers.
Memory is the sum of their resident sets, pages that they share counted for each. The output is one JSON
object.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import CommandFailed
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.fleet.roles import shard_stack
from madeploy.names.kubernetes import CLUSTERS_NAMESPACE
from madeploy.sandbox import objects, tools
from madeploy.sandbox.kubeconfig import KubeconfigEntry, kubeconfig
from madeploy.settings import CONTROL_PLANE
from tests.support.fleets import ROOT, UserStack
from tests.support.light_clusters import LightClusters, silent_listener

SAMPLE_SECONDS: Final = 0.5
"""How often processes are looked at."""

WRITERS: Final = 16
"""Entries of `managedFields` that an object on a shared server may have."""

_SHARED: Final = (
    *(f"/api/v1/namespaces/default/{kind}" for kind in ("serviceaccounts", "configmaps", "secrets")),
    *(f"/apis/rbac.authorization.k8s.io/v1/{kind}" for kind in ("clusterroles", "clusterrolebindings")),
    *(f"/apis/rbac.authorization.k8s.io/v1/namespaces/default/{kind}" for kind in ("roles", "rolebindings")),
)

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass
class Watched:
    """Memory and number of a command's processes over time."""

    samples: list[tuple[float, int, int]] = field(default_factory=list)
    """Seconds since its start, MiB, processes."""

    def look(self, root: int, began: float) -> None:
        """Take one sample of a process and all below it."""
        parents: dict[int, int] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    after_name = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8").rpartition(")")[2]
                except OSError:
                    continue
                parents[int(entry)] = int(after_name.split()[1])
        family, found = {root}, True
        while found:
            more = {pid for pid, parent in parents.items() if parent in family} - family
            family |= more
            found = bool(more)
        pages = 0
        for pid in family:
            try:
                pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
            except OSError:
                continue
        self.samples.append((round(time.monotonic() - began, 1), pages * _PAGE >> 20, len(family)))


def measured(command: Sequence[str], environ: dict[str, str], log: Path) -> dict[str, Any]:
    """One command, and what it and its processes took. Raises CommandFailed when it does not end with 0."""
    watched, began, over = Watched(), time.monotonic(), threading.Event()
    with log.open("ab") as out:
        child = os.posix_spawnp(
            command[0],
            list(command),
            environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)],
        )

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            watched.look(child, began)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    _, status, usage = os.wait4(child, 0)
    over.set()
    thread.join()
    if status != 0:
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise CommandFailed(f"`{' '.join(command)}` failed:\n{last}")
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpuSeconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peakMiB": max((memory for _, memory, _ in watched.samples), default=0),
        "processes": max((count for _, _, count in watched.samples), default=0),
        "samples": watched.samples,
    }


def forget_writers(servers: Sequence[Kubernetes], over: threading.Event) -> None:
    """Let objects that many clusters share look as if one of them had written them, until it is over."""
    while not over.wait(1.0):
        for server, path in itertools.product(servers, _SHARED):
            # What was deleted meanwhile, or a server that ends, is no matter.
            with contextlib.suppress(ClientError):
                for item in server.items(path):
                    metadata = item["metadata"]
                    if len(metadata.get("managedFields") or ()) > WRITERS:
                        server.merge(f"{path}/{metadata['name']}", {"metadata": {"managedFields": [{}]}})


class Fleet:
    """A user's fleet: a control plane, clusters on few servers, a stack file and a backend."""

    def __init__(
        self, where: Path, clusters: int, servers: int, fleet: dict[str, Any], on: ExitStack
    ) -> None:
        self.names = [f"c{number:04d}" for number in range(clusters)]
        self.spare = f"c{clusters:04d}"
        self._fleet = fleet
        self._removed: set[str] = set()
        paths = {name: tool.path for name, tool in tools.ensure().items()}
        light = LightClusters(where / "light", paths)
        on.callback(light.stop)
        own, *others = light.start([CONTROL_PLANE, *(f"server-{number}" for number in range(servers))])
        over = threading.Event()
        on.callback(over.set)
        shared = [other.client() for other in others]
        threading.Thread(target=forget_writers, args=(shared, over), daemon=True).start()
        client = own.client()
        client.create("/api/v1/namespaces", {"metadata": {"name": CLUSTERS_NAMESPACE}})
        for definition in objects.definitions(is_control_plane=True):
            if definition["metadata"]["name"] == "clusters.michelangelo.api":
                client.create(_DEFINITIONS, definition)
        self._entries = [
            own.entry,
            *(
                replace(others[number % servers].entry, name=name)
                for number, name in enumerate([*self.names, self.spare])
            ),
        ]
        self.user = UserStack(where / "user", paths, self._entries)
        self._log = where / "commands.log"
        self._write()
        self.user.create()

    def _write(self) -> None:
        size = self._fleet["shardSize"]
        places = {name: number // size for number, name in enumerate([*self.names, self.spare])}
        self.user.write(
            {name: {"shard": place} for name, place in places.items() if name not in self._removed},
            fleet=self._fleet,
        )

    def remove(self, name: str) -> dict[str, Any]:
        """Take a cluster out of the stack file, and the plain update of its shard that lets it go: the
        command would bring the environment's own stack along."""
        shard = shard_stack(self.user.name, self.names.index(name) // self._fleet["shardSize"])
        self._removed.add(name)
        self._write()
        command = ("env", "pulumi", "up", f"--stack={shard}", "--yes", "--skip-preview", "--non-interactive")
        return self._measured(*command, PULUMI_OPTION_CONFIG_FILE=str(self.user.file))

    def rotate(self, name: str) -> dict[str, Any]:
        """The updates of a rotation."""
        return self._side("rotation", name)

    def silence(self, name: str, server: str) -> None:
        """Let a cluster's address lead to a server that never answers."""
        entries: list[KubeconfigEntry] = [
            replace(entry, server=server) if entry.name == name else entry for entry in self._entries
        ]
        (self.user.where / "kubeconfig").write_text(kubeconfig(entries), encoding="utf-8")

    def update(self, names: Sequence[str], *aside: str) -> dict[str, Any]:
        """An update of these clusters."""
        left = [f"--aside={name}" for name in aside]
        return self._side("update", *left, *names)

    def _side(self, name: str, *arguments: str) -> dict[str, Any]:
        return self._measured(
            sys.executable, "-m", f"benchmarks.sides.{name}", str(self.user.file), *arguments
        )

    def _measured(self, *command: str, **variables: str) -> dict[str, Any]:
        # Of a checkout: the project of the stack is where its program is.
        return measured(command, {**self.user.environ, "PWD": str(ROOT), **variables}, self._log)


def run(clusters: int, servers: int, halves: str, size: int, count: int, note: Any) -> dict[str, Any]:
    """The first phases, `count` of them."""
    settings = {"layout": "sharded", "halves": halves, "shardSize": size}
    phases: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="madeploy-fleet-") as scratch, ExitStack() as on:
        fleet = Fleet(Path(scratch), clusters, servers, settings, on)
        first, dead, *_ = fleet.names
        silent = on.enter_context(silent_listener())

        def one_dead() -> dict[str, Any]:
            fleet.silence(dead, silent)
            return fleet.update(fleet.names[1:], dead)

        work: dict[str, Callable[[], dict[str, Any]]] = {
            "first update": lambda: fleet.update(fleet.names),
            "nothing to do": lambda: fleet.update(fleet.names),
            "one added": lambda: fleet.update([fleet.spare]),
            "one rotated": lambda: fleet.rotate(first),
            "one removed": lambda: fleet.remove(first),
            "one dead": one_dead,
        }
        for phase, update in list(work.items())[:count]:
            note(phase)
            phases[phase] = update()
    return {"clusters": clusters, "servers": servers, **settings, "phases": phases}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--clusters", type=int, default=16)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--halves", choices=("apart", "together"), default="together")
    parser.add_argument("--size", type=int, help="clusters in a shard (8 together, 50 apart)")
    parser.add_argument("--phases", type=int, default=6, help="only the first of them")
    given = parser.parse_args(arguments)
    size = given.size or (8 if given.halves == "together" else 50)
    os.chdir(ROOT)
    result = run(
        given.clusters,
        given.servers,
        given.halves,
        size,
        given.phases,
        lambda phase: sys.stderr.write(f"{phase} ...\n"),
    )
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
