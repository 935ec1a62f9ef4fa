"""The main job, as a user runs it: one command brings the platform up on two real API servers."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from madeploy.schemas import open_kinds
from tests.support.proves import proves
from tests.support.sandbox import (
    ROOT,
    Deployed,
    conditions,
    kill_engine_during_up,
    pods,
    restored,
)

SERVICES = ("apiserver", "controllermgr", "envoy", "ui", "worker")
pytestmark = pytest.mark.sandbox


@proves("CP-1", "UX-1", played="kubelets")
def test_five_deployments_are_available(deployed: Deployed) -> None:
    """UX-1, CP-1 to CP-5."""
    found = deployed.get("control-plane", "deployments.apps", "-n", "ma-system")
    available = {
        item["metadata"]["name"]
        for item in found["items"]
        for condition in item["status"]["conditions"]
        if condition["type"] == "Available" and condition["status"] == "True"
    }
    assert available == {f"michelangelo-{service}" for service in SERVICES}


@proves("CARD-6")
def test_the_compute_cluster_is_registered_with_its_own_address(deployed: Deployed) -> None:
    """CARD-6, REG-4: host with its scheme, port as text, the names of both Secrets, and no label or
    annotation that a later change could touch (V7)."""
    cluster = deployed.get("control-plane", "clusters.michelangelo.api", "compute-0", "-n", "ma-system")
    server = yaml.safe_load((deployed.state / "kubeconfig").read_text())
    (address,) = [c["cluster"]["server"] for c in server["clusters"] if c["name"] == "compute-0"]
    rest = cluster["spec"]["kubernetes"]["rest"]
    assert f"{rest['host']}:{rest['port']}" == address
    assert rest["tokenTag"] == "cluster-compute-0-client-token"
    assert rest["caDataTag"] == "cluster-compute-0-ca-data"
    assert not {"labels", "annotations"} & cluster["metadata"].keys()


def ask(deployed: Deployed, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Post a review to the compute cluster with what the control plane has registered, nothing else."""
    group = "authentication.k8s.io" if kind == "SelfSubjectReview" else "authorization.k8s.io"
    secrets = {
        key: base64.b64decode(
            deployed.get("control-plane", "secret", f"cluster-compute-0-{name}", "-n", "default")["data"][key]
        ).decode()
        for name, key in (("ca-data", "cadata"), ("client-token", "token"))
    }
    rest = deployed.get("control-plane", "clusters.michelangelo.api", "compute-0", "-n", "ma-system")
    address = rest["spec"]["kubernetes"]["rest"]
    request = urllib.request.Request(
        f"{address['host']}:{address['port']}/apis/{group}/v1/{kind.lower()}s",
        data=json.dumps({"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}).encode(),
        headers={"Authorization": f"Bearer {secrets['token']}", "Content-Type": "application/json"},
    )
    context = ssl.create_default_context(cadata=secrets["cadata"])
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        review: dict[str, Any] = json.load(answer)["status"]
    return review


@proves("REG-4")
def test_the_registered_token_is_accepted_by_the_server_the_registered_authority_vouches_for(
    deployed: Deployed,
) -> None:
    """REG-2, REG-4, REG-5."""
    review = ask(deployed, "SelfSubjectReview", {})
    assert review["userInfo"]["username"] == "system:serviceaccount:default:ray-manager"


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        *(
            ({"group": "ray.io", "resource": resource, "verb": verb, "namespace": "default"}, True)
            for resource in ("rayclusters", "rayjobs")
            for verb in ("create", "get", "list", "watch", "update", "patch", "delete")
        ),
        ({"group": "", "resource": "secrets", "verb": "get", "namespace": "default"}, False),
        ({"group": "", "resource": "pods", "verb": "create", "namespace": "default"}, False),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
@proves("REG-2")
def test_the_registered_token_may_manage_ray_and_nothing_else(
    deployed: Deployed, attributes: dict[str, str], allowed: bool
) -> None:
    """REG-2, REG-6: asked with the registered credential itself."""
    review = ask(deployed, "SelfSubjectAccessReview", {"resourceAttributes": attributes})
    assert review["allowed"] is allowed


@proves("REG-3")
def test_tasks_find_their_storage_configuration(deployed: Deployed) -> None:
    """REG-3: without a key, because pods have roles."""
    data = deployed.get("compute-0", "configmap", "michelangelo-config", "-n", "default")["data"]
    assert data["MA_FILE_SYSTEM"] == "s3://michelangelo-sandbox-workspace"
    assert not any("SECRET" in key or "ACCESS_KEY" in key for key in data)


def test_pods_pass_restricted_admission_and_replicas_are_on_different_nodes(deployed: Deployed) -> None:
    """CP-1, CP-2, CP-7: the namespace enforces the standard, so pods that run have passed it."""
    namespace = deployed.get("control-plane", "namespace", "ma-system")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    pods = deployed.get("control-plane", "pods", "-n", "ma-system")["items"]
    for service in ("apiserver", "controllermgr"):
        nodes = [
            pod["spec"]["nodeName"]
            for pod in pods
            if pod["metadata"]["labels"]["app"] == f"michelangelo-{service}"
        ]
        assert len(nodes) == len(set(nodes)) == 2


def test_buckets_and_roles_are_as_declared(deployed: Deployed) -> None:
    """MR-1, MR-2: read back through the AWS SDK."""
    environ = deployed.shell()
    session = boto3.Session(
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        region_name="eu-west-1",
    )
    s3 = session.client("s3", endpoint_url=environ["AWS_ENDPOINT_URL"])
    bucket = "michelangelo-sandbox-models"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    iam = session.client("iam", endpoint_url=environ["AWS_ENDPOINT_URL"])
    role = iam.get_role(RoleName="michelangelo-sandbox-controllermgr")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert any(
        value == "system:serviceaccount:ma-system:michelangelo-controllermgr"
        for value in statement["Condition"]["StringEquals"].values()
    )


def test_pods_are_given_the_roles_that_were_made(deployed: Deployed) -> None:
    """MR-2: services by their own ServiceAccounts; task pods by the one that Kubernetes makes in every
    namespace, which gets the annotation and no label."""
    roles = json.loads(deployed.run("pulumi", "stack", "output", "iam_roles", "--json").stdout)
    accounts = {
        "controllermgr": ("control-plane", "michelangelo-controllermgr", "ma-system"),
        "worker": ("control-plane", "michelangelo-worker", "ma-system"),
        "tasks-compute-0": ("compute-0", "default", "default"),
    }
    assert set(roles) == set(accounts)
    for identity, (cluster, name, namespace) in accounts.items():
        metadata = deployed.get(cluster, "serviceaccount", name, "-n", namespace)["metadata"]
        assert metadata["annotations"]["eks.amazonaws.com/role-arn"] == roles[identity]
        assert ("labels" in metadata) == (identity in ("controllermgr", "worker"))


def test_outputs_name_what_was_made_and_nothing_secret_is_written_anywhere(deployed: Deployed) -> None:
    """CARD-3, UX-3: not in the outputs, the engine's state, the stack file or a log, plain or in base64."""
    outputs = json.loads(deployed.run("pulumi", "stack", "output", "--json", "--show-secrets").stdout)
    assert outputs["urls"]["api"] == "https://api.sandbox.example.com"
    assert set(outputs["clusters"]) == {"compute-0"}
    secret = deployed.get("control-plane", "secret", "cluster-compute-0-client-token", "-n", "default")
    encoded = secret["data"]["token"]
    token = base64.b64decode(encoded).decode()
    key = yaml.safe_load((deployed.state / "kubeconfig").read_text())["users"][0]["user"]["client-key-data"]
    signature = token.rpartition(".")[2]
    places = [deployed.state / "pulumi", deployed.state / "stack", deployed.state / "logs"]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert any(path.suffix == ".json" for path in files)
    for path in files:
        content = path.read_bytes()
        for canary in (token, signature, encoded, key):
            assert canary.encode() not in content, f"{path} holds a credential"
    assert token not in json.dumps(outputs)


def test_a_second_up_changes_nothing_and_reuses_what_runs(deployed: Deployed) -> None:
    """UX-1: it converges; the processes are the same."""
    before = deployed.madeploy("sandbox", "status", "--json").stdout
    again = deployed.madeploy("sandbox", "up")
    assert again.returncode == 0, again.stderr[-3000:]
    assert "no changes" in (again.stdout + again.stderr).lower()
    pids = [{c["name"]: c["pid"] for c in json.loads(text)["components"]} for text in (
        before, deployed.madeploy("sandbox", "status", "--json").stdout)]  # fmt: skip
    assert pids[0] == pids[1]


def test_a_refresh_finds_no_drift(deployed: Deployed) -> None:
    """CARD-3."""
    refresh = deployed.run("pulumi", "refresh", "--preview-only", "--expect-no-changes", "--non-interactive")
    assert refresh.returncode == 0, refresh.stdout[-4000:]


@proves("CARD-3")
def test_the_plain_pulumi_command_finds_nothing_to_do_and_its_policies_nothing_to_say(
    deployed: Deployed,
) -> None:
    """CARD-1, CARD-3: typed by hand in the sandbox's shell, with nothing of ours in front."""
    arguments = ("--expect-no-changes", "--policy-pack", "policies", "--non-interactive")
    preview = deployed.run("pulumi", "preview", *arguments)
    assert preview.returncode == 0, preview.stdout[-3000:]
    assert "michelangelo@v0.1.0" in preview.stdout


@proves("UX-3")
def test_a_bad_stack_fails_with_the_text_of_validate_and_no_traceback(
    deployed: Deployed, tmp_path: Path
) -> None:
    """CARD-5, UX-3."""
    bad = tmp_path / "Pulumi.sandbox.yaml"
    good = deployed.stack_file.read_text()
    bad.write_text(good.replace("michelangelo:domains", "michelangelo:domians"))
    up = deployed.run("pulumi", "preview", "--non-interactive", "--config-file", str(bad))
    validate = deployed.madeploy("validate", str(bad))
    assert (up.returncode != 0, validate.returncode) == (True, 2)
    assert "Traceback" not in up.stdout + up.stderr
    findings = [line for line in validate.stdout.splitlines() if " error MA" in line]
    assert findings
    for line in findings:
        assert line.partition(" error ")[2] in up.stdout


@proves("NET-11")
def test_the_absence_of_cert_manager_is_named_with_the_command_that_installs_it(
    deployed: Deployed, tmp_path: Path
) -> None:
    """NET-11, CP-8, UX-3: within seconds, instead of a failure about an unknown kind."""
    changed = tmp_path / "Pulumi.sandbox.yaml"
    data = yaml.safe_load(deployed.stack_file.read_text())
    data["config"]["michelangelo:tls"] = {"mode": "internalCa"}
    changed.write_text(yaml.safe_dump(data))
    definitions = str(tmp_path / "cert-manager.yaml")
    Path(definitions).write_text(yaml.safe_dump_all(open_kinds.definitions(open_kinds.CERT_MANAGER)))
    assert deployed.run("kubectl", "--context", "control-plane", "delete", "-f", definitions).returncode == 0
    try:
        up = deployed.run("pulumi", "up", "--yes", "--skip-preview", "--config-file", str(changed))
        assert up.returncode != 0
        assert "clusterissuers.cert-manager.io" in up.stdout
        assert "helm install cert-manager" in up.stdout
    finally:
        back = deployed.run(
            "kubectl", "--context", "control-plane", "apply", "--server-side", "-f", definitions
        )
    assert back.returncode == 0, back.stderr


@proves("NET-7", "NET-10", played="the Gateway's controller and cert-manager")
def test_the_other_front_door_and_an_issuer_roll_out_and_back_without_touching_a_pod(
    deployed: Deployed,
) -> None:
    """NET-7, NET-10, NET-11, CP-7, UX-1, CARD-3: Gateway API with certificates of an internal CA, by an
    update whose engine is killed and that converges when it is run again, stale lock and pending operations
    included; the pods' own configuration is the same, so none of them is rolled; and the outputs keep their
    URLs."""
    data = yaml.safe_load(deployed.stack_file.read_text())
    data["config"]["michelangelo:tls"] = {"mode": "internalCa"}
    data["config"]["michelangelo:frontDoor"] = {
        "kind": "gatewayApi",
        "className": "sandbox",
        "controllerNamespace": "ingress-nginx",
    }
    urls = deployed.run("pulumi", "stack", "output", "urls", "--json").stdout
    before = pods(deployed)
    with restored(deployed):
        deployed.stack_file.write_text(yaml.safe_dump(data))
        kill_engine_during_up(deployed)
        again = deployed.madeploy("sandbox", "up")
        assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-6000:]
        (gateway,) = deployed.get("control-plane", "gateways", "-n", "ma-system")["items"]
        assert {"Accepted", "Programmed"} <= conditions(gateway)
        (issuer,) = deployed.get("control-plane", "clusterissuers")["items"]
        assert "Ready" in conditions(issuer)
        assert deployed.get("control-plane", "ingresses", "-n", "ma-system")["items"] == []
        assert deployed.get("control-plane", "grpcroutes", "-n", "ma-system")["items"]
        assert pods(deployed) == before
        assert deployed.run("pulumi", "stack", "output", "urls", "--json").stdout == urls
        preview = deployed.run("pulumi", "preview", "--expect-no-changes", "--non-interactive")
        assert preview.returncode == 0, preview.stdout[-3000:]
    assert len(deployed.get("control-plane", "ingresses", "-n", "ma-system")["items"]) == 2


@proves("REG-1")
def test_kubeconfigs_kept_encrypted_in_the_stack_file_do_what_contexts_do(
    deployed: Deployed, tmp_path: Path
) -> None:
    """CARD-3, REG-1: as the README says for a real environment; the file holds them encrypted only, and the
    providers are the same, so that nothing is changed by it."""
    changed = tmp_path / "Pulumi.sandbox.yaml"
    data = yaml.safe_load(deployed.stack_file.read_text())
    del data["config"]["michelangelo:controlPlane"]["kubeconfigContext"]
    del data["config"]["michelangelo:clusters"]["compute-0"]["kubeconfigContext"]
    changed.write_text(yaml.safe_dump(data))
    environ = deployed.shell()
    for context in ("control-plane", "compute-0"):
        view = ["kubectl", "config", "view", "--raw", "--minify", "--flatten", f"--context={context}"]
        shown = subprocess.run(view, env=environ, capture_output=True, check=True)
        path = f"michelangelo:kubeconfigs.{context}"
        set_ = ["pulumi", "config", "set", "--secret", "--path", path, "--config-file", str(changed)]
        subprocess.run(set_, cwd=ROOT, env=environ, input=shown.stdout, capture_output=True, check=True)
    assert "client-key-data" not in changed.read_text()
    assert deployed.madeploy("validate", str(changed)).returncode == 0
    preview = deployed.run(
        "pulumi", "preview", "--expect-no-changes", "--non-interactive", "--config-file", str(changed)
    )
    assert preview.returncode == 0, preview.stdout[-3000:]


@pytest.mark.long
@proves("UX-4", played="kubelets")
def test_one_setting_rolls_exactly_the_pods_it_concerns(deployed: Deployed, tmp_path: Path) -> None:
    """CP-6, CP-7, UX-4: a log level of the worker; the plan has said so before."""
    changed = tmp_path / "Pulumi.sandbox.yaml"
    data = yaml.safe_load(deployed.stack_file.read_text())
    data["config"]["michelangelo:controlPlane"]["worker"] = {"logLevel": "debug"}
    changed.write_text(yaml.safe_dump(data))
    before = pods(deployed)
    plan = deployed.run(sys.executable, "-m", "madeploy", "plan", str(changed), "--json")
    assert plan.returncode == 0, plan.stderr[-3000:]
    assert json.loads(plan.stdout)["sentences"] == [
        {
            "level": "quiet",
            "text": "The worker restarts, pod after pod, for another configuration (logging.level): "
            "workflows go "
            "on from their last finished step.",
        }
    ]
    up = deployed.run("pulumi", "up", "--yes", "--skip-preview", "--config-file", str(changed))
    assert up.returncode == 0, up.stdout[-4000:]
    after = pods(deployed)
    rolled = {service for service in before if not before[service] & after[service]}
    kept = {service for service in before if before[service] == after[service]}
    assert (rolled, kept) == ({"michelangelo-worker"}, before.keys() - {"michelangelo-worker"})
    assert deployed.madeploy("sandbox", "up").returncode == 0
