"""Files inside ConfigMaps: read as data, within limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from .model import Path, Resource, mapping

MAX_CHARACTERS: Final = 1_000_000
"""A ConfigMap holds at most 1 MiB (Kubernetes)."""

MAX_VALUES: Final = 50_000
"""Values that are looked at, aliases counted each time they are met."""

CONFIG_MAP: Final = "core/ConfigMap"


@lru_cache(maxsize=64)
def _parse(text: str) -> Any:
    import yaml  # Whoever only asks what rules there are does without.

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def files(resource: Resource) -> Iterator[tuple[str, Mapping[str, Any], Path]]:
    """Name, content and path of every file of a ConfigMap that is a YAML or JSON mapping."""
    for key, text in mapping(resource.properties.get("data")).items():
        if isinstance(text, str) and ":" in text and len(text) <= MAX_CHARACTERS:
            content = _parse(text)
            if isinstance(content, Mapping):
                yield str(key), content, ("data", key)


def walk(data: Any) -> Iterator[tuple[Path, Any]]:
    """Every value below and its path, mappings and lists included, as far as the limit goes."""
    queue: list[tuple[Path, Any]] = [((), data)]
    for _ in range(MAX_VALUES):
        if not queue:
            return
        path, value = queue.pop()
        yield path, value
        if isinstance(value, Mapping):
            queue += [((*path, str(key)), inner) for key, inner in reversed(list(value.items()))]
        elif isinstance(value, (list, tuple)):
            queue += [((*path, index), inner) for index, inner in reversed(list(enumerate(value)))]


def dotted(path: Path) -> str:
    """A path inside a file as people write it: `minio.secure`, `workers[0].domain`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
