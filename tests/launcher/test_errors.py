"""What a person reads when the environment cannot be made."""

from __future__ import annotations

import ast
import errno
import os
import sys
from pathlib import Path

import pytest

from madeploy import bootstrap
from tests.launcher.conftest import LAUNCHER, Checkout


def error_of(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        checkout.load().main()
    assert ended.value.code == 3
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("log", "fix"),
    [
        (
            "error: Request failed: dns error: failed to lookup address information",
            "check that this machine reaches",
        ),
        ("ERROR: Could not find a version; connection timed out", "check that this machine reaches"),
        ("error: failed to write: No space left on device (os error 28)", "free about 2 GB"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "do not work around it",
        ),
        ("error: Hash mismatch for `rich==15.0.0`", "do not work around it"),
        ("error: something new", "remove the cause the log names"),
    ],
    ids=["no name service", "no network", "disk full", "checksum (pip)", "checksum (uv)", "anything else"],
)
def test_a_failed_installation_says_what_happened_and_what_to_do(
    checkout: Checkout,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    log: str,
    fix: str,
) -> None:
    """UX-2, UX-3."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_ERROR", log)
    monkeypatch.setenv("FAKE_PIP_ERROR", log)
    said = error_of(checkout, capsys)
    assert "could not install the packages" in said
    assert log in said
    assert str(checkout.root / ".madeploy" / "launcher" / "log") in said
    assert fix in said.rpartition("  fix: ")[2]
    assert "Traceback" not in said


@pytest.mark.parametrize("log", ["No space left on device", "Hash mismatch for `rich==15.0.0`"])
def test_pip_is_not_tried_where_it_cannot_help(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], log: str
) -> None:
    """UX-3."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_ERROR", log)
    error_of(checkout, capsys)
    assert not checkout.calls("pip install")


@pytest.mark.parametrize(
    "log",
    [
        "The virtual environment was not created: ensurepip is not available.",
        "/usr/bin/python3: No module named ensurepip",
        "ensurepip is disabled in Debian/Ubuntu for the system python.",
    ],
)
def test_a_python_that_brings_no_pip_and_no_uv_says_which_package_to_install(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], log: str
) -> None:
    """UX-3: Debian without python3-venv."""
    monkeypatch.setenv("FAKE_ENSUREPIP_ERROR", log)
    said = error_of(checkout, capsys)
    assert "could not install the packages" in said
    assert "apt install python3-venv" in said


def test_a_python_that_brings_no_pip_is_enough_where_uv_is(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_ENSUREPIP_ERROR", "No module named ensurepip")
    checkout.launch()
    assert checkout.stamp.exists()


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (errno.EACCES, "make {root} writable"),
        (errno.EROFS, "make {root} writable"),
        (errno.ENOSPC, "free about 2 GB"),
        (errno.EDQUOT, "free about 2 GB"),
    ],
)
def test_a_checkout_that_cannot_be_written_is_said(
    checkout: Checkout,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: int,
    fix: str,
) -> None:
    """UX-3."""

    def fails(path: Path, *_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error), str(path))

    monkeypatch.setattr(Path, "mkdir", fails)
    said = error_of(checkout, capsys)
    assert str(checkout.root) in said
    assert fix.format(root=checkout.root) in said


def test_ctrl_c_ends_quietly_and_the_environment_does_not_count(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-2."""
    checkout.put_uv()

    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "has_ended", interrupt)
    with pytest.raises(SystemExit) as ended:
        checkout.load().main()
    assert ended.value.code == 130
    assert "interrupted" in capsys.readouterr().err
    assert checkout.incomplete.exists()
    assert not checkout.stamp.exists()


def test_an_old_python_hands_over_to_a_newer_one_on_path(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    for name, text in (("python3.13", "#!/bin/sh\nexit 127\n"), ("python3.11", "#!/bin/sh\necho 3.11\n")):
        (checkout.path / name).write_text(text)
        (checkout.path / name).chmod(0o755)
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    assert checkout.launch("tools") == [
        str(checkout.path / "python3.11"),
        str(checkout.root / "bin" / "madeploy"),
        "tools",
    ]


def test_an_old_python_alone_is_said_with_the_version_that_is_needed(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-2, UX-3."""
    monkeypatch.setattr(sys, "version_info", (3, 6, 15))
    said = error_of(checkout, capsys)
    assert "Python 3.10 or later is needed" in said
    assert "is 3.6.15" in said
    assert not (checkout.root / ".madeploy").exists()


def test_an_old_python_may_launch_an_environment_that_is_there(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    checkout.put_uv()
    checkout.launch()
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    assert checkout.launch()[0] == str(checkout.environment / "bin" / "python")


def test_an_old_python_can_read_the_launcher() -> None:
    """UX-3: a syntax error would be all its user sees."""
    ast.parse(LAUNCHER.read_text(encoding="utf-8"), feature_version=(3, 6))
