"""Stacks as objects of the Pulumi Kubernetes Operator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from madeploy.cli.app import app
from madeploy.fleet.roles import StackRole, role_of
from madeploy.render.pulumi_operator import LONGEST_NAME, object_name
from madeploy.render.tree import tree
from madeploy.schemas.kinds import DEFINITIONS, defined
from madeploy.settings import Environment
from tests.support.environments import environment
from tests.support.stacks import stack_text

REPOSITORY = "https://git.example.com/platform/madeploy.git"
FLEET: dict[str, Any] = {
    "fleet": {"layout": "sharded"},
    "clusters": {
        name: {"server": f"https://{name}.example.com", "shard": shard}
        for name, shard in (("cpu-east", 0), ("gpu-west", 0), ("tpu-north", 1))
    },
}


def of(settings: dict[str, Any] | None = None, **sections: Any) -> Environment:
    return environment(gitops={"repository": REPOSITORY, **(settings or {})}, **sections)


def stacks(given: Environment) -> dict[str, dict[str, Any]]:
    """Specs of the Stack objects by name, in the order of the files."""
    objects = [document.object for document in tree(given, "prod", form="pulumi-operator").documents]
    return {obj["metadata"]["name"]: obj["spec"] for obj in objects if obj["kind"] == "Stack"}


def complaints(obj: dict[str, Any]) -> list[str]:
    (schema,) = defined(yaml.safe_load((DEFINITIONS / "pulumi-stack.yaml").read_text()))
    return [error.message for error in Draft202012Validator(schema.schema).iter_errors(obj)]


def test_there_is_a_stack_object_for_each_stack_and_every_name_is_one_of_the_environments() -> None:
    """CARD-4: the platform in the inline layout; shards and what clusters hold themselves in the other."""
    assert list(stacks(of())) == ["prod"]
    given = of(**FLEET)
    found = stacks(given)
    assert list(found) == [
        "prod",
        *(f"prod-compute-{name}" for name in FLEET["clusters"]),
        "prod-shard-00",
        "prod-shard-01",
    ]
    assert {role_of(spec["stack"], given).environment for spec in found.values()} == {"prod"}


def test_a_shard_waits_for_what_it_reads_and_nothing_else_waits() -> None:
    """CARD-4: a shard's program refers to the stacks of its own clusters; all prerequisites are there."""
    found = stacks(of(**FLEET))
    waits = {name: [each["name"] for each in spec.get("prerequisites", ())] for name, spec in found.items()}
    assert {name: needs for name, needs in waits.items() if needs} == {
        "prod-shard-00": ["prod", "prod-compute-cpu-east", "prod-compute-gpu-west"],
        "prod-shard-01": ["prod", "prod-compute-tpu-north"],
    }
    order = list(found)
    assert all(order.index(need) < order.index(name) for name, needs in waits.items() for need in needs)


def test_every_stack_reads_the_environments_file_and_runs_past_a_failure() -> None:
    """REG-10: one cluster's failure is no other's; all stacks share one file, and with it one encryption."""
    for spec in stacks(of(**FLEET)).values():
        values = {name: each["literal"]["value"] for name, each in spec["envRefs"].items()}
        assert values == {
            "PULUMI_OPTION_CONFIG_FILE": "stacks/Pulumi.prod.yaml",
            "PULUMI_CONTINUE_ON_ERROR": "true",
        }
        assert spec["destroyOnFinalize"] is False


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"revision": "main"}, {"branch": "main"}),
        ({"revision": "a" * 40}, {"commit": "a" * 40}),
        ({"path": "platform"}, {"repoDir": "platform"}),
        ({"pulumiOperator": {"backend": "s3://state"}}, {"backend": "s3://state"}),
        ({"pulumiOperator": {"organization": "acme"}}, {"stack": "acme/prod"}),
        (
            {"pulumiOperator": {"secretsProvider": "awskms://alias/pulumi?region=eu-west-1"}},
            {"secretsProvider": "awskms://alias/pulumi?region=eu-west-1"},
        ),
        (
            {"repositorySecret": "login"},
            {
                "gitAuth": {
                    "accessToken": {"type": "Secret", "secret": {"name": "login", "key": "accessToken"}}
                }
            },
        ),
        (
            {"repository": "ssh://git@git.example.com/platform/madeploy.git", "repositorySecret": "login"},
            {
                "projectRepo": "git@git.example.com:platform/madeploy.git",
                "gitAuth": {
                    "sshAuth": {
                        "sshPrivateKey": {
                            "type": "Secret",
                            "secret": {"name": "login", "key": "sshPrivateKey"},
                        }
                    }
                },
            },
        ),
    ],
)
def test_what_the_settings_say_is_said_in_the_operators_words(
    settings: dict[str, Any], expected: dict[str, Any]
) -> None:
    """CARD-4."""
    (spec,) = stacks(of(settings)).values()
    assert spec.items() >= expected.items()


