"""Who is let in from now on, and who no longer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.plan.changes import Comparison
from madeploy.plan.differences import opened
from madeploy.plan.text import Level, Sentence, listed

_CONFIG: Final = "envoy.yaml"


def about_access(comparison: Comparison) -> Iterator[Sentence]:
    """Authentication that begins or ends, networks that are trusted from now on or no longer, sessions that
    end."""
    change = comparison.find("ConfigMap", "envoy-config")
    if change is None or change.operation != "update":
        return
    before, after = _access(comparison, False), _access(comparison, True)
    said: list[tuple[Level, str]] = []
    if not before.login and after.login:
        said.append(
            (
                "outage",
                f"People sign in at {after.login} from now on, also those who have the application open: its "
                "Secret must be there, and the provider must know the way back.",
            )
        )
    elif before.login and not after.login:
        said.append(
            ("notice", "Nobody signs in any more: whoever reaches the application may change everything.")
        )
    elif before.login != after.login:
        said.append(("outage", f"People sign in at {after.login} instead of {before.login}: sessions end."))
    if not before.guarded and after.guarded:
        said.append(
            (
                "outage",
                "The API's host lets in only whom access.api names: tools and tasks that call from elsewhere "
                "fail at once.",
            )
        )
    elif before.guarded and not after.guarded:
        said.append(("notice", "The API's host is open: whoever reaches it may change everything."))
    elif before.networks != after.networks:
        gone, new = sorted(before.networks - after.networks), sorted(after.networks - before.networks)
        if gone:
            said.append(("outage", f"Callers from {listed(gone)} need a token at the API's host."))
        if new:
            said.append(("notice", f"Callers from {listed(new)} need no token at the API's host."))
    yield from (Sentence(level, text, (change.identity,)) for level, text in said)


class _Access:
    """What an Envoy configuration says of them."""

    def __init__(self, configuration: Any) -> None:
        self.login = ""
        self.guarded = False
        self.networks: set[str] = set()
        for found in _mappings(configuration):
            if "authorization_endpoint" in found:
                self.login = str(found["authorization_endpoint"]).split("/")[2]
            if found.get("stat_prefix") == "api":
                self.guarded = True
            if isinstance(network := found.get("remote_ip"), Mapping):
                self.networks.add(f"{network['address_prefix']}/{network['prefix_len']}")


def _access(comparison: Comparison, after: bool) -> _Access:
    for identity, item in (comparison.after if after else comparison.before).items():
        if identity.kind == "ConfigMap" and identity.name == "envoy-config":
            return _Access(opened(item.get("data", {}).get(_CONFIG, "")))
    return _Access(None)


def _mappings(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _mappings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _mappings(value)
