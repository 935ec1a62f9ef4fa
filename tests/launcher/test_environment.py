"""The environment: made once, remade when it must be, and never used half made."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.launcher.conftest import LOCKED_UV, Checkout

pytestmark = pytest.mark.whole


def test_the_first_run_makes_the_environment_and_hands_over(checkout: Checkout) -> None:
    """UX-1."""
    checkout.put_uv()
    bin_directory = checkout.environment / "bin"
    assert checkout.launch("sandbox", "up") == [
        str(bin_directory / "python"),
        str(bin_directory / "madeploy"),
        "sandbox",
        "up",
    ]
    (sync,) = checkout.calls("uv pip sync")
    assert "--require-hashes" in sync
    assert sync.endswith("requirements-dev.txt")
    assert checkout.stamp.exists()
    assert not checkout.incomplete.exists()


def test_the_second_run_hands_over_without_calling_anything(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-1."""
    checkout.put_uv()
    checkout.launch()
    before = checkout.calls("")
    capsys.readouterr()
    checkout.launch()
    assert checkout.calls("") == before
    assert capsys.readouterr() == ("", "")


def test_the_environment_knows_the_project_and_its_command(checkout: Checkout) -> None:
    """UX-1: as an editable installation would, without a build backend."""
    checkout.put_uv()
    checkout.launch()
    link = checkout.environment / "lib" / "site-packages" / "madeploy.pth"
    assert link.read_text(encoding="utf-8") == f"{checkout.root}\n"
    command = checkout.environment / "bin" / "madeploy"
    assert os.access(command, os.X_OK)
    compile(command.read_text(encoding="utf-8"), "madeploy", "exec")


