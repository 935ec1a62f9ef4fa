"""What the toolkit makes keeps every rule, and would be caught if it did not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from madeploy.policy import sources
from madeploy.policy.service_files import EVERY_RULE
from madeploy.settings import Environment
from madeploy.stacks.files import open_environment
from policies.rules.evaluation import check
from policies.rules.model import Resource, plain_numbers
from tests.components.test_aws_arguments import POD_IDENTITY, deployed
from tests.policies.cases import ADDITIONS, CASES, Case
from tests.policies.world import Object, change, found, names, pick
from tests.support import environments
from tests.support.programs import deployed_once
from tests.support.recording import Recording

pytestmark = pytest.mark.whole

IRSA: dict[str, object] = {
    "kind": "irsa",
    "oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id",
}
STACKS = Path(__file__).parents[2] / "stacks"

ELSEWHERE = frozenset(
    {
        "michelangelo.api/InferenceServer",
        "michelangelo.api/Model",
        "gateway.networking.k8s.io/Gateway",
        "gateway.networking.k8s.io/HTTPRoute",
        "external-secrets.io/ExternalSecret",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    }
)
"""Kinds the production environment does not make."""

TOGETHER = frozenset({"pods-isolated", "disruption-budgets"})
"""Rules that our objects keep several times over: all objects of the kind have to change."""


def _documents_read(properties: Object) -> Object:
    """Properties with policy documents as data, for a test to change them."""
    read = {
        key: json.loads(value)
        for key, value in properties.items()
        if key in ("policy", "assumeRolePolicy") and isinstance(value, str)
    }
    return {**properties, **read}


def _called(resource: Resource) -> str:
    return str(resource.metadata.get("name") or resource.name)


@cache
def registered(build: Callable[[], Environment]) -> tuple[Resource, ...]:
    """Every resource the program registers, as the policy pack gets them."""
    return as_resources(deployed_once(build)[0])


def as_resources(recording: Recording) -> tuple[Resource, ...]:
    """What a program registered, as the policy pack gets it."""
    return tuple(
        Resource(
            item.type,
            _documents_read(plain_numbers(item.inputs)),
            cluster=item.provider,
            origin="engine",
            name=item.name,
            identity=item.urn,
            depends_on=item.dependencies,
        )
        for item in recording.resources
    )


def settings_only(build: Callable[[], Environment]) -> list[Resource]:
    """What `madeploy policy STACK` looks at."""
    return sources.of_stack("test", Path("Pulumi.test.yaml"), build()).resources


def unavoidable(environment: Environment) -> set[str]:
    """What an operator has to accept: serving of release 0.12 reads its credentials through a cache of every
    Secret there is, so its controller manager may read them all."""
    return {"no-secrets-of-all-namespaces"} if environment.serving is not None else set()


@pytest.mark.parametrize("build", environments.ALL.values(), ids=environments.ALL)
def test_objects_that_settings_make_keep_every_rule(build: Callable[[], Environment]) -> None:
    """CP-7, CP-9, REG-4, NET-3, NET-13, MR-2: without a single suppression, in the environment's own tier."""
    environment = build()
    assert names(settings_only(build), environment.platform.tier) == unavoidable(environment)


@pytest.mark.parametrize("own_account", [True, False])
def test_the_role_that_writes_metrics_keeps_every_rule(own_account: bool) -> None:
    """OPS-3: it may write to one workspace, or take one role where that is another account's."""
    account = "123456789012" if own_account else "210987654321"
    amazon = {
        "workspaceArn": f"arn:aws:aps:eu-west-1:{account}:workspace/ws-1",
        "serviceAccount": "prometheus",
    }
    if not own_account:
        amazon["roleArn"] = f"arn:aws:iam::{account}:role/writer"
    chosen = environments.environment(
        storage=environments.aws_storage(),
        network={"monitoringNamespace": "monitoring"},
        monitoring={"amazon": amazon},
    )
    assert names(sources.of_stack("test", Path("Pulumi.test.yaml"), chosen).resources) == set()


@pytest.mark.parametrize("path", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_stacks_of_the_project_keep_every_rule(path: Path) -> None:
    """CARD-5, CP-7: without a single suppression."""
    _, _, environment = open_environment(str(path))
    source = sources.of_stack(path.name, path, environment)
    assert found(source.resources, environment.platform.tier, suppressions=source.suppressions).found == []
    assert source.suppressions == () or "example" in path.name


@pytest.mark.parametrize("build", environments.ALL.values(), ids=environments.ALL)
def test_resources_that_the_program_registers_keep_every_rule(build: Callable[[], Environment]) -> None:
    """CARD-1, MR-1, MR-2: buckets, roles and registrations included."""
    environment = build()
    assert names(registered(build), environment.platform.tier) == unavoidable(environment)


@pytest.mark.parametrize("identity", [IRSA, POD_IDENTITY], ids=["irsa", "pod identity"])
def test_a_store_with_every_setting_keeps_every_rule(identity: dict[str, object]) -> None:
    """MR-1, MR-2: keys, retention, logs, rules of lifecycle; roles of services and task pods."""
    assert names(as_resources(deployed(identity, accountId="123456789012"))) == set()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_broken_in_our_own_objects_is_caught(case: Case) -> None:
    """CARD-1, CP-7, NET-3, NET-6, REG-4, MR-1, MR-2: the same changes, made to what the program registers."""
    if case.kind in ELSEWHERE or (case.rule, case.kind) == ("no-secrets-in-files", "core/Secret"):
        return
    resources = [
        replace(
            item,
            origin="settings",
            # What belongs to a bucket names it, or was made from it; without both it is absent.
            depends_on=frozenset() if case.label == "absent" else item.depends_on,
        )
        for item in registered(environments.production_aws)
    ]
    chosen = [item for item in resources if item.kind == case.kind and _called(item).endswith(case.name)]
    if case.rule not in TOGETHER:
        chosen = chosen[:1]
    for item in chosen or [pick(resources, case.kind)]:
        change(resources, case.kind, _called(item), copy.deepcopy(case.mutate))
    (rule,) = [rule for rule in EVERY_RULE if rule.name == case.rule]
    assert list(check([rule], resources, "production"))


@pytest.mark.parametrize(("name", "resource"), ADDITIONS)
def test_a_resource_added_to_our_own_is_caught(name: str, resource: Resource) -> None:
    """CARD-1, MR-2."""
    resources = [*registered(environments.production_aws)]
    if resource.kind == "michelangelo.api/Cluster":
        rest = pick(resources, resource.kind).properties["spec"]["kubernetes"]["rest"]
        own = copy.deepcopy(dict(resource.properties))
        own["spec"]["kubernetes"]["rest"].update(
            host=rest["host"].upper().replace("HTTPS", "https"), port=rest["port"]
        )
        cluster = pick(resources, resource.kind).cluster
        resource = Resource(resource.token, own, cluster=cluster)
    assert name in names([*resources, resource])
