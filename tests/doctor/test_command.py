"""`doctor` and `verify` as typed: exit codes, forms, and a machine on which next to nothing is there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from madeploy.cli.app import main
from tests.support.stacks import stack_text

pytestmark = pytest.mark.whole


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack whose kubeconfig leads nowhere, on a machine without Pulumi and without AWS."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    path = tmp_path / "Pulumi.lab.yaml"
    sections = {
        "controlPlane": {"kubeconfigContext": "hub"},
        "kubeconfigs": ...,
        "workflow": {"engine": "temporal", "host": "temporal.nowhere.svc:7233"},
        "domains": {"api": "api.nowhere.example", "app": "app.nowhere.example"},
    }
    path.write_text(stack_text(sections))
    return path


def run(*arguments: str, code: int, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    sys.argv = ["madeploy", *arguments]
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == code, captured
    return captured.out, captured.err


def test_a_bare_machine_is_told_all_that_is_missing_and_nothing_is_passed_unseen(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-2, UX-3, UX-8: one run, no traceback, in every form."""
    forms = [stack.parent / f"report.{form}" for form in ("html", "xml", "sarif", "json")]
    outputs = [argument for form in forms for argument in ("--output", str(form))]
    output, said = run("doctor", str(stack), *outputs, code=1, capsys=capsys)
    assert "Traceback" not in output + said
    for code in ("MA900", "MA402", "MA911"):
        assert code in output
    assert "could not be checked: rights/control-plane, names/control-plane" in output
    assert all(form.stat().st_size > 500 for form in forms)
    data: dict[str, Any] = json.loads(forms[3].read_text(encoding="utf-8"))
    states = {item["check"]: item["state"] for item in data["checks"]}
    assert states["settings"] in ("passed", "warned")
    assert "passed" not in {state for name, state in states.items() if name != "settings"}


def test_wrong_use_is_said_before_anything_is_looked_at(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-2, UX-3."""
    _, said = run("doctor", str(stack), "--output", "report.pdf", code=2, capsys=capsys)
    assert "forms are .html, .json, .sarif, .xml" in said
    _, said = run("doctor", "nowhere", code=2, capsys=capsys)
    assert "there is no stack nowhere" in said


def test_a_stack_that_was_never_deployed_is_not_verified(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-2, UX-3, NET-15: nothing passes that nobody looked at."""
    output, said = run("verify", str(stack), "--json", code=1, capsys=capsys)
    assert "Traceback" not in output + said
    states = {item["check"]: item["state"] for item in json.loads(output)["checks"]}
    assert states["reach/control-plane"] == "failed"
    assert "passed" not in states.values()
    assert {f"network/{row}" for row in range(1, 10)} <= states.keys()


def test_an_address_that_is_none_is_wrong_use(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """UX-2, UX-3."""
    _, said = run("verify", str(stack), "--at", "nowhere", code=2, capsys=capsys)
    assert "host:port" in said


def test_a_text_is_diagnosed_without_a_stack_and_without_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPS-8, UX-2: a pasted message, a log, and one that nobody knows."""
    refused = "dial tcp 10.0.0.9:443: connect: connection refused"
    output, _ = run("diagnose", "--symptom", refused, code=1, capsys=capsys)
    assert "MA431" in output
    log = tmp_path / "worker.log"
    log.write_bytes(b"\xff\xfe started\nfield bogus not found in type app.Config token=hunter2hunter2\n")
    output, _ = run("diagnose", "--log", str(log), "--json", code=1, capsys=capsys)
    (finding,) = json.loads(output)
    assert (finding["code"], finding["subject"]) == ("MA988", f"{log}, line 2")
    assert "hunter2" not in output
    output, _ = run("diagnose", "--symptom", "all is well", code=0, capsys=capsys)
    assert "docs/troubleshooting.md" in output


def test_a_stack_fills_the_commands_of_a_diagnosis(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OPS-8, UX-3."""
    line = 'error: the server doesn\'t have a resource type "models"'
    output, _ = run("diagnose", str(stack), "--symptom", line, code=1, capsys=capsys)
    assert "kubectl --context hub get crd models.michelangelo.api" in output


def test_a_diagnosis_needs_something_to_diagnose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """UX-2, UX-3."""
    _, said = run("diagnose", code=2, capsys=capsys)
    assert "what does not work?" in said
    _, said = run("diagnose", "--log", str(tmp_path / "none"), code=2, capsys=capsys)
    assert "cannot be read" in said


def test_a_stack_that_cannot_be_reached_is_diagnosed_so(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPS-8, UX-8: the cause is the kubeconfig, and the rest could not be looked at."""
    output, said = run("diagnose", str(stack), code=1, capsys=capsys)
    assert "Traceback" not in output + said
    assert "MA402 reach/control-plane" in output
    assert "logs" in output.partition("could not be checked: ")[2]
