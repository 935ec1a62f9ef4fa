"""Compliance: for each framework a stack that keeps it, and one change for each control that breaks it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from madeploy.policy.report import finding_of
from madeploy.policy.service_files import EVERY_RULE
from madeploy.policy.sources import of_stack
from madeploy.rules.controls import CONTROLS, TITLES
from madeploy.rules.controls_shown import MANUAL
from madeploy.settings.compliance import Framework
from policies.rules.evaluation import Found, check
from tests.policies.cases import ADDITIONS, CASES
from tests.policies.world import change, good
from tests.rules.cases.sections import existing, irsa, minio, temporal
from tests.support.environments import environment
from tests.support.frameworks import BOUNDED, KEPT, stack
from tests.support.proves import proves
from tests.support.stacks import load

SYNCED = {"serving": {"namespace": "serving", "modelSync": {"servers": ["example"]}}}
"""Inference servers and model-sync, which read every Secret and run as root."""


def storage(framework: Framework, **more: Any) -> dict[str, Any]:
    """That stack's storage, with settings over it."""
    return {"storage": KEPT[framework]["storage"] | more}


FAR = {"clusterName": "a", "region": "us-east-1"}
BROKEN: list[tuple[Framework, str, str, dict[str, Any]]] = [
    # framework, control, setting, change
    ("soc2", "encryption-in-transit", "workflow.tls", {"workflow": temporal()}),
    ("soc2", "access-logged", "storage.accessLogs", storage("soc2", accessLogs=None)),
    (
        "soc2",
        "access-logged",
        "storage.accessLogs.expireDays",
        storage("soc2", accessLogs={"bucket": "example-c", "expireDays": 364}),
    ),
    ("soc2", "audit-unaltered", "storage.auditLogs", storage("soc2", auditLogs=None)),
    (
        "soc2",
        "audit-unaltered",
        "storage.auditLogs.days",
        storage("soc2", auditLogs={"bucket": "example-d", "days": 364}),
    ),
    (
        "soc2",
        "audit-unaltered",
        "storage.auditLogs.mode",
        storage("soc2", auditLogs={"bucket": "example-d", "mode": "governance"}),
    ),
    ("soc2", "availability", "controlPlane.worker.replicas", {"controlPlane": {"worker": {"replicas": 1}}}),
    (
        "soc2",
        "availability",
        "controlPlane.controllermgr.leaderElection",
        {"controlPlane": {"controllermgr": {"leaderElection": False}}},
    ),
    ("soc2", "network-boundary", "network.policies", {"network": {"policies": False}}),
    ("soc2", "no-static-keys", "storage.kind", {"storage": minio()}),
    ("soc2", "no-static-keys", "storage.roleArns", {"storage": existing()}),
    ("soc2", "no-static-keys", "rayLogs", {"rayLogs": {"bucket": "example-e", "credentialsSecret": "own"}}),
    (
        "soc2",
        "credentials-rotated",
        "clusters.gpu.credential.kind",
        {"clusters": {"gpu": BOUNDED | {"credential": {}}}},
    ),
    (
        "soc2",
        "credentials-rotated",
        "storage.kmsKey.rotationDays",
        storage("soc2", kmsKey={"rotationDays": 400}),
    ),
    ("soc2", "watched", "monitoring", {"monitoring": None}),
    ("soc2", "watched", "monitoring.alerts", {"monitoring": {"alerts": False}}),
    (
        "soc2",
        "sign-in",
        "access.browser",
        {"access": {"browser": {"kind": "open", "reason": "Behind the VPN only."}}},
    ),
    (
        "gdpr",
        "sign-in",
        "access.browser",
        {"access": {"browser": {"kind": "open", "reason": "Behind the VPN only."}}},
    ),
    (
        "hipaa",
        "sign-in",
        "access.browser",
        {"access": {"browser": {"kind": "open", "reason": "Behind the VPN only."}}},
    ),
    ("soc2", "sign-in", "access.browser", {"access": {}}),
    ("soc2", "sign-in", "access.api", {"access": {}}),
    ("gdpr", "residency", "compliance.regions", {"compliance": {"frameworks": ["gdpr"]}}),
    ("gdpr", "residency", "storage.region", storage("gdpr", region="us-east-1")),
    ("gdpr", "residency", "clusters.gpu.region", {"clusters": {"gpu": BOUNDED | {"region": None}}}),
    ("gdpr", "residency", "clusters.gpu.region", {"clusters": {"gpu": BOUNDED | {"region": "us-east-1"}}}),
    (
        "gdpr",
        "residency",
        "clusters.gpu.eks.region",
        {"clusters": {"gpu": {"credential": {"kind": "bounded"}, "eks": FAR}}},
    ),
    (
        "gdpr",
        "residency",
        "monitoring.amazon.workspaceArn",
        {"monitoring": {"amazon": {"workspaceArn": "arn:aws:aps:us-east-1:123456789012:workspace/ws-1"}}},
    ),
    ("gdpr", "retention", "modelRegistry.retentionDays", {"modelRegistry": {}}),
    ("gdpr", "retention", "storage.lifecycle.workspace", storage("gdpr", lifecycle={})),
    (
        "gdpr",
        "encryption-in-transit",
        "storage.endpoint",
        {"storage": minio(endpoint="http://minio.example.com")},
    ),
    ("gdpr", "network-boundary", "network.policies", {"network": {"policies": False}}),
    ("hipaa", "encryption-at-rest", "storage", storage("hipaa", kmsKey=None)),
    ("hipaa", "encryption-in-transit", "tls.envoy.enabled", {"tls": {"mode": "provided"}}),
    (
        "hipaa",
        "access-logged",
        "storage.accessLogs.expireDays",
        storage("hipaa", accessLogs={"bucket": "example-c", "expireDays": 2189}),
    ),
    (
        "hipaa",
        "audit-unaltered",
        "storage.auditLogs.days",
        storage("hipaa", auditLogs={"bucket": "example-d", "days": 2189}),
    ),
    ("hipaa", "availability", "controlPlane.envoy.replicas", {"controlPlane": {"envoy": {"replicas": 1}}}),
    ("hipaa", "network-boundary", "network.policies", {"network": {"policies": False}}),
    ("hipaa", "no-static-keys", "storage.kind", {"storage": minio()}),
    (
        "hipaa",
        "credentials-rotated",
        "clusters.gpu.credential.kind",
        {"clusters": {"gpu": BOUNDED | {"credential": {}}}},
    ),
    ("hipaa", "watched", "monitoring", {"monitoring": None}),
]


