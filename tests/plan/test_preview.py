"""The engine's preview as a comparison."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madeploy.plan.changes import Identity
from madeploy.plan.preview import read_preview
from madeploy.plan.report import to_json, to_markdown, to_text
from madeploy.plan.sentences import sentences

_PROVIDER = "urn:pulumi:x::michelangelo::pulumi:providers:kubernetes::k8s-control-plane::0db3a765"


def _state(kind: str, name: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:x::michelangelo::{kind}::{name}"
    provider = {"provider": _PROVIDER} if kind.startswith("kubernetes:") else {}
    return {"urn": urn, "custom": True, "type": kind, "inputs": inputs, **provider, **more}


def _preview(*steps: dict[str, Any], **more: Any) -> str:
    return json.dumps({"steps": list(steps), **more})


def _secret(value: str) -> dict[str, Any]:
    metadata = {"name": "cluster-first-client-token", "namespace": "default"}
    return _state(
        "kubernetes:core/v1:Secret",
        "first-secret",
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"token": value}},
    )


def test_a_secret_that_changes_unseen_is_a_change_all_the_same() -> None:
    """UX-4: the engine shows `[secret]` on both sides."""
    step = {"op": "update", "oldState": _secret("[secret]"), "newState": _secret("[secret]")}
    comparison = read_preview(_preview({**step, "detailedDiff": {"data.token": {"kind": "update"}}}))
    (change,) = comparison.changes
    assert change.identity == Identity("control-plane", "Secret", "default", "cluster-first-client-token")
    text = to_text("x", sentences(comparison), comparison)
    assert "~ Secret default/cluster-first-client-token  data.token" in text


def test_a_value_the_engine_marks_as_secret_is_never_printed() -> None:
    """UX-3."""
    marked = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "canary"}
    old, new = _secret("[secret]"), _secret("[secret]")
    new["inputs"]["data"]["other"] = marked
    comparison = read_preview(_preview({"op": "update", "oldState": old, "newState": new}))
    for write in (to_text, to_markdown, to_json):
        assert "canary" not in write("x", sentences(comparison), comparison)


def test_a_retained_bucket_is_given_up_and_another_is_deleted() -> None:
    """UX-4, UX-6."""
    kept = _state("aws:s3/bucket:Bucket", "models", {"bucket": "kept"}, retainOnDelete=True)
    lost = _state("aws:s3/bucket:Bucket", "logs", {"bucket": "lost"})
    comparison = read_preview(
        _preview({"op": "delete", "oldState": kept}, {"op": "delete", "oldState": lost})
    )
    said = {sentence.level: sentence.text for sentence in sentences(comparison)}
    assert said["notice"].startswith("Bucket kept is given up: it stays with all its objects")
    assert said["loss"].startswith("Bucket lost is deleted")


def test_what_only_the_update_knows_and_what_the_engine_adds_are_no_changes() -> None:
    """UX-4."""
    old, new = _secret("one"), _secret("04da6b54-80e4-46f7-96ec-b56ff0331ba9")
    new["inputs"]["metadata"]["annotations"] = {"pulumi.com/waitFor": "condition=Ready"}
    assert read_preview(_preview({"op": "same", "oldState": old, "newState": new})).changes == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not JSON", "is no JSON"),
        ("[]", "has no steps"),
        ('{"changeSummary": {}}', "has no steps"),
        (_preview(diagnostics=[{"severity": "error", "message": "no such cluster\n"}]), "no such cluster"),
    ],
)
def test_what_is_no_preview_or_a_failed_one_is_refused_with_its_reason(text: str, said: str) -> None:
    """UX-3, UX-4: a preview that failed half-way says too little to be a plan."""
    with pytest.raises(ValueError, match=said):
        read_preview(text)
