"""A cluster registered by hand, as the registration guide says, is taken over without a change."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from madeploy.stackfile.edit import remove, set_value
from tests.support.proves import proves
from tests.support.sandbox import ROOT, UP_LIMIT, Deployed, restored

pytestmark = pytest.mark.sandbox

NAME = "by-hand"
COMPUTE, CONTROL_PLANE = "compute-0", "control-plane"
RULE = {
    "apiGroups": ["ray.io"],
    "resources": ["rayclusters", "rayjobs"],
    "verbs": ["create", "get", "list", "watch", "update", "patch", "delete"],
}
REGISTRATION = {
    CONTROL_PLANE: {
        ("clusters", NAME),
        ("secrets", f"cluster-{NAME}-ca-data"),
        ("secrets", f"cluster-{NAME}-client-token"),
    },
    COMPUTE: {
        ("serviceaccounts", "ray-manager"),
        ("clusterroles", "ray-manager"),
        ("clusterrolebindings", "ray-manager-binding"),
        ("secrets", "ray-manager-token"),
        ("configmaps", "michelangelo-config"),
    },
}
"""Resource and name of every object of the registration, by cluster."""


def apply(deployed: Deployed, context: str, *objects: dict[str, Any]) -> None:
    """`kubectl apply`, as the guide does it."""
    done = subprocess.run(
        ["kubectl", "--context", context, "apply", "-f", "-"],
        input=yaml.safe_dump_all(objects),
        cwd=ROOT,
        env=deployed.shell(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def compute_objects() -> list[dict[str, Any]]:
    """Steps 1 to 3 of the guide."""
    rbac = "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": "ray-manager", "namespace": "default"}
    bound = {"name": "ray-manager-token", "namespace": "default"}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "michelangelo-config", "namespace": "default"},
            "data": {"MA_FILE_SYSTEM": "s3://default", "MA_FILE_SYSTEM_S3_SCHEME": "http", "TEAM": "ours"},
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "ray-manager", "namespace": "default"},
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "ray-manager"},
            "rules": [RULE],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "ray-manager-binding"},
            "subjects": [account],
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "ray-manager"},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {**bound, "annotations": {"kubernetes.io/service-account.name": "ray-manager"}},
            "type": "kubernetes.io/service-account-token",
        },
    ]


def register_by_hand(deployed: Deployed) -> None:
    """The six steps of the guide."""
    apply(deployed, COMPUTE, *compute_objects())
    waited = deployed.run(
        "kubectl", "--context", COMPUTE, "-n", "default", "wait", "--for=jsonpath={.data.token}",
        "--timeout=180s", "secret/ray-manager-token",
    )  # fmt: skip
    assert waited.returncode == 0, waited.stderr
    token = deployed.get(COMPUTE, "secret", "ray-manager-token", "-n", "default")["data"]["token"]
    kubeconfig = yaml.safe_load((deployed.state / "kubeconfig").read_text())
    (server,) = [item["cluster"] for item in kubeconfig["clusters"] if item["name"] == COMPUTE]
    host, _, port = server["server"].rpartition(":")
    # A shell's $(…) drops the line break at the end of the authority.
    authority = base64.b64decode(server["certificate-authority-data"]).decode().rstrip("\n")
    rest = {"host": host, "port": port, "tokenTag": f"cluster-{NAME}-client-token"}
    rest["caDataTag"] = f"cluster-{NAME}-ca-data"

    def secret(name: str, **data: str) -> dict[str, Any]:
        named = {"name": name, "namespace": "default"}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": named, "stringData": data}

    apply(
        deployed,
        CONTROL_PLANE,
        {
            "apiVersion": "michelangelo.api/v2",
            "kind": "Cluster",
            "metadata": {"name": NAME, "namespace": "ma-system"},
            "spec": {"kubernetes": {"rest": rest, "skus": []}},
        },
        secret(f"cluster-{NAME}-ca-data", cadata=authority),
        secret(f"cluster-{NAME}-client-token", token=base64.b64decode(token).decode()),
    )


def adopt(deployed: Deployed, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "madeploy", "clusters", "adopt", NAME, "--stack", "sandbox"]
    return deployed.run(*command, "--from-context", COMPUTE, "--json", *options)


def up(deployed: Deployed) -> None:
    done = deployed.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", limit=UP_LIMIT)
    assert done.returncode == 0, done.stdout[-4000:]


def versions(deployed: Deployed) -> dict[str, str]:
    """Resource version of every object of the registration but the `Cluster`, whose status is written all the
    time, and that one's generation and metadata."""
    found = {}
    for context, objects in REGISTRATION.items():
        for resource, name in sorted(objects):
            kind = "clusters.michelangelo.api" if resource == "clusters" else resource
            namespace = ["-n", "ma-system" if resource == "clusters" else "default"]
            metadata = deployed.get(context, kind, name, *namespace)["metadata"]
            if resource == "clusters":
                kept = ("labels", "annotations", "finalizers", "generation", "uid")
                found[name] = json.dumps({key: metadata.get(key) for key in kept})
            else:
                found[f"{context} {resource} {name}"] = metadata["resourceVersion"]
    return found


def lines(deployed: Deployed) -> dict[str, int]:
    logs = deployed.state / "logs"
    return {c: len((logs / f"{c}-audit.log").read_text().splitlines()) for c in REGISTRATION}


