"""YAML that operators write by hand from the guides, and what is said about it."""

from __future__ import annotations

from madeploy.policy import files
from tests.policies.world import DATA, found

EXPECTED = DATA / "by-hand.txt"


def test_a_platform_written_by_hand_gets_the_expected_findings() -> None:
    """NET-2, NET-3, NET-6, REG-3, REG-4, CP-2, CP-7, MR-2, MR-4, MR-9: storage settings with keys, clusters
    copied in a hurry, one path for everything, Envoy without stat_prefix, names in snake_case; rights that
    are as they should be get none."""
    outcome = found(files.read([DATA / "by-hand"], "2026.04").resources)
    lines = sorted(
        f"{item.severity} {item.rule.name} {item.resource.subject} {item.violation.evidence}"
        for item in outcome.found
    )
    assert "\n".join(lines) + "\n" == EXPECTED.read_text(encoding="utf-8")


def test_no_finding_repeats_a_value_that_is_a_secret() -> None:
    """UX-3: not even one that only looks like one."""
    reading = files.read([DATA / "by-hand"])
    for item in found(reading.resources).found:
        assert "dummy" not in item.violation.evidence + item.violation.fix
