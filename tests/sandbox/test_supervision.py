"""Processes are found again, never mistaken for others and never left behind, whatever ends the command."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from madeploy.sandbox import ports, process
from madeploy.sandbox.environment import TOOLS, Environment
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.state import StateDirectory
from tests.support.waiting import wait

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = 13
"""Six of each of two clusters, and AWS."""


@dataclass
class CommandLine:
    """The command, with a state directory of its own."""

    state: Path

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "madeploy", "sandbox", *arguments],
            cwd=ROOT,
            env={**os.environ, "MADEPLOY_STATE": str(self.state)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and everything that was said."""
        child = self.popen(*arguments)
        out, err = child.communicate(timeout=120)
        return child.returncode, out + err

    @property
    def processes(self) -> dict[int, str]:
        return process.labelled(self.state)


@pytest.fixture
def command(tmp_path: Path, tool_paths: dict[str, Path]) -> Iterator[CommandLine]:
    """The command line, whose processes are ended when the test is over."""
    line = CommandLine(tmp_path / "state")
    yield line
    marks = ((pid, process.start_mark(pid)) for pid in line.processes)
    process.stop([(pid, mark) for pid, mark in marks if mark])


def test_what_a_killed_start_left_is_ended_by_stop(command: CommandLine) -> None:
    """UX-1: `kill -9` of the command in the middle of a start leaves nothing that cannot be stopped."""
    starting = command.popen("start")
    wait(lambda: "control-plane/apiserver" in command.processes.values(), 120, 0.02)
    starting.kill()
    starting.communicate()
    assert command.processes
    code, said = command.run("stop")
    assert code == 0, said
    assert command.processes == {}


def test_ctrl_c_in_the_middle_of_a_start_ends_what_was_started(command: CommandLine) -> None:
    """UX-1: no process outlives an interrupted start, and the next one works."""
    starting = command.popen("start")
    wait(lambda: "control-plane/apiserver" in command.processes.values(), 120, 0.02)
    starting.send_signal(signal.SIGINT)
    _, said = starting.communicate(timeout=120)
    assert starting.returncode == 130, said
    assert "Traceback" not in said
    assert command.processes == {}


def test_a_second_start_reuses_what_runs_and_restarts_what_died_and_touches_no_other_sandbox(
    environment: Environment, command: CommandLine
) -> None:
    """UX-1: a second checkout gets ports of its own; only a component that ended gets a new process; then
    everything stops, ports included, and the first checkout's sandbox runs on."""
    assert command.run("start")[0] == 0
    before = {name: pid for pid, name in command.processes.items()}
    assert len(before) == PROGRAMS
    taken = Environment(StateDirectory(command.state)).state.ports
    assert not set(taken.values()) & set(environment.state.ports.values())
    assert not set(command.processes) & set(process.labelled(environment.directory.root))
    os.kill(before["compute-0/scheduler"], signal.SIGKILL)
    wait(lambda: "compute-0/scheduler" not in command.processes.values(), 120, 0.02)
    assert command.run("status")[0] == 1

    code, said = command.run("start")

    assert code == 0, said
    after = {name: pid for pid, name in command.processes.items()}
    assert {name for name in after if after[name] != before[name]} == {"compute-0/scheduler"}
    assert Environment(StateDirectory(command.state)).state.ports == taken
    assert not any(ports.is_free(port) for port in taken.values())
    assert command.run("stop")[0] == 0
    assert command.processes == {}
    assert all(ports.is_free(port) for port in taken.values())
    assert len(process.labelled(environment.directory.root)) == PROGRAMS


LEAVING = """
import sys
from pathlib import Path
from madeploy.sandbox import process
state = Path(sys.argv[1])
state.mkdir()
process.spawn("aws", ["/bin/sleep", "600"], state, state / "log", {})
"""
"""Starts a process of a sandbox and ends without it."""


def test_a_damaged_state_file_is_explained_and_reset_ends_its_processes(command: CommandLine) -> None:
    """UX-3: the error names the file and the way out, and the way out works."""
    subprocess.run([sys.executable, "-c", LEAVING, str(command.state)], cwd=ROOT, check=True)
    assert list(command.processes.values()) == ["aws"]
    (command.state / "state.json").write_text('{"format": 1, "ports": [', encoding="utf-8")

    code, said = command.run("status")

    assert code == 3
    assert str(command.state / "state.json") in said
    assert "madeploy sandbox reset" in said
    assert command.run("reset", "--yes")[0] == 0
    assert command.processes == {}
    assert not command.state.exists()


