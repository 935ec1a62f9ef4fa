"""The environment: made once, remade when it must be, and never used half made."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from madeploy.bootstrap import PATH_FILE, clean
from tests.launcher.conftest import LAUNCHER, LOCKED_UV, Checkout
from tests.support.proves import proves

pytestmark = pytest.mark.whole


@proves("UX-1")
def test_the_first_run_makes_the_environment_and_the_second_calls_nothing(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-1."""
    checkout.put_uv()
    bin_directory = checkout.environment / "bin"
    handed_over = [str(bin_directory / "python"), str(bin_directory / "madeploy"), "sandbox", "up"]
    assert checkout.launch("sandbox", "up") == handed_over
    (sync,) = checkout.calls("uv pip sync")
    assert "--require-hashes" in sync
    assert sync.endswith("requirements-dev.txt")
    assert checkout.calls("")[-1] == "python -m madeploy.bytecode"
    assert checkout.stamp.exists()
    assert not checkout.incomplete.exists()
    before = checkout.calls("")
    capsys.readouterr()
    assert checkout.launch("sandbox", "up") == handed_over
    assert checkout.calls("") == before
    assert capsys.readouterr() == ("", "")


def test_the_environment_knows_the_project_and_its_command(checkout: Checkout) -> None:
    """UX-1: as an editable installation would; a `#!` line could not hold the space in this path."""
    checkout.put_uv()
    checkout.launch()
    link = checkout.environment / "lib" / "site-packages" / "madeploy.pth"
    assert link.read_text(encoding="utf-8").splitlines()[0] == str(checkout.root)
    command = checkout.environment / "bin" / "madeploy"
    compile(command.read_text(encoding="utf-8"), "madeploy", "exec")
    subprocess.run([command, "explain"], check=True)
    assert checkout.calls("")[-1] == f"python {command} explain"


def test_the_lock_brings_pip_and_uv() -> None:
    """CARD-3: Pulumi's language host runs `python -m pip`; the launcher runs uv."""
    lock = (LAUNCHER.parents[1] / "requirements-dev.txt").read_text(encoding="utf-8")
    assert {"pip", "uv"} <= set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))


@pytest.mark.parametrize("shim", [False, True], ids=["none", "a shim that ends with an error"])
def test_without_uv_pip_installs_exactly_the_locked_one(checkout: Checkout, shim: bool) -> None:
    """UX-1: with its checksums, as everything; version managers leave shims on PATH."""
    if shim:
        (checkout.path / "uv").write_text("#!/bin/sh\necho 'pyenv: uv: command not found' >&2\nexit 127\n")
        (checkout.path / "uv").chmod(0o755)
    checkout.launch()
    (install,) = checkout.calls("uv.txt")
    assert "--require-hashes" in install
    assert (checkout.fakes / "requirement").read_text(encoding="utf-8") == LOCKED_UV
    assert checkout.calls("uv pip sync")
    assert not checkout.calls("-r " + str(checkout.root / "requirements-dev.txt"))


@pytest.mark.parametrize("uv", [False, True], ids=["uv cannot be installed", "uv cannot reach the index"])
def test_pip_installs_everything_where_uv_does_not(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], uv: bool
) -> None:
    """UX-1: a mirror or certificate may be configured for pip only."""
    if uv:
        checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_INSTALL_ERROR", "ERROR: No matching distribution found for uv==0.13.8")
    monkeypatch.setenv("FAKE_UV_ERROR", "error: Failed to fetch: invalid peer certificate")
    checkout.launch()
    (install,) = [call for call in checkout.calls("requirements-dev.txt") if "pip install" in call]
    assert "--require-hashes" in install
    assert "--no-compile" in install
    assert "some minutes" in capsys.readouterr().err
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
    assert len(checkout.calls("uv venv")) == 1
    assert mark.exists()


def test_an_interrupted_environment_is_made_anew(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-1: a half-made environment never counts, stamp or not."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_ERROR", "Failed")
    monkeypatch.setenv("FAKE_PIP_ERROR", "Failed")
    with pytest.raises(SystemExit):
        checkout.load().main()
    assert checkout.incomplete.exists()
    assert not checkout.stamp.exists()
    (checkout.environment / "half-installed").touch()
    monkeypatch.delenv("FAKE_UV_ERROR")
    checkout.launch()
    assert not (checkout.environment / "half-installed").exists()
    checkout.incomplete.touch()
    checkout.launch()
    assert len(checkout.calls("uv venv")) == 3
    assert checkout.stamp.exists()
    assert not checkout.incomplete.exists()


def test_an_environment_someone_else_made_is_completed_not_removed(checkout: Checkout) -> None:
    """UX-1: `pulumi install` makes `.venv` too."""
    checkout.put_uv()
    (checkout.environment / "bin").mkdir(parents=True)
    (checkout.environment / "bin" / "python").symlink_to(checkout.fakes / "python")
    checkout.launch()
    assert not checkout.calls("uv venv")
    assert len(checkout.calls("uv pip sync")) == 1


