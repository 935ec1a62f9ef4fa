"""The policy pack, run as the engine runs it."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies.rules import RULES
from policies.rules.model import Resource
from tests.policies.test_own_objects import registered
from tests.support import environments
from tests.support.policy_pack import UNKNOWN, Pack, running

pytestmark = pytest.mark.whole

BASE = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """The pack of a stack nothing is known of."""
    with running(tmp_path_factory.mktemp("pack"), BASE) as made:
        yield made


def resources() -> list[Resource]:
    """What the program registers for a production environment."""
    return [item for item in registered(environments.production_aws) if item.properties]


def changed(kind: str, name: str, **properties: Any) -> Resource:
    """One of them, changed at the top of its properties."""
    found = next(
        item
        for item in resources()
        if item.kind == kind and str(item.metadata.get("name") or item.name).endswith(name)
    )
    return replace(found, properties={**copy.deepcopy(dict(found.properties)), **properties})


def test_it_has_every_rule_that_runs_in_an_engine_and_weighs_them_as_in_production(pack: Pack) -> None:
    """CARD-1: for a stack it knows nothing of, the strictest tier."""
    assert pack.policies() == {
        rule.name: rule.severities.production == "error" for rule in RULES if "engine" in rule.origins
    }


def test_what_the_program_registers_breaks_no_rule(pack: Pack) -> None:
    """CARD-1, CP-7, MR-1, MR-2, REG-4: resource by resource, and as a stack."""
    for resource in resources():
        assert pack.one(resource) == []
    assert pack.together(resources()) == []


def test_a_violation_names_object_cause_and_what_to_do(pack: Pack) -> None:
    """UX-3: with the resource the engine shows it at."""
    cluster = changed("michelangelo.api/Cluster", "gpu-west")
    metadata = {**cluster.metadata, "labels": {"team": "a"}}
    (said,) = pack.one(replace(cluster, properties={**cluster.properties, "metadata": metadata}))
    assert said.mandatory
    assert said.urn == cluster.identity
    assert said.policy == "clusters-without-labels-and-annotations"
    assert "Cluster/ma-system/gpu-west: has labels. Remove them" in said.message


def test_rules_over_the_stack_see_the_resources_of_one_cluster_together(pack: Pack) -> None:
    """CP-7, MR-1, REG-4: a bucket's companions by what they were made from, a Deployment's budget by its
    cluster."""
    block = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    without = [item for item in resources() if item.kind not in ("policy/PodDisruptionBudget", block)]
    said = {item.policy for item in pack.together(without)}
    assert said == {"disruption-budgets", "buckets-not-public"}


def test_what_is_not_known_before_the_update_is_not_judged(pack: Pack) -> None:
    """CARD-3: a preview of new resources must not fail because their names come later."""
    assert pack.one(changed("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "", rule=UNKNOWN)) == []
    assert pack.one(changed("aws:iam/rolePolicy:RolePolicy", "", policy=UNKNOWN)) == []
    bad = changed("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "", rule={"objectOwnership": "x"})
    assert [item.policy for item in pack.one(bad)] == ["no-bucket-acls"]


def test_tier_and_suppressions_are_the_stacks(tmp_path: Path) -> None:
    """CARD-1, CARD-5: the tier from the configuration the engine hands over, suppressions from the stack's
    file, which holds what the engine does not say."""
    config = {
        "michelangelo:platform": {"tier": "development"},
        "michelangelo:policies": {
            "suppressions": [
                {
                    "rule": "clusters-without-labels-and-annotations",
                    "object": "Cluster/ma-system/*",
                    "reason": "An experiment with labels.",
                    "expires": "2999-12-31",
                }
            ]
        },
    }
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(json.dumps({"config": config}), encoding="utf-8")
    handed = {"michelangelo:platform": json.dumps(config["michelangelo:platform"])}
    given = {"PULUMI_CONFIG": json.dumps(handed), "PULUMI_OPTION_CONFIG_FILE": str(file)}
    cluster = changed("michelangelo.api/Cluster", "gpu-west")
    labelled = replace(
        cluster, properties={**cluster.properties, "metadata": {**cluster.metadata, "labels": {"a": "b"}}}
    )
    with running(tmp_path, BASE | given) as pack:
        assert pack.one(labelled) == []
        assert pack.policies() == {
            rule.name: rule.severities.development == "error" for rule in RULES if "engine" in rule.origins
        }
