"""`madeploy iam deployer`: what it prints, and what it has to be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from madeploy.cli.iam.deployer import deployer
from madeploy.errors import ToolkitError
from tests.rules.cases.sections import aws, existing, irsa
from tests.support.proves import proves
from tests.support.stacks import stack_text


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a stack `prod` with these sections."""
    monkeypatch.chdir(tmp_path)

    def write(**sections: Any) -> str:
        (tmp_path / "stacks").mkdir(exist_ok=True)
        (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(stack_text(sections), encoding="utf-8")
        return "prod"

    return write


@proves("MR-11")
def test_the_document_can_be_given_to_aws_as_it_stands(
    stack: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """MR-2, UX-2: nothing but the document on standard output; the text names every statement and why."""
    name = stack(storage=aws(identity=irsa("a")))
    deployer(name, None, as_json=True)
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["Version"] == "2012-10-17"
    deployer(name, None, as_json=False)
    text = capsys.readouterr().out
    for item in document["Statement"]:
        assert f"{item['Sid']}: to " in text
        assert all(action in text for action in item["Action"])


def test_a_policy_too_long_for_one_is_said_to_be(stack: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """UX-3: with many clusters that have a role each."""
    clusters = {
        f"cluster-{number}": {"kubeconfigContext": f"c{number}", "taskIdentity": irsa(str(number))}
        for number in range(40)
    }
    name = stack(storage=aws(identity=irsa("a")), clusters=clusters)
    deployer(name, None, as_json=True)
    printed = capsys.readouterr()
    assert json.loads(printed.out)
    assert "a managed policy may have 6,144" in printed.err


@pytest.mark.parametrize(
    ("sections", "account", "said"),
    [
        ({"storage": aws()}, None, "of which AWS account"),
        ({"storage": aws()}, "12345", "of which AWS account"),
        ({"storage": aws(identity=irsa("a"))}, "210987654321", "storage.identity.oidcProviderArn tells"),
        (
            {"storage": existing(), "clusters": {"a": {"eks": {"clusterName": "a", "region": "eu-west-1"}}}},
            None,
            "of which AWS account",
        ),
    ],
)
def test_the_account_is_asked_for_where_nothing_tells_it(
    stack: Any, sections: dict[str, Any], account: str | None, said: str
) -> None:
    """MR-2, UX-3: what, why and what to do; exit code 2."""
    name = stack(**sections)
    with pytest.raises(ToolkitError) as refused:
        deployer(name, account, as_json=True)
    assert said in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_stack_that_asks_nothing_of_aws_needs_no_account(
    stack: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """MR-2."""
    deployer(stack(storage=existing()), None, as_json=True)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["Statement"] == []
    assert "no rights are needed there" in printed.err
