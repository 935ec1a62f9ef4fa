"""The engine's own preview (`pulumi preview --json`) as a comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from madeploy.documents.merges import unresolved_merge
from madeploy.engine.stack import SIGNATURE
from madeploy.plan.changes import AWS, Comparison, Identity

SECRET: Final = "[secret]"
_REPLACES: Final = frozenset({"replace", "create-replacement", "delete-replaced"})
_PROTECTED: Final = re.compile("because it is protected|currently marked for protection")
"""What the engine says of a resource that it does not delete, or not replace (pulumi, `resource/deploy`)."""

_VERDICT: Final = "error: preview failed"
"""What the engine adds to every error."""

_PULUMI: Final = ("pulumi.com/waitFor", "pulumi.com/patchForce", "pulumi.com/skipAwait")


def read_preview(text: str) -> Comparison:
    """The comparison of what a stack holds with what its program asks for.

    Raises ValueError when the text is no preview, or one that failed; with what it said.
    """
    if (merge := unresolved_merge(text.encode())) is not None:
        raise ValueError(f"cannot be read, line {merge.line + 1}: {merge.evidence}")
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("is no JSON; make it with `pulumi preview --json --show-sames`") from None
    said = document.get("diagnostics") if isinstance(document, dict) else None
    errors = [str(one.get("message", "")).strip() for one in said or () if one.get("severity") == "error"]
    if any(_PROTECTED.search(error) for error in errors):
        # The preview went on, and shows what it would have done.
        errors = [error for error in errors if not _PROTECTED.search(error) and error != _VERDICT]
    if errors or not isinstance(document, dict) or not isinstance(document.get("steps"), list):
        raise ValueError(
            "; ".join(errors) or "has no steps; make it with `pulumi preview --json --show-sames`"
        )
    before: dict[Identity, Mapping[str, Any]] = {}
    after: dict[Identity, Mapping[str, Any]] = {}
    hidden: dict[Identity, tuple[str, ...]] = {}
    urns: dict[Identity, str] = {}
    replaced, retained, protected, waiting = set(), set(), set(), set()
    for step in document["steps"]:
        old, new = _state(step.get("oldState")), _state(step.get("newState"))
        operation = str(step.get("op"))
        if old is not None and operation != "create":
            before[old[0]] = old[1]
            was = step["oldState"]
            urns[old[0]] = str(was["urn"])
            retained |= {old[0]} if was.get("retainOnDelete") else set()
            protected |= {old[0]} if was.get("protect") else set()
            waiting |= {old[0]} if was.get("delete") else set()
        if new is not None and not operation.startswith(("delete", "discard")):
            after[new[0]] = new[1]
            urns[new[0]] = str(step["newState"]["urn"])
            if operation in _REPLACES:
                replaced.add(new[0])
            elif operation == "update" and old is not None and old[1] == new[1]:
                hidden[new[0]] = tuple(step.get("detailedDiff") or step.get("diffReasons") or ())
    return Comparison(
        before,
        after,
        frozenset(replaced),
        hidden,
        frozenset(retained),
        frozenset(protected),
        frozenset(waiting),
        {identity: urn for identity, urn in urns.items() if identity.cluster == AWS},
        first=not before,
    )


def _state(state: Mapping[str, Any] | None) -> tuple[Identity, dict[str, Any]] | None:
    """Identity and inputs of a Kubernetes or AWS resource; None for what the engine keeps for itself."""
    if state is None or not state.get("custom"):
        return None
    kind = str(state["type"])
    inputs = _plain(state.get("inputs") or {})
    name = str(state["urn"]).rpartition("::")[2]
    last = kind.rpartition(":")[2]
    if kind.startswith("kubernetes:"):
        metadata = inputs.get("metadata") or {}
        annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _PULUMI}
        inputs["metadata"] = {k: v for k, v in {**metadata, "annotations": annotations}.items() if v != {}}
        inputs["kind"] = last
        cluster = str(state.get("provider") or "").split("::")[-2].removeprefix("k8s-")
        return Identity(cluster, last, metadata.get("namespace", ""), metadata.get("name", name)), inputs
    if kind.startswith("aws:"):
        # An inline policy is called alike in every role; the engine calls it as its role.
        own = None if last == "RolePolicy" else inputs.get("bucket") or inputs.get("name")
        return Identity(AWS, last, "", str(own or name)), inputs
    return None


def _plain(value: Any) -> Any:
    """Values without the engine's own: defaults it notes, and secrets, which are all the same here."""
    if isinstance(value, dict):
        if SIGNATURE in value:
            # Two ciphertexts of one value differ; the step says whether the resource changes at all.
            return SECRET
        return {key: _plain(item) for key, item in value.items() if key != "__defaults"}
    return [_plain(item) for item in value] if isinstance(value, list) else value