def test_a_workspace_has_memory_for_the_providers_of_its_stack() -> None:
    """REG-12: one for each cluster it works on."""
    clusters = {name: {"server": f"https://{name}.example.com"} for name in ("a", "b", "c")}

    def memory(given: Environment) -> list[str]:
        specs = [spec["workspaceTemplate"]["spec"]["resources"] for spec in stacks(given).values()]
        assert all(each["requests"]["memory"] == each["limits"]["memory"] for each in specs)
        return [each["limits"]["memory"] for each in specs]

    assert memory(of(clusters=clusters)) == ["1024Mi"]
    assert set(memory(of(**FLEET))) == {"448Mi"}


@pytest.mark.parametrize(
    "given",
    [of(), of(**FLEET), of({"repositorySecret": "login", "path": "a/b", "revision": "b" * 40}, **FLEET)],
    ids=["inline", "sharded", "all that can be said"],
)
def test_the_objects_are_as_the_operators_definition_has_them(given: Environment) -> None:
    """CARD-2: closed, as the API server would drop an unknown field without a word."""
    documents = tree(given, "prod", form="pulumi-operator").documents
    made = [document.object for document in documents if document.object["kind"] == "Stack"]
    assert [complaints(obj) for obj in made] == [[]] * len(made)
    assert complaints(made[0] | {"spec": made[0]["spec"] | {"misspelt": 1}})
    assert complaints(made[0] | {"metadata": made[0]["metadata"] | {"name": "x" * (LONGEST_NAME + 1)}})


def test_a_long_name_is_shortened_and_stays_its_own() -> None:
    """CARD-4: the operator refuses a Stack's name of more than 42 characters."""
    roles = [StackRole("compute", "production", cluster=f"{'x' * 50}{letter}") for letter in "ab"]
    names = [object_name(role) for role in roles]
    assert len(set(names)) == 2
    assert max(map(len, names)) <= LONGEST_NAME
    assert object_name(StackRole("shard", "prod", shard=3)) == "prod-shard-03"


def test_secrets_are_references_and_what_must_exist_is_named(tmp_path: Path) -> None:
    """CARD-4, UX-2: no value in any file; the page and the JSON name the Secrets."""
    stack = tmp_path / "Pulumi.prod.yaml"
    settings = {"repository": REPOSITORY, "repositorySecret": "login", "pulumiOperator": {}}
    stack.write_text(stack_text({"gitops": settings}))
    arguments = ["render", str(stack), "--format", "pulumi-operator"]
    done = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert [each["name"] for each in data["mustExist"]] == ["michelangelo-pulumi", "login"]
    page = (tmp_path / "out" / "SECRETS.md").read_text()
    assert all(name in page for name in ("michelangelo-pulumi", "login", "PULUMI_CONFIG_PASSPHRASE"))
    kinds = [each["kind"] for each in data["objects"]]
    assert kinds == ["ServiceAccount", "ClusterRoleBinding", "Stack"]
    printed = CliRunner().invoke(app, arguments)
    assert [each["kind"] for each in yaml.safe_load_all(printed.stdout)] == kinds
