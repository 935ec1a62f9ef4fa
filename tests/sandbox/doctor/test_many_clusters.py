"""An environment with twenty registered clusters, of which one dies: `doctor` and `verify` find its faults
and no others.

API servers are real, one for the control plane and one that the twenty share under addresses of their own;
what the clusters hold has the same names, and is one set of objects there. Played are the engine, as its
provider writes objects, and the controller manager's watch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from madeploy.names.kubernetes import RAY_MANAGER_TOKEN
from madeploy.sandbox.environment import Environment
from madeploy.sandbox.kubeconfig import kubeconfig
from manifests.catalog import placed
from tests.support.bench import SPACE, STACK, Bench
from tests.support.proves import proves
from tests.support.registrations import Registration
from tests.support.relays import Relay, relays
from tests.support.stacks import stack_text
from tests.support.waiting import wait

pytestmark = pytest.mark.sandbox

NAMES = [f"gpu-{number:02}" for number in range(20)]
VERBS = ("doctor", "verify")
Reports = Mapping[str, Mapping[str, Any]]
"""By verb, the checks of its report by name."""


@dataclass
class Fleet:
    """The environment, and each cluster's address."""

    bench: Bench
    relays: Mapping[str, Relay]

    def look(self) -> Reports:
        """What both commands report, made side by side as two people do."""
        with ThreadPoolExecutor(len(VERBS)) as pool:
            return dict(zip(VERBS, pool.map(self._asked, VERBS), strict=True))

    def _asked(self, verb: str) -> dict[str, Any]:
        done = self.bench.run(f"bin/madeploy {verb} {STACK} --json")
        assert done.returncode in (0, 1), done.stderr
        return {check["check"]: check for check in json.loads(done.stdout)["checks"]}


@pytest.fixture
def fleet(bench: Bench, environment: Environment, tmp_path: Path) -> Iterator[Fleet]:
    """All twenty registered and seen by the controller manager."""
    own, shared = (environment.clusters[name].kubeconfig_entry() for name in ("control-plane", "compute-0"))
    server = urlsplit(shared.server)
    assert server.port is not None
    with relays(("127.0.0.1", server.port), len(NAMES)) as made:
        named = dict(zip(NAMES, made, strict=True))
        entries = [own, *(replace(shared, name=name, server=relay.url) for name, relay in named.items())]
        (tmp_path / "kubeconfig").write_text(kubeconfig(entries), encoding="utf-8")
        before = dict(bench.environ)
        bench.environ |= {
            "KUBECONFIG": str(tmp_path / "kubeconfig"),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        }
        bench.sections["clusters"] = {
            name: {"kubeconfigContext": name, "server": relay.url} for name, relay in named.items()
        }
        registrations = {name: Registration(environment, name) for name in NAMES}
        for name, registration in registrations.items():
            registration.entry = bench.sections["clusters"][name]
        first, *others = registrations.values()
        first.up()
        token = first.token()
        for registration in others:
            registration.register(token)
        bench.up(take_back=True)
        # A Cluster that is written twice may not be reported on before that.
        bench.kubectl(f"-n {SPACE} rollout restart deployment/michelangelo-controllermgr")
        (bench.folder / "stacks" / f"Pulumi.{STACK}.yaml").write_text(
            stack_text({"kubeconfigs": ..., **bench.sections})
        )
        yield Fleet(bench, named)
        alive = bench.connect(NAMES[0])
        for cluster, item in reversed(list(placed(bench.settings, STACK))):
            if cluster == NAMES[0]:
                alive.delete(bench.path(item, cluster))
        alive.delete(f"/api/v1/namespaces/default/secrets/{RAY_MANAGER_TOKEN}")
    clusters = f"/apis/michelangelo.api/v2/namespaces/{SPACE}/clusters"
    for name in NAMES:
        bench.hub.delete(f"{clusters}/{name}")
        for secret in ("ca-data", "client-token"):
            bench.hub.delete(f"/api/v1/namespaces/default/secrets/cluster-{name}-{secret}")
    # The controller manager lets go of them while its pods run, which the bench takes away at its end.
    wait(lambda: not list(bench.hub.items(clusters)))
    bench.environ = before
    bench.restore()
    bench.up(take_back=True)


def is_of(clusters: Sequence[str], check: Mapping[str, Any]) -> bool:
    """Whether a check is of one of these clusters, or finds something of them alone."""
    if any(check["check"].endswith(f"/{name}") for name in clusters):
        return True
    subjects = [str(finding["subject"]) for finding in check["findings"]]
    return bool(subjects) and all(any(name in said for name in clusters) for said in subjects)


@pytest.mark.long
@proves("REG-10", played="the engine, and the controller manager's watch")
def test_of_twenty_clusters_those_that_are_dead_have_all_the_findings(fleet: Fleet) -> None:
    """REG-10, UX-8: one refuses, then another takes connections and says nothing."""
    well: dict[str, Any] = {}

    def all_well() -> bool:
        well.update(fleet.look())
        wanted = ["network/8", *(f"{what}/{name}" for what in ("objects", "clusters") for name in NAMES)]
        return all(well["verify"][check]["state"] == "passed" for check in wanted)

    wait(all_well, 90)
    refusing, silent = NAMES[3], NAMES[12]
    dead: list[str] = []
    for name, code, die in (
        (refusing, "MA431", fleet.relays[refusing].refuse),
        (silent, "MA432", fleet.relays[silent].silence),
    ):
        die()
        dead.append(name)
        for verb, checks in fleet.look().items():
            others = [each for each in checks.values() if not is_of(dead, each)]
            assert [each for each in others if each["state"] != well[verb][each["check"]]["state"]] == []
            (found,) = checks[f"reach/{name}"]["findings"]
            assert (found["code"], checks[f"reach/{name}"]["state"]) == (code, "failed")
