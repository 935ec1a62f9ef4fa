"""One context of a kubeconfig with its cluster and its user, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from madeploy.documents.paths import Path
from madeploy.documents.words import did_you_mean, printable
from madeploy.findings import Finding
from madeploy.kubeconfigs.credentials import token_defect
from madeploy.kubeconfigs.document import Document, Entry
from madeploy.kubeconfigs.errors import KubeconfigError

_SHOWN = 20


@dataclass(frozen=True)
class Chosen:
    """A context of a document, and what it joins, as far as that is there."""

    document: Document
    context: str
    body: Mapping[str, Any]
    cluster: Entry | None
    user: Entry | None

    @property
    def minified(self) -> dict[str, Any]:
        """Kubeconfig of this context alone. Both entries must be there."""
        assert self.cluster is not None
        assert self.user is not None
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.context,
            "contexts": [{"name": self.context, "context": dict(self.body)}],
            "clusters": [{"name": self.cluster.name, "cluster": dict(self.cluster.body)}],
            "users": [{"name": self.user.name, "user": dict(self.user.body)}],
        }


def choose(document: Document, context: str | None) -> tuple[Chosen | None, list[Finding]]:
    """A context by its name, by default the current one; or why there is none to choose."""
    contexts = {entry.name: entry for entry in document.entries("contexts")}
    listed = sorted(map(printable, contexts))
    known = ", ".join(listed[:_SHOWN]) + ("…" if len(listed) > _SHOWN else "") or "none"
    current = document.data.get("current-context")
    name = context or (current if isinstance(current, str) else "") or ""
    path: Path = () if context else ("current-context",)
    if not name:
        evidence = "has no current context"
        return None, [document.finding("MA414", (), evidence, accepted=known)]
    if name not in contexts:
        said = (
            f"has no context {printable(name)!r}"
            if context
            else f"names {printable(name)!r}, which is not there"
        )
        fix = did_you_mean(name, tuple(contexts)) + "Name one of the contexts there are with --context."
        return None, [document.finding("MA414", path, said, accepted=known, fix=fix)]
    chosen = contexts[name]
    findings: list[Finding] = []
    joined: dict[str, Entry | None] = {}
    for key, kind in (("cluster", "clusters"), ("user", "users")):
        wanted = chosen.body.get(key)
        entries = {entry.name: entry for entry in document.entries(kind)}
        joined[key] = entries.get(wanted) if isinstance(wanted, str) else None
        if joined[key] is None:
            said = f"the {key} {printable(str(wanted))!r}, which is not there" if wanted else f"no {key}"
            evidence = f"context {printable(name)!r} names {said}"
            there = ", ".join(sorted(map(printable, entries))[:_SHOWN]) or "none"
            findings.append(document.finding("MA415", (*chosen.path, key), evidence, accepted=there))
    return Chosen(document, name, chosen.body, joined["cluster"], joined["user"]), findings


def minify(config: Mapping[str, Any], context: str | None, subject: str) -> dict[str, Any]:
    """The one context of a kubeconfig, its cluster and its user, and nothing else.

    Raises KubeconfigError naming the contexts there are when it is missing, or what it refers to is.
    """
    chosen, findings = choose(Document(subject, config), context)
    if chosen is None or findings:
        raise KubeconfigError(subject, (f"{item.evidence} (there are: {item.accepted})" for item in findings))
    assert chosen.user is not None
    token = chosen.user.body.get("token")
    defect = token_defect(token) if isinstance(token, str) and token else ""
    if defect:
        raise KubeconfigError(subject, [f"the token of user {printable(chosen.user.name)} {defect}"])
    return chosen.minified
