"""The examples for continuous integration: linted, and their commands run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.render.environments import CLUSTERS, MINIO, REPOSITORY
from tests.support.stacks import stack_text

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
WORKFLOWS = sorted(EXAMPLES.glob("github-actions-*.yaml"))
OURS = [EXAMPLES / f"{name}.yaml" for name in ("github-actions-up", "github-actions-gitops")]
GITLAB = [EXAMPLES / f"{name}.yaml" for name in ("gitlab-up", "gitlab-gitops")]
CLOUD = re.compile(r"\b(pulumi|curl|umask|madeploy plan)\b")
"""Words of commands that need a cloud, or a token of the machine they are meant for."""


def scripts(path: Path) -> dict[str, str]:
    """Commands of each step or job, by its name."""
    data: dict[str, Any] = yaml.safe_load(path.read_text())
    if "jobs" in data:
        return {
            f"{job}: {step.get('name', '')}": step["run"]
            for job, content in data["jobs"].items()
            for step in content["steps"]
            if "run" in step
        }
    return {
        f"{job}: {number}": line
        for job, content in data.items()
        if isinstance(content, dict)
        for number, line in enumerate([*content.get("before_script", ()), *content.get("script", ())])
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of a small project with two stacks, whose remote is a folder; its `bin/madeploy` is ours."""
    remote, here = tmp_path / "remote.git", tmp_path / "checkout"
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(tmp_path, "clone", "--quiet", str(remote), str(here))
    (here / "bin").mkdir()
    launcher = here / "bin" / "madeploy"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m madeploy "$@"\n')
    launcher.chmod(0o755)
    (here / "stacks").mkdir()
    names, keys = ("control-plane", *CLUSTERS), ("accessKeyId", "secretAccessKey")
    for stack in ("staging", "production"):
        sections = {
            "storage": MINIO,
            "clusters": {name: {"server": f"https://{name}.example.com"} for name in CLUSTERS},
            "kubeconfigs": {name: {"secure": "v1:placeholder"} for name in names},
            "objectStore": {name: {"secure": "v1:placeholder"} for name in keys},
            "gitops": {"repository": REPOSITORY, "revision": "rendered", "path": stack},
        }
        (here / "stacks" / f"Pulumi.{stack}.yaml").write_text(stack_text(sections))
    git(here, "add", "--all")
    git(here, "commit", "--quiet", "--message", "Start")
    git(here, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    return here


def git(folder: Path, *arguments: str) -> str:
    someone = ("-c", "user.name=someone", "-c", "user.email=someone@example.com")
    done = subprocess.run(
        ["git", *someone, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def run(script: str, where: Path, **variables: str) -> None:
    """Run commands as a runner does: stopped at the first that fails."""
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=where,
        env={**os.environ, "GITHUB_SHA": "abc", "CI_COMMIT_SHA": "abc", **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_zizmor_finds_nothing_in_a_workflow(path: Path) -> None:
    """CARD-4, MR-7: actions pinned by hash, no credential kept, no expression in a script."""
    zizmor = Path(sys.executable).with_name("zizmor")
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    """So that the test above can fail."""
    text = re.sub("actions/checkout@[0-9a-f]+", "actions/checkout@main", OURS[0].read_text())
    (tmp_path / "workflow.yaml").write_text(text)
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--no-progress", str(tmp_path / "workflow.yaml")]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("path", [*OURS, *GITLAB], ids=lambda path: path.stem)
def test_every_script_is_a_script_that_bash_can_read(path: Path) -> None:
    """CARD-4: those that need a cloud too."""
    found = scripts(path)
    assert found
    for name, script in found.items():
        done = subprocess.run(["bash", "-n", "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}"


@pytest.mark.parametrize("path", [OURS[0], GITLAB[0]], ids=lambda path: path.stem)
def test_an_update_is_refused_by_no_prompt_and_waits_for_what_is_before(path: Path) -> None:
    """CARD-3, CARD-4: the one command of an update, without a person; production after staging."""
    updates = [script for script in scripts(path).values() if "pulumi up" in script]
    assert updates
    for script in updates:
        assert 'pulumi up --stack "$STACK" --yes --skip-preview --non-interactive' in script
    data = yaml.safe_load(path.read_text())
    if "jobs" in data:
        strategy = data["jobs"]["deploy"]["strategy"]
        assert (strategy["max-parallel"], strategy["matrix"]["stack"]) == (1, ["staging", "production"])
        assert data["concurrency"]["cancel-in-progress"] is False
    else:
        assert data["stages"].index("staging") < data["stages"].index("production")
        assert data["default"]["interruptible"] is False


@pytest.mark.sandbox
@pytest.mark.parametrize("path", [*OURS, *GITLAB], ids=lambda path: path.stem)
def test_the_checks_before_anything_is_changed_pass(path: Path, checkout: Path) -> None:
    """CARD-4: as the example runs them, without a login."""
    ran = [
        script
        for name, script in scripts(path).items()
        if name.startswith("check") and not CLOUD.search(script)
    ]
    assert "validate" in "".join(ran)
    assert "render" in "".join(ran)
    for script in ran:
        run(script, checkout, STACK="production", STACKS="production", FORMAT="flux")


@pytest.mark.parametrize(
    ("path", "form"), [(OURS[1], "argocd"), (GITLAB[1], "flux")], ids=["github-actions", "gitlab"]
)
def test_what_is_rendered_reaches_the_branch_that_is_followed(path: Path, form: str, checkout: Path) -> None:
    """CARD-4: rendered, committed and pushed; again without a change, then with one."""
    data = yaml.safe_load(path.read_text())
    variables = data.get("env") or data["variables"]
    steps = {name: script for name, script in scripts(path).items() if name.startswith("publish")}
    remote = checkout.parent / "remote.git"

    def publish() -> str:
        for script in steps.values():
            run(script, checkout, **variables)
        git(checkout, "worktree", "remove", "--force", "published")
        return git(remote, "rev-list", "--count", "rendered").strip()

    assert publish() == "1"
    files = git(remote, "ls-tree", "-r", "--name-only", "rendered").splitlines()
    assert f"production/{form}/" in "\n".join(files)
    assert "staging/control-plane/10-namespaces/namespace-ma-system.yaml" in files
    assert not any(file.startswith("stacks/") for file in files)
    assert publish() == "1", "nothing has changed, so nothing is committed"
    stack = checkout / "stacks" / "Pulumi.production.yaml"
    stack.write_text(stack.read_text().replace("api.example.com", "api.other.example.com"))
    assert publish() == "2"
    changed = git(remote, "diff", "--name-only", "rendered~1", "rendered").splitlines()
    assert changed
    assert all(file.startswith("production/") for file in changed)
