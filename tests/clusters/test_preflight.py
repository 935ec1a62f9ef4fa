"""A fleet is looked at in bounded time, whatever single clusters do."""

from __future__ import annotations

import contextlib
import threading
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import Cause, ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import preflight as module
from madeploy.clusters.preflight import preflight
from madeploy.errors import ToolkitError
from madeploy.sandbox.pki import Authority
from tests.support.answers import Answers
from tests.support.faults import bare_server, black_hole, fault_proxy
from tests.support.ports import free_port
from tests.support.scale import scale

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
HOLES = 5


def answering() -> Kubernetes:
    return Answers({REVIEWS: {"status": {"userInfo": {"username": "admin"}}}})


def failing(cause: Cause) -> Callable[[], Kubernetes]:
    return lambda: Answers({REVIEWS: ClientError("https://compute:6443", cause)})


def authority(directory: Path) -> str:
    directory.mkdir()
    return Authority(directory, "ca", directory.name).pair.certificate.read_text()


def test_every_kind_of_trouble_is_set_aside_with_its_code_and_the_rest_is_reachable(tmp_path: Path) -> None:
    """REG-10, REG-11: refused, hanging in four ways, wrong authority, expired login, no kubeconfig."""
    mine, other = (authority(tmp_path / name) for name in ("mine", "other"))

    def client(server: str, trusted: str = mine) -> Callable[[], Kubernetes]:
        return lambda: Kubernetes.registered(server, trusted, "a.b.c")

    def no_kubeconfig() -> Kubernetes:
        raise ToolkitError("no kubeconfig", "it is not set", "set it", exit_code=2)

    with contextlib.ExitStack() as servers:
        hole, silent = (servers.enter_context(made) for made in (black_hole(), bare_server("silent")))
        backend = servers.enter_context(fault_proxy("https://127.0.0.1:1", tmp_path / "mine", "error"))
        drip = servers.enter_context(fault_proxy(backend.server, tmp_path / "mine", "drip"))
        mute = servers.enter_context(fault_proxy(backend.server, tmp_path / "mine", "silent"))
        found = preflight(
            {
                "first": answering,
                "refused": client(f"https://127.0.0.1:{free_port()}"),
                "hole": client(f"https://127.0.0.1:{hole}"),
                "silent": client(f"https://127.0.0.1:{silent}"),
                "drip": client(drip.server),
                "mute": client(mute.server),
                "authority": client(drip.server, other),
                "login": failing("unauthorized"),
                "kubeconfig": no_kubeconfig,
                "last": answering,
            },
            seconds=0.5,
        )
    assert found.reachable == ["first", "last"]
    assert {name: finding.code for name, finding in found.aside.items()} == {
        "refused": "MA431",
        "hole": "MA432",
        "silent": "MA432",
        "drip": "MA432",
        "mute": "MA432",
        "authority": "MA434",
        "login": "MA437",
        "kubeconfig": "MA402",
    }
    assert "rotate" not in found.aside["login"].fix


def test_black_holes_are_waited_for_side_by_side() -> None:
    """REG-10, REG-12: a fleet of 200 of which five never answer costs one time limit, not one each."""
    count, seconds = scale(60, 200), scale(1, 40) / 5
    together, never = threading.Barrier(HOLES), threading.Event()
    met: list[int] = []

    def hole() -> Kubernetes:
        met.append(together.wait(60))
        never.wait(60)
        return answering()

    clients = {f"c{n}": hole if n % (count // HOLES) == 3 else answering for n in range(count)}
    found = preflight(clients, seconds=seconds, workers=16)
    never.set()
    assert len(found.aside) == HOLES
    assert len(found.reachable) == count - HOLES
    assert sorted(met) == list(range(HOLES))


def test_clusters_that_hang_give_their_place_to_others() -> None:
    """REG-10: more of them than places."""
    never = threading.Event()

    def hole() -> Kubernetes:
        never.wait(60)
        return answering()

    found = preflight({**{f"h{n}": hole for n in range(4)}, "good": answering}, seconds=0.1, workers=2)
    never.set()
    assert found.reachable == ["good"]


def test_progress_counts_every_cluster() -> None:
    """UX-2."""
    told: list[int] = []
    preflight({f"c{n}": answering for n in range(5)}, note=told.append)
    assert told == [1, 2, 3, 4, 5]


def test_an_exception_of_a_task_ends_the_whole() -> None:
    """REG-10: what is no cluster's own trouble is not swallowed."""

    def broken() -> str:
        raise RuntimeError("control plane gone")

    with pytest.raises(RuntimeError, match="control plane gone"):
        run_bounded({"a": broken}, lambda name: "late", seconds=5)


def test_results_keep_the_order_they_were_asked_in() -> None:
    """UX-2."""
    first_may_end = threading.Event()

    def second() -> str:
        first_may_end.set()
        return "done"

    tasks = {"a": lambda: "done" if first_may_end.wait(5) else "alone", "b": second}
    results = run_bounded(tasks, lambda name: "late", seconds=10)
    assert list(results.items()) == [("a", "done"), ("b", "done")]


def test_an_update_of_one_cluster_asks_that_one_and_the_control_plane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REG-12: whatever the size of the fleet."""
    asked: list[str] = []

    class Access:
        """Access to a thousand clusters, of which it is noted who is asked."""

        environment = types.SimpleNamespace(clusters={f"c{number}": None for number in range(1000)})

        def client(self, name: str) -> Kubernetes:
            asked.append(name)
            return answering()

    monkeypatch.setattr(module, "open_stack", lambda *_, **__: Access())
    assert module.unreachable("prod", lambda _: None, ["c7"]) == {}
    assert sorted(asked) == ["c7", "control-plane"]
    asked.clear()
    module.unreachable("prod", lambda _: None)
    assert len(asked) == 1001
