"""Waiting for definitions that nothing in the program stands for."""

from __future__ import annotations

import pytest

from components.gates import PLATFORM, SilentClusterError, wait_for_definitions
from madeploy.names.kubernetes import PLURALS


def test_the_platforms_gate_names_all_fourteen_definitions() -> None:
    """CP-8: as the API server installs them (V1), the irregular plural included."""
    assert len(PLATFORM.definitions) == len(PLURALS) == 14
    assert "modelfamilys.michelangelo.api" in PLATFORM.definitions


def test_a_wait_ends_as_soon_as_nothing_is_missing() -> None:
    """CP-8."""
    answers = [["a", "b"], ["b"], []]
    wait_for_definitions(lambda: answers.pop(0), 5, "hint", poll_seconds=0)
    assert answers == []


def test_a_definition_that_never_comes_is_named_with_what_to_do() -> None:
    """CP-8, UX-3."""
    with pytest.raises(TimeoutError, match=r"clusters\.michelangelo\.api\. See the log"):
        wait_for_definitions(lambda: ["clusters.michelangelo.api"], 0, "See the log.", poll_seconds=0)


def test_an_api_server_that_does_not_answer_for_a_moment_does_not_end_the_wait() -> None:
    """CP-8."""
    answers: list[list[str] | None] = [None, []]

    def find() -> list[str]:
        answer = answers.pop(0)
        if answer is None:
            raise SilentClusterError("ApiException")
        return answer

    wait_for_definitions(find, 5, "hint", poll_seconds=0)
    assert answers == []
