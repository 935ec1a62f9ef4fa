"""The generated part of `docs/releases.md`: what each release reads, needs and refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from madeploy.releases import RELEASES, SERVICES, Release


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _fields(by_kind: Mapping[str, Iterable[str]]) -> str:
    return _code(f"{kind}.spec.{name}" for kind, names in by_kind.items() for name in names)


_ROWS: Final[tuple[tuple[str, Callable[[Release], str]], ...]] = (
    ("Tag of its images", lambda release: f"`{release.newest}`" if release.newest else "never published"),
    ("Definitions the API server installs", lambda release: str(len(release.kinds))),
    ("Queues the worker polls besides", lambda release: _code(release.task_lists)),
    ("TLS to Temporal from workers", lambda release: "yes" if release.temporal_tls else "no"),
    ("Variables of `executionUrlFormat`", lambda release: _code(release.execution_url_variables)),
    ("Envoy's filters before the router", lambda release: _code(release.envoy.filters)),
    ("Headers that pages may send", lambda release: _code(release.envoy.allow_headers)),
    ("Services translated from JSON", lambda release: _code(release.envoy.transcoded)),
    ("Kinds the controller manager writes", lambda release: _code(release.reconciled)),
    ("KubeRay on compute clusters", lambda release: release.compute.kuberay),
    ("`REGISTRY_ENDPOINT` of tasks", lambda r: "read" if r.compute.registry_endpoint else "not read"),
    ("Metric of objects that cannot be decoded", lambda release: f"`{release.reflector_errors}`"),
    ("Deleting a Pipeline deletes its runs", lambda release: "yes" if release.cascades else "no"),
    ("Cadence must allow consistent queries", lambda release: "yes" if release.consistent_queries else "no"),
    ("Fields that objects must have", lambda release: _fields(release.required_fields)),
    ("Fields of earlier releases that are dropped", lambda release: _fields(release.removed_fields)),
)


def _keys() -> Iterator[str]:
    for service in SERVICES:
        yield f"| {service} | {' | '.join(RELEASES)} |"
        yield "|---" * (len(RELEASES) + 1) + "|"
        known = dict.fromkeys(key for release in RELEASES.values() for key in release.keys[service])
        for key in known:
            marks = ("read" if key in release.keys[service] else "" for release in RELEASES.values())
            yield f"| `{key}` | {' | '.join(marks)} |"
        yield ""


def releases_reference() -> str:
    """What is generated of `docs/releases.md`."""
    lines = [f"| | {' | '.join(RELEASES)} |", "|---" * (len(RELEASES) + 1) + "|"]
    lines += [f"| {title} | {' | '.join(map(cell, RELEASES.values()))} |" for title, cell in _ROWS]
    lines += ["", "## Configuration keys", "", *_keys(), "## Refused by name", ""]
    for release in RELEASES.values():
        lines += [f"### {release.name}", "", "| Key | Why |", "|---|---|"]
        lines += [f"| `{key}` | {why} |" for key, why in release.refused.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
