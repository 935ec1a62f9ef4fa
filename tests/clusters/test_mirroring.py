"""With a metadata storage a new cluster's health stands still until the controller manager is rolled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clusters.mirroring import FINALIZER, LIMIT_SECONDS, roll_once_mirrored
from madeploy.clusters.registration import cluster_path
from madeploy.clusters.session import CREDENTIALS_REVISION
from madeploy.findings import Finding
from madeploy.settings import CONTROL_PLANE, Environment
from tests.support.environments import environment
from tests.support.proves import proves

STORAGE = {"host": "mysql.example.com", "credentialsSecret": "mysql"}


def stamp(second: int) -> str:
    return datetime.fromtimestamp(1_790_000_000 + second, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Session:
    """A stack, its control plane's one `Cluster`, and one pod of the controller manager; seconds pass while
    somebody waits."""

    name = "prod"

    def __init__(self, mirrored_at: int = 0, pod_of: int = -100, storage: Any = STORAGE) -> None:
        sections = {"metadataStorage": storage} if storage else {}
        self._settings = environment(clusters={"gpu": {"server": "https://gpu.example.com"}}, **sections)
        self.mirrored_at, self.pod_of, self.now = mirrored_at, pod_of, 0
        self.is_silent = False
        self.edits: list[Any] = []
        self.applied: list[tuple[str, ...]] = []

    def pause(self, seconds: float) -> None:
        self.now += int(seconds)

    def settings(self) -> Environment:
        return self._settings

    def edit(self, edits: Sequence[Any]) -> None:
        self.edits += edits

    def apply(
        self, clusters: Sequence[str], what: str, *, may_drop: bool = False, registers: bool = True
    ) -> Mapping[str, Finding]:
        self.applied.append(tuple(clusters))
        return {}

    def withdraw(self, secrets: Mapping[str, Collection[str]], what: str) -> Mapping[str, Finding]:
        raise AssertionError("nothing is withdrawn")

    def client(self, cluster: str) -> Any:
        assert cluster == CONTROL_PLANE
        return self

    def with_token(self, cluster: str, token: str) -> Any:
        raise AssertionError("nobody asks")

    def store_token(self, cluster: str, token: str) -> None:
        raise AssertionError("nobody asks")

    def find(self, path: str) -> Any:
        if self.is_silent:
            raise ClientError("https://a.example.com", "timeout", "silent")
        assert path == cluster_path("gpu")
        fields = [
            {"time": stamp(-50)},
            # The reports of its health.
            {"time": stamp(self.now + 500), "subresource": "status"},
        ]
        metadata: dict[str, Any] = {"name": "gpu", "creationTimestamp": stamp(-50), "managedFields": fields}
        if self.now >= self.mirrored_at:
            metadata["finalizers"] = ["clusters.michelangelo.uber.com/finalizer", FINALIZER]
            fields.append({"time": stamp(self.mirrored_at)})
        return {"metadata": metadata}

    def items(self, path: str, **_: Any) -> Any:
        yield {"metadata": {"name": "pod", "creationTimestamp": stamp(self.pod_of)}}


def roll(session: Session) -> list[str]:
    said: list[str] = []
    return [item.code for item in roll_once_mirrored(session, "gpu", said.append, session.pause)]


@pytest.mark.parametrize("mirrored_at", [0, 30])
@proves("REL-2", played="the stack and the control plane")
def test_it_is_rolled_once_the_ingester_has_written(mirrored_at: int) -> None:
    """REL-2, REG-4 (V7): not before, or the write would come after the roll."""
    session = Session(mirrored_at)
    assert roll(session) == []
    assert session.edits == [(CREDENTIALS_REVISION, 1)]
    assert session.applied == [()]
    assert session.now >= mirrored_at


def test_one_that_began_later_is_left_alone() -> None:
    """REL-2: the command run again changes nothing."""
    session = Session(mirrored_at=0, pod_of=10)
    assert roll(session) == []
    assert (session.edits, session.applied) == ([], [])


def test_without_a_storage_nobody_waits() -> None:
    """REL-2."""
    session = Session(storage=None)
    assert roll(session) == []
    assert (session.edits, session.now) == ([], 0)


def test_an_ingester_that_does_not_write_and_a_silent_control_plane_are_told() -> None:
    """REL-2, UX-3: the cluster is registered, and what is left is said."""
    late = Session(mirrored_at=10_000)
    assert roll(late) == ["MA477"]
    assert late.now == LIMIT_SECONDS
    silent = Session()
    silent.is_silent = True
    assert roll(silent) == ["MA477"]
    assert late.edits == silent.edits == []
