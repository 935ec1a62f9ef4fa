"""`madeploy init`: a stack file that validates, or none."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pytest
import yaml

from madeploy.cli.init import QUESTIONS, init, tier_of
from madeploy.reference.example import MODELINE
from madeploy.stackfile.loader import load_environment
from tests.cli.conftest import Run
from tests.support.stacks import stack_text

FLAGS = {
    "--domain": "ml.example.com",
    "--email": "platform@example.com",
    "--engine": "temporal.example.com:7233",
    "--store": "eu-west-1",
    "--eks": "control",
    "--tag": "sha-cbf5720",
    "--access": "https://login.example.com/realms/ml",
}


def flags(**changes: str) -> list[str]:
    merged = FLAGS | {f"--{name}": value for name, value in changes.items()}
    return list(itertools.chain.from_iterable(merged.items()))


def config(name: str) -> dict[str, object]:
    data = yaml.safe_load(Path(f"stacks/Pulumi.{name}.yaml").read_text(encoding="utf-8"))
    return {key.removeprefix("michelangelo:"): value for key, value in data["config"].items()}


def test_there_are_at_most_six_questions_and_one_more_in_production() -> None:
    """UX-1: setting up an environment is short."""
    assert len(QUESTIONS.keys() - {"access"}) <= 6


def test_production_is_asked_who_may_come_in(run: Run) -> None:
    """ACC-1, UX-2: nobody forgets it, and each kind of answer does what it says."""
    without = [flag for flag in flags() if flag not in ("--access", FLAGS["--access"])]
    result = run("init", "production-eu", *without)
    assert result.exit_code == 2
    assert "--access" in result.output
    assert run("init", "production-eu", *flags()).exit_code == 0
    assert config("production-eu")["access"]["browser"]["provider"] == "keycloak"  # type: ignore[index]
    reason = "Only reachable by VPN."
    assert run("init", "production-us", *flags(access=f"open: {reason}")).exit_code == 0
    assert config("production-us")["access"]["browser"] == {"kind": "open", "reason": reason}  # type: ignore[index]


@pytest.mark.parametrize("answer", ["open", "open:", "https://login.example.com", "yes"])
def test_an_answer_that_chooses_nothing_writes_nothing(run: Run, answer: str) -> None:
    """ACC-1, UX-3."""
    assert run("init", "production-eu", *flags(access=answer)).exit_code == 2
    assert not Path("stacks/Pulumi.production-eu.yaml").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"email": ""},
        {"engine": "cadence.example.com:7833"},
        {"engine": "cadence.example.com:7933"},
        {"store": "https://minio.example.com:9000"},
        {"tier": "production"},
    ],
)
def test_what_is_written_validates(run: Run, changes: dict[str, str]) -> None:
    """UX-1, CARD-5: every kind of answer gives a usable file, with the editors' first line."""
    result = run("init", "new", *flags(**changes))
    assert result.exit_code == 0, result.output
    stack = load_environment(Path("stacks/Pulumi.new.yaml"))
    assert stack.environment is not None
    assert stack.environment.platform.tier == changes.get("tier", "development")
    assert Path("stacks/Pulumi.new.yaml").read_text(encoding="utf-8").splitlines()[0] == MODELINE
    assert run("validate").exit_code == 0


@pytest.mark.parametrize("name", ["prod", "eu-staging", "alice"])
@pytest.mark.parametrize("email", ["platform@example.com", ""])
@pytest.mark.parametrize("engine", [7233, 7833, 7933])
@pytest.mark.parametrize("store", ["eu-west-1", "us-gov-west-1", "https://minio.example.com:9000"])
def test_what_is_written_has_no_findings_but_the_descriptor_set_that_is_still_to_come(
    name: str, email: str, engine: int, store: str, project: Path, run: Run
) -> None:
    """UX-1, UX-3: nothing that this toolkit wrote itself is anything it warns of, in any tier; the set has to
    come from the operator's chart or API server, which the one warning says."""
    Path(f"stacks/Pulumi.{name}.yaml").unlink(missing_ok=True)
    result = run("init", name, *flags(email=email, engine=f"engine.example.com:{engine}", store=store))
    assert result.exit_code == 0, result.output
    found = load_environment(Path(f"stacks/Pulumi.{name}.yaml")).findings
    assert [(finding.code, finding.severity) for finding in found] == [("MA143", "warning")]


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("prod", "production"),
        ("eu-production", "production"),
        ("staging", "staging"),
        ("alice", "development"),
    ],
)
def test_the_name_suggests_the_tier(name: str, tier: str) -> None:
    """CARD-5: the strict tier is not forgotten where it is meant."""
    assert tier_of(name) == tier


