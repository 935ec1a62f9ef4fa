"""Login commands of kubeconfigs for EKS: what an entry carries over, and what is said to be dropped."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy import kubeconfigs
from madeploy.kubeconfigs.eks_login import EksLogin, read
from madeploy.settings.cluster_origins import Eks
from tests.kubeconfigs.authorities import NOW, encoded, pem
from tests.kubeconfigs.documents import document, text

ROLE = "arn:aws:iam::123456789012:role/teams/deployer"
TOKEN = ["eks", "get-token"]


def login(command: str, *args: str, **env: str) -> dict[str, Any]:
    called: dict[str, Any] = {"command": command, "args": list(args)}
    if env:
        called["env"] = [{"name": name, "value": value} for name, value in env.items()]
    return called


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        (
            login("aws", "--region", "us-east-2", *TOKEN, "--cluster-name", "batch", "--output", "json"),
            EksLogin("batch", "us-east-2"),
        ),
        (
            login("aws", "--region", "us-east-2", *TOKEN, "--cluster-name", "batch", "--role-arn", ROLE),
            EksLogin("batch", "us-east-2", ROLE),
        ),
        (
            login("aws", "--region", "us-east-2", *TOKEN, "--cluster-name", "batch", AWS_PROFILE="dev-admin"),
            EksLogin("batch", "us-east-2", None, "dev-admin"),
        ),
        (
            login(
                "/usr/local/bin/aws",
                *TOKEN,
                "--cluster-name=batch",
                "--region=eu-west-1",
                f"--role-arn={ROLE}",
            ),
            EksLogin("batch", "eu-west-1", ROLE),
        ),
        (
            login(
                "aws",
                "--profile=a",
                *TOKEN,
                "--cluster-name",
                "batch",
                AWS_PROFILE="b",
                AWS_REGION="eu-west-1",
            ),
            EksLogin("batch", "eu-west-1", None, "a"),
        ),
        (
            login("aws-iam-authenticator", "token", "-i", "batch", "-r", ROLE),
            EksLogin("batch", None, ROLE),
        ),
        (
            login(
                "C:\\tools\\aws-iam-authenticator.exe", "token", "--cluster-id=batch", "--external-id", "x"
            ),
            EksLogin("batch", dropped=("--external-id",)),
        ),
        (
            login(
                "aws",
                *TOKEN,
                "--cluster-name",
                "batch",
                "--no-verify-ssl",
                HTTPS_PROXY="http://p",
                AWS_CA_BUNDLE="a",
            ),
            EksLogin("batch", dropped=("--no-verify-ssl", "$HTTPS_PROXY", "$AWS_CA_BUNDLE")),
        ),
        (
            login("aws", *TOKEN, "--cluster-name", "batch", "--role-arn", "not an ARN; rm -rf /"),
            EksLogin("batch", dropped=("--role-arn",)),
        ),
        (login("aws", *TOKEN), None),
        (login("aws", *TOKEN, "--cluster-name", "$(id)"), None),
        (login("gke-gcloud-auth-plugin", "--cluster-name", "batch"), None),
        ({"command": "aws", "args": "eks get-token --cluster-name batch"}, None),
        ("aws", None),
    ],
)
def test_a_login_command_is_read_as_an_entry_would_say_it(called: Any, expected: EksLogin | None) -> None:
    """REG-1, UX-3: options in both spellings, variables of its environment, and the rest by name."""
    assert read(called) == expected


NAMES = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z_-]{0,20}", fullmatch=True)


@given(
    NAMES,
    st.sampled_from(["eu-west-1", "us-gov-east-1", "eusc-de-east-1", None]),
    st.sampled_from([ROLE, "arn:aws-cn:iam::123456789012:role/x", None]),
    st.from_regex(r"[\w.@/+-]{1,20}", fullmatch=True) | st.none(),
    st.booleans(),
)
def test_what_is_advised_says_all_the_command_said(
    cluster: str, region: str | None, role: str | None, profile: str | None, joined: bool
) -> None:
    """REG-1: and it can be pasted into a shell."""
    given_options = {"--cluster-name": cluster, "--region": region, "--role-arn": role, "--profile": profile}
    args: list[str] = []
    for name, value in given_options.items():
        if value is not None and not (value.startswith("-") and not joined):
            args += [f"{name}={value}"] if joined else [name, value]
    found = read(login("aws", *TOKEN, *args))
    assert found is not None
    words = shlex.split(found.options)
    advised = dict(zip(words[::2], words[1::2], strict=True))
    assert advised.pop("--eks") == cluster
    assert advised.pop("--region") == (region or "REGION")
    assert advised.get("--role-arn") == role
    if profile is None or joined or not profile.startswith("-"):
        assert advised.get("--profile") == profile
        assert found.dropped == ()


@pytest.mark.parametrize(
    ("called", "said"),
    [
        (
            login("aws", *TOKEN, "--cluster-name=ml", f"--role-arn={ROLE}"),
            f"--eks ml --region REGION --role-arn {ROLE}",
        ),
        (
            login("aws", *TOKEN, "--cluster-name=ml", AWS_PROFILE="dev"),
            "--eks ml --region REGION --profile dev",
        ),
        (
            login("aws", *TOKEN, "--cluster-name=ml", HTTPS_PROXY="http://p"),
            "does not carry $HTTPS_PROXY over",
        ),
    ],
)
def test_the_finding_carries_role_and_profile_over_or_says_what_is_dropped(called: Any, said: str) -> None:
    """REG-1, UX-3: who followed the advice used to sign in as somebody else."""
    verdict = kubeconfigs.inspect(text(document(user={"exec": called})), "FILE", now=NOW)
    (finding,) = [item for item in verdict.findings if item.code == "MA421"]
    assert said in finding.fix


def test_an_entry_with_role_and_profile_signs_in_with_them() -> None:
    """REG-1: as `aws eks update-kubeconfig` writes them; without them nothing is said."""
    eks = Eks(cluster_name="ml", region="eu-west-1", role_arn=ROLE, profile="dev admin")
    made = kubeconfigs.eks_kubeconfig("east", eks, "https://a.example.com", encoded(pem()))
    called = made["users"][0]["user"]["exec"]
    assert called["env"] == [{"name": "AWS_PROFILE", "value": "dev admin"}]
    assert read({**called, "env": []}) == EksLogin("ml", "eu-west-1", ROLE)
    plain = Eks(cluster_name="ml", region="eu-west-1")
    made = kubeconfigs.eks_kubeconfig("east", plain, "https://a.example.com", encoded(pem()))
    assert "env" not in made["users"][0]["user"]["exec"]
