"""Stack file or engine configuration in, one typed environment or every finding out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from madeploy.findings import Finding, in_order
from madeploy.findings.text import report
from madeploy.settings import checks, stack_file, translate
from madeploy.settings import rules as _rules  # noqa: F401 - importing it registers the rules
from madeploy.settings.environment import Environment
from madeploy.settings.shape import fields
from madeploy.settings.source import Source
from madeploy.settings.stack_file import StackFile

WITHOUT_FILE = "stack configuration"
"""Name of the configuration in messages when there is no file to point at."""


class InvalidStack(ValueError):  # noqa: N818 - it names a state of the configuration, as its readers do
    """Configuration that cannot be used. `str()` is what `madeploy validate` prints for the file."""

    def __init__(self, subject: str, findings: Iterable[Finding]) -> None:
        self.subject = subject
        self.findings = tuple(in_order(findings))
        super().__init__(report(subject, self.findings))


@dataclass(frozen=True)
class Stack:
    """A stack file after every check."""

    file: str
    """Its name in messages."""

    environment: Environment | None
    """The environment; None when a finding is an error, or when not all of it is in the file."""

    secret_names: Mapping[str, frozenset[str]]
    """Names below each secret key (`kubeconfigs`, `objectStore`); never a value."""

    findings: tuple[Finding, ...]
    """Everything there is to say, ordered."""

    @property
    def text(self) -> str:
        """The findings as `madeploy validate` prints them."""
        return report(self.file, self.findings)


def label(path: Path) -> str:
    """A file's name in messages: relative to the working directory where it lies below it."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def _validate(data: Mapping[str, Any]) -> Environment:
    """The environment of plain data as a file holds it: keys in camelCase, types as written."""
    text = json.dumps(data, separators=(",", ":"))
    return Environment.model_validate_json(text, strict=True, by_alias=True, by_name=False)


def _partial(data: Mapping[str, Any], broken: frozenset[str]) -> tuple[Environment, frozenset[str]]:
    """An environment of the valid sections only, and their Python names."""
    values: dict[str, Any] = {}
    for key, (name, info) in fields(Environment).items():
        if key in broken:
            continue
        if key in data:
            adapter: TypeAdapter[Any] = TypeAdapter(_annotation(name))
            values[name] = adapter.validate_json(
                json.dumps(data[key]), strict=True, by_alias=True, by_name=False
            )
        elif not info.is_required():
            values[name] = info.get_default(call_default_factory=True)
    return Environment.model_construct(None, **values), frozenset(values)


def _annotation(name: str) -> Any:
    """A section's annotation with its discriminator."""
    info = Environment.model_fields[name]
    return Annotated[info.annotation, info]


def _check(stack: StackFile) -> tuple[Environment | None, list[Finding]]:
    """Validate what a stack holds and run the rules on everything that is valid by itself."""
    findings = list(stack.findings)
    if not stack.usable:
        return None, findings
    environment: Environment | None = None
    try:
        environment = _validate(stack.sections)
        partial, valid = environment, frozenset(Environment.model_fields)
    except ValidationError as error:
        refused = {item["loc"][0] for item in error.errors(include_url=False, include_input=False)}
        for found in translate.findings(error, Environment, stack.source, stack.encrypted):
            missing_section = found.code == "MA111" and "." not in found.subject
            if stack.complete or not missing_section:
                findings.append(found)
        partial, valid = _partial(stack.sections, frozenset(str(key) for key in refused))
    if stack.complete:
        valid |= {checks.SECRETS}
    findings += checks.run(partial, stack.secret_names, valid, stack.source)
    if any(found.severity == "error" for found in findings):
        environment = None
    return environment, findings


def load_environment(path: Path, file: str | None = None) -> Stack:
    """Read and check a stack file, without network, engine or login.

    `file` is its name in messages, by default its path from the working directory. Raises nothing for
    what the file holds: every complaint is a finding.
    """
    stack = stack_file.read(path, file or label(path))
    environment, findings = _check(stack)
    return Stack(stack.source.file, environment, dict(stack.secret_names), tuple(in_order(findings)))


def environment_from_config(
    config: Mapping[str, Any], secret_names: Mapping[str, frozenset[str]], stack_file_path: Path | None
) -> Environment:
    """The environment of configuration that the engine handed over.

    Args:
        config: plain values by section name (`domains`, `cors` ...), without the secret keys.
        secret_names: names below each secret key.
        stack_file_path: the file the engine read, for messages with places; None when there is none.

    Raises InvalidStack with every finding when one of them is an error. For configuration that stands
    in the file, its text is what `madeploy validate` prints for that file.
    """
    source = Source(WITHOUT_FILE)
    if stack_file_path is not None:
        read = stack_file.read(stack_file_path, label(stack_file_path))
        environment, findings = _check(read)
        if any(found.severity == "error" for found in findings):
            raise InvalidStack(read.source.file, findings)
        if environment is not None and read.sections == dict(config) and read.secret_names == secret_names:
            return environment
        source = read.source
    environment, findings = _check(stack_file.from_mapping(config, secret_names, source))
    if environment is None:
        raise InvalidStack(source.file, findings)
    return environment
