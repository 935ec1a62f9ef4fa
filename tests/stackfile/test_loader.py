"""From a stack file, or from the engine, to one environment."""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stackfile.loader import (
    WITHOUT_FILE,
    InvalidStack,
    environment_from_config,
    load_environment,
)
from tests.support.proves import proves
from tests.support.stacks import MINIMAL, load, stack_text, write

PLAIN = {key: value for key, value in MINIMAL.items() if key != "kubeconfigs"}
SECRETS = {"kubeconfigs": frozenset({CONTROL_PLANE})}


def test_the_engines_configuration_gives_the_files_environment(tmp_path: Path) -> None:
    """CARD-3: the program and the command read the same model."""
    stack = load(tmp_path)
    plain = PLAIN | {"controlPlane": {"envoy": {"descriptors": "descriptors.pb"}}}
    assert stack.environment is not None
    assert environment_from_config(plain, SECRETS, tmp_path / "Pulumi.prod.yaml") == stack.environment
    without = load(tmp_path, {"controlPlane": {}})
    assert environment_from_config(PLAIN, SECRETS, None) == without.environment


@pytest.mark.parametrize(
    "sections",
    [
        {"domains": {"api": "API.example.com", "app": "app.example.com"}},
        {"domians": {}},
        {"images": {"tag": "latest"}},
        {"kubeconfigs": {CONTROL_PLANE: "plain"}},
        {"storage": {"kind": "s3Compatible", "endpoint": "https://minio.example.com"}},
    ],
)
def test_pulumi_up_fails_with_the_words_of_validate(
    sections: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3, CARD-3: one text for a bad stack, wherever it is found."""
    monkeypatch.chdir(tmp_path)
    path = Path("Pulumi.prod.yaml")
    path.write_text(stack_text(sections), encoding="utf-8")
    plain = {key: value for key, value in (PLAIN | sections).items() if key != "kubeconfigs"}
    with pytest.raises(InvalidStack) as refusal:
        environment_from_config(plain, SECRETS, path)
    assert str(refusal.value) == load_environment(path).text
    assert refusal.value.findings == load_environment(path).findings


def test_configuration_without_a_file_is_checked_as_well() -> None:
    """UX-3: values that come from elsewhere have no place, but all the rest of a finding."""
    with pytest.raises(InvalidStack) as refusal:
        environment_from_config(PLAIN | {"images": {"tag": "latest"}, "typo": 1}, SECRETS, None)
    text = str(refusal.value)
    assert "MA133: michelangelo:images.tag: latest is a floating tag" in text
    assert "MA110: michelangelo:typo" in text
    assert text.endswith(f"{WITHOUT_FILE}: 2 errors, 2 warnings")


def test_values_of_the_engine_win_over_the_file(tmp_path: Path) -> None:
    """CARD-3: an imported environment adds what the file does not hold, and is checked too."""
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(stack_text({"images": ..., "workflow": ...}, environment=["shared"]), encoding="utf-8")
    stack = load_environment(path)
    assert [finding.code for finding in stack.findings] == ["MA118"]
    environment = environment_from_config(PLAIN, SECRETS, path)
    assert environment.workflow.host == "temporal.example.com:7233"
    with pytest.raises(InvalidStack, match="MA113"):
        environment_from_config(PLAIN | {"workflow": {"engine": "temporal", "host": "x"}}, SECRETS, path)


def test_an_imported_environment_makes_missing_sections_a_note(tmp_path: Path) -> None:
    """UX-3: what cannot be seen is said, not guessed."""
    stack = load(tmp_path, {"workflow": ..., "kubeconfigs": ...}, environment=["shared"])
    assert [(finding.code, finding.severity) for finding in stack.findings] == [("MA118", "info")]
    assert stack.environment is None


def test_other_peoples_keys_are_let_through(tmp_path: Path) -> None:
    """CARD-3: Pulumi's own keys, providers' namespaces and encryption settings are none of ours."""
    path = write(tmp_path, secretsprovider="passphrase", encryptionsalt="v1:x")
    more = "  aws:region: eu-west-1\n  pulumi:disable-default-providers: ['*']\n"
    text = path.read_text(encoding="utf-8").replace("config:\n", f"config:\n{more}")
    path.write_text(text, encoding="utf-8")
    assert load_environment(path).findings == ()


def test_names_of_secrets_are_known_and_their_values_are_not(tmp_path: Path) -> None:
    """UX-3: what was read holds no encrypted value."""
    stack = load(tmp_path, {"kubeconfigs": {CONTROL_PLANE: {"secure": "v1:do-not-keep"}}})
    assert stack.secret_names == {"kubeconfigs": frozenset({CONTROL_PLANE})}
    assert "do-not-keep" not in repr(stack)


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_a_finding(name: str, tmp_path: Path) -> None:
    """UX-3: no exception reaches the operator."""
    stack = load_environment(tmp_path / name)
    assert [finding.code for finding in stack.findings] == ["MA101"]


def test_a_key_is_spelt_in_one_way_only(tmp_path: Path) -> None:
    """CARD-5: Python's names work in Python and not in files."""
    assert Environment.model_validate(PLAIN | {"control_plane": {}}) is not None
    stack = load(tmp_path, {"control_plane": {}})
    assert [finding.code for finding in stack.findings] == ["MA110"]
    assert "controlPlane" in stack.findings[0].fix


def fleet(count: int) -> str:
    """A stack with so many clusters, each with its certificate authority and encrypted kubeconfig."""
    authority = base64.b64encode(
        b"-----BEGIN CERTIFICATE-----\n" + b"QUJD" * 350 + b"\n-----END CERTIFICATE-----\n"
    ).decode()
    encrypted = base64.b64encode(b"x" * 3000).decode()
    clusters = {
        f"cluster-{number:04}": {
            "server": f"https://c{number:04}.example.com:6443",
            "certificateAuthorityData": authority,
            "region": "eu-west-1",
            "zone": "eu-west-1a",
            "skus": [{"cpu": 96, "memoryGb": "1152G", "gpu": 8, "gpuSku": "H100"}],
        }
        for number in range(count)
    }
    kubeconfigs = {name: {"secure": f"v1:{encrypted}"} for name in (CONTROL_PLANE, *clusters)}
    return stack_text({"clusters": clusters, "kubeconfigs": kubeconfigs})


@proves("REG-12")
def test_a_thousand_clusters_are_checked_in_time(tmp_path: Path) -> None:
    """REG-12: within the limits for files, and within 3 s."""
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(fleet(1000), encoding="utf-8")
    before = time.process_time()
    stack = load_environment(path)
    assert time.process_time() - before < 3
    assert [found.code for found in stack.findings] == ["MA143", "MA482"]
    assert stack.environment is not None
    assert len(stack.environment.clusters) == 1000


def test_checking_needs_no_heavy_library() -> None:
    """UX-2: what makes a check slow to start is imported when it is needed."""
    import subprocess

    program = (
        "import sys; import madeploy.cli.validate, madeploy.stackfile.loader\n"
        "print([name for name in ('rich', 'jsonschema', 'pulumi', 'kubernetes', 'boto3', 'manifests', 'idna')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