@pytest.mark.sandbox
def test_buckets_objects_and_roles_outlive_the_process_that_holds_them(tmp_path: Path) -> None:
    """UX-1: a stopped sandbox comes back with the AWS resources its stack says are there."""
    running = Environment(StateDirectory(tmp_path), die_with_parent=True)
    # With clusters of the user's own only AWS is embedded.
    running.state.contexts = {"control-plane": "elsewhere"}
    running.start()
    content = bytes(range(256)) * 100
    _client(running, "s3").create_bucket(
        Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    _client(running, "s3").put_object(Bucket="kept", Key="a b/%41/ü", Body=content)
    _client(running, "iam").create_role(RoleName="kept", AssumeRolePolicyDocument='{"Statement": []}')
    port = running.state.ports["aws"]
    for _ in range(2):
        running.stop()
        assert ports.is_free(port)
        running.start()
    try:
        body = _client(running, "s3").get_object(Bucket="kept", Key="a b/%41/ü")["Body"].read()
        assert body == content
        assert [role["RoleName"] for role in _client(running, "iam").list_roles()["Roles"]] == ["kept"]
    finally:
        running.stop()


def _client(running: Environment, service: str):  # type: ignore[no-untyped-def]
    variables = running.variables
    return boto3.client(
        service,
        endpoint_url=running.aws_endpoint,
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


def test_a_component_that_ends_at_once_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    """UX-3: the error has the component's own last words and names the file with the rest."""
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho the disk is on fire\nexit 7\n", encoding="utf-8")
    program.chmod(0o755)
    broken = Environment(StateDirectory(tmp_path / "state"), dict.fromkeys(TOOLS, program))
    with pytest.raises(SandboxError) as error:
        broken.start()
    assert "etcd did not start" in error.value.what
    assert "exit code 7" in error.value.why
    assert "the disk is on fire" in error.value.why
    assert str(broken.directory.logs) in error.value.why
    assert process.labelled(broken.directory.root) == {}


def test_a_process_with_the_id_of_an_earlier_one_is_left_alone(tmp_path: Path) -> None:
    """A recorded process id that belongs to somebody else now is never signalled."""
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        assert process.stop([(stranger.pid, "boot-of-long-ago/1")]) == []
        assert stranger.poll() is None
        mark = process.start_mark(stranger.pid)
        assert mark is not None
        process.stop([(stranger.pid, mark)])
        assert stranger.wait(5) == -signal.SIGTERM
    finally:
        stranger.kill()


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Stopping takes a bounded time."""
    stubborn = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(15, signal.SIG_IGN); print(); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    mark = process.start_mark(stubborn.pid)
    assert mark is not None
    assert process.stop([(stubborn.pid, mark)], term_seconds=0.2) == []
    assert stubborn.wait(5) == -signal.SIGKILL
    stubborn.stdout.close()


def test_a_remembered_port_is_kept_unless_somebody_else_took_it() -> None:
    """Kubeconfigs stay valid from one start to the next."""
    remembered = ports.choose(None, set())
    assert ports.choose(remembered, set()) == remembered
    with socket.socket() as taken:
        taken.bind((ports.HOST, remembered))
        taken.listen()
        assert ports.choose(remembered, set()) != remembered


def test_state_is_private_and_survives_a_round_trip(tmp_path: Path) -> None:
    """Keys and kubeconfigs are readable for their owner only."""
    directory = StateDirectory(tmp_path / "state")
    directory.prepare()
    state = directory.load()
    state.ports["aws"] = 20_000
    directory.save(state)
    assert directory.load() == state
    assert stat.S_IMODE(directory.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(directory.file.stat().st_mode) == 0o600


def test_a_copied_state_directory_knows_nothing_of_the_original_s_processes(tmp_path: Path) -> None:
    """Two checkouts never meet, not even when one is a copy of the other."""
    original = StateDirectory(tmp_path / "original")
    original.prepare()
    state = original.load()
    state.ports["aws"] = 20_000
    original.save(state)
    copied = tmp_path / "copied"
    original.root.rename(copied)
    assert StateDirectory(copied).load().ports == {}


def test_a_second_command_is_refused_while_one_is_at_work(tmp_path: Path) -> None:
    """UX-3: the error says which process holds the sandbox."""
    directory = StateDirectory(tmp_path / "state")
    with directory.locked("up"), pytest.raises(SandboxError) as error, directory.locked("down"):
        pass
    assert f"process {os.getpid()} (sandbox up)" in error.value.why


def test_an_interrupt_waits_until_a_started_process_is_written_down() -> None:
    """UX-1: between a process and the note of it no Ctrl-C comes through, afterwards it does."""
    done: list[str] = []

    def note() -> None:
        with process.uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("noted")

    with pytest.raises(KeyboardInterrupt):
        note()
    assert done == ["noted"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
