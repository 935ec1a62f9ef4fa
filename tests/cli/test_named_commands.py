"""Commands that documents, findings and messages name are there to be typed."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from madeploy.cli.app import VERBS, app

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"bin/madeploy ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
TYPED = re.compile(r"bin/madeploy ([^\n`\"|;&#\\]*)")
CONTINUED = re.compile(r"\\\n\s*")
BROKEN = re.compile(r"\"\s*\n\s*f?\"")
"""Where a text of the source goes on in the next line."""


def texts() -> Iterator[tuple[str, str]]:
    """Every text for operators, by its file."""
    for folder in ("madeploy", "components", "manifests", "policies", "docs", "stacks", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".md", ".yaml"):
                yield str(path.relative_to(ROOT)), BROKEN.sub("", path.read_text(encoding="utf-8"))
    yield "README.md", (ROOT / "README.md").read_text(encoding="utf-8")


def below(verb: str) -> set[str] | None:
    """Verbs of a group; None for a verb that has none below it."""
    module = importlib.import_module(VERBS[verb][0])
    if verbs := getattr(module, "VERBS", None):
        return set(verbs)
    if VERBS[verb][1] != "app":
        return None
    return {item.name or item.callback.__name__ for item in module.app.registered_commands}


def test_every_command_that_is_named_exists() -> None:
    """UX-3: an advice that cannot be followed is worse than none."""
    groups = {verb: below(verb) for verb in VERBS}
    seen, unknown = set(), []
    for file, text in texts():
        for verb, inner in NAMED.findall(text):
            seen.add(verb)
            known = groups.get(verb)
            if verb not in groups or (inner and known is not None and inner not in known):
                unknown.append(f"{file}: {verb} {inner}")
    assert unknown == []
    assert len(seen) > 20


def options(words: list[str]) -> tuple[set[str], list[str]]:
    """The options of the command that words begin with, and the words after it."""
    command: Any = typer.main.get_command(app)
    while words and isinstance(command, TyperGroup):
        inner = command.get_command(typer.Context(command), words[0])
        if inner is None:
            break
        command, words = inner, words[1:]
    return {name for option in command.params for name in (*option.opts, *option.secondary_opts)}, words


def test_every_option_that_is_named_exists() -> None:
    """UX-3."""
    seen, unknown = 0, []
    for file, text in texts():
        for line in TYPED.findall(CONTINUED.sub(" ", text)):
            known, rest = options(line.split())
            for word in rest:
                option = word.strip("[].,:)…'").partition("=")[0]
                if re.fullmatch(r"--?[a-z][a-z-]*", option):
                    seen += 1
                    if option not in known | {"--help"}:
                        unknown.append(f"{file}: {line}: {option}")
    assert unknown == []
    assert seen > 100
