"""`clusters add` and `clusters list`: one entry and one secret, both or neither; comments stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy.cli.clusters import add as add_module
from madeploy.clients.eks import EksCluster
from madeploy.clusters import onboarding, sources
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.stackfile.loader import load_environment
from madeploy.stacks.secrets import set_secret
from tests.kubeconfigs.authorities import encoded, key_pem, pem
from tests.kubeconfigs.documents import STACK, Command, document, good, text


def test_adding_a_cluster_writes_an_entry_and_a_secret_and_leaves_the_rest_alone(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str
) -> None:
    """REG-1, REG-9: comments, order and quotes stay; the secret is one context, and in no output."""
    code, out, err = run("add", "east", "--kubeconfig", kubeconfig, "--region", "eu-west-1", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["written"], told["entry"]) == (True, {"region": "eu-west-1"})
    assert told["secret"] == "michelangelo:kubeconfigs.east"
    assert {"cluster": "control-plane", "kind": "Cluster", "namespace": "ma-system", "name": "east"} in told[
        "objects"
    ]
    after = stack.read_text()
    before = STACK.splitlines()
    assert [line for line in after.splitlines() if line in before] == before
    assert set(after.splitlines()) - set(before) == {
        "    east:",
        "      region: eu-west-1",
        "      secure: v1:stored",
    }
    environment = load_environment(stack).environment
    assert environment is not None
    assert list(environment.clusters) == ["west", "east"]
    assert json.loads(secrets["east"])["current-context"] == "east"
    assert "example-token" not in out + err


def test_adding_it_again_finds_nothing_to_do(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str
) -> None:
    """REG-9."""
    run("add", "east", "--kubeconfig", kubeconfig, "--zone", "a")
    once = stack.read_bytes()
    code, out, _ = run("add", "east", "--kubeconfig", kubeconfig, "--zone", "a", "--json")
    assert (code, json.loads(out)["written"], stack.read_bytes()) == (0, False, once)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--zone", "b"], "they differ in zone"),
        (["--server", "https://other.example.com"], "they differ in server"),
    ],
)
def test_another_cluster_of_that_name_is_not_overwritten(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str, arguments: list[str], complaint: str
) -> None:
    """REG-9, UX-3."""
    run("add", "east", "--kubeconfig", kubeconfig, "--zone", "a")
    once = stack.read_bytes()
    code, _, err = run("add", "east", "--kubeconfig", kubeconfig, *arguments)
    assert (code, stack.read_bytes()) == (2, once)
    assert complaint in err
    assert "clusters remove east" in err


def test_another_kubeconfig_is_not_overwritten(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str
) -> None:
    """REG-9, UX-3: the secret of a cluster that is there is replaced by hand."""
    run("add", "east", "--kubeconfig", kubeconfig)
    before = dict(secrets)
    Path(kubeconfig).write_bytes(good(server="https://elsewhere.example.com"))
    code, _, err = run("add", "east", "--kubeconfig", kubeconfig)
    assert (code, secrets) == (2, before)
    assert "has another kubeconfig for east already" in err


def test_a_dry_run_connects_to_nothing_and_writes_nothing(
    run: Command,
    stack: Path,
    secrets: dict[str, str],
    kubeconfig: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REG-1: it neither asks the cluster nor decrypts anything."""

    def unexpected(*_: Any) -> Any:
        raise AssertionError("a dry run connects to nothing")

    monkeypatch.setattr(add_module, "prerequisites_of", unexpected)
    monkeypatch.setattr(sources, "secret_section", unexpected)
    code, out, _ = run("add", "east", "--kubeconfig", kubeconfig, "--dry-run")
    assert (code, stack.read_text()) == (0, STACK)
    for line in ("https://compute.example.com:6443", "  east: {}", "ServiceAccount default/ray-manager"):
        assert line in out
    assert "east" not in secrets


def test_a_kubeconfig_with_defects_is_refused_with_all_of_them(
    run: Command, stack: Path, secrets: dict[str, str], tmp_path: Path
) -> None:
    """REG-1, UX-2, UX-3: exit code 2; nothing is asked and nothing written."""
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(good(server="http://compute.example.com", **{"proxy-url": "http://proxy.example.com"}))
    code, out, _ = run("add", "east", "--kubeconfig", str(bad), "--dry-run", "--json")
    told = json.loads(out)["verdict"]
    assert (code, told["accepted"]) == (2, False)
    assert [item["code"] for item in told["findings"]] == ["MA416", "MA424"]
    assert stack.read_text() == STACK


def test_a_fix_can_be_typed(run: Command, secrets: dict[str, str], tmp_path: Path, stack: Path) -> None:
    """REG-1, UX-3: the way out of a login command names this cluster, this stack and the one on EKS."""
    login = {"command": "aws", "args": ["eks", "get-token", "--cluster-name", "ml", "--region", "eu-west-1"]}
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(
        text(document({"certificate-authority-data": encoded(pem(ends=20_000))}, {"exec": login}))
    )
    _, out, _ = run("add", "east", "--kubeconfig", str(bad))
    assert "bin/madeploy clusters add east --stack lab --eks ml --region eu-west-1" in out


