"""Pages that Envoy answers people with where it cannot let them in: what happened, and what to do."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from madeploy.names.addresses import GRPC_WEB_PREFIX
from madeploy.names.oidc import CALLBACK_PATH, SIGN_OUT_PATH
from madeploy.settings import Environment
from manifests.envoy_typed import header_match

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34em;padding:0 1em;color:#222}"
    "h1{font-size:1.4em}small{color:#666}"
)


_AGAIN: Final = '<a href="/">Try again</a>'

PROVIDER_SILENT: Final = "The identity provider does not answer"
"""Title of the page for people who cannot be sent there."""


def provider_silent(request_id: str) -> str:
    """The page for whoever has no session while there is nowhere to get one."""
    text = (
        "Signing in is not possible until it does. Sessions that exist go on. Whoever runs this application "
        "can see why it is not reached."
    )
    return _html((PROVIDER_SILENT, text, _AGAIN), request_id)


def replies(environment: Environment) -> dict[str, Any]:
    """Envoy's own answers, as pages; those to calls stay as they are."""
    host = environment.domains.app
    sign_out = f'<a href="{SIGN_OUT_PATH}">Sign in as somebody else</a>'
    no_session = (
        "Signing in did not work",
        "The identity provider did not answer, or did not accept the sign-in. Sessions that exist go on; new "
        "ones begin once the provider answers again.",
        _AGAIN,
    )
    stale = (
        "This session cannot be verified",
        "It has ended, or the identity provider signs with a key that is not known here yet, which takes at "
        "most half a minute.",
        f"{_AGAIN} · {sign_out}",
    )
    no_rights = (
        "You may not come in",
        f"You are signed in, but belong to no group that may use {host}. Whoever runs it can change that.",
        sign_out,
    )
    callback = header_match(":path", prefix=CALLBACK_PATH)
    # A failed sign-in is 401 or, where nobody answers, a status from 500 on.
    return {
        "mappers": [
            _page(no_session, 401, "GE", callback),
            _page(stale, 401, "EQ"),
            _page(no_rights, 403, "EQ"),
        ]
    }


def _page(
    words: tuple[str, str, str], status: int, comparison: str, *headers: dict[str, Any]
) -> dict[str, Any]:
    html = _html(words, "%REQ(X-REQUEST-ID)%")
    compared = {"op": comparison, "value": {"default_value": status, "runtime_key": f"page_{status}"}}
    not_a_call = {**header_match(":path", prefix=GRPC_WEB_PREFIX), "invert_match": True}
    conditions = [
        {"status_code_filter": {"comparison": compared}},
        *({"header_filter": {"header": header}} for header in (not_a_call, *headers)),
    ]
    return {
        "filter": {"and_filter": {"filters": conditions}},
        "body_format_override": {
            "text_format_source": {"inline_string": html},
            "content_type": "text/html; charset=utf-8",
        },
    }


def _html(words: tuple[str, str, str], request_id: str) -> str:
    title, text, links = words
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p><p>{links}</p>"
        f"<p><small>Request {request_id}</small></p></html>\n"
    )
