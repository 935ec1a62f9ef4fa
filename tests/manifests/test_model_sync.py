"""model-sync: what runs on the nodes, and its script with a stand-in for the AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from manifests import catalog
from manifests.inputs import Inputs
from manifests.model_sync import SCRIPT, model_sync
from manifests.proof import prove
from tests.support.environments import aws_storage, environment
from tests.support.objects import one

ARN = "arn:aws:iam::123456789012:role/model-reader"
GPU: dict[str, Any] = {"kubeconfigContext": "gpu", "serving": True}


def made(**more: Any) -> Any:
    """An environment with model-sync on two clusters."""
    sync = {"servers": ["example", "other"]} | more.pop("sync", {})
    serving = {"namespace": "serving", "createNamespace": True, "modelSync": sync}
    return environment(**{"serving": serving, "clusters": {"gpu": GPU}} | more)


def test_every_cluster_that_serves_has_it_and_everything_it_names_is_there() -> None:
    """OPS-5, NET-13: its policy permits what the table says, and its pods are isolated."""
    chosen = made()
    for target in catalog.targets(Inputs(chosen)):
        objects = [obj for bundle in target.bundles for obj in bundle.objects]
        assert one(objects, "DaemonSet", "michelangelo-model-sync")["metadata"]["namespace"] == "serving"
        assert prove(objects, chosen, target.cluster) == []


def test_a_role_is_put_on_the_account_of_its_cluster() -> None:
    """OPS-5: each cluster its own; nothing else is on it."""
    chosen = made(sync={"roleArns": {"gpu": ARN}})
    there = one(list(model_sync(Inputs(chosen), "gpu")), "ServiceAccount", "michelangelo-model-sync")
    assert there["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": ARN}
    here = one(list(model_sync(Inputs(chosen), "control-plane")), "ServiceAccount", "michelangelo-model-sync")
    assert "annotations" not in here["metadata"]


def test_a_role_of_the_environment_is_on_it_where_none_is_given() -> None:
    """OPS-5, MR-2: by IRSA with the name it will have; EKS Pod Identity knows the account by name."""
    irsa = {"kind": "irsa", "oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/gpu"}
    gpu = GPU | {"taskIdentity": irsa}
    chosen = made(storage=aws_storage(), sync={"roleArns": {"control-plane": ARN}}, clusters={"gpu": gpu})
    accounts = {
        name: one(list(model_sync(Inputs(chosen, "prod"), name)), "ServiceAccount", "michelangelo-model-sync")
        for name in ("control-plane", "gpu")
    }
    assert {name: item["metadata"]["annotations"] for name, item in accounts.items()} == {
        "control-plane": {"eks.amazonaws.com/role-arn": ARN},
        "gpu": {
            "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/michelangelo-prod-model-sync-gpu"
        },
    }
    by_name = {"kind": "podIdentity", "clusterName": "gpu"}
    chosen = made(storage=aws_storage(identity=by_name), clusters={"gpu": GPU | {"taskIdentity": by_name}})
    there = one(list(model_sync(Inputs(chosen, "prod"), "gpu")), "ServiceAccount", "michelangelo-model-sync")
    assert "annotations" not in there["metadata"]


def pod(chosen: Any) -> dict[str, Any]:
    daemon = one(list(model_sync(Inputs(chosen), "gpu")), "DaemonSet", "michelangelo-model-sync")
    spec: dict[str, Any] = daemon["spec"]["template"]["spec"]
    return spec


def test_the_pod_may_write_its_folder_and_nothing_else() -> None:
    """OPS-5: root, because the kubelet makes the folder for it; no capability, no writable root, no token."""
    spec = pod(made())
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
    }
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    writable = {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"models", "tmp"}
    assert ":latest" not in container["image"]


def test_lists_of_servers_that_are_not_there_yet_keep_no_pod_from_starting() -> None:
    """OPS-5: the platform writes a list with the first model."""
    volumes = {volume["name"]: volume for volume in pod(made())["volumes"]}
    assert volumes["list-example"]["configMap"] == {"name": "example-model-config", "optional": True}
    assert "list-other" in volumes


def test_keys_come_from_a_secret_and_the_store_is_the_environments() -> None:
    """OPS-5: none is in an object."""
    minio = {"kind": "s3Compatible", "endpoint": "https://minio.example.com"}
    (container,) = pod(made(storage=minio, sync={"credentialsSecret": "keys"}))["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "keys"}}]
    variables = {item["name"]: item["value"] for item in container["env"]}
    assert variables["AWS_ENDPOINT_URL_S3"] == "https://minio.example.com"
    (on_aws,) = pod(made(storage=aws_storage()))["containers"]
    assert "envFrom" not in on_aws
    assert {item["name"] for item in on_aws["env"]} == {"SECONDS_BETWEEN", "AWS_REGION", "HOME"}


def test_nothing_is_there_unless_it_is_asked_for() -> None:
    """OPS-5."""
    assert model_sync(Inputs(environment(serving={"namespace": "serving"})), "control-plane") == ()


# The script.


def run(folder: Path, lists: dict[str, str], fails: bool = False) -> tuple[list[str], str]:
    """One round over these lists: what `aws` was called with, and what was said."""
    config, models, programs = folder / "config", folder / "models", folder / "bin"
    models.mkdir(exist_ok=True)
    programs.mkdir(exist_ok=True)
    for server, text in lists.items():
        (config / server).mkdir(parents=True, exist_ok=True)
        (config / server / "model-list.json").write_text(text)
    log = folder / "calls"
    log.write_text("")
    verdict = "exit 1" if fails else 'mkdir -p "${@: -1}"'
    stand_ins = {"aws": f'#!/bin/bash\necho "$*" >> {log}\n{verdict}\n', "sleep": "#!/bin/bash\nexit 9\n"}
    for name, text in stand_ins.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", SCRIPT],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "CONFIG": str(config),
            "MODELS": str(models),
            "SECONDS_BETWEEN": "60",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 9, f"the round did not end at its sleep: {done.stderr}"
    return log.read_text().splitlines(), done.stderr


def models(*named: tuple[str, str]) -> str:
    """A list as the platform's Go code writes it."""
    data = [{"name": name, "storage_path": path} for name, path in named]
    return json.dumps(data, separators=(",", ":"))


