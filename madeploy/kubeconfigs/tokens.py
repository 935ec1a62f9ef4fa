"""Claims of a token (JSON Web Token, RFC 7519), a ServiceAccount's mostly. Nothing is verified here: only
the API server can do that."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Claims:
    """Claims of a token; None where it has none. Times are seconds since 1970."""

    subject: str
    """`system:serviceaccount:NAMESPACE:NAME`."""

    account_uid: str | None
    """UID of the ServiceAccount it was issued for: one made anew under the same name has another."""

    secret: str | None
    """Name of the Secret it stands in, for a long-lived token; None for one by TokenRequest."""

    bound_secret: str | None
    """Name of the Secret that one by TokenRequest is bound to, and is refused without."""

    audiences: tuple[str, ...]
    issued_at: float | None
    not_before: float | None
    expires_at: float | None
    """None for a long-lived token: it ends with its Secret."""

    def age(self, now: float) -> float | None:
        """Seconds since it was issued; None for a long-lived token, which does not say."""
        return None if self.issued_at is None else now - self.issued_at

    def left(self, now: float) -> float | None:
        """Seconds until it expires, negative afterwards; None for one that does not expire."""
        return None if self.expires_at is None else self.expires_at - now


def defect(token: str) -> str:
    """What keeps a text from being a token, as a phrase that holds nothing of it; "" for a token."""
    if not token:
        return "is empty"
    if token.strip() != token:
        return "begins or ends with white space, such as the line end that a file or `echo` adds"
    if not _JWT.fullmatch(token):
        return "is no ServiceAccount token (three parts of base64 with dots between)"
    try:
        claims(token)
    except ValueError:
        return "is no ServiceAccount token (its second part is not JSON)"
    return ""


def claims(token: str) -> Claims:
    """The claims of a token. Raises ValueError, without any part of it, when it is none."""
    try:
        _, part, _ = token.split(".")
        data = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise ValueError("not a JSON Web Token") from None
    if not isinstance(data, dict):
        raise ValueError("not a JSON Web Token")
    bound = _mapping(data.get("kubernetes.io"))
    account = _mapping(bound.get("serviceaccount"))
    audiences = data.get("aud")
    return Claims(
        subject=str(data.get("sub", "")),
        # Bound tokens and long-lived ones write the same things in two ways.
        account_uid=_text(account.get("uid") or data.get("kubernetes.io/serviceaccount/service-account.uid")),
        secret=_text(data.get("kubernetes.io/serviceaccount/secret.name")),
        bound_secret=_text(_mapping(bound.get("secret")).get("name")),
        audiences=tuple(map(str, audiences if isinstance(audiences, list) else filter(None, [audiences]))),
        issued_at=_time(data.get("iat")),
        not_before=_time(data.get("nbf")),
        expires_at=_time(data.get("exp")),
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float)) else None
    except OverflowError:
        return None