@pytest.mark.parametrize("change", ["upgraded", "removed", "too old"])
def test_an_environment_whose_interpreter_changed_is_not_taken_for_current(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """UX-1: the system's Python may be upgraded or removed at any time."""
    checkout.put_uv()
    checkout.launch()
    python = checkout.environment / "bin" / "python"
    if change == "removed":
        python.unlink()
    else:
        fake = checkout.fakes / "python"
        fake.write_text(fake.read_text() + "# 3.12.1\n")
        monkeypatch.setenv("FAKE_IS_RECENT", str(change == "upgraded"))
    checkout.launch()
    assert len(checkout.calls("uv pip sync")) == 2
    assert len(checkout.calls("uv venv")) == (1 if change == "upgraded" else 2)


def test_a_moved_checkout_makes_its_environment_anew(checkout: Checkout) -> None:
    """UX-1: scripts of an environment hold its path, so that it cannot be brought up to date."""
    checkout.put_uv()
    checkout.launch()
    moved = Checkout(checkout.root.with_name("moved"), checkout.path, checkout.fakes)
    checkout.root.rename(moved.root)
    moved.launch()
    assert len(checkout.calls("uv venv")) == 2
    assert len(checkout.calls("uv pip sync")) == 2


@pytest.mark.parametrize(
    "leads_to", ["nothing", "an empty directory", "an environment of ours", "one of a moved checkout"]
)
def test_an_environment_behind_a_link_is_made_where_the_link_leads(
    checkout: Checkout, tmp_path: Path, leads_to: str
) -> None:
    """UX-1: on a larger disk, say. The link stays, also when the environment is made anew."""
    checkout.put_uv()
    place = tmp_path / "disk" / "environment"
    if leads_to != "nothing":
        place.mkdir(parents=True)
    checkout.environment.symlink_to(place)
    if leads_to in ("an environment of ours", "one of a moved checkout"):
        checkout.launch()
        checkout.incomplete.touch()
        text = checkout.stamp.read_text(encoding="utf-8")
        if "moved" in leads_to:
            checkout.stamp.write_text(text.replace(str(checkout.root), "/gone"), encoding="utf-8")
        (place / "half-installed").touch()
    checkout.launch()
    assert checkout.environment.is_symlink()
    assert (place / "madeploy-stamp").exists()
    assert not (place / "half-installed").exists()
    before = checkout.calls("")
    checkout.launch()
    assert checkout.calls("") == before


@pytest.mark.parametrize("holds", ["other files", "a file", "another checkout's"])
def test_a_link_to_what_is_not_ours_is_said_and_nothing_is_removed(
    checkout: Checkout, tmp_path: Path, capsys: pytest.CaptureFixture[str], holds: str
) -> None:
    """UX-3: the advice is about the link, and the other checkout keeps its environment."""
    checkout.put_uv()
    place = tmp_path / "place"
    if holds == "a file":
        place.write_text("precious")
    elif holds == "other files":
        place.mkdir()
        (place / "precious").touch()
    else:
        other = Checkout(tmp_path / "other", checkout.path, checkout.fakes)
        (other.root / "bin").mkdir(parents=True)
        (other.root / "bin" / "madeploy").touch()
        place.mkdir()
        (place / "madeploy-stamp").write_text(f"format 1\ncheckout {other.root}\n")
    checkout.environment.symlink_to(place)
    before = sorted(place.rglob("*"))
    with pytest.raises(SystemExit):
        checkout.load().main()
    said = capsys.readouterr().err
    assert f"{checkout.environment} is a link to {place}, which is " in said
    assert "remove the link or point it at an empty directory" in said
    assert sorted(place.rglob("*")) == before


def test_two_launchers_at_once_make_the_environment_once(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: the second waits for the first and says so."""
    checkout.put_uv()
    monkeypatch.setenv("FAKE_UV_SECONDS", "1")
    both = [start(checkout) for _ in range(2)]
    said = "".join(process.communicate(timeout=120)[1] for process in both)
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
    deadline = time.monotonic() + 120
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
    python = str(Path(sys.base_prefix) / "bin" / "python3")
    arguments = [python, "-c", driver, checkout.fakes / "python", checkout.root / "bin" / "madeploy"]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)


def test_redirecting_settings_of_the_shell_do_not_reach_the_installers(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.com")
    kept = clean()
    assert not {"PYTHONPATH", "PIP_TARGET"} & kept.keys()
    assert kept["PIP_INDEX_URL"] == "https://mirror.example.com"


# What a start compiles, counted by the interpreter's own audit event; and the modules a verb and the Pulumi
# program begin with.
COUNT = """
import sys
compiled = []
def heard(event, arguments):
    if event == "compile" and str(arguments[1]).endswith(".py"):
        compiled.append(arguments[1])
sys.addaudithook(heard)
if sys.argv[1] == "program":
    exec(compile(open("__main__.py").read().partition("import pulumi")[0], "__main__", "exec"))
import pulumi, madeploy.cli.validate
print(len(compiled))
"""


@pytest.mark.parametrize("who_made_it", ["the launcher", "pulumi install"])
def test_a_second_start_compiles_nothing_where_python_may_not_write_bytecode(
    checkout: Checkout, who_made_it: str
) -> None:
    """UX-1: as in containers. What it compiled the first time is in the environment, not in the checkout."""
    repository = LAUNCHER.parents[1]
    made = checkout.environment
    subprocess.run([f"{sys.base_prefix}/bin/python3", "-m", "venv", "--without-pip", made], check=True)
    python = made / "bin" / "python"
    places = [path for path in sys.path if path.endswith("site-packages")]
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(subprocess.check_output([python, "-c", query], text=True).strip())
    (own / "a.pth").write_text("\n".join([str(repository), *places]))
    if who_made_it == "the launcher":
        (own / "madeploy.pth").write_text(PATH_FILE.format(root=checkout.root))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def start() -> int:
        command = [python, "-c", COUNT, "command" if who_made_it == "the launcher" else "program"]
        return int(subprocess.check_output(command, cwd=repository, env=environment, text=True))

    first, second = start(), start()
    assert second == 0
    assert len(list((made / "pycache").rglob("*.pyc"))) == first > 100