def findings(sections: dict[str, Any], directory: Path) -> list[Any]:
    """Findings about controls of a stack file."""
    written = {name: value for name, value in sections.items() if value is not None}
    return [found for found in load(directory, written).findings if found.code.startswith("MA7")]


@pytest.mark.parametrize("framework", KEPT)
def test_a_stack_that_keeps_a_framework_has_no_findings_on_it(framework: Framework, tmp_path: Path) -> None:
    """OPS-4."""
    assert findings(stack(framework), tmp_path) == []


@proves("OPS-4")
@pytest.mark.parametrize(("framework", "control", "setting", "change"), BROKEN)
def test_one_change_breaks_a_control_by_name(
    framework: Framework, control: str, setting: str, change: dict[str, Any], tmp_path: Path
) -> None:
    """OPS-4: at the setting, with the control's name and its place in the framework."""
    (made,) = [item for item in CONTROLS if item.name == control]
    found = findings(stack(framework, **change), tmp_path)
    named = f"({control}: {TITLES[framework]} {made.clauses[framework]})"
    here = [item for item in found if item.subject == f"michelangelo:{setting}"]
    assert any(item.evidence.endswith(named) and item.code == made.code for item in here), found


@pytest.mark.parametrize("framework", KEPT)
@proves("OPS-4")
def test_a_violation_of_a_policy_names_the_controls_it_breaks(framework: Framework) -> None:
    """OPS-4: every policy that a control of the framework leans on, each with what breaks it."""
    chosen = environment(**stack(framework))
    source = of_stack("prod", Path("Pulumi.prod.yaml"), chosen)
    leaning = [(code, item) for item in CONTROLS if framework in item.clauses for code in item.policies]
    assert leaning
    for code, item in leaning:
        evidence = finding_of(source, everything_broken()[code]).evidence
        assert f"{item.name}: {TITLES[framework]} {item.clauses[framework]}" in evidence, code
    assert {code for code, _ in leaning} == source.controls.keys()


@functools.cache
def everything_broken() -> dict[str, Found]:
    """A violation of every policy, by its code."""
    made: dict[str, Found] = {}
    rules = {rule.name: rule for rule in EVERY_RULE}
    for case in CASES:
        resources = good()
        change(resources, case.kind, case.name, case.mutate)
        made |= {each.rule.code: each for each in check([rules[case.rule]], resources, "production")}
    for name, resource in ADDITIONS:
        made |= {each.rule.code: each for each in check([rules[name]], [*good(), resource], "production")}
    return made


