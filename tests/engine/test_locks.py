"""Who works on a stack, and what an engine that was killed left running."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.engine import locks, processes
from madeploy.engine.locks import Lock

NOW = datetime.now(timezone.utc)
HERE = socket.gethostname()


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that are ended with the test."""
    made: list[subprocess.Popen[bytes]] = []
    yield made
    for child in made:
        child.kill()
        child.wait()


def called(name: str, where: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A process whose command line begins with `name`."""
    return subprocess.Popen(
        [name, "-c", "import time; time.sleep(60)", *arguments], executable=sys.executable, cwd=where
    )


def test_a_lock_s_owner_is_a_pulumi_that_was_there_before_it(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    """REG-9: process ids are given again, to other programs and to other engines."""
    engine, stranger = called("/opt/bin/pulumi", tmp_path), called("/opt/bin/nginx", tmp_path)
    started += [engine, stranger]
    time.sleep(0.2)
    later = datetime.now(timezone.utc)
    assert Lock(engine.pid, HERE, "me", later, "").owner == "alive"
    assert Lock(engine.pid, HERE, "me", None, "").owner == "alive"
    assert Lock(engine.pid, HERE, "me", later - timedelta(hours=1), "").owner == "gone"
    assert Lock(stranger.pid, HERE, "me", later, "").owner == "gone"
    assert Lock(engine.pid, "another-machine", "me", later, "").owner == "elsewhere"
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    assert Lock(engine.pid, HERE, "me", later, "").owner == "gone"


def test_locks_of_one_stack_are_read_also_those_that_are_half_written(tmp_path: Path) -> None:
    """REG-9: the engine refuses to work for each of them; those of other stacks and projects are somebody
    else's."""
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "michelangelo"
    holder = {"pid": 4711, "username": "me", "hostname": "ci-7", "timestamp": "2026-11-21T07:58:03.5+01:00"}
    for stack, name, text in (
        ("prod", "a", json.dumps(holder)),
        ("prod", "b", '{"pid": 47'),
        ("prod-shard-00", "c", json.dumps(holder)),
    ):
        (folder / stack).mkdir(parents=True, exist_ok=True)
        (folder / stack / f"{name}.json").write_text(text, encoding="utf-8")
    found = locks.in_directory(tmp_path, "michelangelo", "prod")
    assert [(lock.pid, lock.host, lock.user) for lock in found] == [(4711, "ci-7", "me"), (0, "", "")]
    assert [lock.owner for lock in found] == ["elsewhere", "elsewhere"]
    assert str(found[1]) == "a lock that is half written"
    assert found[0].since == datetime(2026, 11, 21, 6, 58, 3, tzinfo=timezone.utc)
    assert locks.in_directory(tmp_path, "other", "prod") == []


WHOLE = json.dumps(
    {"pid": 4711, "username": "me", "hostname": HERE, "timestamp": "2026-11-21T07:58:03.5+01:00"}
).encode()


@given(st.integers(0, len(WHOLE) - 1))
def test_a_lock_cut_off_anywhere_is_named_and_is_nobody_s_until_somebody_says_so(length: int) -> None:
    """REG-9: a machine that lost its power leaves any part of it; only one that still names a process and
    this machine is judged by them."""
    with tempfile.TemporaryDirectory() as backend:
        folder = Path(backend) / ".pulumi" / "locks" / "organization" / "michelangelo" / "prod"
        folder.mkdir(parents=True)
        (folder / "a.json").write_bytes(WHOLE[:length])
        (found,) = locks.in_directory(Path(backend), "michelangelo", "prod")
    assert found.defect == ("is half written" if length else "is empty")
    assert found.place.endswith("a.json")
    assert found.owner == ("gone" if f'"{HERE}"'.encode() in WHOLE[:length] else "elsewhere")


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 200, b"\n", b"[]", b"null", b"{}", b'{"pid": true', b"\xff\xfe"]
)
def test_whatever_stands_in_a_lock_it_is_named(content: bytes, tmp_path: Path) -> None:
    """REG-9."""
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "michelangelo" / "prod"
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(content)
    (found,) = locks.in_directory(tmp_path, "michelangelo", "prod")
    assert found.defect
    assert found.owner == "elsewhere"


