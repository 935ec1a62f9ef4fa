"""Stack file or engine configuration in, one typed environment or every finding out."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError

from madeploy.documents import redaction
from madeploy.documents.paths import Path
from madeploy.findings import Finding, find, in_order
from madeploy.findings.text import report
from madeploy.names.configuration import subject
from madeploy.rules.evaluation import evaluate
from madeploy.rules.model import SECRETS
from madeploy.settings import files
from madeploy.settings.environment import SECRET_KEYS, Environment
from madeploy.settings.shape import fields
from madeploy.stackfile import reader, validation
from madeploy.stackfile.reader import StackFile

MAX_FINDINGS = 200
"""Findings of one file that are shown."""

LARGE = 20_000
"""Values of a file from which on its beginning is checked first."""

_CUT = 100
"""Items of each list and mapping that count as its beginning."""

WITHOUT_FILE = "stack configuration"
"""Name of the configuration in messages when there is no file to point at."""


class InvalidStack(ValueError):  # noqa: N818 - it names a state of the configuration, as its readers do
    """Configuration that cannot be used. `str()` is what `madeploy validate` prints for the file."""

    def __init__(self, subject: str, findings: Iterable[Finding]) -> None:
        self.subject = subject
        self.findings = tuple(in_order(findings))
        super().__init__(report(subject, self.findings))


@dataclass(frozen=True)
class CheckedStack:
    """Result of checking a stack file."""

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


def label(path: FilePath) -> str:
    """A file's name in messages: relative to the working directory where it lies below it."""
    try:
        return path.resolve().relative_to(FilePath.cwd()).as_posix()
    except ValueError:
        return str(path)


def stack_name(file: str) -> str:
    """Name of the stack that a file is of; `STACK` when the file is called otherwise."""
    found = re.fullmatch(r"Pulumi\.([A-Za-z0-9_.-]+)\.ya?ml", PurePath(file).name)
    return found[1] if found else "STACK"


def _validate(data: Mapping[str, Any], folder: FilePath | None) -> Environment:
    """The environment of plain data as a file holds it: keys in camelCase, types as written. Files it names
    are read from `folder`."""
    text = json.dumps(data, separators=(",", ":"))
    context = {files.CONTEXT: files.reader(folder)} if folder is not None else None
    return Environment.model_validate_json(text, strict=True, context=context, by_alias=True, by_name=False)


_STAND_INS: Mapping[str, Any] = {
    "domains": {"api": "api.invalid.example", "app": "app.invalid.example"},
    "tls": {"mode": "provided"},
    "workflow": {"engine": "temporal", "host": "invalid.example:7233"},
    "storage": {
        "kind": "s3Compatible",
        "endpoint": "https://invalid.example",
    },
}
"""What takes the place of a required section that is missing or refused, so that the rest can be checked.
No rule that reads such a section runs."""


def _partial(
    data: Mapping[str, Any], errors: Iterable[tuple[str, Path]], folder: FilePath | None
) -> tuple[Environment, frozenset[str], frozenset[str]]:
    """The environment of what is valid: unknown keys and refused clusters are taken out by themselves,
    other errors take their section with them. Also the sections that are left, and the clusters that
    are not."""
    rest: dict[str, Any] = copy.deepcopy(dict(data))
    broken: set[str] = set()
    dropped: set[str] = set()
    for kind, path in errors:
        if path[0] == "clusters" and len(path) > 1:
            dropped.add(str(path[1]))
        elif kind == "extra_forbidden" and len(path) > 1:
            _remove(rest, path)
        else:
            broken.add(str(path[0]))
    if dropped and isinstance(rest.get("clusters"), dict):
        rest["clusters"] = {name: value for name, value in rest["clusters"].items() if name not in dropped}
    for section in broken:
        rest.pop(section, None)
    environment = _validate({**_STAND_INS, **rest}, folder)
    valid = {name for key, (name, _) in fields(Environment).items() if key not in broken}
    return environment, frozenset(valid), frozenset(dropped)


def _remove(data: Any, path: Path) -> None:
    """Take a key out of nested data."""
    for step in path[:-1]:
        data = data[step]
    data.pop(path[-1], None)


def _translated(stack: StackFile, error: ValidationError) -> Iterator[Finding]:
    """Findings of a validation, but for sections that may come from an imported environment."""
    for found in validation.findings(error, Environment, stack.source, stack.encrypted):
        section = found.subject.partition(":")[2]
        expected = stack.complete and section not in stack.lost
        if expected or found.code != "MA111" or "." in section:
            yield found


