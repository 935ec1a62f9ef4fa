"""kubeconform over many documents, for every supported minor of Kubernetes, without network."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madeploy.schemas import files, kubernetes, platform
from madeploy.schemas.kinds import DEFINITIONS, LOCATION, KindSchema, defined, write

SECONDS = 300


@dataclass(frozen=True)
class Complaint:
    """Schema errors of one document."""

    document: int
    """Its place among the documents, from 0."""

    minors: tuple[str, ...]
    """Minors of Kubernetes that refuse it."""

    message: str


def custom() -> Iterator[KindSchema]:
    """Schemas of every kind that is not Kubernetes' own."""
    for path in sorted(DEFINITIONS.glob("*.yaml")):
        yield from defined(files.read(path))
    yield from platform.written()


def check(
    binary: Path,
    documents: Sequence[str],
    minors: Iterable[str] = kubernetes.MINORS,
    note: Callable[[str], None] = lambda _: None,
) -> list[Complaint]:
    """Check documents, text of one YAML object each, strictly: an unknown field, a key given twice and a kind
    without a schema are complaints.

    Args:
        binary: kubeconform.
        documents: the documents. Equal ones are checked once.
        minors: minors of Kubernetes to check against.
        note: told what is being done, one line at a time.

    Raises ToolkitError (3) when Kubernetes' schemas are not installed, RuntimeError when kubeconform does
    something unforeseen.
    """
    unique = list(dict.fromkeys(documents))
    wanted = {_kind(text) for text in unique}
    found: dict[tuple[str, str], list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="madeploy-schemas-") as scratch:
        objects = Path(scratch, "objects")
        objects.mkdir()
        for number, text in enumerate(unique):
            (objects / f"{number}.yaml").write_text(text, encoding="utf-8")
        for minor in minors:
            note(f"checking {len(unique)} different objects against Kubernetes {minor}")
            folder = Path(scratch, minor)
            for schema in (*custom(), *kubernetes.schemas(minor, wanted)):
                write(folder, schema)
            for row in _run(binary, folder, objects):
                text = unique[int(Path(row["filename"]).stem)]
                found.setdefault((text, _message(row)), []).append(minor)
    places: dict[str, list[int]] = {}
    for number, text in enumerate(documents):
        places.setdefault(text, []).append(number)
    complaints = [
        Complaint(place, tuple(minors), message)
        for (text, message), minors in found.items()
        for place in places[text]
    ]
    return sorted(complaints, key=lambda complaint: (complaint.document, complaint.message))


def _kind(text: str) -> kubernetes.Kind:
    """Group, version and kind, which stand at the beginning of a line each in what is rendered."""
    values = dict(
        line.split(": ", 1) for line in text.splitlines() if line.startswith(("apiVersion: ", "kind: "))
    )
    group, _, version = values.get("apiVersion", "").rpartition("/")
    return group, version, values.get("kind", "")


def _run(binary: Path, schemas: Path, objects: Path) -> list[dict[str, Any]]:
    """Rows of what kubeconform complains about."""
    done = subprocess.run(
        [
            str(binary),
            "-strict",
            "-output",
            "json",
            "-schema-location",
            f"{schemas}/{LOCATION}",
            str(objects),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout)["resources"] or []
    except (ValueError, KeyError):
        raise RuntimeError(
            f"kubeconform ended with {done.returncode}: {done.stderr.strip()[-500:]}"
        ) from None
    if bool(done.returncode) != bool(rows):
        raise RuntimeError(f"kubeconform ended with {done.returncode} and {len(rows)} complaints")
    return rows


_PLACE = re.compile(r"- at '([^']*)': ")


def _message(row: dict[str, Any]) -> str:
    """What kubeconform says, as one line, without the names of scratch files."""
    text = str(row.get("msg", ""))
    if "could not find schema" in text:
        return f"there is no schema of {row.get('kind')}"
    # The list of causes stands after the schema's name; its own field of them holds the outermost only.
    _, found, causes = text.partition(".json#'")
    if found:
        places = _PLACE.sub(lambda match: f"\0{match[1] or '/'}: ", causes).split("\0")
        text = "; ".join(each.strip() for each in places if each.strip() and "validation failed" not in each)
    return " ".join(text.split())