def test_a_torn_lock_that_names_a_living_engine_is_that_engine_s(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    """REG-9: also where the name of its machine was not written any more."""
    engine = called("/opt/bin/pulumi", tmp_path)
    started.append(engine)
    time.sleep(0.2)
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "michelangelo" / "prod"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(f'{{"pid":{engine.pid},"userna')
    (found,) = locks.in_directory(tmp_path, "michelangelo", "prod")
    assert found.owner == "alive"
    assert str(found) == f"a lock that is half written and names process {engine.pid}"


@pytest.mark.parametrize(
    "said",
    [
        "error: unexpected end of JSON input",
        "error: invalid character '}' looking for beginning of value",
        "error: json: cannot unmarshal string into Go value of type diy.lockContent",
    ],
)
def test_a_lock_that_the_engine_cannot_read_in_an_object_store_is_one_all_the_same(said: str) -> None:
    """REG-9: it only passes on what its reader of JSON said."""
    (found,) = locks.in_message(said)
    assert (found.owner, found.defect) == ("elsewhere", "cannot be read")


def test_an_object_store_s_locks_are_read_from_what_the_engine_says() -> None:
    """REG-9: the engine alone can read them; its words are the same for every store."""
    folder = "s3://state/.pulumi/locks/organization/m/prod"
    text = (
        "error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or "
        "delete the lock file with `pulumi cancel`.\n"
        f"  {folder}/a.json: created by jo@ci-7 (pid 12) at 2026-11-21T07:58:03Z\n"
        f"  {folder}/b.json: created by a@b@ci-8 (pid 13) at 2026-11-21T08:00:00+01:00"
    )
    found = locks.in_message(text)
    assert [(lock.user, lock.host, lock.pid) for lock in found] == [("jo", "ci-7", 12), ("a@b", "ci-8", 13)]
    assert found[0].place == f"{folder}/a.json"
    assert found[0].since == datetime(2026, 11, 21, 7, 58, 3, tzinfo=timezone.utc)
    assert locks.in_message("error: no lock here") == []


@pytest.mark.parametrize(
    ("url", "directory"),
    [
        ("file:///var/state", Path("/var/state")),
        ("file:///with%20space", Path("/with space")),
        ("file://~", Path.home()),
        ("file://~/state", Path.home() / "state"),
        ("s3://bucket?region=eu-west-1", None),
        ("https://api.pulumi.com", None),
    ],
)
def test_only_a_file_backend_has_a_directory(url: str, directory: Path | None) -> None:
    """REG-9."""
    assert locks.directory_of(url) == directory


def test_only_helpers_of_this_program_that_have_no_engine_are_orphans(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    """REG-9: an engine's own helpers, those that are asked for their version, other programs and other
    directories are left alone."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    orphan = called("/plugins/pulumi-resource-kubernetes", mine, "127.0.0.1:1")
    elsewhere = called("/plugins/pulumi-resource-kubernetes", other, "127.0.0.1:1")
    editor = called("/usr/bin/vim", mine)
    asked = called("/plugins/pulumi-resource-aws", mine, "--version")
    script = (
        "import subprocess, time\n"
        "child = subprocess.Popen(['/plugins/pulumi-resource-aws', '-c', 'import time; time.sleep(60)',"
        f" '127.0.0.1:1'], executable={sys.executable!r})\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    engine = subprocess.Popen(
        ["/opt/bin/pulumi", "-c", script], executable=sys.executable, cwd=mine, stdout=subprocess.PIPE
    )
    started += [orphan, elsewhere, editor, asked, engine]
    assert engine.stdout is not None
    helper = int(engine.stdout.readline())
    try:
        deadline = time.monotonic() + 60
        while orphan.pid not in locks.orphans(mine) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert locks.orphans(mine) == {orphan.pid: "pulumi-resource-kubernetes"}
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        assert locks.orphans(mine) == {
            orphan.pid: "pulumi-resource-kubernetes",
            helper: "pulumi-resource-aws",
        }
        assert processes.stop(processes.marked([helper])) == []
    finally:
        engine.stdout.close()
        if processes.start_mark(helper) is not None:
            os.kill(helper, signal.SIGKILL)
