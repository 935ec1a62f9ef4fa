"""Clusters by their name on EKS: what AWS says, and the kubeconfig that comes of it."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from madeploy import kubeconfigs
from madeploy.clients import eks as client
from madeploy.clients.eks import EksCluster, describe
from madeploy.clients.errors import ClientError
from madeploy.kubeconfigs import KubeconfigError
from madeploy.kubeconfigs.eks import read_eks
from madeploy.settings.cluster_origins import Eks
from tests.kubeconfigs.authorities import NOW, encoded, pem

REGION = "eu-west-1"
EKS = Eks(cluster_name="ml-batch", region=REGION)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that are none, and no other configuration."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "example")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # It would remember the credentials of the test before.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.mark.usefixtures("aws")
def test_a_cluster_is_described_by_its_name_and_one_that_is_not_there_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REG-1, UX-3: as the EKS API answers DescribeCluster."""
    real = boto3.client("eks", region_name=REGION)
    monkeypatch.setattr(boto3, "client", lambda *_, **__: real)
    answer = {"endpoint": "https://a.example.com", "certificateAuthority": {"data": "bm9uZQ=="}}
    with Stubber(real) as stub:
        stub.add_response(
            "describe_cluster", {"cluster": {**answer, "status": "ACTIVE"}}, {"name": "ml-batch"}
        )
        stub.add_response("describe_cluster", {"cluster": {"status": "CREATING"}})
        stub.add_client_error("describe_cluster", "ResourceNotFoundException", http_status_code=404)
        found = describe("ml-batch", REGION)
        causes = []
        for _ in range(2):
            with pytest.raises(ClientError, match=f"EKS in {REGION}") as caught:
                describe("other", REGION)
            causes.append(caught.value.cause)
    assert found == EksCluster("https://a.example.com", "bm9uZQ==", "ACTIVE")
    assert "bm9uZQ" not in repr(found)
    assert causes == ["invalid", "notFound"]


def test_without_credentials_that_is_what_is_said(
    monkeypatch: pytest.MonkeyPatch, aws: None, tmp_path: object
) -> None:
    """REG-1, UX-3."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    with pytest.raises(ClientError) as caught:
        describe("ml-batch", REGION)
    assert caught.value.cause == "unauthorized"
    assert "there are no AWS credentials" in str(caught.value)


def test_aws_is_asked_only_for_what_the_entry_does_not_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-1, REG-10: with both recorded, an update needs nothing of AWS for it."""
    asked: list[tuple[str, str]] = []

    def described(name: str, region: str, profile: str | None) -> EksCluster:
        asked.append((name, region))
        return EksCluster("https://of-aws.example.com", encoded(pem()), "ACTIVE")

    monkeypatch.setattr(client, "describe", described)
    server = "https://recorded.example.com"
    recorded = read_eks("east", EKS, server, encoded(pem()))
    assert (recorded["clusters"][0]["cluster"]["server"], asked) == (server, [])
    found = read_eks("east", EKS, None, None)
    assert found["clusters"][0]["cluster"]["server"] == "https://of-aws.example.com"
    assert asked == [("ml-batch", REGION)]


def test_the_kubeconfig_of_a_cluster_on_eks_can_be_registered_and_holds_no_credential() -> None:
    """REG-1: the provider signs in with the AWS CLI, which nothing here starts."""
    made = kubeconfigs.eks_kubeconfig("east", EKS, "https://a.example.com", encoded(pem()))
    verdict = kubeconfigs.inspect_context(made, "EKS", now=NOW)
    assert not verdict.is_refused
    assert verdict.endpoint is not None
    assert (verdict.endpoint.host, verdict.endpoint.port) == ("https://a.example.com", "443")
    (user,) = made["users"]
    assert user["user"].keys() == {"exec"}
    assert user["user"]["exec"]["args"][:6] == [
        "eks", "get-token", "--cluster-name", "ml-batch", "--region", REGION,
    ]  # fmt: skip


def test_a_cluster_aws_does_not_describe_is_named_with_the_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-1, UX-3: as any kubeconfig that cannot be used."""

    def missing(name: str, region: str, profile: str | None) -> EksCluster:
        raise ClientError(f"EKS in {region}", "notFound")

    monkeypatch.setattr(client, "describe", missing)
    with pytest.raises(KubeconfigError, match=r"clusters\.east\.eks: ml-batch: EKS in eu-west-1"):
        read_eks("east", EKS, None, None)
