"""The job that removes old models, as it is deployed."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from madeploy.findings import Finding
from madeploy.names.models import artifact_buckets
from madeploy.policy.service_files import EVERY_RULE
from madeploy.policy.sources import of_stack
from madeploy.registry import retention as package
from madeploy.rules.storage import identities_have_their_roles
from madeploy.settings import Environment
from manifests import catalog, identities
from manifests.flows import Component, flows
from manifests.iam_documents import access_policy, trust_policy
from manifests.inputs import Inputs
from manifests.proof import prove
from manifests.retention import PROGRAM, retention
from policies.rules.evaluation import check
from tests.support.environments import ALL, environment
from tests.support.iam import Request, allows
from tests.support.objects import of_kind, one

BUCKETS = {"workspace": "example-ml-workspace", "models": "example-ml-models", "logs": "example-ml-logs"}
IRSA = {
    "kind": "irsa",
    "oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A",
}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/a"
STORES: dict[str, dict[str, Any]] = {
    "irsa": {"kind": "aws", "region": "eu-west-1", "buckets": BUCKETS, "identity": IRSA, "kmsKeyArn": KEY},
    "podIdentity": {
        "kind": "aws",
        "region": "eu-west-1",
        "buckets": BUCKETS,
        "identity": {"kind": "podIdentity", "clusterName": "ml"},
    },
    "existing": {
        "kind": "existing",
        "region": "eu-west-1",
        "buckets": BUCKETS,
        "roleArns": {"retention": "arn:aws:iam::123456789012:role/retention"},
    },
    "s3Compatible": {
        "kind": "s3Compatible",
        "endpoint": "https://minio.example.com:9000",
        "buckets": BUCKETS,
    },
}
EVERY_STORE = pytest.mark.parametrize("store", STORES)


def made(store: str = "irsa", **registry: Any) -> Environment:
    return environment(storage=STORES[store], modelRegistry={"retentionDays": 90, **registry})


def pod(chosen: Environment) -> dict[str, Any]:
    job = one(retention(Inputs(chosen)), "CronJob", "michelangelo-retention")
    spec: dict[str, Any] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def variables(chosen: Environment) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in pod(chosen)["containers"][0]["env"]}


@pytest.mark.parametrize("name", ALL)
def test_without_a_window_there_is_no_job_and_nobody_may_delete_models(name: str) -> None:
    """MR-8: models are kept for good unless somebody says otherwise."""
    chosen = ALL[name]()
    assert retention(Inputs(chosen)) == ()
    assert not [row for row in flows(chosen) if row.source == Component("retention")]
    assert "retention" not in {subject.identity for subject in identities.subjects(chosen)}


@EVERY_STORE
def test_what_the_job_refers_to_is_there_and_its_connections_are_permitted_and_no_others(store: str) -> None:
    """MR-8, NET-12, NET-13: the static proof, with the table of flows."""
    chosen = made(store)
    (target,) = (target for target in catalog.targets(Inputs(chosen)) if target.cluster == "control-plane")
    found: list[Finding] = prove([obj for bundle in target.bundles for obj in bundle.objects], chosen)
    assert found == []
    policy = one(catalog.objects(chosen), "NetworkPolicy", "michelangelo-retention")
    assert "ingress" not in policy["spec"]


@EVERY_STORE
def test_the_job_breaks_none_of_the_project_s_own_rules(store: str) -> None:
    """MR-8, CP-7, CP-9: production's severities."""
    source = of_stack("test", Path("Pulumi.test.yaml"), made(store))
    ours = [each for each in source.resources if "retention" in f"{each.name}{each.metadata.get('name')}"]
    assert len(ours) > 5
    broken = [found for found in check(EVERY_RULE, source.resources, "production") if found.resource in ours]
    assert [(found.rule.name, found.resource.kind, found.violation) for found in broken] == []


