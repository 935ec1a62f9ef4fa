"""`madeploy recover` with the real engine: whose locks it removes, and whose it never touches."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from madeploy.findings.symptoms import Where, diagnosed
from madeploy.sandbox.kubeconfig import KubeconfigEntry
from madeploy.sandbox.pki import Authority
from tests.support.clears import clears
from tests.support.fleets import UserStack


@pytest.fixture(scope="module")
def stack(tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> UserStack:
    """A stack that was made and never brought up; its clusters are not asked."""
    where = tmp_path_factory.mktemp("recover")
    (where / "pki").mkdir()
    authority = Authority(where / "pki", "ca", "nobody")
    admin = authority.client("admin", "admin")
    entry = KubeconfigEntry(
        "control-plane",
        "https://127.0.0.1:9",
        authority.pair.certificate.read_bytes(),
        admin.certificate.read_bytes(),
        admin.key.read_bytes(),
    )
    made = UserStack(where / "user", tool_paths, [entry])
    made.write({})
    made.create()
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is called as an engine is."""
    with subprocess.Popen(
        ["/opt/bin/pulumi", "-c", "import time; time.sleep(600)"], executable=sys.executable, cwd=tmp_path
    ) as running:
        yield running
        running.kill()


def lock(stack: UserStack, pid: int, host: str, age: timedelta = timedelta()) -> Path:
    """A lock as the engine writes it."""
    folder = stack.backend / ".pulumi" / "locks" / "organization" / "michelangelo" / stack.name
    folder.mkdir(parents=True, exist_ok=True)
    since = (datetime.now(timezone.utc) - age).isoformat()
    holder = {"pid": pid, "username": "jo", "hostname": host, "timestamp": since}
    file = folder / "a-lock.json"
    file.write_text(json.dumps(holder), encoding="utf-8")
    return file


def recover(stack: UserStack, *arguments: str) -> tuple[int, dict[str, Any]]:
    done = stack.madeploy("recover", str(stack.file), "--json", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_lock_whose_owner_lives_is_never_touched(stack: UserStack, engine: subprocess.Popen[bytes]) -> None:
    """REG-9, UX-2: whatever the options; the process is named."""
    file = lock(stack, engine.pid, socket.gethostname())
    for arguments in ((), ("--force",)):
        code, said = recover(stack, *arguments)
        assert code == 3
        assert [finding["code"] for finding in said["leftAlone"]] == ["MA488"]
        assert str(engine.pid) in said["leftAlone"][0]["evidence"]
        assert file.exists()
    file.unlink()


@pytest.mark.parametrize("content", ["", '{"pid":478,"user', "\0" * 64])
def test_a_lock_that_cannot_be_read_is_named_and_removed_only_when_somebody_says_so(
    content: str, stack: UserStack
) -> None:
    """REG-9, UX-2: the engine refuses to work for it, so it is not nothing."""
    file = lock(stack, 1, "x")
    file.write_text(content, encoding="utf-8")
    code, said = recover(stack)
    assert (code, file.exists()) == (3, True)
    (left,) = said["leftAlone"]
    assert str(file) in left["evidence"]
    assert "--force" in left["fix"]
    code, said = recover(stack, "--force")
    assert (code, file.exists(), list(said["locks"])) == (0, False, [stack.name])


def test_a_lock_of_another_machine_is_removed_only_when_somebody_says_so(stack: UserStack) -> None:
    """REG-9: nothing here can tell whether its owner works."""
    file = lock(stack, 4711, "ci-runner-7")
    code, said = recover(stack)
    assert (code, said["locks"]) == (3, {})
    assert "ci-runner-7" in said["leftAlone"][0]["evidence"]
    assert "--force" in said["leftAlone"][0]["fix"]
    assert file.exists()
    code, said = recover(stack, "--force")
    assert code == 0
    assert "ci-runner-7" in said["locks"][stack.name][0]
    assert not file.exists()


def test_locks_of_processes_that_are_gone_and_damaged_states_are_put_right(
    stack: UserStack, engine: subprocess.Popen[bytes]
) -> None:
    """REG-9: also where the process id was given to another engine since."""
    file = lock(stack, engine.pid, socket.gethostname(), timedelta(hours=1))
    state = stack.backend / ".pulumi" / "stacks" / "michelangelo" / f"{stack.name}.json"
    checkpoint = json.loads(state.read_text(encoding="utf-8"))
    urn = f"urn:pulumi:{stack.name}::michelangelo::michelangelo:index:Platform"
    checkpoint["checkpoint"]["latest"]["resources"] = [
        {
            "urn": f"{urn}$michelangelo:index:ComputeCluster::a",
            "custom": False,
            "type": "michelangelo:index:ComputeCluster",
            "parent": f"{urn}::michelangelo",
        }
    ]
    state.write_text(json.dumps(checkpoint), encoding="utf-8")
    code, said = recover(stack)
    assert code == 0, said
    assert list(said["locks"]) == [stack.name]
    assert said["repaired"] == [stack.name]
    assert not file.exists()
    code, said = recover(stack)
    assert (code, said["locks"], said["repaired"], said["settled"]) == (0, {}, [], {})


def test_a_state_that_was_cut_off_while_it_was_written_is_the_one_before_again(stack: UserStack) -> None:
    """REG-9, UX-1: the engine cannot even select such a stack."""
    state = stack.backend / ".pulumi" / "stacks" / "michelangelo" / f"{stack.name}.json"
    whole = state.read_text(encoding="utf-8")
    state.with_name(f"{state.name}.bak").write_text(whole, encoding="utf-8")
    state.write_text("", encoding="utf-8")
    code, said = recover(stack)
    assert (code, said["repaired"]) == (0, [stack.name])
    assert json.loads(state.read_text(encoding="utf-8")) == json.loads(whole)


@clears("MA488")
def test_a_stack_whose_engine_was_killed_works_again_after_what_is_printed(stack: UserStack) -> None:
    """OPS-8, REG-9, UX-3: told by what the engine itself says; the command is typed as it stands."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    lock(stack, gone.pid, socket.gethostname())

    def refresh() -> str:
        done = stack.run("pulumi", "refresh", "--yes", "--stack", stack.name, cwd=stack.where)
        return done.stdout + done.stderr

    said = refresh()
    (finding,) = diagnosed(said.splitlines(), Where(stack=stack.name))
    assert finding.code == "MA488", said
    (line,) = finding.commands
    program = stack.where / "bin" / "madeploy"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m madeploy "$@"\n')
    program.chmod(0o755)
    done = stack.run("bash", "-c", line, cwd=stack.where)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(diagnosed(refresh().splitlines(), Where(stack=stack.name))) == []