def test_the_control_plane_and_clusters_that_are_there_are_recognised_by_their_address(
    run: Command, stack: Path, secrets: dict[str, str], tmp_path: Path
) -> None:
    """REG-4, REG-11: however it is spelt; the control plane may be meant, if its address is given."""
    file = tmp_path / "file.yaml"
    file.write_bytes(good(server="https://CONTROL.example.com:443/"))
    code, out, _ = run("add", "east", "--kubeconfig", str(file))
    assert (code, "MA427" in out) == (2, True)
    file.write_bytes(good(server="https://west.example.com.:6443"))
    code, out, _ = run("add", "east", "--kubeconfig", str(file))
    assert (code, "MA401" in out, "is west's as well" in out) == (2, True, True)
    file.write_bytes(good(server="https://control.example.com"))
    server = ("--server", "https://kubernetes.default.svc")
    code, out, _ = run("add", "east", "--kubeconfig", str(file), *server, "--json")
    assert (code, json.loads(out)["entry"]) == (0, {"server": "https://kubernetes.default.svc"})


@pytest.mark.parametrize(
    "server",
    [
        "https://kubernetes.default.svc",
        "https://kubernetes",
        "https://host.docker.internal:6443",
        "https://gateway.docker.internal:6443",
        "https://laptop.local:6443",
    ],
)
def test_an_address_that_leads_elsewhere_from_the_control_plane_is_refused_wherever_it_is_given(
    server: str, run: Command, stack: Path, secrets: dict[str, str], tmp_path: Path
) -> None:
    """REG-11, UX-3: in the kubeconfig and by --server, with the option that mends it; nothing is written."""
    before = STACK.replace("tier: development", "tier: staging")
    stack.write_text(before)
    file = tmp_path / "file.yaml"
    for given, options in ((server, ()), ("https://compute.example.com:6443", ("--server", server))):
        file.write_bytes(good(server=given))
        code, out, _ = run("add", "east", "--kubeconfig", str(file), *options)
        assert (code, "MA409" in out, "--server https://HOST:PORT" in out) == (2, True, True)
        assert (stack.read_text(), "east" in secrets) == (before, False)


def test_a_missing_prerequisite_keeps_everything_as_it_was(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str, lacking: list[Finding]
) -> None:
    """REG-7, UX-2: exit code 1."""
    lacking.append(find("MA447", "east: kuberay-operator", "is not there"))
    code, out, _ = run("add", "east", "--kubeconfig", kubeconfig)
    assert (code, "MA447" in out, stack.read_text()) == (1, True, STACK)
    assert "east" not in secrets


def test_an_entry_the_stack_cannot_have_is_refused_before_anything_is_written(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str
) -> None:
    """REG-4, UX-3: names are checked as `validate` checks them."""
    code, _, err = run("add", "East_1", "--kubeconfig", kubeconfig)
    assert (code, stack.read_text()) == (2, STACK)
    assert "MA113" in err
    assert "nothing was written" in err


