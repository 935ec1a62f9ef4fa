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


def replies(environment: Environment) -> dict[str, Any]:
    """Envoy's own answers, as pages; those to calls stay as they are."""
    host = environment.domains.app
    sign_out = f'<a href="{SIGN_OUT_PATH}">Sign in as somebody else</a>'
    again = '<a href="/">Try again</a>'
    no_session = (
        "Signing in did not work",
        "The identity provider did not answer, or did not accept the sign-in. Sessions that exist go on; new "
        "ones begin once the provider answers again.",
        again,
    )
    stale = (
        "This session cannot be verified",
        "It has ended, or the identity provider signs with a key that is not known here yet, which takes at "
        "most half a minute.",
        f"{again} · {sign_out}",
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
    title, text, links = words
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p><p>{links}</p>"
        "<p><small>Request %REQ(X-REQUEST-ID)%</small></p></html>\n"
    )
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
