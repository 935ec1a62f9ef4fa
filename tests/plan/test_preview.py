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


@pytest.mark.parametrize(
    ("operation", "more", "told"),
    [("delete", {}, True), ("delete", {"retainOnDelete": True}, False), ("update", {}, False)],
)
def test_a_pipeline_of_anybodys_stack_that_is_deleted_takes_its_runs_along(
    operation: str, more: dict[str, Any], told: bool
) -> None:
    """UX-4, REL-3: the platform's runs belong to it since release 0.12; an engine only sees one object go."""
    inputs = {
        "apiVersion": "michelangelo.api/v2",
        "kind": "Pipeline",
        "metadata": {"name": "train", "namespace": "team-a"},
        "spec": {"type": "a"},
    }
    old = _state("kubernetes:michelangelo.api/v2:Pipeline", "train", inputs, **more)
    new = _state("kubernetes:michelangelo.api/v2:Pipeline", "train", {**inputs, "spec": {"type": "b"}})
    sides = {"oldState": old} if operation == "delete" else {"oldState": old, "newState": new}
    said = sentences(read_preview(_preview({"op": operation, **sides})))
    losses = [sentence.text for sentence in said if sentence.level == "loss"]
    assert losses == (
        ["Deleting Pipeline team-a/train deletes all its runs, with release 0.12."] if told else []
    )


def _bucket(name: str, purpose: str = "models", region: str = "", **more: Any) -> dict[str, Any]:
    forced = {"forceDestroy": True} if more.pop("forced", False) else {}
    where = {"region": region} if region else {}
    return _state("aws:s3/bucket:Bucket", purpose, {"bucket": name, **forced, **where}, **more)


def _replaced(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """A replacement as the engine tells it, step by step."""
    both = {"oldState": old, "newState": new}
    return (
        {"op": "create-replacement", **both},
        {"op": "replace", **both},
        {"op": "delete-replaced", **both},
    )


@pytest.mark.parametrize(
    ("more", "level", "said"),
    [
        ({"retainOnDelete": True}, "notice", "given up: it stays with all its objects"),
        ({}, "loss", "deleted if it is empty; S3 refuses while it holds an object"),
        ({"forced": True}, "loss", "deleted with every object and version in it"),
        ({"protect": True, "retainOnDelete": True}, "refused", "is protected: the update is refused"),
    ],
)
def test_what_becomes_of_a_bucket_that_is_taken_out_is_what_the_state_says(
    more: dict[str, Any], level: str, said: str
) -> None:
    """UX-4, UX-6: not what the settings say by now; the way that works has two updates."""
    old = _bucket("example-logs", "access-logs", **more)
    (sentence,) = sentences(read_preview(_preview({"op": "delete", "oldState": old})))
    assert sentence.level == level
    assert sentence.text.startswith("Bucket example-logs ")
    assert said in sentence.text
    if level != "notice":
        assert "two updates: first storage." in sentence.text
        assert f"pulumi state unprotect '{old['urn']}'" in sentence.text


@pytest.mark.parametrize(
    ("more", "level", "said"),
    [
        ({"retainOnDelete": True}, "notice", "old is given up: it stays with all its objects"),
        ({}, "loss", "nothing is copied"),
        (
            {"forced": True},
            "loss",
            "old is deleted with every object and version in it as soon as new is made",
        ),
        ({"protect": True, "retainOnDelete": True}, "refused", "A rename moves no data"),
    ],
)
def test_a_rename_is_said_to_move_no_data(more: dict[str, Any], level: str, said: str) -> None:
    """UX-4, UX-6: old and new are one resource to the engine, and two buckets to S3."""
    steps = _replaced(_bucket("old", **more), _bucket("new"))
    policy = "aws:s3/bucketPolicy:BucketPolicy"
    beside = _replaced(
        _state(policy, "models", {"bucket": "old"}),
        _state(policy, "models", {"bucket": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}),
    )
    found = sentences(read_preview(_preview(*steps, *beside)))
    assert found[0].level == level
    assert said in found[0].text
    assert "`aws s3 sync s3://old s3://new`" in found[0].text
    assert [sentence.level for sentence in found[1:]] == ["quiet"]


@pytest.mark.parametrize("purpose", ["models", "logs", "access-logs"])
def test_a_bucket_that_an_earlier_rename_left_is_told_with_both_ways_on(purpose: str) -> None:
    """UX-4, UX-6: forward it has to be emptied; back, its name is S3's already."""
    old, new = _bucket("old", purpose, delete=True), _bucket("new", purpose)
    left = {"op": "delete-replaced", "oldState": old}
    (sentence,) = sentences(read_preview(_preview(left, {"op": "same", "oldState": new, "newState": new})))
    assert sentence.level == "loss"
    assert "old waits for its deletion" in sentence.text
    assert "bin/madeploy recover STACK" in sentence.text
    back = _replaced(new, _bucket("old", purpose))
    told = [
        one for one in sentences(read_preview(_preview(*back, left))) if "S3 makes no second one" in one.text
    ]
    assert [one.level for one in told] == ["refused"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", "would move to another region, which no bucket can"),
        ("", "eu-west-2", "would move to another region, which no bucket can"),
        ("eu-west-1", "us-gov-west-1", "would move from eu-west-1 to us-gov-west-1, which no bucket can"),
    ],
)
def test_a_bucket_that_would_be_replaced_under_its_own_name_cannot_be_had(
    old: str, new: str, said: str
) -> None:
    """UX-4: another region is the only reason, and S3 names are global."""
    steps = _replaced(_bucket("same", region=old), _bucket("same", region=new))
    found = sentences(read_preview(_preview(*steps)))
    assert [sentence.level for sentence in found] == ["refused"]
    assert said in found[0].text
    assert "its name cannot be had a second time" in found[0].text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "eu-west-1",
            "eu-west-2",
            "`aws s3 sync --source-region eu-west-1 --region eu-west-2 s3://old s3://new`",
        ),
        ("eu-west-1", "eu-west-1", "`aws s3 sync s3://old s3://new`"),
        ("", "eu-west-2", "`aws s3 sync s3://old s3://new`"),
    ],
)
def test_a_bucket_with_another_name_in_another_region_is_copied_across(old: str, new: str, said: str) -> None:
    """UX-4: as far as the regions are told."""
    steps = _replaced(_bucket("old", region=old), _bucket("new", region=new))
    (sentence,) = sentences(read_preview(_preview(*steps)))
    assert said in sentence.text


