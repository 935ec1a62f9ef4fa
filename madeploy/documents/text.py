"""YAML as it is written, for readers of either generation of the language: PyYAML speaks YAML 1.1, the Go
programs that read our files mostly 1.2, and a plain `12e5` is text to one and a number to the other."""

from __future__ import annotations

from typing import Any

import yaml

from madeploy.documents.nodes import resolve


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """libyaml's emitter where PyYAML was built with it, and no aliases: nobody reads those at ease."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_SWITCHES = frozenset("yYnN")
"""Booleans of YAML 1.1 that PyYAML never took for such, and Envoy's reader (yaml-cpp) does."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Texts of several lines as blocks, so that a configuration file in a ConfigMap can be read; quotes
    around what another reader would take for something else than text."""
    style = "|" if "\n" in text else None
    if text and style is None and (text in _SWITCHES or not isinstance(resolve(text), str)):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dump(data: Any, sort_keys: bool = False) -> str:
    """YAML text of plain data that every reader understands alike; one line for each scalar."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=sort_keys, width=10_000, allow_unicode=True)
    return text
