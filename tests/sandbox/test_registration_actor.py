"""The played controller manager has the habits of the real one, the inconvenient ones included."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Object
from madeploy.sandbox.actors import registrations
from madeploy.sandbox.actors.cluster import View
from madeploy.sandbox.actors.registrations import (
    BEAT_SECONDS,
    FINALIZER,
    GROUP,
    NAMESPACE,
    NOBODY_LEADS,
    TAKEOVER_SECONDS,
    RegistrationActor,
)

PATH = f"{GROUP}/namespaces/{NAMESPACE}/clusters/a"


class Memory:
    """A control plane in memory: objects by path, with versions that writers may insist on."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self._version = 0

    def put(self, path: str, item: Object) -> None:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path] = item

    def find(self, path: str, **query: Any) -> Object | None:
        if path in (f"{GROUP}/clusters", "/api/v1/pods"):
            part = "/clusters/" if path.endswith("clusters") else "/pods/"
            return {"items": [copy.deepcopy(item) for place, item in self.objects.items() if part in place]}
        return copy.deepcopy(self.objects.get(path))

    def merge(self, path: str, change: Object, manager: str = "") -> Object:
        item = self.objects.get(path.removesuffix("/status"))
        if item is None:
            raise ClientError("memory", "notFound")
        wanted = change.get("metadata", {}).pop("resourceVersion", None)
        if wanted not in (None, item["metadata"]["resourceVersion"]):
            raise ClientError("memory", "conflict")
        item["metadata"] |= change.get("metadata", {})
        item |= {key: value for key, value in change.items() if key != "metadata"}
        self.put(path.removesuffix("/status"), item)
        return copy.deepcopy(item)


class World:
    """The actor, its control plane, a compute cluster that accepts some tokens, and time."""

    def __init__(self) -> None:
        self.api = Memory()
        self.now = 0.0
        self.accepted = {"old"}
        self.body = "ok"
        self.said: list[str] = []
        self.actor = RegistrationActor(self.api, self.said.append, lambda: self.now)  # type: ignore[arg-type]
        self.pod("one")
        self.register("old")

    def pod(self, uid: str) -> None:
        self.api.put(
            f"/api/v1/pods/{uid}",
            {
                "metadata": {
                    "uid": uid,
                    "creationTimestamp": f"2026-01-01T00:00:{len(self.api.objects):02d}Z",
                    "labels": {"app": "michelangelo-controllermgr"},
                },
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            },
        )

    def register(self, token: str) -> None:
        self.secret("client-token", "token", token)
        self.secret("ca-data", "cadata", "")
        rest = {"host": "https://compute", "port": "6443", "tokenTag": "client-token", "caDataTag": "ca-data"}
        self.api.put(
            PATH,
            {
                "metadata": {"name": "a", "namespace": NAMESPACE, "uid": "u"},
                "spec": {"kubernetes": {"rest": rest}},
            },
        )

    def secret(self, name: str, key: str, value: str) -> None:
        data = {key: base64.b64encode(value.encode()).decode()}
        self.api.put(f"/api/v1/namespaces/default/secrets/{name}", {"metadata": {}, "data": data})

    def after(self, seconds: float) -> bool:
        """Let that time pass, a round a second; whether a report came in it."""
        before = self.report()
        for _ in range(round(seconds)):
            self.now += 1
            self.actor.play(View(self.api, self.said.append))  # type: ignore[arg-type]
        return self.report() != before

    def report(self) -> Any:
        cluster = self.api.objects.get(PATH, {})
        return (cluster.get("status"), cluster.get("metadata", {}).get("resourceVersion"))

    @property
    def ready(self) -> str:
        found: str = self.api.objects[PATH]["status"]["statusConditions"][0]["status"]
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A registration that is sound."""

    class Client:
        def __init__(self, server: str, authority: str, token: str) -> None:
            self._token = token

        def health(self) -> str:
            if self._token not in made.accepted:
                raise registrations._NoAnswerError("401")
            return made.body

    monkeypatch.setattr(registrations, "_Client", Client)
    made = World()
    return made


def test_a_cluster_is_reported_ready_at_every_beat(world: World) -> None:
    """REG-6, V5: the first time at once."""
    assert world.after(1)
    assert world.ready == "CONDITION_STATUS_TRUE"
    assert not world.after(BEAT_SECONDS - 1)
    assert world.after(1)


def test_another_answer_than_ok_is_reported_as_not_ready(world: World) -> None:
    """REG-6, facts 3.1."""
    world.body = "etcd failed"
    world.after(1)
    assert world.ready == "CONDITION_STATUS_FALSE"


def test_a_replaced_credential_is_read_only_by_the_next_leader(world: World) -> None:
    """REG-8, V14, V15: meanwhile the condition stays true and nothing is written."""
    world.after(1)
    world.secret("client-token", "token", "new")
    world.accepted = {"new"}
    assert not world.after(5 * BEAT_SECONDS)
    assert world.ready == "CONDITION_STATUS_TRUE"
    world.pod("two")
    del world.api.objects["/api/v1/pods/one"]
    assert not world.after(TAKEOVER_SECONDS)
    assert world.after(2)


def annotate(world: World) -> None:
    world.api.merge(PATH, {"metadata": {"annotations": {"a": "b"}}})


def change_skus(world: World) -> None:
    cluster = world.api.objects[PATH]
    cluster["spec"]["kubernetes"]["skus"] = [{"cpu": 1}]
    world.api.put(PATH, cluster)


@pytest.mark.parametrize("change", [annotate, change_skus])
def test_a_change_that_is_not_noticed_ends_the_reports(change: Callable[[World], None], world: World) -> None:
    """REG-8, V7."""
    world.after(1)
    change(world)
    assert not world.after(5 * BEAT_SECONDS)
    assert any("until a restart" in line for line in world.said)


def test_a_change_of_the_zone_is_noticed(world: World) -> None:
    """REG-9, facts 3.1."""
    world.after(1)
    cluster = world.api.objects[PATH]
    cluster["spec"]["zone"] = "b"
    world.api.put(PATH, cluster)
    assert world.after(BEAT_SECONDS)


def test_without_a_pod_nothing_is_reported_and_nothing_let_go(world: World) -> None:
    """REG-9, V16."""
    world.after(1)
    del world.api.objects["/api/v1/pods/one"]
    world.api.merge(PATH, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert not world.after(5 * BEAT_SECONDS)
    assert world.said.count(NOBODY_LEADS) == 1
    assert world.api.objects[PATH]["metadata"]["finalizers"] == [FINALIZER]
    world.pod("two")
    world.after(TAKEOVER_SECONDS + 1)
    assert world.api.objects[PATH]["metadata"]["finalizers"] == []


def test_a_missing_secret_leaves_the_status_as_it_was(world: World) -> None:
    """REG-11, facts 3.1: as a cluster that cannot be reached does."""
    del world.api.objects["/api/v1/namespaces/default/secrets/client-token"]
    world.after(3)
    assert "status" not in world.api.objects[PATH]
    assert any("no Secret default/client-token" in line for line in world.said)


def test_a_missing_key_makes_an_anonymous_client(world: World) -> None:
    """REG-11, facts 3.1: the hazard that the first check of a verification is for."""
    world.secret("client-token", "other", "x")
    world.accepted = {""}
    assert world.after(1)
    assert world.ready == "CONDITION_STATUS_TRUE"
