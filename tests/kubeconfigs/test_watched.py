"""Reading a kubeconfig starts nothing, opens nothing else, and costs little, whatever the file says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kubeconfigs.corpus import CASES
from tests.kubeconfigs.documents import document, text

pytestmark = pytest.mark.whole

ROOT = Path(__file__).resolve().parents[2]


LARGE = {
    "bomb": b"a: &a [x, x]\nb: &b [*a, *a]\n" + b"c: [" + b"*b, " * 200_000 + b"]",
    "flows": b"a: [" + b"{b: c}," * 1_198_370 + b"]",
    "keys": b"".join(b"key-%07d: 1\n" % number for number in range(550_000)),
    "anchors": b"".join(b"- &a%07d x\n" % number for number in range(600_000)),
    "brackets": b"[" * 8_000_000,
}
"""Files of up to 8 MiB that are expensive to readers without limits; one of 50 MiB is beside them."""


def watched(folder: Path, files: list[Path], large: list[Path]) -> dict[str, dict[str, Any]]:
    """What reading files did, by their names."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kubeconfigs.watched", *map(str, files), "--limited", *map(str, large)],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(folder / "nothing"), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {told["file"]: told for told in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What reading each case, and some files too large for the corpus, did."""
    folder = tmp_path_factory.mktemp("watched")
    files, large = [folder / f"{number:03}" for number in range(len(CASES))], []
    for file, case in zip(files, CASES, strict=True):
        file.write_bytes(case.text())
    script = folder / "login"
    script.write_text(f"#!/bin/sh\ntouch {folder / 'started'}\n")
    script.chmod(0o755)
    files.append(folder / "login-command")
    files[-1].write_bytes(text(document(user={"exec": {"command": str(script), "args": ["x"]}})))
    for name, content in LARGE.items():
        large.append(folder / f"large-{name}")
        large[-1].write_bytes(content)
    large.append(folder / "large-50-mebibytes")
    with large[-1].open("wb") as stream:
        stream.truncate(50 * 1024 * 1024)
    found = watched(folder, files, large)
    assert not (folder / "started").exists()
    return found


def test_reading_starts_no_program_opens_no_other_file_and_makes_no_connection(
    told: dict[str, dict[str, Any]],
) -> None:
    """REG-1: as Python's own audit events have it, for every file of the corpus."""
    assert len(told) == len(CASES) + 1 + len(LARGE) + 1
    assert {name: each["seen"] for name, each in told.items() if each.get("seen")} == {}


def test_reading_takes_less_than_a_second_and_a_hundred_mebibytes(told: dict[str, dict[str, Any]]) -> None:
    """REG-1: the kernel ends a process that uses more; none was ended, and the large ones are refused."""
    assert [name for name, each in told.items() if "ended" in each] == []
    large = {name: each["refused"] for name, each in told.items() if name.startswith("large-")}
    assert large == dict.fromkeys(large, True)


def test_the_watch_sees_what_it_is_there_for(tmp_path: Path) -> None:
    """REG-1: a reader that opened another file, or needed more than it may, would be told."""
    program = """
import json, sys
from tests.kubeconfigs import watched
real = watched.from_file
def curious(*given):
    open("/etc/hostname").close()
    return real(*given)
def greedy(*given):
    return b"x" * (200 * 1024 * 1024)
sys.addaudithook(watched._watch)
watched.from_file = curious
print(json.dumps(watched.read("nothing")))
watched.from_file = greedy
print(json.dumps(watched.limited("nothing")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    curious, greedy = map(json.loads, done.stdout.splitlines())
    assert curious["seen"] == ["open '/etc/hostname'"]
    assert greedy["ended"] != 0
