"""A user's own stack on clusters of a test: stack file, backend, passphrase, and commands in that shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from madeploy.clients.kubernetes import Kubernetes
from madeploy.kubeconfigs import minify
from madeploy.sandbox.kubeconfig import KubeconfigEntry, kubeconfig
from madeploy.sandbox.plugins import select
from tests.support.environments import MINIMAL
from tests.support.plugins import engine_variables

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 900
"""Seconds after which a command hangs; far above what any takes."""


class UserStack:
    """The stack `lab` of somebody who has clusters, a file backend and a shell.

    Args:
        where: a directory of its own.
        tools: paths of the Pulumi CLI and its language host.
        entries: how each cluster is reached, the control plane's first.
        root: the checkout whose program and command are used.
    """

    name = "lab"

    def __init__(
        self,
        where: Path,
        tools: Mapping[str, Path],
        entries: Sequence[KubeconfigEntry],
        root: Path = ROOT,
    ) -> None:
        self.where = where
        self.root = root
        self.file = where / "stacks" / f"Pulumi.{self.name}.yaml"
        self.file.parent.mkdir(parents=True)
        self.backend = where / "backend"
        self.backend.mkdir()
        (where / "passphrase").write_text("a passphrase of a test", encoding="utf-8")
        (where / "kubeconfig").write_text(kubeconfig(list(entries)), encoding="utf-8")
        (where / "Pulumi.yaml").write_text(
            yaml.safe_dump({"name": "michelangelo", "runtime": "python", "stackConfigDir": "stacks"}),
            encoding="utf-8",
        )
        self.environ = {
            **os.environ,
            **engine_variables(select(where / "state"), tools),
            "KUBECONFIG": str(where / "kubeconfig"),
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_HOME": str(where / "home"),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(where / "passphrase"),
            "PYTHONPATH": str(root),
            "NO_PROXY": "127.0.0.1,localhost",
            "NO_COLOR": "1",
        }

    def client(self, context: str) -> Kubernetes:
        """An API server, as the kubeconfig has it."""
        document = json.loads((self.where / "kubeconfig").read_text(encoding="utf-8"))
        return Kubernetes.from_kubeconfig(minify(document, context, context))

    def write(self, clusters: Mapping[str, Mapping[str, Any]], **sections: Any) -> None:
        """Say what the environment is; the encryption in the file stays."""
        present = yaml.safe_load(self.file.read_text(encoding="utf-8")) if self.file.exists() else {}
        plain = {
            **MINIMAL,
            "platform": {"tier": "development"},
            "controlPlane": {"kubeconfigContext": "control-plane"},
            "clusters": {name: {"kubeconfigContext": name, **entry} for name, entry in clusters.items()},
            **sections,
        }
        config: dict[str, Any] = {"pulumi:disable-default-providers": ["*"]}
        config |= {f"michelangelo:{key}": value for key, value in plain.items()}
        document = {**(present or {}), "config": config}
        self.file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def create(self) -> None:
        """`pulumi stack init`, which writes its salt into the stack file."""
        done = self.run("pulumi", "stack", "init", self.name, cwd=self.where)
        assert done.returncode == 0, done.stderr

    def run(
        self, *command: str, limit: float = LIMIT, cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """A program as typed in that shell, in the checkout."""
        return subprocess.run(
            command,
            cwd=cwd or self.root,
            env={**self.environ, **variables},
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )

    def madeploy(self, *arguments: str, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
        """`bin/madeploy`, in that shell."""
        return self.run(sys.executable, "-m", "madeploy", *arguments, limit=limit)

    def pulumi(self, verb: str, stack: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The plain CLI on one of the environment's stacks."""
        given = (f"--stack={stack}", "--non-interactive", *arguments)
        return self.run("pulumi", verb, *given, PULUMI_OPTION_CONFIG_FILE=str(self.file))

    def stacks(self) -> list[str]:
        """Names of all stacks."""
        folder = self.backend / ".pulumi" / "stacks" / "michelangelo"
        return sorted(file.stem for file in folder.glob("*.json"))

    def state(self, stack: str) -> dict[str, Any]:
        """What a stack's state holds; nothing when there is no such stack."""
        file = self.backend / ".pulumi" / "stacks" / "michelangelo" / f"{stack}.json"
        if not file.exists():
            return {}
        latest = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"]
        return dict(latest or {})

    def urns(self, stack: str) -> list[str]:
        """URNs in a stack's state."""
        return [resource["urn"] for resource in self.state(stack).get("resources") or []]