@pytest.mark.whole
def test_every_model_of_every_list_is_copied(tmp_path: Path) -> None:
    """OPS-5: into its server's folder, under its own name; also from lists that a person has written."""
    lists = {
        "example": models(("bert", "s3://deploy-models/bert/"), ("tree-2", "s3://deploy-models/tree-2/")),
        "other": '[\n  {\n    "name" : "cnn",\n    "storage_path" : "s3://deploy-models/cnn/"\n  }\n]\n',
    }
    calls, said = run(tmp_path, lists)
    start, end = "s3 sync --only-show-errors --delete", f"{tmp_path}/models"
    assert calls == [
        f"{start} s3://deploy-models/bert/ {end}/example/bert",
        f"{start} s3://deploy-models/tree-2/ {end}/example/tree-2",
        f"{start} s3://deploy-models/cnn/ {end}/other/cnn",
    ]
    assert said == ""


@pytest.mark.whole
def test_models_that_are_listed_no_more_go_and_others_stay(tmp_path: Path) -> None:
    """OPS-5."""
    run(tmp_path, {"example": models(("old", "s3://b/old/"), ("kept", "s3://b/kept/"))})
    run(tmp_path, {"example": models(("kept", "s3://b/kept/"))})
    assert sorted(path.name for path in (tmp_path / "models" / "example").iterdir()) == ["kept"]
    run(tmp_path, {"example": "[]"})
    assert list((tmp_path / "models" / "example").iterdir()) == []


@pytest.mark.whole
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc", "s3://b/a/"),
        ("a/b", "s3://b/a/"),
        (".hidden", "s3://b/a/"),
        ("-rf", "s3://b/a/"),
        ("$(reboot)", "s3://b/a/"),
        ("a", "/etc/shadow"),
        ("a", "s3://b/a --profile x"),
        ("a", "file:///etc"),
    ],
)
def test_a_list_can_name_no_other_folder_and_no_option(tmp_path: Path, name: str, path: str) -> None:
    """OPS-5: whoever may write the ConfigMap is not root on the node."""
    calls, said = run(tmp_path, {"example": models((name, path), ("good", "s3://b/good/"))})
    assert [call.rpartition("/")[2] for call in calls] == ["good"]
    assert "left out" in said


@pytest.mark.whole
def test_a_store_that_does_not_answer_costs_no_model_that_is_there(tmp_path: Path) -> None:
    """OPS-5: it is said, and tried again."""
    run(tmp_path, {"example": models(("bert", "s3://b/bert/"))})
    calls, said = run(tmp_path, {"example": models(("bert", "s3://b/bert/"))}, fails=True)
    assert len(calls) == 1
    assert "not copied: bert" in said
    assert (tmp_path / "models" / "example" / "bert").is_dir()
