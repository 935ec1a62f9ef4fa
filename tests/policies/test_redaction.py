"""Whatever is found, no value that may be a secret is repeated, in no form of output."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from policies.rules.secrets import looks_like
from tests.cli.conftest import Run
from tests.policies.cases.platform import GENERATED, KEY_ID

CANARY = "c4nAry" + GENERATED
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":1}', b'{"sub":"example"}', b"x")
)
VALUES = {
    "by entropy": CANARY,
    "key id": KEY_ID,
    "token": JWT,
    "url": "https://user:c4nAry-of-a-test@db.example.com",
    "pem": "-----BEGIN PRIVATE KEY-----\nc4nAry\n-----END PRIVATE KEY-----\n",
}


def objects(value: str) -> list[dict[str, object]]:
    """A secret in every place rules look at."""
    container = {
        "name": "main",
        "image": "example.com/app:v1",
        "env": [{"name": "DB_PASSWORD", "value": value}, {"name": "NOTE", "value": value}],
        "args": [f"--token={value}", value],
    }
    metadata = {"name": "a", "namespace": "b", "annotations": {"example.com/token": value, "note": value}}
    inside = yaml.safe_dump({"minio": {"awsSecretAccessKey": value, "note": value, "awsEndpointUrl": value}})
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"PASSWORD": value, "x": value},
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"base.yaml": inside}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": value}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"template": {"metadata": metadata, "spec": {"containers": [container]}}},
        },
        {
            "apiVersion": "michelangelo.api/v2",
            "kind": "Cluster",
            "metadata": {"name": "a"},
            "spec": {"kubernetes": {"rest": {"host": f"https://user:{value}@x", "port": value}}},
        },
    ]


@pytest.mark.parametrize("form", [(), ("--json",), ("--sarif", "-")], ids=["table", "json", "sarif"])
@pytest.mark.parametrize("kind", VALUES)
def test_no_output_repeats_a_secret(run: Run, tmp_path: Path, kind: str, form: tuple[str, ...]) -> None:
    """UX-3: found in every place, shown in none, plain or in base64."""
    value = VALUES[kind]
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(objects(value)), encoding="utf-8")
    shown = run("policy", str(file), *form).output
    for code in ("MA570", "MA571", "MA572", "MA573", "MA574"):
        assert code in shown
    for secret in (value.strip(), base64.b64encode(value.encode()).decode(), "c4nAry"):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "https://s3.eu-west-1.amazonaws.com/bucket/path",
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/SANDBOX",
        f"sha256:{'0a1b2c3d' * 8}",
        "0a1b2c3d" * 8,
        "123e4567-e89b-12d3-a456-426614174000",
        "ghcr.io/michelangelo-ai/controllermgr:sha-cbf5720",
        "system:serviceaccount:ma-system:michelangelo-controllermgr",
        "%START_TIME% %REQ(:METHOD)% %RESPONSE_CODE_DETAILS%",
        "GRPCRouteWithMethodMatchV1Alpha2ConformanceTest",
        "rate(controller_runtime_reconcile_errors_total[5m]) > 0.1",
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "michelangelo-controllermgr-5d8f7b9c6d-x2x4z",
    ],
)
def test_ordinary_values_look_like_no_secret(text: str) -> None:
    """UX-3: names, addresses, digests and identifiers; a false alarm hides the true one."""
    assert looks_like(text) is None
