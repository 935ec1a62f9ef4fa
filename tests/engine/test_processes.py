"""What is known of processes, of this machine's and of those that have ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from madeploy.engine import processes


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a directory and with a variable of its own."""
    command = [sys.executable, "-c", "import sys, time; print(flush=True); time.sleep(60)", "an argument"]
    environment = {**os.environ, "OF_THE_TEST": "a = value"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_process_is_known_by_what_it_was_started_with(
    child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """REG-9."""
    assert processes.arguments(child.pid)[-1] == "an argument"
    assert processes.directory(child.pid) == tmp_path
    assert processes.variable(child.pid, "OF_THE_TEST") == "a = value"
    assert processes.variable(child.pid, "OF_NOBODY") is None
    assert processes.parent(child.pid) == os.getpid()
    assert child.pid in processes.own()
    assert os.getpid() not in processes.own()
    started = processes.started_at(child.pid)
    assert started is not None
    assert abs(time.time() - started) < 60


def test_a_mark_stays_with_its_process_and_ends_with_it(child: subprocess.Popen[bytes]) -> None:
    """REG-9: a process that has ended is gone though nobody has asked for its exit code yet."""
    mark = processes.start_mark(child.pid)
    assert mark is not None
    assert processes.start_mark(os.getpid()) != mark
    assert processes.is_alive(child.pid, mark)
    assert not processes.is_alive(child.pid, f"{mark}0")
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.start_mark(child.pid) is None
    assert not processes.is_alive(child.pid, mark)


def test_of_a_process_that_is_gone_nothing_is_known(child: subprocess.Popen[bytes]) -> None:
    """REG-9."""
    child.kill()
    child.wait()
    asked = [processes.start_mark, processes.started_at, processes.parent, processes.directory]
    assert [ask(child.pid) for ask in asked] == [None] * 4  # type: ignore[operator]
    assert processes.arguments(child.pid) == []
    assert processes.variable(child.pid, "PATH") is None
    assert processes.stop([(child.pid, "mark")]) == []
