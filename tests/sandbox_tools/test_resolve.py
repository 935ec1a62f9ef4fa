"""The cache and the builds: what is built once, what is never taken for built."""

from __future__ import annotations

import fcntl
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from madeploy.progress import Reporter
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.tools import DEFAULT_TOOLS, FAMILIES, TOOLS, ensure, inspect
from madeploy.sandbox.tools.room import Room
from tests.sandbox_tools.conftest import Machine
from tests.support.proves import proves

pytestmark = pytest.mark.whole


def entry_of(machine: Machine, family: str) -> Path:
    (entry,) = (machine.cache / "tools" / family).glob("[0-9]*")
    return entry


def test_a_missing_tool_is_built_once_and_then_found_in_the_cache(machine: Machine) -> None:
    """UX-1."""
    machine.put_go()
    built = ensure(["etcd"])["etcd"]
    cached = ensure(["etcd"])["etcd"]
    assert (built.source, cached.source) == ("built", "cache")
    assert built.path == cached.path
    assert len(machine.go_calls("build")) == 1


def test_only_the_family_of_a_tool_is_built(machine: Machine) -> None:
    """UX-1."""
    machine.put_go()
    ensure(["kubeconform"])
    assert [path.name for path in (machine.cache / "tools").iterdir()] == ["kubeconform"]


def test_everything_can_be_built(machine: Machine) -> None:
    """UX-1."""
    machine.put_go()
    tools = ensure(TOOLS)
    assert list(tools) == list(TOOLS)
    assert {tool.source for tool in tools.values()} == {"built"}
    assert all(os.access(tool.path, os.X_OK) for tool in tools.values())
    assert len(machine.go_calls("build")) == len(FAMILIES)


def test_a_tool_on_request_is_built_only_when_it_is_named(machine: Machine) -> None:
    """UX-1."""
    machine.put_go()
    assert list(ensure()) == list(DEFAULT_TOOLS)
    built = {path.name for path in (machine.cache / "tools").iterdir()}
    assert built == FAMILIES.keys() - {"kube-score", "helm", "kustomize"}
    assert ensure(["kube-score"])["kube-score"].source == "built"


def test_the_language_host_has_its_scripts_beside_it(machine: Machine) -> None:
    """CARD-3: the engine looks for them there."""
    machine.put_go()
    directory = ensure(["pulumi-language-python"]).path("pulumi-language-python").parent
    for script in ("pulumi-language-python-exec", "pulumi-analyzer-policy-python"):
        assert os.access(directory / script, os.X_OK)


def test_the_directories_of_built_tools_go_on_path_and_those_of_found_ones_do_not(machine: Machine) -> None:
    """UX-1."""
    machine.put_go()
    machine.put("kwok", "kwok version v0.7.0")
    tools = ensure(["kwok", "etcd", "kubectl", "kube-apiserver"])
    assert tools.directories() == [tools.path("etcd").parent, tools.path("kubectl").parent]


