"""The benchmarks compare like with like, and their figures follow what they measure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import others
from benchmarks.catalogue import ROWS
from benchmarks.commands import ROOT
from benchmarks.fleet_files import documents, rendered, unequal
from benchmarks.measure import Command, CommandFailed, Sample, alternate, difference, ratio, run
from benchmarks.report import record
from benchmarks.reported import POINTS, over_time
from benchmarks.rows import Comparison, Goal, Sides
from benchmarks.series import SIZES, exponent, stack_of

pytestmark = pytest.mark.whole

CLUSTERS = 3


def python(code: str, where: Path = ROOT) -> Command:
    return Command((sys.executable, "-c", code), where)


def bench(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    """The command, where no sandbox has ever run."""
    return subprocess.run(
        [sys.executable, "-m", "madeploy", "bench", *arguments],
        cwd=ROOT,
        env={**os.environ, "MADEPLOY_STATE": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )


def prepared(name: str, scratch: Path) -> Sides:
    """A row's sides after a run of each."""
    row = ROWS[name]
    assert isinstance(row, Comparison)
    sides = row.prepare(scratch, CLUSTERS)
    for command in (sides.measured, *sides.beside.values()):
        run(command)
    return sides


def test_the_objects_rendered_are_the_objects_written(tmp_path: Path) -> None:
    """REG-12, CARD-4: one that a side leaves out is noticed."""
    sides = prepared("render", tmp_path)
    assert sides.difference() == ""
    dumped = tmp_path / "dumped.yaml"
    dumped.write_text(dumped.read_text(encoding="utf-8").rpartition("---\n")[0], encoding="utf-8")
    assert "not all equal" in sides.difference()


def test_both_programs_register_the_same_resources(tmp_path: Path) -> None:
    """REG-12: one whose inputs, options or place differ is named."""
    sides = prepared("program", tmp_path)
    assert sides.difference() == ""
    raw = tmp_path / "registered-raw.json"
    registered = json.loads(raw.read_text(encoding="utf-8"))
    assert sum(item["type"] == "michelangelo:index:ComputeCluster" for item in registered) == CLUSTERS
    registered[-1]["protect"] = not registered[-1]["protect"]
    raw.write_text(json.dumps(registered), encoding="utf-8")
    assert registered[-1]["urn"] in sides.difference()


def test_the_checks_look_at_all_that_is_rendered(tmp_path: Path) -> None:
    """REG-12: fewer objects would be checked quickly, and are noticed."""
    sides = prepared("checks", tmp_path)
    assert sides.difference() == ""
    said = tmp_path / "checked.txt"
    text = said.read_text(encoding="utf-8")
    count = text.split(" objects, ")[0].rpartition("\n")[2]
    said.write_text(text.replace(f"{count} objects, ", "3 objects, "), encoding="utf-8")
    assert sides.difference().startswith("3 objects checked, ")


def test_a_chart_and_a_kustomization_hold_the_objects_that_are_rendered(tmp_path: Path) -> None:
    """CARD-4: as text, without the programs that read them."""
    tree = rendered(stack_of(tmp_path, CLUSTERS))
    others.kustomization(tmp_path / "kustomization", tree)
    files = sorted((tmp_path / "kustomization").rglob("objects.yaml"))
    named = [obj for file in files for obj in documents(file)]
    assert len({(obj["kind"], json.dumps(obj["metadata"])) for obj in named}) == len(tree.documents)
    assert (
        unequal(
            [document.object for document in tree.documents], [others.without_suffix(obj) for obj in named]
        )
        == ""
    )
    others.chart(tmp_path / "chart", tree)
    fixed = (tmp_path / "chart" / "templates" / "control-plane.yaml").read_text(encoding="utf-8")
    here = [document.text for document in tree.documents if document.cluster == "control-plane"]
    plain = fixed.replace('{{ "{{" }}', "{{").replace('{{ "}}" }}', "}}")
    assert all(text in plain for text in here if not text.startswith("apiVersion: michelangelo.api/v2"))


def test_sides_run_in_the_order_a_b_c_c_b_a(tmp_path: Path) -> None:
    """UX-2: and progress names every run."""
    sides = [python(f"open('order', 'a').write('{side}')", tmp_path) for side in "ABC"]
    said: list[str] = []
    samples = alternate(sides, 2, said.append)
    assert (tmp_path / "order").read_text(encoding="utf-8") == "ABCCBA" * 2
    assert [len(each) for each in samples] == [4, 4, 4]
    assert (said[0], said[-1]) == ("round 1 of 2, side 1 of 3", "round 2 of 2, side 1 of 3")