def test_the_commands_first_line_finds_the_interpreter_whatever_the_checkouts_path(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: this checkout's path has a space, which a `#!` line cannot hold."""
    checkout.put_uv()
    checkout.launch()
    command = checkout.environment / "bin" / "madeploy"
    subprocess.run([command, "explain"], check=True)
    assert checkout.calls("")[-1] == f"python {command} explain"


def test_without_uv_pip_installs_the_locked_uv_first(checkout: Checkout) -> None:
    """UX-1: with its checksums, as everything."""
    checkout.launch()
    (install,) = checkout.calls("uv.txt")
    assert "--require-hashes" in install
    assert checkout.calls("uv pip sync")
    assert not checkout.calls("-r " + str(checkout.root))


def test_the_uv_that_is_installed_is_exactly_the_locked_one(checkout: Checkout) -> None:
    """UX-1."""
    checkout.launch()
    assert (checkout.fakes / "requirement").read_text(encoding="utf-8") == LOCKED_UV


def test_without_any_uv_pip_installs_everything(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-1."""
    monkeypatch.setenv("FAKE_UV_INSTALL_ERROR", "ERROR: No matching distribution found for uv==0.13.8")
    checkout.launch()
    (install,) = checkout.calls("requirements-dev.txt")
    assert "pip install" in install
    assert "--require-hashes" in install
    assert checkout.stamp.exists()


def test_pip_is_tried_when_uv_cannot_reach_the_index(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-1: a mirror or certificate may be configured for pip only."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_ERROR", "error: Failed to fetch: invalid peer certificate")
    checkout.launch()
    assert checkout.calls("pip install")
    assert "trying pip" in capsys.readouterr().err


def test_a_uv_that_is_only_a_shim_is_not_used(checkout: Checkout) -> None:
    """UX-1: version managers leave one on PATH that ends with an error."""
    shim = checkout.path / "uv"
    shim.write_text("#!/bin/sh\necho 'pyenv: uv: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    checkout.launch()
    assert checkout.calls("uv.txt")


def test_uv_makes_the_environment_where_python_has_no_venv_module(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: Debian without python3-venv."""
    checkout.put_uv()
    monkeypatch.setenv(
        "FAKE_VENV_ERROR", "The virtual environment was not created: ensurepip is not available."
    )
    checkout.launch()
    (made,) = checkout.calls("uv venv")
    assert "--seed" in made
    assert checkout.stamp.exists()


def test_a_changed_lock_file_brings_the_environment_up_to_date_in_place(checkout: Checkout) -> None:
    """UX-1."""
    checkout.put_uv()
    checkout.launch()
    (checkout.root / "requirements-dev.txt").write_text("rich==15.0.1 --hash=sha256:ee\n", encoding="utf-8")
    mark = checkout.environment / "kept"
    mark.touch()
    checkout.launch()
    assert len(checkout.calls("uv pip sync")) == 2
    assert len(checkout.calls("-m venv")) == 1
    assert mark.exists()


def test_an_interrupted_environment_is_made_anew(checkout: Checkout) -> None:
    """UX-1: a half-made environment never counts, stamp or not."""
    checkout.put_uv()
    checkout.launch()
    checkout.incomplete.touch()
    rest = checkout.environment / "half-installed"
    rest.touch()
    checkout.launch()
    assert not rest.exists()
    assert len(checkout.calls("-m venv")) == 2


def test_a_failed_installation_leaves_an_environment_that_does_not_count(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_ERROR", "Failed")
    monkeypatch.setenv("FAKE_PIP_ERROR", "Failed")
    with pytest.raises(SystemExit):
        checkout.load().main()
    assert checkout.incomplete.exists()
    assert not checkout.stamp.exists()
    monkeypatch.delenv("FAKE_UV_ERROR")
    checkout.launch()
    assert len(checkout.calls("-m venv")) == 2
    assert checkout.stamp.exists()


def test_an_environment_someone_else_made_is_completed_not_removed(checkout: Checkout) -> None:
    """UX-1: `pulumi install` makes `.venv` too."""
    checkout.put_uv()
    python = checkout.environment / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text((checkout.fakes / "python").read_text())
    python.chmod(0o755)
    checkout.launch()
    assert not checkout.calls("-m venv")
    assert len(checkout.calls("uv pip sync")) == 1


@pytest.mark.parametrize("change", ["upgraded", "removed"])
def test_an_environment_whose_interpreter_changed_is_not_taken_for_current(
    checkout: Checkout, change: str
) -> None:
    """UX-1: the system's Python may be upgraded or removed at any time."""
    checkout.put_uv()
    checkout.launch()
    python = checkout.environment / "bin" / "python"
    if change == "upgraded":
        python.write_text(python.read_text() + "# 3.12.1\n")
    else:
        python.unlink()
    checkout.launch()
    assert len(checkout.calls("uv pip sync")) == 2
    assert len(checkout.calls("-m venv")) == (1 if change == "upgraded" else 2)


def test_a_moved_checkout_makes_its_environment_anew(checkout: Checkout) -> None:
    """UX-1: scripts of an environment hold its path, so that it cannot be brought up to date."""
    checkout.put_uv()
    checkout.launch()
    moved = Checkout(checkout.root.with_name("moved"), checkout.path, checkout.fakes)
    checkout.root.rename(moved.root)
    moved.launch()
    assert len(checkout.calls("-m venv")) == 2
    assert len(checkout.calls("uv pip sync")) == 2


def test_two_launchers_at_once_make_the_environment_once(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: the second waits for the first and says so."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_SECONDS", "1")
    both = [start(checkout) for _ in range(2)]
    said = "".join(process.communicate(timeout=30)[1] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert len(checkout.calls("uv pip sync")) == 1
    assert said.count("another madeploy is making the environment; waiting for it") == 1


def test_nobody_else_starts_while_an_installation_outlives_its_killed_launcher(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_SECONDS", "1.5")
    process = start(checkout)
    deadline = time.monotonic() + 20
    while not checkout.calls("uv pip sync") and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    with (checkout.root / ".madeploy" / "launcher" / "lock").open("a") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert not checkout.stamp.exists()


def start(checkout: Checkout) -> subprocess.Popen[str]:
    """The launcher in a process of its own; where it would hand over, it ends with 0."""
    driver = (
        "import os, runpy, sys\n"
        "fake, launcher = sys.argv[1:]\n"
        "sys.executable, sys.argv, os.execv = fake, [launcher], lambda path, argv: sys.exit(0)\n"
        "runpy.run_path(launcher, run_name='__main__')\n"
    )
    return subprocess.Popen(
        [
            str(Path(sys.base_prefix) / "bin" / "python3"),
            "-c",
            driver,
            str(checkout.fakes / "python"),
            str(checkout.root / "bin" / "madeploy"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )


def test_redirecting_settings_of_the_shell_do_not_reach_the_installers(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.com")
    clean = checkout.load().clean()
    assert "PYTHONPATH" not in clean
    assert "PIP_TARGET" not in clean
    assert clean["PIP_INDEX_URL"] == "https://mirror.example.com"
