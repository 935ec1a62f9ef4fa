"""What commands import before they work, counted in modules: no other program on the machine changes that."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
import typer

from benchmarks import fleets
from madeploy.cli import app, clusters, fleet, models
from madeploy.cli.lazy import Verbs, help_of
from tests.support.engine_double import EngineDouble, engine_double

GROUPS: Mapping[str, Verbs] = {
    "madeploy": app.VERBS,
    "clusters": clusters.VERBS,
    "fleet": fleet.VERBS,
    "models": models.VERBS,
}

PROGRAM = """
import json, sys
from madeploy.__main__ import main
sys.argv = ["madeploy", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
PROGRAM_RUN = """
import json, sys
from benchmarks.sides.program import main
main(*sys.argv[1:])
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


def test_the_version_imports_nothing() -> None:
    """UX-2: scripts ask for it; typer, which all other commands need, was 120 modules of 150."""
    modules = imported("--version")
    assert not {"typer", "argparse", "pathlib", "pydantic"} & set(modules)
    assert [name for name in modules if name.startswith("madeploy")] == ["madeploy", "madeploy.__main__"]


def test_the_version_is_the_one_that_the_command_says() -> None:
    """UX-2: asked by itself, and with other options."""
    said = [
        subprocess.run(
            [sys.executable, "-m", "madeploy", *options], capture_output=True, text=True, check=True
        ).stdout
        for options in (["--version"], ["--version", "--version"])
    ]
    assert said[0] == said[1] != ""


def test_the_help_imports_nothing_that_it_does_not_show() -> None:
    """UX-2: 150 modules on Python 3.11, most of them typer's; the help once cost 735."""
    modules = imported("--help")
    assert len(modules) <= 180
    assert not {"pydantic", "yaml", "rich", "madeploy.settings", *ENGINE} & set(modules)


def test_checking_a_stack_file_imports_no_engine_and_no_client() -> None:
    """UX-2: 480 modules on Python 3.11, 190 of them the project's: models, rules, builders and the proof."""
    modules = imported("validate", "stacks/Pulumi.example.yaml")
    assert len(modules) <= 490
    assert not {"rich", "urllib3", "psutil", "jsonschema", "components", "policies", *ENGINE} & set(modules)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> tuple[EngineDouble, list[str]]:
    """What the program told an engine about an environment on AWS with two clusters, and the modules it had
    imported in the end."""
    scratch = tmp_path_factory.mktemp("program")
    configuration, stack = fleets.write(scratch, 2)
    with engine_double() as double:
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM_RUN, double.address, str(configuration), "__main__.py"],
            env={**os.environ, "PULUMI_OPTION_CONFIG_FILE": str(stack)},
            capture_output=True,
            text=True,
            check=True,
        )
    modules: list[str] = json.loads(ran.stdout)
    return double, modules


@pytest.mark.whole
def test_the_program_imports_no_typed_classes_of_resources(
    registered: tuple[EngineDouble, list[str]],
) -> None:
    """UX-2: those of `pulumi_kubernetes.core.v1` and `pulumi_aws.s3` once took as long as all the rest."""
    _, modules = registered
    # Modules of one service or group are there as names only, until something in them is asked for.
    typed = [name for name in modules if name.startswith(("pulumi_aws.", "pulumi_kubernetes."))]
    assert typed
    assert not [name for name in typed if name.count(".") > 1]


@pytest.mark.whole
def test_the_program_imports_no_check_that_it_does_not_make(
    registered: tuple[EngineDouble, list[str]],
) -> None:
    """UX-2: jsonschema for the form of kubeconfigs, and the policies for the words of their codes, once took
    a fifteenth of its time."""
    _, modules = registered
    assert not {"jsonschema", "policies", "typer", "rich"} & set(modules)


@pytest.mark.whole
def test_the_engine_is_told_of_each_resource_once(registered: tuple[EngineDouble, list[str]]) -> None:
    """UX-2: the SDK's own steps, four or five messages for each, once took a fifth of the program's time."""
    double, _ = registered
    assert double.calls["RegisterResource"] == len(double.registered) > 90
    assert double.calls["RegisterResourceOutputs"] < 20
    # What the SDK says before the program's first line.
    assert double.calls["Log DEBUG"] <= 2
    assert double.calls.total() < len(double.registered) + 40


@pytest.mark.parametrize(
    ("module", "attribute"), [where for verbs in GROUPS.values() for where in verbs.values()]
)
def test_the_help_of_a_verb_is_the_one_its_command_gives(module: str, attribute: str) -> None:
    """UX-2: the list of verbs reads it from the source."""
    target = getattr(importlib.import_module(module), attribute)
    said = typer.main.get_command(target).help if isinstance(target, typer.Typer) else target.__doc__
    assert said
    assert " ".join(help_of(module, attribute).split()) == " ".join(said.split())
