"""A page that opens without network and without scripts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for it: nothing but the style that stands in it."""


def page(title: str, style: str, body: Iterable[str]) -> str:
    """The whole page, ending in a newline. `title` is text; `style` and the lines of `body` are written as
    they are."""
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"
