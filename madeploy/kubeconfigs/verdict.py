"""The verdict on a kubeconfig for one cluster: registered as it stands, or refused with every reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from madeploy.findings import Finding
from madeploy.findings.model import in_order
from madeploy.kubeconfigs import credentials, endpoints
from madeploy.kubeconfigs.contexts import Chosen, choose
from madeploy.kubeconfigs.credentials import FILES
from madeploy.kubeconfigs.document import Document, parse
from madeploy.kubeconfigs.endpoints import Endpoint, Instead
from madeploy.settings.authorities import authority_text


@dataclass(frozen=True)
class Verdict:
    """Verdict on a kubeconfig: its endpoint, and everything that is wrong with it."""

    name: str
    """What it is called in messages."""

    findings: tuple[Finding, ...]
    """Ordered; a warning does not refuse it."""

    context: str = ""
    """Name of the context, "" when none could be chosen."""

    credential: credentials.Kind = "none"
    """What its user identifies itself with."""

    endpoint: Endpoint | None = None
    """The API server as it would be registered; None when it is refused."""

    authority: Mapping[str, str] = field(default_factory=dict)
    """`sha256` and `expires` of the certificate authority, where it was looked at."""

    kubeconfig: dict[str, Any] | None = field(default=None, repr=False)
    """The context by itself, in normal form; None when it is refused. It holds credentials."""

    @property
    def is_refused(self) -> bool:
        """Whether a finding is an error."""
        return any(item.severity == "error" for item in self.findings)

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON, without a credential; keys are constant."""
        return {
            "kubeconfig": self.name,
            "context": self.context or None,
            "credential": self.credential,
            "host": self.endpoint.host if self.endpoint else None,
            "port": self.endpoint.port if self.endpoint else None,
            "certificateAuthority": dict(self.authority) or None,
            "accepted": not self.is_refused,
            "findings": [item.to_data() for item in in_order(self.findings)],
        }


def inspect(
    content: bytes,
    name: str,
    context: str | None = None,
    instead: Instead | None = None,
    now: datetime | None = None,
) -> Verdict:
    """The verdict on the text of a kubeconfig that is to be stored with a stack.

    Pure: it opens no file, starts no command and makes no connection, whatever the text says. Every defect
    is found in one pass, as far as the text can be read.

    Args:
        content: the text, as bytes of a file.
        name: what it is called in messages.
        context: name of the context; None for the current one.
        instead: what the cluster's entry says in place of the kubeconfig.
        now: the time certificates and tokens are judged by; None for the present.
    """
    document, findings = parse(content, name)
    if document is None:
        return Verdict(name, tuple(in_order(findings)))
    chosen, missing = choose(document, context)
    if chosen is None:
        return Verdict(name, tuple(in_order([*findings, *missing])))
    return _judged(chosen, [*findings, *missing], instead or Instead(), now, stored=True)


def inspect_context(
    minified: Mapping[str, Any], name: str, instead: Instead | None = None, now: datetime | None = None
) -> Verdict:
    """The verdict on a context of the kubeconfig at hand, as `read_context` gives it: used on machines that
    have it, so it may log in by a command."""
    chosen, findings = choose(Document(name, minified), None)
    if chosen is None:
        return Verdict(name, tuple(findings))
    return _judged(chosen, findings, instead or Instead(), now, stored=False)


def _judged(
    chosen: Chosen, findings: list[Finding], instead: Instead, now: datetime | None, *, stored: bool
) -> Verdict:
    document, now = chosen.document, now or datetime.now(timezone.utc)
    findings = list(findings)
    authority: dict[str, str] = {}
    if chosen.cluster is not None:
        found = list(endpoints.defects(document, chosen.cluster, instead))
        findings += found
        if not any(item.code in ("MA417", "MA418") for item in found):
            findings += _authority(chosen, instead, now, authority)
            findings += endpoints.strangers(document, chosen.cluster, instead)
    findings += credentials.references(document, chosen.cluster, chosen.user)
    kind: credentials.Kind = "none"
    if chosen.user is not None:
        kind = credentials.kind(chosen.user.body)
        findings += credentials.defects(document, chosen.user, now, stored)
    ordered = tuple(in_order(findings))
    if any(item.severity == "error" for item in ordered):
        return Verdict(document.name, ordered, chosen.context, kind, authority=authority)
    assert chosen.cluster is not None
    return Verdict(
        document.name,
        ordered,
        chosen.context,
        kind,
        endpoints.registered(chosen.cluster, instead),
        authority,
        _normal(chosen.minified),
    )


def _authority(
    chosen: Chosen, instead: Instead, now: datetime, authority: dict[str, str]
) -> Iterator[Finding]:
    """What certificates say about themselves; fills `authority` for the one that is registered."""
    from madeploy.kubeconfigs.certificates import judge_authority

    assert chosen.cluster is not None
    own = chosen.cluster.body.get("certificate-authority-data")
    path = (*chosen.cluster.path, "certificate-authority-data")
    for encoded in filter(None, (own, instead.certificate_authority_data)):
        judged = judge_authority(authority_text(str(encoded)), now)
        if judged.error:
            yield chosen.document.finding("MA418", path, judged.error)
        elif judged.expires is not None:
            authority.update(sha256=judged.fingerprint, expires=f"{judged.expires:%Y-%m-%dT%H:%M:%SZ}")
        for warning in judged.warnings:
            yield chosen.document.finding("MA418", path, warning, severity="warning")


def _normal(minified: dict[str, Any]) -> dict[str, Any]:
    """A kubeconfig without what nobody reads: empty fields, other tools' notes, files whose contents stand
    beside them."""
    for section in (minified["clusters"][0]["cluster"], minified["users"][0]["user"]):
        for key, value in list(section.items()):
            inline = FILES.get(key)
            if value in (None, "", False) or key == "extensions" or (inline and section.get(inline)):
                del section[key]
            elif key.endswith("-data"):
                section[key] = "".join(str(value).split())
    context = minified["contexts"][0]["context"]
    minified["contexts"][0]["context"] = {
        key: value for key, value in context.items() if key in ("cluster", "user")
    }
    return minified
