"""Kubeconfigs inside something else: in base64, in a Secret, among a tool's outputs.

Cluster API, Crossplane, Gardener, Rancher and virtual clusters hand kubeconfigs over in Secrets; what is
copied out of one is base64. Nothing of the content is ever shown.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from dataclasses import dataclass
from typing import Any, Final

from madeploy.documents.nodes import Node
from madeploy.documents.paths import Path
from madeploy.documents.words import printable

_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_KUBECONFIG: Final = re.compile(rb"""(?m)^[\s{"']*(clusters|contexts|current-context|users)["']?\s*:""")
_LAYERS: Final = 3
_QUOTES: Final = b"\"'"
_KINDS: Final = ("Secret", "ConfigMap")
_OUT: Final = "kubeconfig.yaml"


@dataclass(frozen=True)
class Wrapped:
    """A kubeconfig inside another document."""

    path: Path
    """Keys that lead to it; none where the whole text is one in base64."""

    evidence: str
    command: str
    """What writes it to a file of its own."""


def layers(content: bytes) -> int | None:
    """How often a text is base64 of a kubeconfig; 0 for one itself, None for neither."""
    for count in range(_LAYERS):
        if _is_kubeconfig(content):
            return count
        packed = content.strip().strip(_QUOTES)
        if len(packed) < 40 or not _BASE64.fullmatch(packed):
            return None
        try:
            content = base64.b64decode(b"".join(packed.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
    return None


def _is_kubeconfig(content: bytes) -> bool:
    # JSON of one line begins with any of its keys.
    one_line = content.lstrip()[:1] == b"{" and b'"clusters"' in content and b'"users"' in content
    return one_line or len(set(_KUBECONFIG.findall(content))) > 1


def whole(content: bytes, name: str) -> Wrapped | None:
    """A text that as a whole is a kubeconfig in base64."""
    count = layers(content)
    if not count:
        return None
    given = "< FILE" if name in ("", "-", "standard input") or "\n" in name else f"< {shlex.quote(name)}"
    unquoted = "tr -d '\"'" if content.strip()[:1] in (b'"', b"'") else ""
    steps = [step for step in (unquoted, *["base64 -d"] * count) if step]
    command = f"{steps[0]} {given}" + "".join(f" | {step}" for step in steps[1:]) + f" > {_OUT}"
    return Wrapped((), f"is a kubeconfig in base64{_times(count)}", command)


def inside(root: Node, name: str) -> Wrapped | None:
    """The first kubeconfig among the values of a document that is none itself."""
    for path, node in root.scalars():
        if not isinstance(node.value, str) or len(node.value) < 40:
            continue
        count = layers(node.value.encode("utf-8", "replace"))
        if count is not None:
            return _found(root, path, count, name)
    return None


def _times(count: int) -> str:
    return "" if count == 1 else f", {count} times over"


def _found(root: Node, path: Path, count: int, name: str) -> Wrapped:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{printable(step)}" for step in path)
    what = "a kubeconfig in base64" + _times(count) if count else "a kubeconfig"
    decode = " | base64 -d" * count
    holder = _holder(root, path)
    if holder is not None:
        kind, object_name, namespace, key = holder
        command = f"kubectl get {kind.lower()} {object_name}"
        command += f" --namespace {namespace}" if namespace else ""
        command += f" --output jsonpath='{{.data{key}}}'{decode} > {_OUT}"
        return Wrapped(path, f"is a {kind}, which holds {what} in {where[1:]}", command)
    file = "FILE" if name in ("", "-", "standard input") else shlex.quote(name)
    selector = shlex.quote(where if where.startswith(".") else f".{where}")
    command = f"yq --unwrapScalar {selector} {file}{decode} > {_OUT}"
    return Wrapped(path, f"is no kubeconfig, but holds {what} in {where.lstrip('.')}", command)


_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def _holder(root: Node, path: Path) -> tuple[str, str, str, str] | None:
    """Kind, name, namespace and key of the Secret or ConfigMap whose data a path leads into, as `kubectl get`
    needs them; None for anything else, such as one that has no name."""
    data: Any = root.data()
    above = list(path[:-2])
    for step in above:
        data = data[step]
    if not isinstance(data, dict) or data.get("kind") not in _KINDS or path[-2] not in ("data", "stringData"):
        return None
    meta = data.get("metadata")
    named = meta if isinstance(meta, dict) else {}
    name, namespace = str(named.get("name") or ""), str(named.get("namespace") or "")
    if (
        path[-2] == "stringData"
        or not _NAME.fullmatch(name)
        or (namespace and not _NAME.fullmatch(namespace))
    ):
        return None
    key = re.sub(r"([^A-Za-z0-9_-])", r"\\\1", str(path[-1]))
    return str(data["kind"]), name, namespace, f".{key}"
