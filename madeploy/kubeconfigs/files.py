"""The kubeconfig at hand: the files kubectl would read on this machine, as one."""

from __future__ import annotations

import base64
import copy
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from madeploy.documents.files import read_bytes
from madeploy.kubeconfigs.contexts import minify
from madeploy.kubeconfigs.credentials import FILES
from madeploy.kubeconfigs.document import LISTS, Document, load
from madeploy.kubeconfigs.errors import KubeconfigError


def kubeconfig_paths(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where kubectl looks: every file of `$KUBECONFIG`, else `~/.kube/config`."""
    listed = environ.get("KUBECONFIG", "")
    return [Path(part) for part in listed.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]


def read_context(context: str, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Minified kubeconfig of a context of the kubeconfig at hand, files it refers to inlined.

    As kubectl does, files are read as one, the first entry of a name wins, and files that are not there are
    passed over. Raises KubeconfigError naming the files looked at, or the one that cannot be used.
    """
    paths = kubeconfig_paths(environ)
    merged, folders = _merged(tuple((path, _content(path)) for path in paths if path.exists()))
    where = ", ".join(map(str, paths))
    if context not in merged["contexts"]:
        there = ", ".join(sorted(merged["contexts"])) or "none"
        raise KubeconfigError(
            f"context {context!r}",
            [f"is not in {where} (contexts there: {there}); set KUBECONFIG or the name"],
        )
    subject = f"context {context!r} of {where}"
    minified = copy.deepcopy(minify(_around(merged, context), context, subject))
    for kind, body in (("clusters", "cluster"), ("users", "user")):
        (entry,) = minified[kind]
        _inline(entry[body], folders[kind, entry["name"]], subject)
    return minified


def _around(merged: Mapping[str, Mapping[str, Any]], context: str) -> dict[str, Any]:
    """The entries that a context joins; all of them where one is missing, to say what there is."""
    joined = merged["contexts"][context]["context"]
    names = {"contexts": context, "clusters": joined.get("cluster"), "users": joined.get("user")}
    if all(isinstance(name, str) and name in merged[kind] for kind, name in names.items()):
        return {kind: [merged[kind][str(name)]] for kind, name in names.items()}
    return {kind: list(entries.values()) for kind, entries in merged.items()}


def _content(path: Path) -> bytes:
    content = read_bytes(path, str(path))
    if not isinstance(content, bytes):
        raise KubeconfigError(str(path), [content.evidence])
    return content


@lru_cache(maxsize=1)
def _merged(
    files: tuple[tuple[Path, bytes], ...],
) -> tuple[dict[str, dict[str, Any]], dict[tuple[str, str], Path]]:
    """Entries of the files as one, by kind and name, and the folder each comes from. A fleet's clusters are
    contexts of the same files, which are read for each of them and understood once."""
    merged: dict[str, dict[str, Any]] = {kind: {} for kind in LISTS}
    folders: dict[tuple[str, str], Path] = {}
    for path, content in files:
        if not content.strip():
            continue
        document = Document(str(path), load(content, str(path)))
        for kind, body in LISTS.items():
            for entry in document.entries(kind):
                if (kind, entry.name) not in folders:
                    folders[kind, entry.name] = path.parent
                    merged[kind][entry.name] = {"name": entry.name, body: dict(entry.body)}
    return merged, folders


def _inline(section: dict[str, Any], folder: Path, subject: str) -> None:
    """Replace references to files by their contents, so that the result stands on its own."""
    defects = []
    for key, inline in FILES.items():
        if not section.get(key):
            continue
        named = str(section.pop(key))
        if section.get(inline) and inline != "token":
            continue
        try:
            content = (folder / named).read_bytes()
        except OSError as error:
            defects.append(f"{key} names a file that cannot be read ({error.strerror})")
        else:
            is_token = inline == "token"
            section[inline] = (
                content.decode("utf-8", "replace").strip()
                if is_token
                else base64.b64encode(content).decode("ascii")
            )
    if defects:
        raise KubeconfigError(subject, defects)
