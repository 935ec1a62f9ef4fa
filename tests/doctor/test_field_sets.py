"""Fields that somebody added are found in the object they are in, whatever their names hold."""

from __future__ import annotations

from typing import Any

from madeploy.doctor import field_sets

FIELDS: dict[str, Any] = {
    "f:metadata": {"f:annotations": {".": {}, "f:example.com/note": {}, "f:kubectl.kubernetes.io/x": {}}},
    "f:spec": {
        "f:template": {"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}},
        "f:containers": {
            'k:{"name":"b"}': {".": {}, "f:env": {'k:{"name":"A~/"}': {".": {}, "f:value": {}}}},
        },
        "f:finalizers": {'v:"first"': {}, 'v:"second"': {}},
        "f:gone": {},
    },
}
LIVE: dict[str, Any] = {
    "metadata": {"annotations": {"example.com/note": "x", "kubectl.kubernetes.io/x": "y"}},
    "spec": {
        "containers": [{"name": "a"}, {"name": "b", "env": [{"name": "A~/", "value": "1"}]}],
        "finalizers": ["zero", "first", "second"],
    },
}


def test_fields_are_named_as_people_call_them() -> None:
    """UX-3: without what kubectl keeps for itself, restarts among it."""
    names = {field_sets.name(path) for path in field_sets.leaves(FIELDS)}
    assert "metadata.annotations.example.com/note" in names
    assert 'spec.containers.{"name":"b"}.env.{"name":"A~/"}.value' in names
    assert not any("kubectl" in name for name in names)


def test_fields_are_found_where_they_stand() -> None:
    """UX-3: as JSON pointers, later items first, an item of nobody else's as a whole, without those that
    are not there."""
    declared = [("f:spec", "f:containers", 'k:{"name":"b"}', "f:image")]
    assert field_sets.places(field_sets.leaves(FIELDS), declared, LIVE) == [
        "/spec/finalizers/2",
        "/spec/finalizers/1",
        "/spec/containers/1/env/0",
        "/metadata/annotations/example.com~1note",
    ]
