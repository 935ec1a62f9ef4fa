"""Redaction: keys and values that look like secrets, and text without them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Container, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

MASK: Final = "********"

_KEY = re.compile(
    r"(pass(word|wd|phrase)|secret(access)?key|accesskey(id)?|privatekey|clientkeydata|credentials?|apikey"
    r"|(^|[a-z])token|^secrets?|dockerconfigjson|kubeconfigs?)$"
)
_PLAIN_KEYS: Final = frozenset({"secretname", "pullsecrets", "credentialssecret", "allowcredentials"})
"""Settings whose name sounds secret but whose value is a name or a switch, compared as `_folded`."""

_PEM_KEY: Final = re.compile(r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----")
_JWT: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_AWS_KEY_ID: Final = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")
_URL_PASSWORD: Final = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
_KUBECONFIG: Final = re.compile(r"\b(client-key-data|client-certificate-data|current-context)\s*:")
_TEXT_SECRET: Final = re.compile(r"[A-Za-z0-9+/_=-]{20,}")


def _folded(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether a key's name says that its value is a secret."""
    folded = _folded(key.rpartition(".")[2])
    return folded not in _PLAIN_KEYS and _KEY.search(folded) is not None


def kind_of_secret(value: object) -> str | None:
    """What kind of secret a value looks like, such as `a private key`; None when like none."""
    if not isinstance(value, str) or len(value) < 16:
        return None
    for pattern, name in (
        (_PEM_KEY, "a private key"),
        (_JWT, "a token (JWT)"),
        (_AWS_KEY_ID, "an AWS access key id"),
        (_URL_PASSWORD, "a password in a URL"),
        (_KUBECONFIG, "a kubeconfig"),
    ):
        if pattern.search(value):
            return name
    if value.startswith("LS0tLS1CRUdJTi") and holds_private_key(value):
        return "a private key in base64"
    return None


def holds_private_key(encoded: str) -> bool:
    """Whether base64 text holds a PEM private key."""
    try:
        text = base64.b64decode(encoded, validate=False).decode("ascii", "ignore")
    except (binascii.Error, ValueError):
        return False
    return _PEM_KEY.search(text) is not None


def in_plain(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Paths of values among plain settings that look like secrets, and what each looks like."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from in_plain(value, (*path, key))
    elif isinstance(data, (list, tuple)):
        for index, item in enumerate(data):
            yield from in_plain(item, (*path, index))
    elif isinstance(data, str) and data:
        kind = kind_of_secret(data)
        if kind is None and path and isinstance(path[-1], str) and is_secret_key(path[-1]):
            kind = "a secret, by the name of its key"
        if kind is not None:
            yield path, kind


_KEY_LINE: Final = re.compile(r"""^(\s*(?:- +)*["']?)([^\s"'#{}\[\],&*!|>%@`]+)(["']?\s*:)(\s.*|)$""")
_ITEM_LINE: Final = re.compile(r"^\s*- +\S+\s*$")
_ANY_KEY: Final = re.compile(r"([\w.-]+)[\"']?\s*:(?=\s|$)")


def masked_line(line: str, known: Container[str]) -> str:
    """A line of a text that could not be parsed, with every value masked that may be a secret: all but
    those of `known` keys whose names say otherwise, and of list items that look like none."""
    found = _KEY_LINE.match(line)
    if found is None:
        if _ITEM_LINE.match(line) or not any(letter.isalnum() for letter in line):
            return _without_credentials(line)
        return line[: len(line) - len(line.lstrip())] + MASK
    before, key, colon, value = found.groups()
    names = [key.rpartition(":")[2], *_ANY_KEY.findall(value)]
    if value.strip() and not all(name in known and not is_secret_key(name) for name in names):
        return f"{before}{key}{colon} {MASK}"
    return _without_credentials(line)


def _without_credentials(line: str) -> str:
    line = _URL_PASSWORD.sub(f"://{MASK}@", line)
    return _TEXT_SECRET.sub(lambda word: MASK if _mixed(word.group()) else word.group(), line)


_GIVEN: Final = re.compile(r"""([\w.-]+)\\?["']?\s*[=:]+\s*""")
_VALUE: Final = re.compile(
    r"""
      "(?:\\.|[^"\\])*"          # between quotes all,
    | '(?:\\.|[^'\\])*'
    | \\"(?:[^"\\]|\\[^"])*\\"   # in JSON within JSON too,
    | ["']?(?:\\.|[^\s"'\\])+    # else up to the next space or quote
    """,
    re.VERBOSE,
)
_VARIABLE: Final = re.compile(
    r"""\bname\\?["']?\s*[:=]\s*\\?["']?([\w.-]+)\\?["']?[,;]?\s*\\?["']?value\\?["']?\s*[:=]\s*"""
)
"""Start of a container's environment variable, up to its value."""

_SIGNED: Final = re.compile(r"\b((?:X-Amz-)?Signature=)[\w%+/=-]+", re.IGNORECASE)
"""In a URL that was signed: who has it is let in (Amazon S3, presigned URLs)."""

_BEARER: Final = re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE)


def masked_words(text: str) -> str:
    """What a program or a server says, on one line, with every value masked that may be a secret: by its
    look, or by the name that stands before it."""
    line = _JWT.sub(MASK, _AWS_KEY_ID.sub(MASK, " ".join(text.split())))
    line = _SIGNED.sub(rf"\g<1>{MASK}", _BEARER.sub(lambda found: f"{found.group(1)} {MASK}", line))
    return _without_credentials(_without_values(_without_values(line, _VARIABLE), _GIVEN))


def _without_values(line: str, before: re.Pattern[str]) -> str:
    """A line without the values that stand after names of secrets. `before` finds such a name, up to where
    its value begins."""
    shown, place = "", 0
    for found in before.finditer(line):
        value = _VALUE.match(line, found.end())
        if value is not None and found.end() >= place and is_secret_key(found.group(1)):
            shown += line[place : found.end()] + MASK
            place = value.end()
    return shown + line[place:]


def _mixed(text: str) -> bool:
    """Whether a long word mixes cases and digits as credentials do, and names do not."""
    return (
        any(c.isdigit() for c in text) and any(c.isupper() for c in text) and any(c.islower() for c in text)
    )