def test_the_job_reaches_what_it_needs() -> None:
    """MR-8, NET-13: the control plane's API, the store, the source of its credentials, names."""
    own = Component("retention")
    reached = {(str(row.destination), row.port) for row in flows(made("s3Compatible")) if row.source == own}
    dns = {("pods k8s-app=kube-dns in namespace kube-system", 53), ("169.254.20.10/32", 53)}
    assert reached == {("any address", 443), ("any address", 6443), ("any address", 9000)} | dns
    by_agent = {str(row.destination) for row in flows(made("podIdentity")) if row.source == own}
    assert "169.254.170.23/32, fd00:ec2::23/128" in by_agent
    plain = environment(modelRegistry={"retentionDays": 1})
    by_node = {str(row.destination) for row in flows(plain) if row.source == own}
    assert not any("169.254.169.254" in each for each in by_node), "it never takes the node's role"


def test_only_one_run_at_a_time_bounded_in_time_and_not_tried_again_for_what_a_person_must_see() -> None:
    """MR-8."""
    job = one(retention(Inputs(made())), "CronJob", "michelangelo-retention")["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert (job["schedule"], job["timeZone"]) == ("17 3 * * *", "Etc/UTC")
    assert job["startingDeadlineSeconds"] > 0
    assert job["successfulJobsHistoryLimit"] + job["failedJobsHistoryLimit"] < 10
    spec = job["jobTemplate"]["spec"]
    assert spec["activeDeadlineSeconds"] == 4 * 3600
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [1])
    assert rule["onExitCodes"]["containerName"] == pod(made())["containers"][0]["name"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_the_job_may_read_models_everywhere_and_delete_them_where_the_settings_say() -> None:
    """MR-8: by default everywhere; given namespaces, only there."""

    def verbs(objects: Any, kind: str) -> dict[str, list[str]]:
        return {
            obj["metadata"].get("namespace", ""): obj["rules"][0]["verbs"] for obj in of_kind(objects, kind)
        }

    everywhere = retention(Inputs(made()))
    assert verbs(everywhere, "ClusterRole") == {"": ["get", "list", "delete"]}
    assert of_kind(everywhere, "Role") == []
    some = retention(Inputs(made(retention={"namespaces": ["team-a", "team-b"]})))
    assert verbs(some, "ClusterRole") == {"": ["get", "list"]}
    assert verbs(some, "Role") == {"team-a": ["delete"], "team-b": ["delete"]}
    for obj in some:
        for rule in obj.get("rules", ()):
            assert rule["apiGroups"] == ["michelangelo.api"]
            assert set(rule["resources"]) <= {"models", "deployments"}
    assert variables(made(retention={"namespaces": ["team-a", "team-b"]}))["NAMESPACES"] == "team-a,team-b"


@pytest.mark.parametrize("store", ["irsa", "podIdentity"])
def test_its_role_lists_and_deletes_and_does_nothing_else_in_the_buckets_of_artifacts(store: str) -> None:
    """MR-8, MR-2: it never reads an object, so it needs no key either; logs are none of its business."""
    chosen = made(store)
    (subject,) = (each for each in identities.subjects(chosen) if each.identity == "retention")
    assert (subject.namespace, subject.service_account) == ("ma-system", "michelangelo-retention")
    policy = access_policy(chosen.storage, subject, KEY)  # type: ignore[arg-type]
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucket"]
    resources = [f"arn:aws:s3:::{name}{end}" for name in (*BUCKETS.values(), "other") for end in ("", "/x")]
    granted = {
        (action, resource)
        for action in (*actions, "kms:Decrypt", "kms:GenerateDataKey")
        for resource in (*resources, KEY)
        if allows(policy, Request(action, resource, {"kms:ViaService": "s3.eu-west-1.amazonaws.com"})).allowed
    }
    assert granted == {
        (action, f"arn:aws:s3:::{name}{end}")
        for name in artifact_buckets(chosen.storage)
        for action, end in (("s3:DeleteObject", "/x"), ("s3:ListBucket", ""))
    }
    assert "michelangelo-retention" in str(trust_policy(subject, "eu-west-1"))


def test_its_service_account_carries_the_role_where_irsa_reads_it() -> None:
    """MR-8, MR-2: made here, made elsewhere, handed out by EKS."""
    arn = "arn:aws:iam::123456789012:role/michelangelo-prod-retention"

    def annotations(chosen: Environment) -> Any:
        account = one(retention(Inputs(chosen, "prod")), "ServiceAccount", "michelangelo-retention")
        return account["metadata"].get("annotations")

    assert annotations(made("irsa")) == {"eks.amazonaws.com/role-arn": arn}
    given = "arn:aws:iam::123456789012:role/retention"
    assert annotations(made("existing")) == {"eks.amazonaws.com/role-arn": given}
    assert annotations(made("podIdentity")) is None
    assert annotations(made("s3Compatible")) is None


@EVERY_STORE
def test_static_keys_are_mounted_where_there_are_any_and_never_a_variable(store: str) -> None:
    """MR-8, CP-7: a file that the job's group can read."""
    found = variables(made(store))
    mounts = {mount["name"]: mount for mount in pod(made(store))["containers"][0]["volumeMounts"]}
    assert ("OBJECT_STORE_SECRETS" in found) == ("secrets" in mounts) == (store == "s3Compatible")
    if "secrets" in mounts:
        assert found["OBJECT_STORE_SECRETS"] == f"{mounts['secrets']['mountPath']}/secrets.yaml"
    assert not any("KEY" in name for name in found)
    assert found["BUCKETS"] == "example-ml-models,example-ml-workspace"


@pytest.mark.parametrize(
    ("store", "endpoint", "by_path"),
    [
        ("irsa", "https://s3.eu-west-1.amazonaws.com", "false"),
        ("existing", "https://s3.eu-west-1.amazonaws.com", "false"),
        ("s3Compatible", "https://minio.example.com:9000", "true"),
    ],
)
def test_buckets_are_called_the_way_the_store_serves_them(store: str, endpoint: str, by_path: str) -> None:
    """MR-8."""
    found = variables(made(store))
    assert (found["S3_ENDPOINT"], found["S3_PATH_STYLE"]) == (endpoint, by_path)


def test_a_private_authority_is_trusted_besides_the_system_s() -> None:
    """MR-8, CP-2."""
    chosen = environment(
        storage=STORES["s3Compatible"],
        modelRegistry={"retentionDays": 90},
        controlPlane={"caBundleConfigMap": "company-ca"},
    )
    assert variables(chosen)["CA_FILE"] == "/etc/michelangelo/ca/ca.crt"
    assert any(volume.get("configMap", {}).get("name") == "company-ca" for volume in pod(chosen)["volumes"])


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "public.ecr.aws/docker/library/python:3.13.7-slim"),
        ({"tag": "3.14.0-slim"}, "public.ecr.aws/docker/library/python:3.14.0-slim"),
        ({"repository": "registry.example.com/python"}, "registry.example.com/python:3.13.7-slim"),
        (
            {"repository": "registry.example.com/python", "digest": f"sha256:{'0' * 64}"},
            f"registry.example.com/python@sha256:{'0' * 64}",
        ),
    ],
)
def test_any_part_of_the_image_can_be_given(image: dict[str, str], reference: str) -> None:
    """MR-8, CP-9: a mirror, another version, a digest."""
    assert pod(made(retention={"image": image}))["containers"][0]["image"] == reference


def test_the_program_imports_nothing_but_the_standard_library_and_itself() -> None:
    """MR-8: the image has no package. Every module of it is mounted."""
    folder = Path(package.__file__).parent
    assert set(PROGRAM) == {path.name for path in folder.glob("*.py")}
    for module, text in PROGRAM.items():
        assert text == (folder / module).read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text, feature_version=(3, 10))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= sys.stdlib_module_names
            elif isinstance(node, ast.ImportFrom):
                own = node.level == 1 and f"{node.module}.py" in PROGRAM
                assert own or str(node.module).partition(".")[0] in sys.stdlib_module_names, (
                    module,
                    node.module,
                )


def test_existing_storage_without_a_role_for_the_job_is_noticed() -> None:
    """MR-8, MR-2: where other roles are given and the job is wanted."""
    roles = {name: f"arn:aws:iam::123456789012:role/{name}" for name in ("controllermgr", "worker")}
    storage = {**STORES["existing"], "roleArns": roles}
    wanted = environment(storage=storage, modelRegistry={"retentionDays": 90})
    assert [found.evidence for found in identities_have_their_roles(wanted, {})] == [
        "has no role for retention"
    ]
    assert list(identities_have_their_roles(environment(storage=storage), {})) == []
