"""Stack files are found from anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from madeploy.stacks.files import all_stacks, folder, stack_path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_a_folder_of_stacks_at_hand_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CARD-5: messages then name files as a person types them."""
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    assert stack_path("prod") == Path("stacks/Pulumi.prod.yaml")


def test_elsewhere_the_stacks_of_the_commands_own_checkout_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: the command works from any directory."""
    monkeypatch.chdir(tmp_path)
    assert folder() == CHECKOUT / "stacks"
    assert CHECKOUT / "stacks" / "Pulumi.sandbox.yaml" in all_stacks()
