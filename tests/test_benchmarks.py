"""The benchmarks compare like with like, and their figures follow what they measure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.catalogue import BENCHMARKS, ROOT, Sides
from benchmarks.measure import Command, CommandFailed, alternate, compare, ratio, run

pytestmark = pytest.mark.whole

CLUSTERS = 3


def python(code: str, where: Path = ROOT) -> Command:
    return Command((sys.executable, "-c", code), where)


def benchmarks(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    """The command, where no sandbox has ever run."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "MADEPLOY_STATE": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )


def prepared(name: str, scratch: Path) -> Sides:
    """A benchmark's two sides after a run of each."""
    sides = BENCHMARKS[name].prepare(scratch, CLUSTERS)
    run(sides.measured)
    run(sides.baseline)
    return sides


def test_all_clusters_are_validated_and_parsed(tmp_path: Path) -> None:
    """REG-12: a stack that is refused would be checked quickly, and is noticed."""
    sides = prepared("validate-fleet", tmp_path)
    assert sides.difference() == ""
    stack = tmp_path / "Pulumi.fleet.yaml"
    text = stack.read_text(encoding="utf-8").replace("https://compute-0001", "http://compute-0001")
    stack.write_text(text, encoding="utf-8")
    assert sides.difference() == "0 clusters validated, 3 parsed"


def test_the_objects_built_are_the_objects_written(tmp_path: Path) -> None:
    """REG-12: one that a side leaves out is noticed."""
    sides = prepared("build", tmp_path)
    assert sides.difference() == ""
    dumped = tmp_path / "dumped.yaml"
    dumped.write_text(dumped.read_text(encoding="utf-8").rpartition("---\n")[0], encoding="utf-8")
    assert "not all equal" in sides.difference()


def test_the_objects_rendered_are_the_objects_written(tmp_path: Path) -> None:
    """REG-12, CARD-4: one that a side leaves out is noticed."""
    sides = prepared("render", tmp_path)
    assert sides.difference() == ""
    dumped = tmp_path / "dumped.yaml"
    dumped.write_text(dumped.read_text(encoding="utf-8").rpartition("---\n")[0], encoding="utf-8")
    assert "not all equal" in sides.difference()


def test_both_programs_register_the_same_resources(tmp_path: Path) -> None:
    """REG-12: one whose inputs, options or place differ is named."""
    sides = prepared("register", tmp_path)
    assert sides.difference() == ""
    raw = tmp_path / "registered-raw.json"
    registered = json.loads(raw.read_text(encoding="utf-8"))
    assert sum(item["type"] == "michelangelo:index:ComputeCluster" for item in registered) == CLUSTERS
    registered[-1]["protect"] = not registered[-1]["protect"]
    raw.write_text(json.dumps(registered), encoding="utf-8")
    assert registered[-1]["urn"] in sides.difference()


def test_sides_run_in_the_order_a_b_b_a(tmp_path: Path) -> None:
    """UX-2: and progress names every round."""
    a, b = (python(f"open('order', 'a').write('{side}')", tmp_path) for side in "AB")
    rounds: list[str] = []
    ours, theirs = alternate(a, b, 2, rounds.append)
    assert (tmp_path / "order").read_text(encoding="utf-8") == "ABBAABBA"
    assert (len(ours), len(theirs)) == (4, 4)
    assert rounds == ["round 1 of 2", "round 2 of 2"]


def test_memory_and_processor_time_are_those_of_the_command_alone() -> None:
    """Memory of this process, however large, is not the command's."""
    ballast = bytearray(200 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small, large = python("pass"), python("x = bytearray(b'x') * (100 << 20); sum(range(10**7))")
    comparison = compare([run(large), run(large)], [run(small), run(small)])
    assert len(ballast) > 100 << 20
    assert comparison.memory.least > 5
    assert comparison.cpu.least > 2


def test_ratios_are_of_medians_of_least_values_and_of_rounds() -> None:
    """The two summaries differ when single runs were disturbed, and the rounds show how far."""
    found = ratio([2.0, 4.0, 6.0, 30.0], [1.0, 1.0, 2.0, 4.0])
    assert (found.median, found.least, found.lowest, found.highest) == (5 / 1.5, 2.0, 3.0, 6.0)


def test_a_command_that_fails_is_never_measured() -> None:
    """UX-2: its last words are told."""
    with pytest.raises(CommandFailed, match=r"ended with 7:\nfull disk"):
        run(python("import sys; print('full disk'); sys.exit(7)"))
    with pytest.raises(CommandFailed, match="ended with 9"):
        run(python("import os; os.kill(os.getpid(), 9)"))


def test_results_are_printed_as_ratios_only(tmp_path: Path) -> None:
    """UX-2: as JSON too; what cannot run here is named with its reason."""
    done = benchmarks("validate", "preview", "--rounds", "1", "--json", state=tmp_path / "none")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    (validate,) = data["benchmarks"]
    assert validate["name"] == "validate"
    for quantity in ("cpu", "wall", "memory"):
        assert validate[quantity].keys() == {"median", "least", "lowest", "highest"}
        assert validate[quantity]["least"] > 0
    assert data["left_out"] == [
        {"name": "preview", "why": "no sandbox runs; `bin/madeploy sandbox up` starts one"}
    ]
    assert "validate: done" in done.stderr


def test_exit_codes_tell_wrong_use_from_nothing_to_measure(tmp_path: Path) -> None:
    """UX-2."""
    unknown = benchmarks("valdiate", state=tmp_path / "none")
    assert unknown.returncode == 2
    assert "There is no benchmark valdiate; there are validate, " in unknown.stderr
    assert benchmarks("preview", state=tmp_path / "none").returncode == 3
