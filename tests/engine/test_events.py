"""What the engine says of its work, as progress and as errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from madeploy.engine.driver import require_success
from madeploy.engine.events import Failure, Follower, Result, silent
from madeploy.errors import ToolkitError

URN = "urn:pulumi:prod::michelangelo::michelangelo:index:Platform$kubernetes:core/v1:Secret::a-token"


def step(kind: str, operation: str) -> dict[str, Any]:
    return {kind: {"metadata": {"op": operation, "urn": URN, "type": "kubernetes:core/v1:Secret"}}}


def error(message: str, urn: str = "") -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": "error", "message": message, "urn": urn}}


def test_events_are_taken_in_as_they_are_written_half_lines_included(tmp_path: Path) -> None:
    """UX-2: progress while the engine works."""
    path = tmp_path / "events"
    told: list[str] = []
    noted: list[str] = []
    with Follower(path, told.append, noted.append) as follower:
        follower.look()
        lines = [step("resourcePreEvent", "create"), step("resOutputsEvent", "create")]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        path.write_text(text[:-20], encoding="utf-8")
        follower.look()
        assert (noted, told) == (["Secret a-token ..."], [])
        with path.open("a", encoding="utf-8") as file:
            file.write(text[-20:] + json.dumps(step("resOutputsEvent", "same")) + "\n")
        follower.look()
        assert told == ["  created Secret a-token"]
        assert follower.result.changes == {"create": 1, "same": 1}
        assert follower.result.changed == 1
        assert follower.result.touched == [("create", URN)]


def _step(kind: str, operation: str, name: str, of: str) -> dict[str, Any]:
    return {kind: {"metadata": {"op": operation, "urn": f"{URN}-{name}", "type": of}}}


LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


@pytest.mark.parametrize(
    ("operation", "is_slow"),
    [("create", True), ("update", True), ("create-replacement", True), ("delete", False)],
)
def test_what_is_waited_for_is_what_began_last_and_has_not_ended(
    operation: str, is_slow: bool, tmp_path: Path
) -> None:
    """UX-2: a lifecycle takes about a minute, when everything else beside a bucket is done."""
    path = tmp_path / "events"
    noted: list[str] = []
    began = [
        _step("resourcePreEvent", operation, "models", LIFECYCLE),
        _step("resourcePreEvent", operation, "logs", LIFECYCLE),
        _step("resourcePreEvent", operation, "policy", "aws:s3/bucketPolicy:BucketPolicy"),
    ]
    ended = [
        _step("resOutputsEvent", operation, "policy", "aws:s3/bucketPolicy:BucketPolicy"),
        _step("resOpFailedEvent", operation, "logs", LIFECYCLE),
        _step("resOutputsEvent", operation, "models", LIFECYCLE),
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in (*began, *ended)), encoding="utf-8")
    with Follower(path, silent, noted.append) as follower:
        follower.look()
    kind = "BucketLifecycleConfiguration"
    assert [line.partition(" (")[0] for line in noted] == [
        f"{kind} a-token-models ...",
        f"{kind} a-token-logs and 1 more ...",
        "BucketPolicy a-token-policy and 2 more ...",
        f"{kind} a-token-logs and 1 more ...",
        f"{kind} a-token-models ...",
    ]
    assert ["about a minute" in line for line in noted] == [is_slow, is_slow, False, is_slow, is_slow]


def test_errors_are_kept_once_with_their_resource_and_without_the_verdict(tmp_path: Path) -> None:
    """REG-10, UX-3: which cluster an error is about is known by its resource."""
    path = tmp_path / "events"
    lines = [error("refused", URN), error("refused", URN), error("no program"), error("update failed")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with Follower(path, silent, silent) as follower:
        follower.look()
    assert follower.result.failures == [Failure("refused", URN), Failure("no program")]
    assert [str(failure) for failure in follower.result.failures] == ["a-token: refused", "no program"]


def test_an_operation_that_failed_is_an_error_for_people(tmp_path: Path) -> None:
    """UX-3: the engine's own words, else the end of its output; where all of it is; what to do."""
    log = tmp_path / "prod.log"
    log.write_text("no passphrase\n", encoding="utf-8")
    assert require_success("up", Result()) == Result()
    with pytest.raises(ToolkitError) as failed:
        require_success("up", Result(failures=[Failure("refused", URN)], code=255, log=log))
    assert failed.value.exit_code == 1
    assert failed.value.why == "a-token: refused"
    assert str(log) in failed.value.fix
    with pytest.raises(ToolkitError) as silent_one:
        require_success("up", Result(code=255, log=log))
    assert silent_one.value.why == "no passphrase"
