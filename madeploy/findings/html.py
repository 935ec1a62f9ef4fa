"""A page that opens without network and without scripts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for it: nothing but the style that stands in it."""

_STYLE: Final = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1b2733; --soft: #53626f; --line: #d5dce2;
  --card: #f5f7f9; --red: #b3261e; --amber: #8a5a00; --violet: #5b3fa8; --green: #1a6b3c; }
@media (prefers-color-scheme: dark) { :root { --page: #10161c; --text: #e6edf3; --soft: #aab7c3;
  --line: #33404c; --card: #18212a; --red: #ff8a80; --amber: #ffc46b; --violet: #c3b1ff; --green: #7ddba3; } }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem 1rem 4rem;
  background: var(--page); color: var(--text); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: .2rem 0; }
.soft, dt { color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: 1rem 0; list-style: none; }
.counts li, .state { border: 1px solid currentColor; border-radius: 1rem; padding: .05rem .7rem;
  font-size: .85rem; white-space: nowrap; }
dl { display: grid; gap: .15rem 1rem; margin: .4rem 0 0; }
dd { margin: 0; min-width: 0; }
table { border-collapse: collapse; font-size: .92rem; }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
"""
"""What every page looks like, by the reader's choice of light and dark."""


def page(title: str, style: str, body: Iterable[str]) -> str:
    """The whole page, ending in a newline. `title` is text; `style`, what this page has beside the common
    one, and the lines of `body` are written as they are."""
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}{style}</style>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"
