"""The same objects for other people's programs: a chart, a kustomization, a folder for a scanner.

helm and kustomize are tools on request; checkov is installed into an environment of its own, because it pins
older versions of what the toolkit uses.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import CommandFailed
from benchmarks.rows import Note
from madeploy.documents.text import dump
from madeploy.render.tree import Tree
from madeploy.sandbox.tools import cache
from madeploy.settings import CONTROL_PLANE

CHECKOV: Final = "3.3.30"


def chart(where: Path, rendered: Tree) -> None:
    """A chart as somebody would write it: the control plane's objects, those of a cluster once for each
    kind of cluster, and the `Cluster` objects, over a list of clusters in the values."""
    templates = where / "templates"
    templates.mkdir(parents=True)
    (where / "Chart.yaml").write_text(
        dump({"apiVersion": "v2", "name": "fleet", "version": "0.1.0"}), encoding="utf-8"
    )
    alike: dict[str, list[str]] = {}
    texts: dict[str, list[str]] = {}
    fixed, clusters = [], []
    for document in rendered.documents:
        if document.object["kind"] == "Cluster":
            clusters.append(document.object)
        elif document.cluster == CONTROL_PLANE:
            fixed.append(document.text)
        else:
            texts.setdefault(document.cluster, []).append(document.text)
    for name, documents in texts.items():
        alike.setdefault("---\n".join(documents), []).append(name)
    values: dict[str, Any] = {"clusters": [_value(obj) for obj in clusters]}
    (templates / "control-plane.yaml").write_text(_literal("---\n".join(fixed)), encoding="utf-8")
    for number, (text, names) in enumerate(alike.items()):
        values[f"group{number}"] = names
        body = f"{{{{- range .Values.group{number} }}}}\n---\n{_literal(text)}{{{{- end }}}}\n"
        (templates / f"group{number}.yaml").write_text(body, encoding="utf-8")
    (templates / "clusters.yaml").write_text(_clusters(clusters[0]), encoding="utf-8")
    (where / "values.yaml").write_text(dump(values), encoding="utf-8")


def _literal(text: str) -> str:
    """Text that the template language leaves as it is."""
    return re.sub(r"\{\{|\}\}", lambda found: '{{ "' + found.group() + '" }}', text)


def _value(obj: dict[str, Any]) -> dict[str, Any]:
    rest = obj["spec"]["kubernetes"]["rest"]
    return {"name": obj["metadata"]["name"], "host": rest["host"], "port": rest["port"]}


def _clusters(obj: dict[str, Any]) -> str:
    """Every `Cluster`, from the first one's text."""
    value = _value(obj)
    text = dump(obj).replace(value["host"], "{{ .host }}").replace(value["name"], "{{ .name }}")
    return f"{{{{- range .Values.clusters }}}}\n---\n{text}{{{{- end }}}}\n"


def suffix(cluster: str) -> str:
    """What tells apart the objects of clusters in one build."""
    return "" if cluster == CONTROL_PLANE else f"-of-{cluster}"


def kustomization(where: Path, rendered: Tree) -> None:
    """One build of everything: a file and a kustomization for each cluster, and one over all. kustomize
    refuses two objects of one name, so those of compute clusters have its name behind theirs."""
    texts: dict[str, list[str]] = {}
    for document in rendered.documents:
        name = document.object["metadata"]["name"]
        named = document.object | {
            "metadata": document.object["metadata"] | {"name": name + suffix(document.cluster)}
        }
        texts.setdefault(document.cluster, []).append(dump(named))
    for cluster, documents in texts.items():
        folder = where / cluster
        folder.mkdir(parents=True)
        (folder / "objects.yaml").write_text("---\n".join(documents), encoding="utf-8")
        (folder / "kustomization.yaml").write_text(dump({"resources": ["objects.yaml"]}), encoding="utf-8")
    (where / "kustomization.yaml").write_text(dump({"resources": list(texts)}), encoding="utf-8")


def without_suffix(obj: dict[str, Any]) -> dict[str, Any]:
    """An object of the build under its own name."""
    name = obj["metadata"]["name"].partition("-of-compute-")[0]
    return obj | {"metadata": obj["metadata"] | {"name": name}}


def checkov(note: Note) -> Path:
    """Its program, installed now where it is not yet. Raises CommandFailed where it cannot be."""
    home = cache.directory() / "benchmarks" / f"checkov-{CHECKOV}"
    program = home / "bin" / "checkov"
    if program.exists() and (home / "complete").exists():
        return program
    note(f"installing checkov {CHECKOV}")
    shutil.rmtree(home, ignore_errors=True)
    uv = str(Path(sys.executable).parent / "uv")
    install = ["pip", "install", "--quiet", "--python", str(home / "bin" / "python"), f"checkov=={CHECKOV}"]
    for arguments in (["venv", "--quiet", "--python", sys.executable, str(home)], install):
        done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CommandFailed(f"checkov cannot be installed: {done.stderr.strip()[-600:]}")
    (home / "complete").touch()
    return program


def unread_by_checkov(report: Path) -> str:
    """Why a report is not about all that was rendered; empty when it is."""
    summary = json.loads(report.read_text(encoding="utf-8"))["summary"]
    if summary["parsing_errors"] or not summary["resource_count"]:
        return f"checkov could not parse {summary['parsing_errors']} files"
    return ""
