"""Plan and result of a rotation, from the settings and the cluster's Secrets; and which clusters are due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import credentials, serving_token
from madeploy.clusters.checks.health import control_plane_clock
from madeploy.clusters.failures import administrator_finding, unusable
from madeploy.clusters.session import Session
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE
from madeploy.settings.clusters import Credential, CredentialKind, KeptCredential

CALL_SECONDS: Final = 90.0
"""Time limit of questions to one cluster."""


@dataclass(frozen=True)
class Planned:
    """Plan of one cluster's rotation."""

    before: int
    """Generation that is registered; 0 for none."""

    goal: KeptCredential
    """The credential that is registered in the end."""

    withdrawn: tuple[KeptCredential, ...]
    """Credentials that end with it."""

    leftover: tuple[KeptCredential, ...]
    """Those among them that the settings do not name any more: an earlier rotation's last step is missing."""

    tokens: Mapping[int, str] = field(repr=False)
    """Tokens of the long-lived ones there are, by generation."""

    serving_tokens: Mapping[int, str] = field(repr=False)
    """Tokens of serving that there are, by generation."""

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "before": self.before,
            "after": self.goal.generation,
            "kind": self.goal.kind,
            "withdrawn": [item.generation for item in self.withdrawn],
        }


@dataclass
class Rotated:
    """Result of rotating one cluster's credential."""

    name: str
    before: int
    """Generation that was registered at first; 0 for none."""

    after: int
    """Generation that is registered now."""

    done: bool = False
    """Whether nothing is left to do."""

    refused: dict[int, float | None] = field(default_factory=dict)
    """Withdrawn generations: seconds until the API server refused the token; None where the token was not at
    hand to be tried, and its Secret is gone."""

    findings: list[Finding] = field(default_factory=list)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "done": self.done,
            "refusedAfterSeconds": {
                str(generation): None if seconds is None else round(seconds, 1)
                for generation, seconds in self.refused.items()
            },
            "findings": [item.to_data() for item in self.findings],
        }


def planned(
    credential: Credential, compute: Kubernetes, *, rollback: bool, kind: CredentialKind | None
) -> Planned | None:
    """The plan for one cluster: to go on where a rotation was interrupted, else a new credential; with
    `rollback`, the one there was before. None where there is nothing to go back to. Raises ClientError."""
    goal = credentials.former_goal(credential) if rollback else credentials.next_goal(credential, kind)
    there = credentials.present(compute)
    known = credentials.known(credential)
    named = {item.generation for item in known}
    leftover: tuple[KeptCredential, ...] = ()
    if credential.generation > 0 and not credential.keep:
        unnamed = (item for item in there if item.is_ours and item.credential.generation not in named)
        leftover = tuple(item.credential for item in unnamed)
    if leftover:
        # The settings are past the last step, and the update that it takes was not made.
        goal = known[0]
    if goal is None:
        return None
    ending = tuple(item for item in known if item.generation != goal.generation)
    tokens = {item.credential.generation: item.token for item in there if item.token}
    serving = serving_token.present(compute)
    return Planned(credential.generation, goal, (*ending, *leftover), leftover, tokens, serving)


def due(session: Session, names: list[str], seconds: float, parallel: int) -> tuple[list[str], list[Finding]]:
    """Clusters whose credential is older than that, or whose rotation is under way; and why the age of others
    is not known."""
    settings = session.settings()
    now = control_plane_clock(session.client(CONTROL_PLANE))

    def look(name: str) -> bool | Finding:
        credential = settings.clusters[name].credential
        if credential.keep:
            return True
        try:
            age = credentials.age(session.client(name), credential, now)
        except ClientError as error:
            return administrator_finding(error, name)
        except ToolkitError as error:
            return unusable(error, name)
        if age is None:
            return find("MA476", name, f"generation {credential.generation} has no Secret there")
        return age > seconds

    def late(name: str) -> bool | Finding:
        return find("MA432", name, f"no answer within {CALL_SECONDS:.0f} s")

    answers = run_bounded({name: partial(look, name) for name in names}, late, CALL_SECONDS, parallel)
    due = [name for name, answer in answers.items() if answer is True]
    return due, [answer for answer in answers.values() if isinstance(answer, Finding)]
