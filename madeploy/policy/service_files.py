"""Keys of the services' configuration files that the services do not read (facts 2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.findings import CODES
from madeploy.releases import RELEASES, SERVICES
from madeploy.releases.keys import entries
from madeploy.schemas.service_keys import accepted, fits
from policies.rules import RULES
from policies.rules.embedded import CONFIG_MAP, files
from policies.rules.model import STRICT, Resource, Rule, Violation, rule

_OLDEST_FIRST: Final = tuple(RELEASES.values())[::-1]
_KNOWN: Final = {
    service: {dotted: key for release in _OLDEST_FIRST for dotted, key in release.keys[service].items()}
    for service in SERVICES
}
"""Keys by service that any release reads: a file does not say which one it is for."""

_REFUSED: Final = {dotted: why for release in _OLDEST_FIRST for dotted, why in release.refused.items()}
_SECTIONS: Final = {
    "apiserver": ("apiserver",),
    "controllermgr": ("controllermgr", "workflowClient", "ingester"),
    "worker": ("worker", "workflow-engine"),
}
"""Sections that only this service's file has."""

_ELSEWHERE: Final = ("bind address",)
"""Types that have a rule of their own, as have keys with an owner in the settings."""

_CODE: Final = CODES["MA599"]


def _service(resource: Resource, content: Mapping[str, Any]) -> str | None:
    """Whose configuration a file is: by the ConfigMap's name, else by its sections; None for other files."""
    name = str(resource.metadata.get("name") or "")
    for service, sections in _SECTIONS.items():
        if name == f"michelangelo-{service}-config" or any(section in content for section in sections):
            return service
    return None


@rule(
    "MA599",
    "keys-the-service-reads",
    title=_CODE.title,
    why=_CODE.why,
    fix=_CODE.fix,
    severities=STRICT,
    kinds=[CONFIG_MAP],
    origins=["settings", "file"],
)
def keys(resource: Resource) -> Iterator[Violation]:
    for name, content, path in files(resource):
        service = _service(resource, content)
        if service is None:
            continue
        for entry in entries(_KNOWN[service], content):
            dotted = ".".join(map(str, entry.path))
            if entry.key is None:
                advice = _REFUSED.get(dotted, "")
                said = "is never read" if advice or len(entry.path) == 1 else "is not a key of the service"
                yield Violation((*path, *entry.path), f"{name}: {dotted} {said}", advice)
            elif entry.key.type in _ELSEWHERE or entry.key.owner or entry.key.secret:
                continue
            elif not fits(entry.key.type, entry.value):
                yield Violation((*path, *entry.path), f"{name}: {dotted} is not {accepted(entry.key.type)}")


EVERY_RULE: Final[tuple[Rule, ...]] = (*RULES, keys)
"""The pack's rules, and the one that needs the services' key tables, which runs on files and settings and not
in the engine."""