def _check(
    stack: StackFile, folder: FilePath | None, tolerated: Collection[str] = ()
) -> tuple[Environment | None, list[Finding]]:
    """Validate what a stack holds and run the rules on everything that is valid by itself."""
    findings = list(stack.findings)
    if not stack.usable:
        return None, findings
    early = _first_errors(stack)
    if early is not None:
        return None, _limited(stack, [*findings, *_translated(stack, early)])
    environment: Environment | None = None
    names = stack.secret_names
    try:
        environment = _validate(stack.sections, folder)
        partial, valid = environment, frozenset(Environment.model_fields)
    except ValidationError as error:
        findings += _translated(stack, error)
        partial, valid, dropped = _partial(stack.sections, validation.paths(error, Environment), folder)
        names = {key: value - dropped for key, value in names.items()}
    valid -= {name for key, (name, _) in fields(Environment).items() if key in stack.lost}
    if not stack.complete:
        # What is not in the file may come from the imported environment: nothing is known about it.
        valid &= {name for key, (name, _) in fields(Environment).items() if key in stack.sections}
        environment = None
    if stack.complete and stack.secrets_known and not stack.lost.intersection(SECRET_KEYS):
        valid |= {SECRETS}
    findings += evaluate(partial, names, valid, stack.source, stack_name(stack.source.file))
    findings += list(_plain_secrets(stack, findings))
    if any(found.severity == "error" and found.code not in tolerated for found in findings):
        environment = None
    return environment, _limited(stack, findings)


def _limited(stack: StackFile, findings: list[Finding]) -> list[Finding]:
    """Findings with the stack's name in their commands, as many as anybody reads."""
    shown = in_order(findings)[:MAX_FINDINGS]
    if len(findings) > len(shown):
        shown.append(find("MA119", stack.source.file, f"the first {MAX_FINDINGS} findings are shown"))
    name = stack_name(stack.source.file)
    return [replace(found, fix=found.fix.replace("--stack STACK", f"--stack {name}")) for found in shown]


def _first_errors(stack: StackFile) -> ValidationError | None:
    """Errors at the start of a large file's lists and mappings. Where these are wrong already, tens of
    thousands of errors would follow, which take more memory than the file and are read by nobody."""
    config = stack.source.root
    if config is None or config.size < LARGE:
        return None
    try:
        _validate(_cut(stack.sections), None)
    except ValidationError as error:
        return error
    return None


def _cut(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _cut(value) for key, value in itertools.islice(data.items(), _CUT)}
    return [_cut(item) for item in data[:_CUT]] if isinstance(data, list) else data


def _plain_secrets(stack: StackFile, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Settings that look like secrets, where no other finding calls them one."""
    known = {found.subject for found in findings if found.code == "MA501"}
    for path, kind in redaction.in_plain(stack.sections):
        if subject(path) not in known and path[-1] != "secure":
            yield find("MA502", subject(path), f"looks like {kind}", location=stack.source.at(path))


def load_environment(
    path: FilePath, file: str | None = None, tolerated: Collection[str] = ()
) -> CheckedStack:
    """Read and check a stack file, without network, engine or login.

    `file` is its name in messages, by default its path from the working directory. Raises nothing for
    what the file holds: every complaint is a finding. `tolerated` are codes of errors in spite of which there
    is an environment.
    """
    stack = reader.read(path, file or label(path))
    environment, findings = _check(stack, path.parent, tolerated)
    return CheckedStack(stack.source.file, environment, dict(stack.secret_names), tuple(in_order(findings)))


def environment_from_config(
    config: Mapping[str, Any], secret_names: Mapping[str, frozenset[str]], stack_file_path: FilePath | None
) -> Environment:
    """The environment of configuration that the engine handed over.

    Args:
        config: plain values by section name (`domains`, `cors` ...), without the secret keys.
        secret_names: names below each secret key.
        stack_file_path: the file the engine read, for messages with places; None when there is none.

    Raises InvalidStack with every finding when one of them is an error. For configuration that stands
    in the file, its text is what `madeploy validate` prints for that file.
    """
    source = reader.source_of(WITHOUT_FILE)
    if stack_file_path is not None:
        read = reader.read(stack_file_path, label(stack_file_path))
        environment, findings = _check(read, stack_file_path.parent)
        if any(found.severity == "error" for found in findings):
            raise InvalidStack(read.source.file, findings)
        if environment is not None and read.sections == dict(config) and read.secret_names == secret_names:
            return environment
        source = read.source
    folder = stack_file_path.parent if stack_file_path is not None else None
    environment, findings = _check(reader.from_mapping(config, secret_names, source), folder)
    if environment is None:
        raise InvalidStack(source.file, findings)
    return environment
