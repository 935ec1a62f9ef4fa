"""The policy pack in the real engine: what breaks a rule is not deployed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from madeploy.sandbox import policy_host
from madeploy.sandbox.environment import Environment
from madeploy.sandbox.plugins import select
from tests.support.plugins import engine_variables

PACK = Path(__file__).resolve().parents[2] / "policies"
PROGRAM = """
import pulumi, pulumi_kubernetes as k8s
provider = k8s.Provider("k8s-control-plane", context="control-plane", cluster_identifier="control-plane")
here = pulumi.ResourceOptions(provider=provider)
k8s.core.v1.ConfigMap(
    "settings",
    metadata={"name": "settings", "namespace": "default"},
    data={"AWS_SECRET_ACCESS_KEY": "dummy-value"},
    opts=here,
)
"""
pytestmark = pytest.mark.sandbox


@pytest.fixture
def shell(environment: Environment, tool_paths: dict[str, Path], tmp_path: Path) -> dict[str, str]:
    """The environment of a shell in which `pulumi` works on the sandbox's clusters."""
    backend = tmp_path / "backend"
    backend.mkdir()
    return {
        **os.environ,
        **environment.variables,
        **engine_variables(select(tmp_path / "state"), tool_paths),
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "of-a-test",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_PYTHON_CMD": str(policy_host.write_command(tmp_path / "bin" / "python")),
        "PULUMI_STACK": "test",
    }


def test_a_violation_stops_the_engine_before_anything_is_made(
    shell: dict[str, str], environment: Environment, tmp_path: Path
) -> None:
    """CARD-1, UX-3: named with its resource, cause and what to do, its value not repeated; an update ends
    there."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "small", "runtime": "python"}), encoding="utf-8"
    )
    (project / "__main__.py").write_text(PROGRAM, encoding="utf-8")

    def pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=project,
            env=shell,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert pulumi("stack", "init", "test").returncode == 0
    update = pulumi("up", "--yes", "--skip-preview", "--policy-pack", str(PACK))
    said = update.stdout + update.stderr
    assert update.returncode != 0, said
    assert "[mandatory]" in said
    assert "no-secrets-in-config-maps" in said
    assert "ConfigMap/default/settings: AWS_SECRET_ACCESS_KEY holds a secret" in said
    assert said.count("[mandatory]") == 1, said
    assert "dummy-value" not in said
    names = {item["metadata"]["name"] for item in environment.clusters["control-plane"].api.get(
        "/api/v1/namespaces/default/configmaps")["items"]}  # fmt: skip
    assert "settings" not in names
