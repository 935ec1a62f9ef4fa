"""The real tools, found or built on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from madeploy.sandbox.tools import TESTED_TOOLS, TOOLS, ToolPaths, ensure
from madeploy.sandbox.tools.found import version_of

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def tools() -> ToolPaths:
    return ensure(TESTED_TOOLS)


@pytest.mark.parametrize("name", [name for name in TESTED_TOOLS if TOOLS[name].version_arguments])
def test_every_tool_runs_and_says_the_version_it_is_listed_with(tools: ToolPaths, name: str) -> None:
    """UX-1."""
    said = version_of(tools.path(name), TOOLS[name])
    assert said == tools[name].version
    assert tools[name].source == "path" or said == TOOLS[name].version


def test_the_plain_pulumi_cli_runs_a_python_program_with_the_tools_on_path(
    tools: ToolPaths, tmp_path: Path
) -> None:
    """CARD-3: the language host, its scripts and the CLI fit together."""
    (tmp_path / "Pulumi.yaml").write_text("name: empty\nruntime: python\n", encoding="utf-8")
    (tmp_path / "__main__.py").write_text("import pulumi; pulumi.export('ran', 'yes')\n", encoding="utf-8")
    python = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([*map(str, tools.directories()), python, os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": tmp_path.as_uri(),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    for arguments in (["stack", "init", "empty"], ["preview", "--stack", "empty"]):
        ran = subprocess.run(
            [tools.path("pulumi"), *arguments, "--non-interactive"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert 'ran: "yes"' in ran.stdout