def test_no_file_is_overwritten(run: Run) -> None:
    """UX-6: what is there stays there."""
    before = Path("stacks/Pulumi.prod.yaml").read_bytes()
    result = run("init", "prod", *flags())
    assert result.exit_code == 2
    assert "exists already" in result.output
    assert Path("stacks/Pulumi.prod.yaml").read_bytes() == before


def test_answers_that_cannot_be_used_write_nothing(run: Run) -> None:
    """UX-3: the findings of the file that would have been."""
    result = run("init", "new", *flags(domain="Not A Domain"))
    assert result.exit_code == 2
    assert "MA113" in result.output
    assert not Path("stacks/Pulumi.new.yaml").exists()


def test_without_anybody_to_ask_the_missing_flags_are_named(run: Run) -> None:
    """UX-2: pipelines get a message, not a prompt."""
    result = run("init", "new", "--domain", "ml.example.com", "--store", "https://minio.example.com")
    assert result.exit_code == 2
    assert "--email, --engine, --tag" in result.output
    assert "--eks" not in result.output


def test_somebody_who_is_there_is_asked_for_the_rest(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-1: one question for each missing answer, none for a flag, none that does not matter."""
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        flag = next(name for name, text in QUESTIONS.items() if text == question)
        return FLAGS[f"--{flag}"] if flag != "store" else "https://minio.example.com"

    monkeypatch.setattr("sys.stdin", _Terminal())
    monkeypatch.setattr("rich.prompt.Prompt.ask", answer)
    arguments = dict.fromkeys(QUESTIONS) | {"domain": "ml.example.com"}
    init("new", **arguments, tier=None, source=None)
    assert asked == [QUESTIONS[name] for name in ("email", "engine", "store", "tag")]
    assert load_environment(Path("stacks/Pulumi.new.yaml")).environment is not None


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", ["../evil", "a b", "", "x" * 101])
def test_names_that_are_no_stacks_are_refused(run: Run, name: str) -> None:
    """UX-3: nothing is written outside the folder."""
    assert run("init", "--", name).exit_code == 2
    assert sorted(path.name for path in Path().rglob("Pulumi.*")) == ["Pulumi.prod.yaml"]


def test_a_copy_leaves_out_what_belongs_to_one_environment(run: Run) -> None:
    """UX-6, CARD-5: no shared domain, bucket, cluster or secret; everything else is kept."""
    source = {
        "storage": {
            "kind": "aws",
            "region": "eu-west-1",
            "buckets": {"workspace": "example-live-workspace", "models": "models-of-example"},
            "identity": {"kind": "podIdentity", "clusterName": "control"},
            "accessLogs": {"bucket": "example-live-access-logs"},
        },
        "clusters": {"gpu": {"kubeconfigContext": "gpu"}},
        "network": {"dns": {"port": 5353}},
    }
    Path("stacks/Pulumi.live.yaml").write_text(stack_text(source), encoding="utf-8")
    result = run("init", "test", "--from", "live", "--domain", "test.example.com")
    assert result.exit_code == 0, result.output
    data = config("test")
    assert data["domains"] == {"api": "api.test.example.com", "app": "app.test.example.com"}
    assert data["storage"]["accessLogs"] == {"bucket": "example-test-access-logs"}  # type: ignore[index]
    assert data["storage"]["buckets"] == {  # type: ignore[index]
        "workspace": "example-test-workspace",
        "models": "models-of-example-test",
    }
    assert data["network"] == {"dns": {"port": 5353}}
    assert not {"clusters", "kubeconfigs", "objectStore"} & set(data)
    assert run("validate", "test").exit_code == 0


def test_a_broken_stack_is_not_copied(run: Run) -> None:
    """UX-3: its findings are the answer."""
    Path("stacks/Pulumi.bad.yaml").write_text(stack_text({"typo": {}}), encoding="utf-8")
    result = run("init", "test", "--from", "bad", "--domain", "test.example.com")
    assert result.exit_code == 2
    assert "MA110" in result.output
    assert run("init", "test", "--from", "nowhere", "--domain", "x.example.com").exit_code == 2
