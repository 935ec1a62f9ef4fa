"""The sandbox's stack: its own configuration file, and what is mended after an engine that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

from madeploy.engine.driver import Engine
from madeploy.engine.stack import physical_id
from madeploy.errors import ToolkitError, UsageError
from madeploy.sandbox import process
from madeploy.sandbox.environment import Environment
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.plugins import select
from madeploy.sandbox.stack import SandboxStack
from madeploy.sandbox.stack_files import StackFiles
from madeploy.sandbox.state import StateDirectory
from tests.support.plugins import engine_variables

PROGRAM = """
import pulumi, pulumi_kubernetes as k8s
config = pulumi.Config()
provider = k8s.Provider("k8s-control-plane", context="control-plane", cluster_identifier="control-plane")
here = pulumi.ResourceOptions(provider=provider)
space = config.require("space")
namespace = k8s.core.v1.Namespace("space", metadata={"name": space}, opts=here)
inside = pulumi.ResourceOptions(provider=provider, depends_on=[namespace])
# An Ingress is ready when its back ends have addresses; of a name elsewhere none are waited for.
k8s.core.v1.Service(
    "web",
    metadata={"name": "web", "namespace": space},
    spec={"type": "ExternalName", "external_name": "example.com"},
    opts=inside,
)
k8s.networking.v1.Ingress(
    "door",
    metadata={"name": "door", "namespace": space},
    spec={
        "ingress_class_name": config.require("class"),
        "default_backend": {"service": {"name": "web", "port": {"number": 80}}},
    },
    opts=inside,
)
"""
COMMITTED = {
    "config": {
        "small:space": "stack-test",
        "small:class": "nobody-serves-this",
        "small:controlPlane": {"kubeconfigContext": "control-plane"},
        "small:clusters": {"compute-0": {"kubeconfigContext": "compute-0", "region": "local"}},
    }
}


def _program(where: Path) -> Path:
    """A small project with its stack file in a folder of its own."""
    (where / "stacks").mkdir(parents=True)
    (where / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "small", "runtime": "python", "stackConfigDir": "stacks"}), encoding="utf-8"
    )
    (where / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    (where / "stacks" / "Pulumi.sandbox.yaml").write_text(yaml.safe_dump(COMMITTED), encoding="utf-8")
    return where


def _config(files: StackFiles) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(files.copy.read_text(encoding="utf-8"))
    return document


def test_the_copy_names_the_clusters_there_are_and_the_committed_file_stays_as_it_was(tmp_path: Path) -> None:
    """CARD-5, UX-1: nothing the sandbox does shows up as a change of the checkout."""
    program = _program(tmp_path / "program")
    committed = program / "stacks" / "Pulumi.sandbox.yaml"
    before = committed.read_bytes()
    files = StackFiles(StateDirectory(tmp_path / "state"), program)
    files.write({"compute-0": "compute-0", "compute-1": "kind-b"}, "kind-a")
    made = _config(files)["config"]
    assert made["small:controlPlane"] == {"kubeconfigContext": "kind-a"}
    assert made["small:clusters"] == {
        "compute-0": {"kubeconfigContext": "compute-0", "region": "local"},
        "compute-1": {"kubeconfigContext": "kind-b", "region": "local"},
    }
    assert committed.read_bytes() == before
    assert "stackConfigDir" not in yaml.safe_load(
        (files.directory / "Pulumi.yaml").read_text(encoding="utf-8")
    )


def test_changes_made_by_hand_and_the_salt_outlive_the_next_up_and_a_changed_committed_file_comes_through(
    tmp_path: Path,
) -> None:
    """CARD-5: set, changed and removed by hand in the copy; changed and added in the committed file."""
    program = _program(tmp_path / "program")
    committed = program / "stacks" / "Pulumi.sandbox.yaml"
    files = StackFiles(StateDirectory(tmp_path / "state"), program)
    clusters = {"compute-0": "compute-0"}
    files.write(clusters, "control-plane")
    by_hand = _config(files)
    by_hand["encryptionsalt"] = "v1:salt"
    by_hand["config"]["small:mine"] = {"secure": "v1:ciphertext"}
    by_hand["config"]["small:class"] = "mine"
    del by_hand["config"]["small:controlPlane"]
    files.copy.write_text(yaml.safe_dump(by_hand), encoding="utf-8")
    changed = {
        "config": {**COMMITTED["config"], "small:space": "other", "small:class": "theirs", "small:new": 1}
    }
    committed.write_text(yaml.safe_dump(changed), encoding="utf-8")

    for _ in range(2):
        files.write(clusters, "control-plane")

    assert _config(files)["encryptionsalt"] == "v1:salt"
    assert _config(files)["config"] == {
        "small:mine": {"secure": "v1:ciphertext"},
        "small:class": "mine",
        "small:space": "other",
        "small:new": 1,
        "small:clusters": COMMITTED["config"]["small:clusters"],
    }


def test_a_checkout_without_the_sandbox_s_stack_file_is_explained(tmp_path: Path) -> None:
    """UX-3: wrong use, with the path of what is missing."""
    program = _program(tmp_path / "program")
    (program / "stacks" / "Pulumi.sandbox.yaml").unlink()
    with pytest.raises(UsageError) as error:
        StackFiles(StateDirectory(tmp_path / "state"), program).write({}, "control-plane")
    assert error.value.exit_code == 2
    assert str(program / "stacks" / "Pulumi.sandbox.yaml") in error.value.what


@pytest.mark.parametrize(
    ("kind", "inputs", "wanted"),
    [
        ("kubernetes:core/v1:Secret", {"metadata": {"name": "a", "namespace": "b"}}, "b/a"),
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "a"}}, "a"),
        ("kubernetes:core/v1:Pod", {"metadata": {}}, None),
        ("aws:s3/bucket:Bucket", {"bucket": "a"}, "a"),
        ("aws:iam/role:Role", {"name": "a"}, "a"),
        ("aws:iam/rolePolicy:RolePolicy", {"name": "a", "role": "b"}, None),
        ("pulumi:providers:kubernetes", {}, None),
    ],
)
def test_an_interrupted_creation_is_looked_for_under_the_id_its_provider_would_give(
    kind: str, inputs: dict[str, Any], wanted: str | None
) -> None:
    """UX-1: what is not known beforehand is created again instead."""
    assert physical_id({"type": kind, "inputs": inputs}) == wanted


class Small:
    """The small program's stack on the shared clusters."""

    def __init__(self, environment: Environment, tools: dict[str, Path], where: Path) -> None:
        self.space = f"test-{uuid.uuid4().hex[:8]}"
        self.directory = StateDirectory(where / "state")
        self.directory.prepare()
        self.program = _program(where / "program")
        self.files = StackFiles(self.directory, self.program)
        self.variables = {
            **os.environ,
            **environment.variables,
            **self.files.variables(),
            **engine_variables(select(self.directory.root), tools),
        }
        self.pulumi = tools["pulumi"]
        labelled = {**self.variables, process.LABEL: f"{self.directory.root}|engine"}
        self.stack = SandboxStack(self.files, Engine(self.pulumi, labelled, self.directory.root))
        self.configure("nobody-serves-this")
        self.stack.create()

    def configure(self, class_name: str) -> None:
        """Set the Ingress's class in the committed file."""
        changed = {"config": {**COMMITTED["config"], "small:class": class_name, "small:space": self.space}}
        path = self.program / "stacks" / "Pulumi.sandbox.yaml"
        path.write_text(yaml.safe_dump(changed), encoding="utf-8")
        self.files.write({"compute-0": "compute-0"}, "control-plane")

    def pending(self) -> int:
        """Operations in the state whose end nobody saw."""
        checkpoints = list((self.files.backend / ".pulumi" / "stacks").glob("*/sandbox.json"))
        if not checkpoints:
            return 0
        try:
            state = json.loads(checkpoints[0].read_text(encoding="utf-8"))["checkpoint"]["latest"]
        except ValueError:  # being written
            return 0
        return len(state.get("pending_operations") or [])


