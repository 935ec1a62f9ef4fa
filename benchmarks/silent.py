"""How much later an update of one stack ends where a cluster in it has become silent:
`python -m benchmarks.silent`.

Clusters are contexts that lead to few real API servers, beside the control plane of an embedded environment.
All of them are registered; then `fleet up`, which finds nothing to do, runs while all answer, and again when
one says nothing any more. One line of JSON; times are by the clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import CommandFailed
from madeploy.sandbox import tools
from madeploy.sandbox.environment import TOOLS, Environment
from madeploy.sandbox.kubeconfig import kubeconfig
from madeploy.sandbox.state import StateDirectory
from tests.support.fleets import UserStack
from tests.support.light_clusters import LightClusters, silent_listener

CLUSTERS = 20
SERVERS = 2


def update(user: UserStack, expected: int) -> float:
    """`fleet up`; how long it took, in seconds. Raises CommandFailed for another exit code."""
    began = time.monotonic()
    done: subprocess.CompletedProcess[str] = user.madeploy("fleet", "up", str(user.file), "--json")
    if done.returncode != expected:
        raise CommandFailed(
            f"fleet up ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        )
    return round(time.monotonic() - began, 1)


def main() -> None:
    """Measure, and print the result."""
    names = [f"c{number:02d}" for number in range(CLUSTERS)]
    paths = {name: tool.path for name, tool in tools.ensure().items()}
    with tempfile.TemporaryDirectory(prefix="madeploy-silent-") as scratch, ExitStack() as on:
        where = Path(scratch)
        directory = StateDirectory(where / "environment")
        on.enter_context(directory.locked("benchmark"))
        running = Environment(directory, {name: paths[name] for name in TOOLS}, die_with_parent=True)
        on.callback(running.stop)
        running.start()
        light = LightClusters(where / "light", paths)
        on.callback(light.stop)
        servers = light.start([f"server-{number}" for number in range(SERVERS)])
        own = running.clusters["control-plane"].kubeconfig_entry()
        entries = [
            own,
            *(replace(servers[number % SERVERS].entry, name=name) for number, name in enumerate(names)),
        ]
        user = UserStack(where / "user", paths, entries)
        user.write({name: {} for name in names})
        user.create()
        update(user, 0)
        alone = update(user, 0)
        silent = on.enter_context(silent_listener())
        entries[-1] = replace(entries[-1], server=silent)
        (user.where / "kubeconfig").write_text(kubeconfig(entries), encoding="utf-8")
        beside = update(user, 1)
    sys.stdout.write(json.dumps({"alone": alone, "beside": beside}) + "\n")


if __name__ == "__main__":
    main()
