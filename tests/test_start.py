"""What commands import before they work, counted in modules: no other program on the machine changes that."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Mapping

import pytest
import typer

from madeploy.cli import app, clusters, fleet, models
from madeploy.cli.lazy import Verbs, help_of

GROUPS: Mapping[str, Verbs] = {
    "madeploy": app.VERBS,
    "clusters": clusters.VERBS,
    "fleet": fleet.VERBS,
    "models": models.VERBS,
}

PROGRAM = """
import json, sys
from madeploy.cli.app import main
sys.argv = ["madeploy", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
REGISTERING = """
import json, runpy, sys
import pulumi
from benchmarks import fleets
from madeploy.settings import PROJECT, SECRET_KEYS
from tests.support.recording import record
pulumi.runtime.set_all_config(fleets.configuration(2), [f"{PROJECT}:{name}" for name in SECRET_KEYS])
recording = record(lambda: runpy.run_path("__main__.py"))
assert len(recording.of_type("aws:s3/bucket:Bucket")) > 1
assert len(recording.of_type("michelangelo:index:ComputeCluster")) == 2
print(json.dumps(sorted(sys.modules)))
"""
ENGINE = {"pulumi", "grpc", "kubernetes", "boto3", "botocore", "moto"}


def imported(*arguments: str) -> list[str]:
    """Names of all modules that a command had imported when it ended."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    modules: list[str] = json.loads(ran.stderr.splitlines()[-1])
    return modules


@pytest.mark.parametrize(("arguments", "most"), [(["--version"], 170), (["--help"], 180)])
def test_the_version_and_the_help_import_nothing_that_they_do_not_show(
    arguments: list[str], most: int
) -> None:
    """UX-2: 150 modules on Python 3.11, most of them typer's; the help once cost 735."""
    modules = imported(*arguments)
    assert len(modules) <= most
    assert not {"pydantic", "yaml", "rich", "madeploy.settings", *ENGINE} & set(modules)


def test_checking_a_stack_file_imports_no_engine_and_no_client() -> None:
    """UX-2: 455 modules on Python 3.11, 170 of them the project's: models, rules, builders and the proof."""
    modules = imported("validate", "stacks/Pulumi.example.yaml")
    assert len(modules) <= 500
    assert not {"rich", "urllib3", "psutil", "components", *ENGINE} & set(modules)


@pytest.mark.whole
def test_the_program_imports_no_typed_classes_of_resources() -> None:
    """UX-2: those of `pulumi_kubernetes.core.v1` and `pulumi_aws.s3` once took as long as all the rest."""
    ran = subprocess.run([sys.executable, "-c", REGISTERING], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(ran.stdout)
    typed = {name for name in modules if name.startswith(("pulumi_aws.", "pulumi_kubernetes."))}
    # Modules of one service or group are there as names only, until something in them is asked for.
    assert not [name for name in typed if name.count(".") > 1]


@pytest.mark.parametrize(
    ("module", "attribute"), [where for verbs in GROUPS.values() for where in verbs.values()]
)
def test_the_help_of_a_verb_is_the_one_its_command_gives(module: str, attribute: str) -> None:
    """UX-2: the list of verbs reads it from the source."""
    target = getattr(importlib.import_module(module), attribute)
    said = typer.main.get_command(target).help if isinstance(target, typer.Typer) else target.__doc__
    assert said
    assert " ".join(help_of(module, attribute).split()) == " ".join(said.split())
