"""The user of a kubeconfig: which credential it gives, and whether that can be used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal

from madeploy.documents.words import printable
from madeploy.findings import Finding
from madeploy.kubeconfigs import eks_login, session_tokens, tokens
from madeploy.kubeconfigs.document import Document, Entry

Kind = Literal["token", "clientCertificate", "exec", "none"]
"""What a user identifies itself with."""

FILES: Final = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}
"""Fields that name a file, and those that hold what is in it."""

_IMPERSONATION: Final = ("as", "as-uid", "as-groups", "as-user-extra")
_SHORT: Final = timedelta(days=7)
_HEADER: Final = re.compile(r"[\x21-\x7e]+")


def kind(user: Mapping[str, Any]) -> Kind:
    """What a user identifies itself with, in the order kubectl prefers."""
    if user.get("exec"):
        return "exec"
    if user.get("token") or user.get("tokenFile"):
        return "token"
    if user.get("client-certificate-data") or user.get("client-certificate"):
        return "clientCertificate"
    return "none"


def references(document: Document, *entries: Entry | None) -> Iterator[Finding]:
    """Fields that name files. One beside the field with its contents is not used, and passes."""
    for entry in entries:
        for key, inline in FILES.items():
            # kubectl prefers contents to a file, but for tokens.
            if (
                entry is not None
                and entry.body.get(key)
                and (key == "tokenFile" or not entry.body.get(inline))
            ):
                evidence = f"names a file; {inline} holds what is in one"
                yield document.finding("MA420", (*entry.path, key), evidence)


def defects(document: Document, entry: Entry, now: datetime, stored: bool) -> Iterator[Finding]:
    """Why a user's credential cannot be used. `stored`: it is to be used on other machines than this one."""
    user, path = entry.body, entry.path
    if user.get("exec"):
        yield _login_command(document, entry, stored)
    if user.get("auth-provider"):
        evidence = "names a login plugin of kubectl's own"
        yield document.finding("MA422", (*path, "auth-provider"), evidence)
    for key in ("username", "password"):
        if user.get(key):
            yield document.finding("MA422", (*path, key), "is half of a password login")
    for key in _IMPERSONATION:
        if user.get(key):
            yield document.finding("MA423", (*path, key), "asks to act as somebody else")
    if user.get("token"):
        yield from _token(document, entry, now)
    yield from _client_certificate(document, entry, now)
    other = (
        user.get("auth-provider")
        or user.get("username")
        or user.get("client-key")
        or user.get("client-key-data")
    )
    if kind(user) == "none" and not other:
        yield document.finding("MA426", path, "gives no credential at all")


def _login_command(document: Document, entry: Entry, stored: bool) -> Finding:
    called = entry.body["exec"]
    command = called.get("command") if isinstance(called, dict) else None
    shown = printable(str(command)).rpartition("/")[2] or "?"
    evidence = f"gets its credential from the command {shown!r}"
    fix = ""
    if stored and (login := eks_login.read(called)):
        fix = f"Register it by its name on EKS: {login.options}\nOr use the context: --from-context CONTEXT"
        if login.dropped:
            fix += (
                f"\nThe name on EKS does not carry {', '.join(login.dropped)} over: where that matters, use "
                "the context."
            )
    return document.finding(
        "MA421", (*entry.path, "exec"), evidence, fix=fix, severity="error" if stored else "info"
    )


def _token(document: Document, entry: Entry, now: datetime) -> Iterator[Finding]:
    token, path = str(entry.body["token"]), (*entry.path, "token")
    defect = token_defect(token)
    if defect:
        yield document.finding("MA426", path, defect)
        return
    ends = expiry(token)
    if ends is None:
        login = session_tokens.issuer_of(token)
        if login is not None:
            evidence = f"is {login.what}, which ends {login.ends}; updates after that will be refused"
            fix = f"{login.instead}\n{session_tokens.LASTING}" if login.instead else session_tokens.LASTING
            yield document.finding("MA426", path, evidence, fix=fix, severity="warning")
        return
    if ends <= now:
        yield document.finding("MA426", path, f"has expired on {ends:%Y-%m-%d %H:%M} UTC")
    elif ends - now < _SHORT:
        evidence = f"expires on {ends:%Y-%m-%d %H:%M} UTC; updates after that will be refused"
        yield document.finding("MA426", path, evidence, fix=session_tokens.LASTING, severity="warning")


def token_defect(token: str) -> str:
    """What keeps a text from being sent as a bearer token, as a phrase that holds nothing of it; "" for one
    that can be. Clients send a token in a line of an HTTP header, as it stands (RFC 9110, 5.5)."""
    if _HEADER.fullmatch(token):
        return ""
    if len(token.splitlines()) > 1 or token.rstrip("\r\n") != token:
        return "has a line break in it or after it, which no client can send: write it on one line, in quotes"
    return "holds characters that a token cannot have, such as blanks"


def expiry(token: str) -> datetime | None:
    """When a JWT ends, by its `exp` (RFC 7519, 4.1.4); None for a token that does not say."""
    try:
        ends = tokens.claims(token).expires_at
        return None if ends is None else datetime.fromtimestamp(ends, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def _client_certificate(document: Document, entry: Entry, now: datetime) -> Iterator[Finding]:
    user, path = entry.body, entry.path
    certificate, key = user.get("client-certificate-data"), user.get("client-key-data")
    for mine, other, named in (
        (certificate, key or user.get("client-key"), "client-certificate-data"),
        (key, certificate or user.get("client-certificate"), "client-key-data"),
    ):
        if mine and not other:
            yield document.finding("MA426", (*path, named), "stands alone; certificate and key go together")
    if not (isinstance(certificate, str) and isinstance(key, str) and certificate and key):
        return
    from madeploy.kubeconfigs.certificates import judge_client

    judged = judge_client(certificate, key, now)
    if judged.error:
        yield document.finding("MA426", path, judged.error)
    for warning in judged.warnings:
        yield document.finding("MA426", path, warning, severity="warning")
