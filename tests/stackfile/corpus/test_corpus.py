"""The corpus of broken stack files: each gives exactly the message that stands beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from madeploy.findings import exit_code
from madeploy.stackfile.loader import MAX_FINDINGS, load_environment
from tests.stackfile.corpus.hostile import RECIPES
from tests.support.proves import proves

pytestmark = pytest.mark.whole

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(BROKEN.glob("*.yaml"))
ROOT = Path(__file__).parents[3]

REPRESENTATIVE = (
    "aliases that multiply",
    "five thousand wrong clusters",
    "ten megabytes",
    "a host of emoji",
)
"""Recipes that are also run as the command, in a process of its own whose memory can be measured."""

MEMORY = 64 * 1024
"""KiB a process may take for a hostile file."""

SECONDS = 2.0
"""Processor time it may take; the machine may be busy with other things."""


def test_the_corpus_is_large_and_complete() -> None:
    """UX-3: at least 60 broken files, each with its message and no message without its file."""
    assert len(FILES) >= 60
    assert {path.stem for path in BROKEN.glob("*.txt")} == {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@proves("CARD-5", "UX-3")
def test_a_broken_file_gives_the_message_the_corpus_states(path: Path) -> None:
    """UX-3, CARD-5: the exact text, exit code 2, nothing deployed from it."""
    stack = load_environment(path, "stacks/Pulumi.prod.yaml")
    assert stack.text + "\n" == path.with_suffix(".txt").read_text(encoding="utf-8")
    assert exit_code(stack.findings, errors=2) == 2
    assert stack.environment is None


@pytest.mark.parametrize("name", RECIPES)
def test_a_hostile_file_gets_a_short_answer_in_time(name: str, tmp_path: Path) -> None:
    """UX-3: findings with places, never an exception, never an endless list."""
    recipe, code = RECIPES[name]
    content = recipe()
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = time.process_time()
    stack = load_environment(path)
    assert time.process_time() - before < SECONDS
    assert code in {finding.code for finding in stack.findings}
    assert len(stack.findings) <= MAX_FINDINGS + 1
    assert len(stack.text) < 1_000_000
    assert exit_code(stack.findings, errors=2) == 2


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_the_command_survives_hostile_files_in_little_memory(name: str, tmp_path: Path) -> None:
    """UX-2, UX-3: exit code 2, no traceback, under 64 MiB and 2 s of processor time."""
    recipe, _ = RECIPES[name]
    content = recipe()
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    del content
    # A child started from this large process would be charged for its memory: a small one starts it.
    measure = (
        "import os, resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:], stdout=2).returncode\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(code, used.ru_maxrss, used.ru_utime + used.ru_stime)\n"
    )
    command = [sys.executable, "-c", measure, sys.executable, "-m", "madeploy", "validate", str(path)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    code, memory, seconds = done.stdout.split()
    assert code == "2", done.stderr
    assert "Traceback" not in done.stderr
    assert int(memory) < MEMORY
    assert float(seconds) < SECONDS


def test_no_message_repeats_a_secret() -> None:
    """UX-3: secrets of the corpus contain this word, and no message does."""
    word = "do-not-show"
    assert sum(word.encode() in path.read_bytes() for path in FILES) >= 8
    assert not [path.stem for path in FILES if word in load_environment(path, "stacks/Pulumi.prod.yaml").text]
