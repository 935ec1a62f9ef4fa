"""What a person reads when a tool can neither be found nor built."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from madeploy.errors import ToolkitError
from madeploy.sandbox.tools import ensure, inspect
from tests.sandbox_tools.conftest import Machine


def error_of(names: list[str]) -> ToolkitError:
    with pytest.raises(ToolkitError) as caught:
        ensure(names)
    return caught.value


def test_a_missing_go_toolchain_is_said_with_the_version_to_install(machine: Machine) -> None:
    """UX-2, UX-3."""
    error = error_of(["kubeconform"])
    assert error.exit_code == 3
    assert "cannot build kubeconform" in str(error)
    assert "no Go toolchain on PATH" in error.why
    assert "install Go 1.26.0 or later" in error.fix
    assert "run the same command again" in error.fix


def test_a_missing_go_toolchain_does_not_matter_when_nothing_is_to_be_built(machine: Machine) -> None:
    """UX-1."""
    machine.put("kwok", "kwok version v0.7.0")
    assert ensure(["kwok"])["kwok"].source == "path"


@pytest.mark.parametrize(
    ("version", "toolchain"), [("go1.20.14", "auto"), ("go1.24.2", "local"), ("go1.25.9", "local")]
)
def test_a_go_toolchain_that_is_too_old_is_said_before_anything_is_fetched(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, version: str, toolchain: str
) -> None:
    """UX-3."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_VERSION", version)
    monkeypatch.setenv("GOTOOLCHAIN", toolchain)
    error = error_of(["kubeconform"])
    assert version.removeprefix("go") in error.why
    assert "1.26.0" in error.why
    assert not machine.go_calls("build")


def test_an_old_go_toolchain_that_may_fetch_a_newer_one_is_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_VERSION", "go1.22.0")
    assert ensure(["kubeconform"])["kubeconform"].source == "built"


def test_a_go_command_that_does_not_work_is_said_with_what_it_printed(machine: Machine) -> None:
    """UX-3."""
    machine.put("go", "").write_text("#!/bin/sh\necho 'go: cannot find GOROOT directory' >&2\nexit 2\n")
    assert "cannot find GOROOT directory" in error_of(["etcd"]).why


@pytest.mark.parametrize(
    ("log", "why", "fix"),
    [
        (
            'go: example.com/x@v1.0.0: Get "https://mirror.example.com/x": dial tcp: lookup '
            "mirror.example.com: no such host",
            "could not be downloaded",
            "GOPROXY",
        ),
        (
            "go: example.com/x@v1.0.0: reading https://mirror.example.com/x.zip: 403 Forbidden",
            "could not be downloaded",
            "GOPROXY",
        ),
        (
            "verifying example.com/x@v1.0.0: checksum mismatch\n\tdownloaded: h1:a\n\tgo.sum: h1:b\n\n"
            "SECURITY ERROR\ndial tcp",
            "not what go.sum says",
            "do not work around it",
        ),
        ("go: ../go.mod requires go >= 1.30 (running go 1.26)", "too old", "install the Go version"),
        ("k8s.io/api/core/v1: compile: signal: killed", "ran out of memory", "GOMAXPROCS=1"),
        ("x.go:1:1: syntax error", "ended with code 1", "the log names"),
    ],
    ids=["no network", "refused by the proxy", "checksum", "Go too old", "no memory", "anything else"],
)
def test_a_failed_build_is_explained_with_the_end_of_its_log_and_its_path(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, log: str, why: str, fix: str
) -> None:
    """UX-2, UX-3."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_ERROR", log)
    error = error_of(["etcd"])
    assert error.exit_code == 3
    assert error.what == "could not build etcd"
    assert why in error.why
    assert log.splitlines()[0] in error.why
    assert str(machine.cache / "logs" / "tools-etcd.log") in error.why
    assert fix in error.fix


def test_a_disk_that_fills_up_during_a_build_is_said(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3."""
    machine.put_go()
    monkeypatch.setenv("FAKE_GO_ERROR", "write /tmp/x.a: no space left on device")
    error = error_of(["etcd"])
    assert "no room on the disk" in error.what
    assert "MADEPLOY_CACHE" in error.fix
    assert str(machine.cache) in error.fix


def test_a_disk_that_is_full_when_the_build_is_stored_is_said(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3."""
    machine.put_go()

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    assert "no room on the disk" in error_of(["etcd"]).what


def test_a_cache_that_cannot_be_written_is_said_with_its_place(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3."""
    machine.put_go()
    machine.cache.write_text("a file where the directory should be")
    error = error_of(["etcd"])
    assert str(machine.cache) in str(error)
    assert "MADEPLOY_CACHE" in error.fix


def test_an_unknown_tool_is_wrong_use_and_the_known_ones_are_listed() -> None:
    """UX-2, UX-3."""
    with pytest.raises(ToolkitError) as caught:
        inspect(["kubectl", "terraform"])
    assert caught.value.exit_code == 2
    assert "terraform" in caught.value.what
    assert "kube-apiserver" in caught.value.why


def test_every_line_of_a_cause_stands_below_its_label() -> None:
    """UX-3."""
    error = ToolkitError("it failed", "first\nsecond", "do this")
    assert str(error) == "it failed\n  why: first\n       second\n  fix: do this"