def writes(deployed: Deployed, since: dict[str, int]) -> dict[str, list[tuple[str, str, str]]]:
    """Verb, resource and name of every write to an object of the registration after the first `since` lines
    of the audit logs; statuses, which the controller manager writes, and dry runs, by which the plugin
    compares, left out."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for context, known in REGISTRATION.items():
        log = (deployed.state / "logs" / f"{context}-audit.log").read_text().splitlines()[since[context] :]
        for event in map(json.loads, log):
            what = event.get("objectRef") or {}
            named = (what.get("resource", ""), what.get("name", ""))
            is_write = event["verb"] not in ("get", "list", "watch") and "dryRun=" not in event["requestURI"]
            if named in known and is_write and "subresource" not in what:
                found.setdefault(context, []).append((event["verb"], *named))
    return found


@pytest.fixture(scope="module", autouse=True)
def by_hand(deployed: Deployed) -> Iterator[None]:
    """The platform without a compute cluster in its stack, and one that was registered by hand."""
    with restored(deployed):
        file = deployed.stack_file
        file.write_text(remove(file.read_text(), ("clusters", COMPUTE)))
        up(deployed)
        register_by_hand(deployed)
        yield
        # What the last test left on purpose: not every plugin takes over what it did not make.
        deployed.run(
            "kubectl", "--context", COMPUTE, "-n", "default", "delete", "configmap", "michelangelo-config"
        )


@pytest.mark.long
def test_a_registration_that_is_not_complete_is_not_taken_over(deployed: Deployed) -> None:
    """REG-9, REG-11, UX-2: what is missing is named, by a code of its own, and nothing is written."""
    before = deployed.stack_file.read_text()
    role = compute_objects()[2]
    gone = deployed.run("kubectl", "--context", COMPUTE, "delete", "clusterrole", "ray-manager")
    assert gone.returncode == 0, gone.stderr
    done = adopt(deployed)
    assert done.returncode == 1, done.stderr
    (finding,) = json.loads(done.stdout)["differences"]
    assert (finding["code"], finding["subject"]) == ("MA428", "ClusterRole ray-manager")
    assert deployed.stack_file.read_text() == before
    apply(deployed, COMPUTE, role)


@pytest.mark.long
def test_a_cluster_nobody_registered_is_named_beside_those_there_are(deployed: Deployed) -> None:
    """REG-9, UX-3."""
    command = [sys.executable, "-m", "madeploy", "clusters", "adopt", "nobody", "--stack", "sandbox"]
    done = deployed.run(*command, "--from-context", COMPUTE)
    assert done.returncode == 2
    assert f"registered are: {NAME}" in done.stderr


@pytest.mark.long
@proves("REG-9")
def test_taking_a_registration_over_writes_none_of_its_objects_on_either_side(deployed: Deployed) -> None:
    """REG-9: as both API servers' audit logs have it; what differs is told and kept; and the next update has
    nothing to do."""
    before, since = versions(deployed), lines(deployed)
    done = adopt(deployed, "--yes")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-4000:]
    told = json.loads(done.stdout)
    assert told["entry"]["adopted"] == {"keep": ["taskConfig", "authority", "registration"]}
    assert [(item["code"], item["severity"]) for item in told["differences"]] == [("MA429", "warning")]
    assert "has TEAM besides" in told["differences"][0]["evidence"]
    assert told["applied"]["findings"] == []
    assert writes(deployed, since) == {}
    assert versions(deployed) == before
    again = adopt(deployed)
    assert (again.returncode, json.loads(again.stdout)["written"]) == (0, False)
    preview = deployed.run("pulumi", "preview", "--expect-no-changes", "--non-interactive")
    assert preview.returncode == 0, preview.stdout[-3000:]


@pytest.mark.long
def test_a_part_that_is_kept_no_longer_becomes_what_the_settings_say(deployed: Deployed) -> None:
    """REG-9: only that part; the `Cluster` is never touched (V7)."""
    before, since = versions(deployed), lines(deployed)
    file = deployed.stack_file
    kept = {"keep": ["taskConfig", "registration"]}
    file.write_text(set_value(file.read_text(), ("clusters", NAME, "adopted"), kept))
    up(deployed)
    written = {context: {entry[1:] for entry in found} for context, found in writes(deployed, since).items()}
    authority = ("secrets", f"cluster-{NAME}-ca-data")
    assert written == {CONTROL_PLANE: {authority}}
    secret = deployed.get(CONTROL_PLANE, "secret", authority[1], "-n", "default")
    assert base64.b64decode(secret["data"]["cadata"]).endswith(b"-----END CERTIFICATE-----\n")
    assert versions(deployed)[NAME] == before[NAME]


@pytest.mark.long
def test_contents_that_were_kept_stay_when_the_cluster_goes(deployed: Deployed) -> None:
    """REG-9, UX-6: everything that registers the cluster goes; what nobody could write again stays."""
    file = deployed.stack_file
    file.write_text(remove(file.read_text(), ("clusters", NAME)))
    up(deployed)
    left = {
        (resource, name)
        for resource, name in REGISTRATION[COMPUTE]
        if deployed.run("kubectl", "--context", COMPUTE, "-n", "default", "get", resource, name).returncode
        == 0
    }
    assert left == {("configmaps", "michelangelo-config")}
    config = deployed.get(COMPUTE, "configmap", "michelangelo-config", "-n", "default")
    assert config["data"] == compute_objects()[0]["data"]
    registered = deployed.get(CONTROL_PLANE, "clusters.michelangelo.api", "-n", "ma-system")
    assert registered["items"] == []