@pytest.mark.parametrize(
    ("more", "level", "said"),
    [
        ({"retainOnDelete": True}, "notice", "another one in eu-west-2. It stays"),
        (
            {},
            "loss",
            "another one in eu-west-2, and deleted in 14 days: nothing that it encrypted can be read",
        ),
        ({"protect": True, "retainOnDelete": True}, "refused", "is protected: the update is refused"),
    ],
)
def test_a_key_in_another_region_leaves_the_old_one_to_its_objects(
    more: dict[str, Any], level: str, said: str
) -> None:
    """UX-4, UX-6: what was encrypted needs it, wherever new objects go."""
    old, new = (
        _state("aws:kms/key:Key", "objects", {"deletionWindowInDays": 14, "region": region}, **more)
        for region in ("eu-west-1", "eu-west-2")
    )
    (sentence,) = sentences(read_preview(_preview(*_replaced(old, new))))
    assert sentence.level == level
    assert said in sentence.text
    assert "kmsKeyArn" not in sentence.text, "a key is of no use in another region"


@pytest.mark.parametrize(
    ("more", "level", "said"),
    [
        ({"retainOnDelete": True}, "notice", "it stays, with what it encrypted"),
        ({}, "loss", "is deleted in 14 days: nothing that it encrypted can be read"),
        ({"protect": True, "retainOnDelete": True}, "refused", "is protected: the update is refused"),
    ],
)
def test_a_key_that_is_taken_out_takes_its_objects_with_it(
    more: dict[str, Any], level: str, said: str
) -> None:
    """UX-4, UX-6."""
    key = _state("aws:kms/key:Key", "objects", {"deletionWindowInDays": 14}, **more)
    (sentence,) = sentences(read_preview(_preview({"op": "delete", "oldState": key})))
    assert sentence.level == level
    assert said in sentence.text
    assert "storage.kmsKeyArn" in sentence.text


@pytest.mark.parametrize(
    "message",
    [
        'resource "{urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, ...',
        'unable to replace resource "{urn}"\nas it is currently marked for protection. To unprotect ...',
    ],
)
def test_a_preview_that_failed_because_something_is_protected_is_a_plan(message: str) -> None:
    """UX-4, UX-6: that is what somebody who reads the plan wants to know; other errors still end it."""
    old = _bucket("kept", protect=True, retainOnDelete=True)
    errors = [
        {"severity": "error", "message": message.format(urn=old["urn"])},
        {"severity": "error", "message": "error: preview failed\n"},
    ]
    step = {"op": "delete", "oldState": old}
    assert [one.level for one in sentences(read_preview(_preview(step, diagnostics=errors)))] == ["refused"]
    other = {"severity": "error", "message": "no such cluster"}
    with pytest.raises(ValueError, match="no such cluster"):
        read_preview(_preview(step, diagnostics=[*errors, other]))


def test_rights_of_two_roles_are_told_apart() -> None:
    """UX-4: their inline policies have one name."""

    def policy(role: str, *actions: str) -> dict[str, Any]:
        document = json.dumps({"Statement": [{"Effect": "Allow", "Action": actions}]})
        return _state("aws:iam/rolePolicy:RolePolicy", role, {"name": "object-access", "policy": document})

    steps = [
        {"op": "update", "oldState": policy(role, *before), "newState": policy(role, *after)}
        for role, before, after in (("worker", ("a:B",), ("c:D",)), ("retention", (), ("e:F",)))
    ]
    said = [sentence.text for sentence in sentences(read_preview(_preview(*steps)))]
    assert said == ["IAM role worker may now c:D and may no longer a:B.", "IAM role retention may now e:F."]


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
