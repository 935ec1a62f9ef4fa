"""A stack file: read within limits, and taken apart into settings and secrets, with every complaint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as FilePath
from typing import Any, Final

from madeploy.documents.files import long_line, not_text, read_bytes
from madeploy.documents.nodes import MAX_PROBLEMS, Node, UnreadableError, compose
from madeploy.documents.paths import Path
from madeploy.documents.problems import Problem
from madeploy.documents.source import Source
from madeploy.documents.words import did_you_mean, near, printable, type_name
from madeploy.findings import Finding, Location, find
from madeploy.names.configuration import OBJECT_STORE_KEYS, encrypt_command, subject
from madeploy.settings import shape
from madeploy.settings.environment import CONTROL_PLANE, PROJECT, SECRET_KEYS, Environment
from madeploy.settings.shape import fields

PULUMI_KEYS: Final = ("config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment")
"""Top-level keys of a stack file (Pulumi's documentation, stack settings file)."""


@dataclass
class StackFile:
    """Contents of a stack file."""

    source: Source
    sections: dict[str, Any] = field(default_factory=dict)
    """Plain settings by section, as they stand in the file."""

    secret_names: dict[str, frozenset[str]] = field(default_factory=dict)
    """Names below each secret key; never a value."""

    findings: list[Finding] = field(default_factory=list)

    encrypted: list[Path] = field(default_factory=list)
    """Paths of encrypted values among the plain settings, where none belongs."""

    lost: set[str] = field(default_factory=set)
    """Sections that are given in the wrong place or under a misspelt name: not missing, but unknown."""

    secrets_known: bool = True
    """Whether `secret_names` holds every name."""

    complete: bool = True
    """Whether the file holds everything: false when it imports a Pulumi ESC environment, or when it
    could not be read to its end."""

    usable: bool = True
    """Whether `sections` is worth checking."""


@cache
def _known_keys() -> frozenset[str]:
    """Keys of settings, which say themselves whether their values are secrets."""
    return frozenset({"config", *(key for _, _, key in shape.walk(Environment))})


def source_of(file: str) -> Source:
    """Nothing yet of a stack file by its name in messages."""
    return Source(file, prefix=f"{PROJECT}:", known_keys=_known_keys, secret_keys=frozenset(SECRET_KEYS))


def _at_problem(source: Source, problem: Problem, *, parsed: bool) -> Finding:
    location = source.place(problem.line, problem.column, parsed=parsed)
    return find(problem.code, source.file, problem.evidence, fix=problem.fix, location=location)


def read(path: FilePath, file: str) -> StackFile:
    """Read a stack file; `file` is its name in messages. Never raises for what the file holds."""
    source = source_of(file)
    content = read_bytes(path, file)
    if isinstance(content, Finding):
        return StackFile(source, findings=[content], complete=False, usable=False)
    problem = not_text(content, file) or long_line(content, file)
    if problem is not None:
        return StackFile(source, findings=[problem], complete=False, usable=False)
    source.content = content
    try:
        root, problems = compose(content)
    except UnreadableError as error:
        finding = _at_problem(source, error.problem, parsed=False)
        return StackFile(source, findings=[finding], complete=False, usable=False)
    stack = _take_apart(source, root)
    stack.findings += [_at_problem(source, item, parsed=True) for item in problems]
    stack.usable = stack.usable and len(problems) < MAX_PROBLEMS
    return stack


def _take_apart(source: Source, root: Node | None) -> StackFile:
    stack = StackFile(source)

    def refuse(evidence: str, node: Node | None = None) -> StackFile:
        where = source.place(node.line, node.column) if node else Location(source.file)
        stack.findings.append(find("MA108", source.file, evidence, location=where))
        stack.usable = stack.complete = False
        return stack

    if root is None or root.value is None:
        return refuse("is empty")
    if root.kind != "mapping":
        return refuse(f"holds {type_name(root.data())} at its top, not a mapping", root)
    entries = root.value
    config_key, config = entries.get("config", (None, None))
    if config is not None and config.kind == "mapping":
        source.root, source.root_key = config, config_key
    stack.complete = "environment" not in entries
    for name, (key, value) in entries.items():
        if name not in PULUMI_KEYS:
            source.hide(value)
            stack.findings.append(_beside_config(name, source, key))
            stack.lost.add(name.removeprefix(f"{PROJECT}:"))
    if config is None:
        return refuse("has no `config:`") if stack.complete else stack
    if config.kind != "mapping":
        return refuse(f"holds {type_name(config.data())} under `config:`, not a mapping", config_key)
    if not stack.complete:
        stack.findings.append(
            find(
                "MA118",
                source.file,
                "imports an environment, whose values are unknown here",
                location=source.place(entries["environment"][0].line, entries["environment"][0].column),
            )
        )
    for name, (key, value) in config.value.items():
        _config_key(stack, name, key, value)
    return stack


def _beside_config(name: str, source: Source, key: Node) -> Finding:
    bare = name.removeprefix(f"{PROJECT}:")
    if bare in _known() or ":" in name:
        fix = (
            f"Indent it below `config:`, as `{PROJECT}:{bare}`."
            if bare in _known()
            else "Indent it below `config:`."
        )
    else:
        fix = (
            did_you_mean(name, PULUMI_KEYS)
            + f"Settings stand below `config:`, each as `{PROJECT}:<section>`."
        )
    return find(
        "MA109",
        printable(name),
        "stands beside `config`, where Pulumi reads only keys of its own",
        accepted=", ".join(PULUMI_KEYS),
        fix=fix,
        location=source.place(key.line, key.column),
    )


def _known() -> tuple[str, ...]:
    return (*fields(Environment), *SECRET_KEYS)


def _config_key(stack: StackFile, name: str, key: Node, value: Node) -> None:
    """File one key below `config` under settings, secrets, other people's, or findings."""
    source, known = stack.source, _known()
    if name.removeprefix(f"{PROJECT}:") not in known:
        source.hide(value)
    namespace, colon, bare = name.partition(":")
    where = source.place(key.line, key.column)
    if not colon:
        bare, fix = name, ""
        stack.lost.add(near(name, known) or name)
        if name in known:
            fix = f"Write `{PROJECT}:{name}`."
        else:
            guess = near(name, known)
            fix = f'Did you mean "{PROJECT}:{guess}"?' if guess else f"Write `<namespace>:{printable(name)}`."
        stack.findings.append(
            find("MA110", printable(name), "has no namespace", accepted=_all(known), fix=fix, location=where)
        )
        return
    if namespace != PROJECT:
        if near(namespace, (PROJECT,)) and near(bare, known):
            stack.lost.add(near(bare, known) or bare)
            stack.findings.append(
                find(
                    "MA110",
                    printable(name),
                    f"the namespace is {printable(namespace)}, not {PROJECT}",
                    fix=f'Did you mean "{PROJECT}:{near(bare, known)}"?',
                    location=where,
                )
            )
        return
    if bare in SECRET_KEYS:
        stack.secret_names[bare] = _secret(stack, bare, value)
    elif bare in known:
        stack.encrypted += _encrypted((bare,), value)
        stack.sections[bare] = value.data()
    else:
        stack.lost.add(near(bare.partition(".")[0], known) or bare)
        stack.findings.append(unknown_section(bare, where))


def unknown_section(bare: str, where: Location | None) -> Finding:
    """A key of our namespace that no section has."""
    known = _known()
    section, dot, rest = bare.partition(".")
    if dot and section in known:
        fix = f"Dots are for `pulumi config set --path`; here write `{rest}:` below `{PROJECT}:{section}:`."
    else:
        guess = near(bare, known)
        fix = Environment.elsewhere.get(bare) or (f'Did you mean "{PROJECT}:{guess}"?' if guess else "")
    return find(
        "MA110",
        f"{PROJECT}:{printable(bare)}",
        "is no section",
        accepted=_all(known),
        fix=fix,
        location=where,
    )


def _all(known: Iterable[str]) -> str:
    return ", ".join(f"{PROJECT}:{name}" for name in known)


def _is_encrypted(node: Node) -> bool:
    return node.kind == "mapping" and set(node.value) == {"secure"}


def _misspelt_secure(node: Node) -> str | None:
    """The key of an encrypted value that Pulumi does not know as one, because `secure` is misspelt in it."""
    if node.kind != "mapping" or len(node.value) != 1:
        return None
    ((key, (_, value)),) = node.value.items()
    is_text = value.kind == "scalar" and isinstance(value.value, str)
    return key if is_text and key != "secure" and near(key, ("secure",)) is not None else None


def _not_secure(source: Source, path: Path, key: str) -> Finding:
    """A misspelt `secure`, at its own line."""
    return find(
        "MA110",
        subject((*path, key)),
        f"{printable(key)} is not how Pulumi marks an encrypted value: it would take the mapping as it is",
        accepted="secure",
        fix='Did you mean "secure"? Write that, if Pulumi encrypted what follows; otherwise encrypt it:\n'
        + encrypt_command(path),
        location=source.at((*path, key), key=True),
    )


def _encrypted(path: Path, node: Node) -> Iterator[Path]:
    """Paths of encrypted values among plain settings."""
    if _is_encrypted(node):
        yield path
    elif node.kind == "mapping":
        for key, (_, value) in node.value.items():
            yield from _encrypted((*path, key), value)
    elif node.kind == "list":
        for index, item in enumerate(node.value):
            yield from _encrypted((*path, index), item)


def _as_a_whole(source: Source, key: str, code: str, said: str, example: Path) -> Finding:
    """Secrets that are not given name by name."""
    return find(
        code,
        subject((key,)),
        said,
        accepted="a mapping from names to encrypted values",
        why="Which names there are must be readable without decrypting anything.",
        fix=f"Store each value by its name:\n{encrypt_command(example)}",
        location=source.at((key,)),
    )


def _secret(stack: StackFile, key: str, node: Node) -> frozenset[str]:
    """Names below a secret key; every value must be encrypted."""
    source = stack.source
    misspelt = _misspelt_secure(node)
    if misspelt is not None:
        stack.secrets_known = False
        source.hide(node)
        example = (key, OBJECT_STORE_KEYS[0] if key == "objectStore" else CONTROL_PLANE)
        stack.findings.append(_not_secure(source, (key,), misspelt))
        stack.findings.append(_as_a_whole(source, key, "MA117", "is encrypted as a whole", example))
        return frozenset()
    if node.kind != "mapping" or _is_encrypted(node):
        stack.secrets_known = False
        example = (key, OBJECT_STORE_KEYS[0] if key == "objectStore" else CONTROL_PLANE)
        code = "MA117" if _is_encrypted(node) else "MA501" if node.value is not None else "MA112"
        said = "is encrypted as a whole" if _is_encrypted(node) else f"holds {type_name(node.data())}"
        stack.findings.append(_as_a_whole(source, key, code, said, example))
        return frozenset()
    for entry, (_, value) in node.value.items():
        path = (key, entry)
        if key == "objectStore" and entry not in OBJECT_STORE_KEYS:
            stack.secrets_known = False
            stack.findings.append(
                find(
                    "MA110",
                    subject(path),
                    f"{printable(entry)} is no key of {subject((key,))}",
                    accepted=", ".join(OBJECT_STORE_KEYS),
                    fix=did_you_mean(entry, OBJECT_STORE_KEYS) + "Correct the name.",
                    location=source.at(path, key=True),
                )
            )
            continue
        misspelt = _misspelt_secure(value)
        if misspelt is not None:
            source.hide(value)
            stack.findings.append(_not_secure(source, path, misspelt))
        elif not _is_encrypted(value):
            stack.findings.append(
                find(
                    "MA501",
                    subject(path),
                    "the value is not encrypted" if value.value is not None else "has no value",
                    accepted="an encrypted value, `secure: …`, as Pulumi writes it",
                    fix=f"Replace the credential, then encrypt the new one:\n{encrypt_command(path)}",
                    location=source.at(path),
                )
            )
        elif not isinstance(value.value["secure"][1].value, str) or not value.value["secure"][1].value:
            stack.findings.append(
                find(
                    "MA503",
                    subject(path),
                    "the encrypted value is empty or no text",
                    fix=f"Set it again:\n{encrypt_command(path)}",
                    location=source.at(path),
                )
            )
    return frozenset(node.value)


def from_mapping(
    config: Mapping[str, Any], secret_names: Mapping[str, frozenset[str]], source: Source
) -> StackFile:
    """The same from values the engine handed over, by section name; places are looked up in `source`."""
    stack = StackFile(source, secret_names=dict(secret_names))
    known = fields(Environment)
    for name, value in config.items():
        if name in known:
            stack.sections[name] = value
        else:
            stack.findings.append(
                unknown_section(name, source.at((name,), key=True) if source.root else None)
            )
    return stack