def test_memory_and_processor_time_are_those_of_the_command_alone() -> None:
    """Memory of this process, however large, is not the command's."""
    ballast = bytearray(200 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small, large = (run(python(code)) for code in ("pass", "x = b'x' * (100 << 20); sum(range(10**7))"))
    assert len(ballast) > 100 << 20
    assert small.memory < 50
    assert large.memory > 100
    assert large.cpu > 2 * small.cpu


def test_figures_are_of_medians_and_of_rounds() -> None:
    """The rounds show how far single runs were disturbed."""
    ours, theirs = [2.0, 4.0, 6.0, 30.0], [1.0, 1.0, 2.0, 4.0]
    over, above = ratio(ours, theirs), difference(ours, theirs)
    assert (over.median, over.lowest, over.highest) == (5 / 1.5, 3.0, 6.0)
    assert (above.median, above.lowest, above.highest) == (3.5, 2.0, 15.0)


def test_the_exponent_is_taken_above_start_up() -> None:
    """Work in proportion to the clusters is 1, to their square 2, however long the start takes."""
    for power in (1, 2):
        samples = {size: [Sample(5.0 + (size - 1) ** power, 0, 0)] * 2 for size in SIZES}
        assert exponent(samples).median == pytest.approx(power, rel=0.01)


def test_what_is_drawn_of_a_long_phase_keeps_its_peak() -> None:
    """REG-12: of many samples the highest in each stretch."""
    samples = [[at / 2, 2000 if at == 333 else 100, 4] for at in range(1000)]
    said = {"fleet": [{"phases": {"first update": {"seconds": 500.0, "samples": samples}}}]}
    (phase,) = over_time(said)
    assert (phase["name"], phase["seconds"]) == ("first update", 500.0)
    assert len(phase["samples"]) <= POINTS
    assert max(each["MiB"] for each in phase["samples"]) == 2000
    assert [each["seconds"] for each in phase["samples"]] == sorted(
        each["seconds"] for each in phase["samples"]
    )


def test_a_goal_is_a_limit_on_one_side() -> None:
    """UX-2."""
    assert (Goal(1.1).met(1.1), Goal(1.1).met(1.2)) == (True, False)
    assert (Goal(5, least=True).met(6), Goal(5, least=True).met(4)) == (True, False)


def test_a_command_that_fails_is_never_measured() -> None:
    """UX-2: its last words are told."""
    with pytest.raises(CommandFailed, match=r"ended with 7:\nfull disk"):
        run(python("import sys; print('full disk'); sys.exit(7)"))
    with pytest.raises(CommandFailed, match="ended with 9"):
        run(python("import os; os.kill(os.getpid(), 9)"))


def test_rows_are_printed_with_their_goals(tmp_path: Path) -> None:
    """UX-2: as JSON; what cannot be measured here says why."""
    done = bench("--only", "version", "--only", "preview", "--rounds", "1", "--json", state=tmp_path / "none")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    (figure,) = rows["version"]["figures"]
    assert figure["lowest"] <= figure["highest"]
    assert figure["goal"]["limit"] == 0.1
    assert rows["preview"]["why"] == "no sandbox runs; `bin/madeploy sandbox up` starts one"
    assert "version: done" in done.stderr


def test_exit_codes_tell_wrong_use_from_nothing_to_measure(tmp_path: Path) -> None:
    """UX-2."""
    unknown = bench("--only", "rendr", state=tmp_path / "none")
    assert unknown.returncode == 2
    assert "there is no row rendr" in unknown.stderr
    assert bench("--only", "preview", state=tmp_path / "none").returncode == 3


def test_the_record_keeps_what_cannot_be_measured_again(tmp_path: Path) -> None:
    """A row that was measured elsewhere stays; one that is measured anew takes its place; all are named."""
    path = tmp_path / "record.json"
    first, second, unmeasured = ({"figures": figures} for figures in ([1], [2], []))
    record({"version": first, "help": first}, path)
    record({"version": second, "help": unmeasured, "preview": {"figures": [], "why": "no sandbox"}}, path)
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert (rows["version"], rows["help"], rows["preview"]["why"]) == (second, first, "no sandbox")
    assert rows["render"]["why"].endswith("`bin/madeploy bench --only render --record`")
    assert list(rows) == list(ROWS)


def test_a_look_at_a_fleet_needs_no_program_but_python() -> None:
    """REG-12: it measures what asking takes; no engine is started on the way."""
    asked = subprocess.run(
        [sys.executable, "-m", "benchmarks.preflight", "--clusters", "2", "--silent", "0"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(ROOT / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["clusters"] == 2
