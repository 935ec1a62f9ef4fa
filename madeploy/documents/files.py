"""A file's bytes within limits, or why they cannot be had."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from madeploy.findings import Finding, Location, find

MAX_BYTES: Final = 8 * 1024 * 1024
"""Size of a file. A thousand clusters, each with its CA and its encrypted kubeconfig, are about 6 MiB."""

MAX_LINE: Final = 256 * 1024
"""Bytes of a line. An encrypted kubeconfig is one line of a few KiB."""

_LONG_LINE: Final = re.compile(rb"(?m)^[^\n]{%d}" % MAX_LINE)
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_bytes(path: Path, file: str) -> bytes | Finding:
    """What a file holds, or why it cannot be had; never more than `MAX_BYTES` of it are read."""
    try:
        if path.is_dir():
            return find("MA101", file, "is a directory")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return find("MA101", file, (error.strerror or "cannot be read").lower(), location=Location(file))
    if len(content) > MAX_BYTES:
        return find(
            "MA103",
            file,
            f"is larger than {MAX_BYTES // 1024 // 1024} MiB",
            location=Location(file),
        )
    return content


def not_text(content: bytes, file: str) -> Finding | None:
    """A complaint about bytes that are not UTF-8 text."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return find("MA102", file, "is UTF-16", location=Location(file))
    control = _CONTROL.search(content)
    position, evidence = (control.start(), "") if control else (None, "")
    if control:
        evidence = f"holds the control character U+{control.group()[0]:04X}, which text does not"
    else:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(0, len(content), 65536):
            chunk = content[start : start + 65536]
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=start + 65536 >= len(content))
            except UnicodeDecodeError as error:
                position = start - pending + error.start
                evidence = f"holds the byte 0x{content[position]:02X}, which is not UTF-8"
                break
    if position is None:
        return None
    before = content[:position]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return find("MA102", file, evidence, location=Location(file, line, column))


def long_line(content: bytes, file: str) -> Finding | None:
    """A complaint about a line that no setting needs."""
    found = _LONG_LINE.search(content)
    if found is None:
        return None
    line = content.count(b"\n", 0, found.start()) + 1
    return find(
        "MA103", file, f"has a line of more than {MAX_LINE // 1024} KiB", location=Location(file, line)
    )