def test_a_tool_of_the_cache_that_is_on_path_still_counts_as_cached(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: a shell prepared for the sandbox has the cache's directories first."""
    machine.put_go()
    path = ensure(["etcd"]).path("etcd")
    monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    assert ensure(["etcd"])["etcd"].source == "cache"


@pytest.mark.parametrize("damage", ["cut", "gone", "not executable", "no record"])
def test_a_damaged_cache_entry_is_built_again(machine: Machine, damage: str) -> None:
    """UX-1."""
    machine.put_go()
    program = ensure(["etcd"]).path("etcd")
    if damage == "cut":
        program.write_bytes(program.read_bytes()[:5])
    elif damage == "gone":
        program.unlink()
    elif damage == "not executable":
        program.chmod(0o644)
    else:
        (program.parent.parent / "built.json").unlink()
    assert inspect(["etcd"])[0].found is None
    assert ensure(["etcd"])["etcd"].source == "built"
    assert inspect(["etcd"])[0].found is not None


def test_what_a_killed_build_left_is_ignored_and_removed(machine: Machine) -> None:
    """UX-1: a half-finished build never counts as done."""
    machine.put_go()
    left = machine.cache / "tools" / "etcd" / ".building-killed" / "bin" / "etcd"
    left.parent.mkdir(parents=True)
    left.write_text("#!/bin/sh\necho etcd Version: 3.6.4\n")
    left.chmod(0o755)
    assert inspect(["etcd"])[0].found is None
    tool = ensure(["etcd"])["etcd"]
    assert tool.source == "built"
    assert not left.exists()


def test_a_failed_build_leaves_nothing_that_counts_as_done(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_ERROR", "some/package: it does not compile")
    with pytest.raises(SandboxError):
        ensure(["etcd"])
    assert not list((machine.cache / "tools" / "etcd").glob("[!.]*"))
    assert not list((machine.cache / "tools" / "etcd").glob(".building-*"))
    monkeypatch.delenv("FAKE_GO_ERROR")
    assert ensure(["etcd"])["etcd"].source == "built"


def test_other_sources_or_flags_make_another_entry(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """UX-1: checkouts that pin different versions share the cache and never each other's tools."""
    machine.put_go()
    first = ensure(["etcd"]).path("etcd")
    families = tmp_path / "families" / "etcd"
    families.mkdir(parents=True)
    for name in ("go.mod", "go.sum"):
        text = (FAMILIES["etcd"].directory / name).read_text(encoding="utf-8")
        (families / name).write_text(text + ("\n// changed\n" if name == "go.mod" else ""))
    monkeypatch.setattr("madeploy.sandbox.tools.catalog.FAMILIES_DIRECTORY", tmp_path / "families")
    second = ensure(["etcd"])["etcd"]
    assert second.source == "built"
    assert second.path != first
    assert first.exists()


def test_the_build_is_read_only_trimmed_and_free_of_the_users_go_settings(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: go.sum decides what is built, and every machine builds the same."""
    machine.put_go()
    for name, value in {
        "GOFLAGS": "-mod=mod",
        "GOOS": "plan9",
        "GOWORK": "/tmp/go.work",
        "CGO_ENABLED": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOPROXY", "https://mirror.example.com")
    ensure(["pulumi"])
    (call,) = machine.go_calls("build")
    assert "-mod=readonly" in call
    assert "-trimpath" in call
    environment = dict(
        line.partition("=")[::2] for line in (machine.bin / "go.environment").read_text().splitlines()
    )
    assert environment["GOFLAGS"] == "-mod=readonly"
    assert environment["GOWORK"] == "off"
    assert environment["CGO_ENABLED"] == "0"
    assert "GOOS" not in environment
    assert environment["GOPROXY"] == "https://mirror.example.com"


@pytest.mark.parametrize(
    "chosen", [{}, {"GOGC": "50"}, {"GOMEMLIMIT": "300MiB"}, {"GOGC": "off", "GOMEMLIMIT": "2GiB"}]
)
def test_the_compiler_has_room_unless_the_user_says_how_much(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str]
) -> None:
    """UX-1: a quarter of the processor time of a first build."""
    machine.put_go()
    for name in ("GOGC", "GOMEMLIMIT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    ensure(["etcd"])
    lines = (machine.bin / "go.environment").read_text().splitlines()
    used = {name: value for name, _, value in (line.partition("=") for line in lines)}
    assert {name: used[name] for name in ("GOGC", "GOMEMLIMIT")} == {
        "GOGC": "400",
        "GOMEMLIMIT": "1GiB",
    } | chosen


@pytest.mark.parametrize(
    ("family", "part"),
    [*((family, 0.2) for family in FAMILIES), *(("kubernetes", part) for part in (0.0, 0.01, 1.0))],
)
@proves("UX-7", played="the Go toolchain")
def test_a_build_says_how_far_it_is_and_about_how_long_it_will_take(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, family: str, part: float
) -> None:
    """UX-2: of the packages that the family is known to have; Go's cache may hold some of them."""
    total = FAMILIES[family].compiled
    compiled = max(1, int(total * part))
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_PACKAGES", str(compiled))
    monkeypatch.setenv("FAKE_GO_SECONDS", "0.8")
    log = io.StringIO()
    ensure(FAMILIES[family].packages, Reporter(log, first_heartbeat=0.05, heartbeat=0.05))
    said = f"{compiled} of at most {total} packages compiled"
    assert said in log.getvalue()
    if compiled == total:
        assert f"{said}, linking" in log.getvalue()
    else:
        assert bool(re.search(rf"{said}, at most about \d.* left", log.getvalue())) == (compiled >= 20)


def test_a_tool_that_does_not_say_its_version_once_built_is_an_error(machine: Machine) -> None:
    """UX-3."""
    machine.put_go({"etcd": "3.5.0"})
    with pytest.raises(SandboxError, match="does not run as it should"):
        ensure(["etcd"])
    assert inspect(["etcd"])[0].found is None


def test_two_processes_at_once_build_a_tool_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-1."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_SECONDS", "1")
    program = "from madeploy.sandbox.tools import ensure; print(ensure(['etcd'])['etcd'].path)"
    root = Path(__file__).resolve().parents[2]
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    answers = {process.communicate(timeout=60)[0].strip() for process in both}
    assert answers == {str(entry_of(machine, "etcd") / "bin" / "etcd")}
    assert len(machine.go_calls("build")) == 1


def test_the_lock_lasts_as_long_as_the_go_command_even_when_its_parent_is_killed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: nobody builds beside an orphan."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_SECONDS", "2")
    program = "from madeploy.sandbox.tools import ensure; ensure(['etcd'])"
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-c", program], cwd=root, stderr=subprocess.PIPE)
    assert process.stderr is not None
    wait_until(lambda: (machine.bin / "go.environment").exists())
    process.kill()
    process.wait()
    with (machine.cache / "tools" / "etcd" / ".lock").open("a") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_EX)
    process.stderr.close()


def test_a_failing_build_stops_the_others(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-3: the error is told now, not when the longest build is over."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_ERROR", "etcd does not compile")
    monkeypatch.setenv("FAKE_GO_FAILS_AT", "etcd")
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    slow = machine.bin / "go"
    slow.write_text(
        slow.read_text().replace(
            'os.environ.get("FAKE_GO_SECONDS", "0")', '"0.3" if "etcd" in sys.argv[-1] else "60"'
        )
    )
    with pytest.raises(SandboxError, match="could not build etcd"):
        ensure(["kubectl", "etcd"])
    assert inspect(["kubectl"])[0].found is None


def test_builds_run_side_by_side_only_where_memory_and_cores_allow() -> None:
    """UX-1: a machine with little memory builds one after the other, and a small one still builds."""
    assert most_at_once(Room(cores=2, gibibytes=100), 3.0, builds=4) == 2
    assert most_at_once(Room(cores=8, gibibytes=10), 3.0, builds=4) == 3
    assert most_at_once(Room(cores=8, gibibytes=0.5), 3.0, builds=3) == 1


def most_at_once(room: Room, gibibytes: float, builds: int) -> int:
    """How many of some builds, each waiting for as many others as it can, were in `room` at once."""
    running, most, lock = 0, 0, threading.Lock()

    def one() -> None:
        nonlocal running, most
        with room.for_build(gibibytes, threading.Event()):
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.02)
            with lock:
                running -= 1

    threads = [threading.Thread(target=one) for _ in range(builds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return most


def wait_until(condition: object, seconds: float = 120) -> None:
    """Wait for `condition()` to hold; fail if it does not."""
    assert callable(condition)
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    pytest.fail("waited too long")