def test_a_secret_is_taken_back_when_the_entry_cannot_be_written(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-9: both or neither."""

    def full(*_: Any) -> None:
        raise ToolkitError("the stack file cannot be written", "no space left", "make room", exit_code=2)

    monkeypatch.setattr(onboarding, "write", full)
    code, _, err = run("add", "east", "--kubeconfig", kubeconfig)
    assert (code, stack.read_text(), sorted(secrets)) == (2, STACK, ["control-plane"])
    assert "no space left" in err


def test_a_stack_file_somebody_else_has_written_meanwhile_is_left_alone(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-9."""
    monkeypatch.setattr(
        add_module, "prerequisites_of", lambda *_: stack.write_text(STACK + "# another hand\n") and []
    )
    code, _, err = run("add", "east", "--kubeconfig", kubeconfig)
    assert (code, "has changed meanwhile" in err, "east" in secrets) == (2, True, False)
    assert stack.read_text() == STACK + "# another hand\n"


def test_in_a_sharded_fleet_a_cluster_gets_its_place_for_good(
    run: Command, stack: Path, secrets: dict[str, str], kubeconfig: str
) -> None:
    """REG-12: the first shard with room, recorded with it, and the same when the command is run again."""
    sharded = STACK.replace(
        "  # Compute clusters", "  michelangelo:fleet: {layout: sharded, shardSize: 1}\n  #"
    )
    stack.write_text(
        sharded.replace("      kubeconfigContext: west", "      kubeconfigContext: west\n      shard: 0")
    )
    for written in (True, False):
        code, out, err = run("add", "east", "--kubeconfig", kubeconfig, "--json")
        assert (code, json.loads(out)["written"]) == (0, written), err
        entry = yaml.safe_load(stack.read_text())["config"]["michelangelo:clusters"]["east"]
        assert entry == {"shard": 1}


def test_a_context_stays_where_it_is(
    run: Command,
    stack: Path,
    secrets: dict[str, str],
    kubeconfig: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REG-1: the entry names it; no secret is stored."""
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    code, out, err = run("add", "east", "--from-context", "east", "--json")
    assert code == 0, err
    assert json.loads(out)["entry"] == {"kubeconfigContext": "east"}
    assert "east" not in secrets
    code, out, _ = run("add", "more", "--from-context", "missing")
    assert (code, "MA414" in out) == (2, True)


def test_a_cluster_on_eks_is_recorded_with_what_aws_says_of_it(
    run: Command, stack: Path, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-1: no kubeconfig, and no update has to ask AWS for its address."""
    authority = encoded(pem(ends=20_000))
    found = EksCluster("https://abc.gr7.eu-west-1.eks.example.com", authority, "ACTIVE")
    monkeypatch.setattr("madeploy.clients.eks.describe", lambda name, region, profile: found)
    login = ["--role-arn", "arn:aws:iam::123456789012:role/deployer", "--profile", "batch"]
    code, _, err = run("add", "east", "--eks", "ml", "--region", "eu-west-1", *login)
    assert code == 0, err
    config = yaml.safe_load(stack.read_text())["config"]
    assert config["michelangelo:clusters"]["east"] == {
        "region": "eu-west-1",
        "eks": {
            "clusterName": "ml",
            "region": "eu-west-1",
            "roleArn": "arn:aws:iam::123456789012:role/deployer",
            "profile": "batch",
        },
        "server": found.server,
        "certificateAuthorityData": authority,
    }
    assert "east" not in secrets


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--eks", "ml"],
        ["--eks", "ml!", "--region", "eu-west-1"],
        ["--eks", "ml", "--region", "eu-west-1", "--role-arn", "deployer"],
        ["--from-context", "a", "--profile", "batch"],
        ["--from-context", "a", "--eks", "ml", "--region", "eu-west-1"],
        ["--from-context", "a", "--context", "b"],
        ["--from-context", "a", "--server", "http://plain.example.com"],
        ["--from-context", "a", "--certificate-authority", "/does/not/exist"],
    ],
)
def test_wrong_use_is_explained(run: Command, stack: Path, arguments: list[str]) -> None:
    """UX-2, UX-3: exit code 2, no traceback, nothing written."""
    code, _, err = run("add", "east", *arguments)
    assert (code, stack.read_text()) == (2, STACK)
    assert "fix:" in err
    assert "Traceback" not in err


def test_an_authority_file_stands_in_for_the_kubeconfigs_own(
    run: Command, stack: Path, secrets: dict[str, str], tmp_path: Path
) -> None:
    """REG-1: the way out of a kubeconfig without one; a private key is refused."""
    file, authority = tmp_path / "file.yaml", tmp_path / "ca.pem"
    file.write_bytes(good(**{"certificate-authority-data": None}))
    authority.write_bytes(pem(ends=20_000))
    options = ("add", "east", "--kubeconfig", str(file), "--certificate-authority", str(authority))
    code, _, err = run(*options)
    assert code == 0, err
    entry = yaml.safe_load(stack.read_text())["config"]["michelangelo:clusters"]["east"]
    assert entry == {"certificateAuthorityData": encoded(pem(ends=20_000))}
    authority.write_bytes(key_pem())
    code, _, err = run(*options)
    assert (code, "private key" in err) == (2, True)


def test_a_secret_is_handed_over_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """REG-1: no list of processes shows it."""
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/input\n')
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    set_secret("lab", ("kubeconfigs", "east"), "a secret\nof two lines")
    assert (tmp_path / "input").read_text() == "a secret\nof two lines"
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith("config set --secret --path michelangelo:kubeconfigs.east --stack lab")
    assert "two lines" not in arguments


def test_clusters_are_listed_as_the_file_has_them(run: Command, secrets: dict[str, str]) -> None:
    """REG-9, UX-2: a table, and the same as JSON, without asking anything."""
    code, out, _ = run("list")
    assert code == 0
    header, row = (line.split() for line in out.splitlines())
    assert header[:2] == ["CLUSTER", "ACCESS"]
    assert row[:4] == ["west", "context", "west", "west.example.com:6443"]
    code, out, _ = run("list", "--json")
    assert json.loads(out) == {
        "stack": "lab",
        "clusters": [
            {
                "name": "west",
                "access": "context west",
                "server": "west.example.com:6443",
                "management": "managed",
                "credential": "longLived",
                "region": None,
                "zone": None,
                "sla": None,
                "adopted": False,
            }
        ],
    }
