"""Files that are meant to exhaust whoever reads them, as recipes: too large or too odd to be kept."""

from __future__ import annotations

from collections.abc import Callable

HEAD = "config:\n"


def _bomb() -> str:
    levels = [
        f"  a:{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(12)
    ]
    return HEAD + "  a:a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(levels)


def _origins(count: int) -> str:
    return HEAD + "  michelangelo:cors:\n    additionalOrigins:\n" + "      - a b\n" * count


def _clusters(count: int) -> str:
    return HEAD + "  michelangelo:clusters:\n" + "".join(f"    c{i}: {{a: 1, b: 2}}\n" for i in range(count))


def _host(text: str) -> str:
    return f"{HEAD}  michelangelo:domains:\n    api: '{text}'\n    app: app.example.com\n"


RECIPES: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "ten megabytes": (lambda: HEAD + "  a:b: 1 # x\n" * 800_000, "MA103"),
    "a line of four megabytes": (lambda: _host("a" * 4_000_000), "MA103"),
    "two hundred thousand brackets": (lambda: HEAD + "  a:b: " + "[" * 200_000, "MA105"),
    "aliases that multiply": (_bomb, "MA105"),
    "a hundred thousand origins": (lambda: _origins(100_000), "MA105"),
    "five thousand wrong origins": (lambda: _origins(4_900), "MA113"),
    "five thousand wrong clusters": (lambda: _clusters(4_900), "MA110"),
    "a hundred thousand equal keys": (lambda: HEAD + "  michelangelo:domains: 1\n" * 100_000, "MA105"),
    "a hundred thousand documents": (lambda: HEAD + "  a:b: 1\n" + "---\n" * 100_000, "MA106"),
    "only line breaks": (lambda: "\n" * 4_000_000, "MA108"),
    "a million comments": (lambda: "# x\n" * 1_000_000, "MA108"),
    "zero bytes": (lambda: b"\0" * 1_000_000, "MA102"),
    "every byte": (lambda: bytes(range(256)) * 1_000, "MA102"),
    "UTF-16": (lambda: HEAD.encode("utf-16"), "MA102"),
    "Latin-1": (lambda: _host("café").encode("latin-1"), "MA102"),
    "a host full of colons": (lambda: _host("://a:" * 40_000), "MA113"),
    "a host of token beginnings": (lambda: _host("eyJaaaaaaaa." * 20_000), "MA113"),
    "a host of emoji": (lambda: _host("\U0001f600" * 60_000), "MA113"),
    "a key of two hundred kilobytes": (lambda: f"{HEAD}  michelangelo:{'k' * 200_000}: 1\n", "MA104"),
    "a number of a hundred thousand digits": (
        lambda: f"{HEAD}  michelangelo:network:\n    dnsPort: {'9' * 100_000}\n",
        "MA112",
    ),
}
"""By what they are: how they are made, and a code that is among the findings."""
