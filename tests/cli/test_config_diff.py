"""`madeploy config diff`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.support.stacks import write


def put(name: str, **sections: object) -> None:
    write(Path("stacks"), dict(sections), name)


def rows(run: Run, *names: str) -> dict[str, tuple[object, object]]:
    result = run("config", "diff", *names, "--json")
    assert result.exit_code == 0, result.output
    return {row["key"]: (row["first"], row["second"]) for row in json.loads(result.stdout)}


def test_settings_are_compared_with_their_defaults(run: Run) -> None:
    """CARD-5: a default that is written out is no difference."""
    put("same", network={"policies": True}, platform={"tier": "production"})
    put("other", network={"policies": False}, images={"tag": "sha-1234567"})
    assert rows(run, "prod", "same") == {}
    assert "say the same" in run("config", "diff", "prod", "same").stdout
    assert rows(run, "prod", "other") == {
        "michelangelo:images.tag": ("sha-cbf5720", "sha-1234567"),
        "michelangelo:network.policies": (True, False),
    }


def test_of_secrets_only_their_presence_is_compared(run: Run) -> None:
    """UX-3: no value, no ciphertext."""
    put(
        "other",
        kubeconfigs={"control-plane": {"secure": "v1:other"}, "gpu": {"secure": "v1:do-not-show"}},
        clusters={"gpu": {}},
    )
    found = rows(run, "prod", "other")
    assert found["michelangelo:kubeconfigs.gpu"] == (None, "encrypted")
    assert "michelangelo:kubeconfigs.control-plane" not in found
    assert "do-not-show" not in run("config", "diff", "prod", "other").stdout


def test_the_table_has_a_row_for_each_difference(run: Run) -> None:
    """UX-2: aligned, in the settings' terms."""
    put("other", network={"policies": False})
    lines = run("config", "diff", "prod", "other").stdout.splitlines()
    assert lines[0].split() == ["SETTING", "stacks/Pulumi.prod.yaml", "stacks/Pulumi.other.yaml"]
    assert lines[1].split() == ["michelangelo:network.policies", "true", "false"]


def test_a_stack_that_cannot_be_read_ends_with_2(run: Run) -> None:
    """UX-2, UX-3: with the findings of `validate`."""
    put("bad", typo={})
    result = run("config", "diff", "prod", "bad")
    assert result.exit_code == 2
    assert "MA110" in result.output
    assert run("config", "diff", "prod", "nowhere").exit_code == 2