@pytest.fixture
def small(environment: Environment, tool_paths: dict[str, Path], tmp_path: Path) -> Iterator[Small]:
    """The small program's stack; what it left is deleted."""
    made = Small(environment, tool_paths, tmp_path)
    yield made
    marks = ((pid, process.start_mark(pid)) for pid in process.labelled(made.directory.root))
    process.stop([(pid, mark) for pid, mark in marks if mark])
    with config.new_client_from_config(str(environment.kubeconfig), "control-plane") as api:
        core = client.CoreV1Api(api)
        if any(item.metadata.name == made.space for item in core.list_namespace().items):
            core.delete_namespace(made.space)


def _silent(line: str) -> None:
    return None


@pytest.mark.long
def test_an_engine_killed_while_an_object_is_awaited_is_mended_and_the_object_kept(
    environment: Environment, small: Small
) -> None:
    """UX-1: stale lock, and a creation that did happen though the engine never learned of it."""
    command = [str(small.pulumi), "up", "--yes", "--skip-preview", "--non-interactive"]
    with (
        subprocess.Popen(
            command,
            cwd=small.program,
            env={**small.variables, process.LABEL: f"{small.directory.root}|engine"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as engine,
        config.new_client_from_config(str(environment.kubeconfig), "control-plane") as api,
    ):
        ingresses = client.NetworkingV1Api(api)
        deadline = time.monotonic() + 60
        # The Ingress is there, and the engine waits for an address that never comes.
        while not (ingresses.list_namespaced_ingress(small.space).items and small.pending()):
            assert time.monotonic() < deadline
            assert engine.poll() is None
            time.sleep(0.1)
        uid = ingresses.read_namespaced_ingress("door", small.space).metadata.uid
        with pytest.raises(SandboxError) as busy:
            small.stack.up(_silent, _silent)
        assert str(engine.pid) in busy.value.why
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        small.configure("nginx")
        said: list[str] = []

        small.stack.up(said.append, _silent)

        assert ingresses.read_namespaced_ingress("door", small.space).metadata.uid == uid
    assert any("lock" in line for line in said)
    assert any("interrupted" in line for line in said)
    assert small.pending() == 0
    again = small.stack.up(_silent, _silent)
    assert again.changed == 0
    assert small.stack.summary().resources == {"control-plane": {"Namespace": 1, "Service": 1, "Ingress": 1}}
    assert small.stack.destroy(_silent, _silent).changed == 5
    assert small.stack.summary().total == 0


def test_an_operation_that_fails_says_what_the_engine_said(small: Small) -> None:
    """UX-3: the provider's own words, the log, and what to do; nothing of the machinery around."""
    (small.program / "__main__.py").write_text(
        PROGRAM.replace('"number": 80', '"number": 80000'), encoding="utf-8"
    )
    with pytest.raises(ToolkitError) as error:
        small.stack.up(_silent, _silent)
    assert error.value.exit_code == 1
    assert "door: " in error.value.why
    assert "80000" in error.value.why
    assert "Traceback" not in str(error.value)
    assert str(small.directory.log("engine")) in error.value.fix