CHANGED: list[tuple[Framework, str, dict[str, Any]]] = [
    # framework, control that objects alone show, a change of settings that breaks it
    ("soc2", "pods-restricted", SYNCED),
    ("hipaa", "pods-restricted", SYNCED),
    ("soc2", "least-privilege", SYNCED),
    ("gdpr", "least-privilege", SYNCED),
    ("hipaa", "least-privilege", SYNCED),
    ("soc2", "images-pinned", {"images": {"tag": "main"}}),
]


@pytest.mark.parametrize(("framework", "control", "changed"), CHANGED)
def test_one_change_breaks_a_control_of_objects_by_name(
    framework: Framework, control: str, changed: dict[str, Any]
) -> None:
    """OPS-4: no setting puts a secret where none belongs, so `secrets-kept` is broken by other people's
    objects alone."""
    (made,) = [item for item in CONTROLS if item.name == control]
    chosen = environment(**stack(framework, **changed))
    source = of_stack("prod", Path("Pulumi.prod.yaml"), chosen)
    named = f"{control}: {TITLES[framework]} {made.clauses[framework]}"
    broken = check(EVERY_RULE, source.resources, "production")
    assert any(named in finding_of(source, each).evidence for each in broken)
    controls = {item.name for item in CONTROLS if item.code is None}
    assert {name for _, name, _ in CHANGED} == controls - {"secrets-kept"}


def test_every_control_with_a_rule_is_broken_above_in_each_of_its_frameworks() -> None:
    """OPS-4; encryption at rest breaks in HIPAA alone: the toolkit's own buckets are always encrypted."""
    broken = {(framework, control) for framework, control, _, _ in BROKEN}
    expected = {
        (framework, item.name) for item in CONTROLS if item.code is not None for framework in item.clauses
    }
    assert expected - broken == {("soc2", "encryption-at-rest"), ("gdpr", "encryption-at-rest")}


@pytest.mark.parametrize("framework", KEPT)
def test_a_store_made_elsewhere_is_not_shown_and_not_refused(framework: Framework, tmp_path: Path) -> None:
    """OPS-4: what nobody here decides is a warning, which the evidence calls not shown."""
    roles = {name: f"arn:aws:iam::123456789012:role/{name}" for name in ("controllermgr", "worker")}
    given = existing() | {"roleArns": roles}
    found = findings(stack(framework, storage=given), tmp_path)
    assert {item.severity for item in found} == {"warning"}
    assert all(item.subject == "michelangelo:storage.kind" for item in found)
    assert "MA701" in {item.code for item in found}


def test_the_token_of_serving_is_not_shown_to_end(tmp_path: Path) -> None:
    """OPS-4, OPS-5: it ends with each rotation alone, which no setting brings about."""
    serving = {"serving": {"namespace": "serving"}, "clusters": {"gpu": BOUNDED | {"serving": True}}}
    (found,) = [item for item in findings(stack("soc2", **serving), tmp_path) if item.code == "MA710"]
    assert (found.subject, found.severity) == ("michelangelo:clusters.gpu.serving", "warning")


def test_frameworks_that_are_not_chosen_ask_for_nothing(tmp_path: Path) -> None:
    """OPS-4: off until chosen."""
    assert findings({"storage": minio(endpoint="http://minio.example.com")}, tmp_path) == []
    both = stack("soc2", compliance={"frameworks": ["soc2", "hipaa"]})
    (named,) = [item for item in findings(both, tmp_path) if item.code == "MA701"]
    assert "HIPAA 164.312(a)(2)(iv)" in named.evidence


def test_controls_and_manual_rows_are_told_apart() -> None:
    """OPS-4: names are unique, and every framework has rows that no software shows."""
    names = [item.name for item in (*CONTROLS, *MANUAL)]
    assert len(names) == len(set(names))
    for framework in TITLES:
        assert any(framework in item.clauses for item in MANUAL)
        assert any(framework in item.clauses for item in CONTROLS)


def test_a_key_of_another_region_is_outside_the_boundary(tmp_path: Path) -> None:
    """OPS-4: with IRSA or Pod Identity alike."""
    key = "arn:aws:kms:us-east-1:123456789012:key/example"
    changed = storage("gdpr", kmsKeyArn=key, identity=irsa("oidc.example.com"))
    assert "michelangelo:storage.kmsKeyArn" in {
        item.subject for item in findings(stack("gdpr", **changed), tmp_path)
    }
