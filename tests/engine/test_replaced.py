"""Buckets that a rename left waiting for their deletion: what of a state changes when they are taken back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.engine.replaced import BUCKET, take_back

POLICY, LOGGING = "aws:s3/bucketPolicy:BucketPolicy", "aws:s3/bucketLogging:BucketLogging"
ROLE = "aws:iam/role:Role"


def resource(kind: str, name: str, identity: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:prod::michelangelo::{kind}::{name}", "type": kind, "id": identity, **more}


def settings(purpose: str, bucket: str) -> list[dict[str, Any]]:
    urn = resource(BUCKET, purpose, "")["urn"]
    return [resource(POLICY, purpose, bucket, deletedWith=urn, dependencies=[urn])]


def state(purpose: str) -> list[dict[str, Any]]:
    """A state after a rename that S3 did not let finish; another bucket logs into the renamed one."""
    policy = settings(purpose, "")[0]["urn"]
    return [
        resource(BUCKET, "workspace", "ws"),
        *settings("workspace", "ws"),
        resource(BUCKET, purpose, "new"),
        *settings(purpose, "new"),
        resource(LOGGING, "workspace", "ws", propertyDependencies={"targetBucket": [policy], "a": None}),
        resource(ROLE, "worker", "worker", dependencies=[]),
        resource(BUCKET, purpose, "old", delete=True),
    ]


@pytest.mark.parametrize("purpose", ["models", "logs", "access-logs"])
def test_old_and_new_change_places_and_what_is_beside_them_is_set_again(purpose: str) -> None:
    """UX-6, MR-1: nothing beside the new one is deleted by itself, what depends on it is no loose end."""
    document = {"deployment": {"resources": state(purpose)}}
    assert take_back(document, {"ws", "old"}) == ["old"]
    found = [(item["id"], bool(item.get("delete"))) for item in document["deployment"]["resources"]]
    assert found == [("ws", False), ("ws", False), ("old", False), ("worker", False), ("new", True)]
    urns = {item["urn"] for item in document["deployment"]["resources"]}
    assert not any(set(item.get("dependencies") or ()) - urns for item in document["deployment"]["resources"])
    assert take_back(document, {"ws", "old"}) == []


@given(
    names=st.sets(st.sampled_from(["ws", "old", "new", "other"])),
    has_new=st.booleans(),
    protected=st.booleans(),
    waits=st.booleans(),
)
def test_nothing_else_is_touched(names: set[str], has_new: bool, protected: bool, waits: bool) -> None:
    """UX-6: neither what the settings do not name, nor a bucket that is protected, nor one that is in use."""
    resources = state("models")
    if not waits:
        del resources[-1]["delete"]
    if not has_new:
        resources = [item for item in resources if item["id"] != "new"]
    for item in resources:
        if item["id"] == "new":
            item["protect"] = protected
    document = {"deployment": {"resources": resources}}
    before = copy.deepcopy(document)
    taken = take_back(document, names)
    wanted = waits and has_new and not protected and "old" in names and "new" not in names
    assert taken == (["old"] if wanted else [])
    assert (document == before) == (not wanted)


@pytest.mark.parametrize("document", [{}, {"deployment": None}, {"deployment": {}}])
def test_a_state_without_resources_has_none(document: dict[str, Any]) -> None:
    """UX-6: a stack that was never brought up."""
    assert take_back(document, {"old"}) == []
