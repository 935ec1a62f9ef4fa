"""The sandbox's stack on clusters that are there already; the embedded ones stand for them here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from madeploy.errors import ToolkitError
from madeploy.sandbox.environment import Environment
from madeploy.sandbox.user_clusters import contexts, find

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def kubeconfig(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's kubeconfig with two clusters that answer and one that does not."""
    document = yaml.safe_load(environment.kubeconfig.read_text(encoding="utf-8"))
    silent = {"server": "https://127.0.0.1:1", "insecure-skip-tls-verify": True}
    document["clusters"].append({"name": "silent", "cluster": silent})
    document["contexts"].append(
        {"name": "silent", "context": {"cluster": "silent", "user": "compute-0-admin"}}
    )
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))
    return file


def _madeploy(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "madeploy", "sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, "MADEPLOY_STATE": str(tmp_path / "state")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_contexts_become_the_clusters_of_the_stack(
    environment: Environment, tool_paths: dict[str, Path]
) -> None:
    """UX-1: the first is the control plane, the others compute clusters in the order given."""
    found = find(tool_paths["kubectl"], "control-plane", ["compute-0"])
    assert contexts(found) == {"control-plane": "control-plane", "compute-0": "compute-0"}
    assert [cluster.server for cluster in found] == [
        cluster.server for cluster in environment.clusters.values()
    ]


@pytest.mark.parametrize(
    ("control_plane", "compute", "code", "said"),
    [
        ("nowhere", ["compute-0"], 2, "it has compute-0, control-plane, silent"),
        ("control-plane", ["control-plane"], 2, "control-plane: control-plane is https://127.0.0.1:"),
        ("control-plane", ["silent"], 3, "https://127.0.0.1:1"),
    ],
    ids=["an unknown context", "one cluster in two roles", "a cluster that does not answer"],
)
def test_refused(
    tool_paths: dict[str, Path], control_plane: str, compute: list[str], code: int, said: str
) -> None:
    """UX-3: with what there is instead."""
    with pytest.raises(ToolkitError) as error:
        find(tool_paths["kubectl"], control_plane, compute)
    assert error.value.exit_code == code
    assert said in error.value.why


def test_nothing_is_deployed_to_a_user_s_clusters_without_a_yes(tmp_path: Path) -> None:
    """UX-6: where nobody can be asked, the answer has to be given beforehand."""
    asked = _madeploy(tmp_path, "up", "--control-plane", "control-plane", "--compute", "compute-0")
    assert asked.returncode == 2
    assert "add --yes" in asked.stderr
    assert not (tmp_path / "state" / "state.json").exists()


def test_an_attempt_that_failed_is_forgotten(
    tmp_path: Path, tool_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: where no plugin can be had nothing begins, and the next `up` is bound to no clusters."""
    found = [tool_paths[name].parent for name in ("pulumi", "pulumi-language-python", "kubectl")]
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, found), "/usr/bin", "/bin"]))
    # Neither plugins nor a place to download them from, nor Go to build them with.
    monkeypatch.setenv("MADEPLOY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", "off")
    monkeypatch.setenv("HOME", str(tmp_path))
    theirs = ("--control-plane", "control-plane", "--compute", "compute-0", "--yes")
    refused = _madeploy(tmp_path, "up", *theirs)
    assert refused.returncode == 3
    assert "Go" in refused.stderr
    status = json.loads(_madeploy(tmp_path, "status", "--json").stdout)
    assert status["clusters"] == {
        name: {"context": name, "embedded": True} for name in ("control-plane", "compute-0")
    }


@pytest.mark.parametrize("arguments", [["--compute", "kind-a"], ["--compute", "0"], ["--control-plane", "a"]])
def test_options_that_do_not_fit_together_are_wrong_use(tmp_path: Path, arguments: list[str]) -> None:
    """UX-2: exit code 2, before anything happens."""
    refused = _madeploy(tmp_path, "up", *arguments)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "state").exists()
