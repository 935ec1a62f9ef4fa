"""Secrets where everybody reads them. No text here ever holds a value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .embedded import CONFIG_MAP, dotted, files, walk
from .model import ALWAYS, EVERY_KIND, Path, Resource, Violation, mapping, mappings, rule, texts
from .pods import WORKLOADS, containers, pod

_KEY: Final = re.compile(
    r"(password|passwd|passphrase|pwd|secret|secret_?(access_?)?key|access_?key(_?id)?|private_?key|api_?key"
    r"|client_?secret|auth_?token|token|credentials?)$",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(r"(credentials?|existing|tls|pull|certificate|ca)[-_]?secret$", re.IGNORECASE)
"""Keys that hold the name of a Secret."""

_SECRET_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NO_VALUE: Final = re.compile(
    r"^(\s*|\$?\$?[({].*[)}]|<.*>|/.*|true|false|yes|no|none|null|[0-9.]+[smhd]?"
    r"|(secret)?ref\+[a-z0-9]+://.*|op://.*|vault:[\w/-]+#.*|__(host|secure)-[a-z-]+)$",
    re.I,
)
"""What stands for a secret without being one: nothing, a reference, a placeholder, a path, a switch, the name
of a cookie."""

_LOOKS: Final = (
    (re.compile(r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"), "a token (JWT)"),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key id"),
    (re.compile(r"\b(ghp|gho|ghs|ghu|github_pat|glpat|xox[abp])[-_][\w-]{16,}"), "an access token"),
    (re.compile(r"://[^/\s:@]+:[^/\s@${<]+@"), "a password in a URL"),
    (re.compile(r"\bclient-key-data\s*:\s*\S{16}"), "a kubeconfig with a key"),
)
_WORD: Final = re.compile(r"(?<![\w/+.=:@-])[A-Za-z0-9/+_=-]{24,128}(?![\w/+.@-])")
_MIN_ENTROPY: Final = 4.1
"""Bits a character; random base64 of 24 characters has about 4.3, identifiers rarely 4."""

_ENCRYPTED: Final = re.compile(
    r"ENC\[AES256_GCM,data:[A-Za-z0-9+/=]*,iv:[A-Za-z0-9+/=]+,tag:[A-Za-z0-9+/=]+,type:\w+\]"
    r"|-----BEGIN (AGE ENCRYPTED FILE|PGP MESSAGE)-----.*|\$ANSIBLE_VAULT;.*",
    re.DOTALL,
)
"""What SOPS writes for a value (its README, "Encryption protocol"), and other encrypted texts."""

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def encrypted(value: Any) -> bool:
    """Whether a value is cipher text, which only its keys' holders read."""
    return isinstance(value, str) and _ENCRYPTED.fullmatch(value.strip()) is not None


def _random(word: str) -> bool:
    """Whether a word is as mixed as generated credentials are and names are not."""
    if not (re.search(r"[a-z]", word) and re.search(r"[A-Z]", word) and len(re.findall(r"[0-9]", word)) > 1):
        return False
    if word.count("/") > 2 or word.startswith(("sha-", "LS0tLS1CRUdJTiBDRVJU")):
        return False
    if 3 * sum(map(len, re.findall(r"[a-z]{4,}", word))) > len(word):
        return False  # Words put together: a name.
    counts = Counter(word)
    entropy = -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values())
    return entropy >= _MIN_ENTROPY


def looks_like(text: str) -> str | None:
    """What kind of secret a text holds by its look; None when none."""
    if encrypted(text):
        return None
    for pattern, kind in _LOOKS:
        if pattern.search(text):
            return kind
    if any(_random(word) for word in _WORD.findall(text)):
        return "a generated credential"
    return None


def by_name(key: Any, value: Any) -> bool:
    """Whether a key says that its value is a secret, and a value is there."""
    return (
        isinstance(key, str)
        and isinstance(value, str)
        and _KEY.search(key.rpartition(".")[2]) is not None
        and _NO_VALUE.match(value) is None
        and not encrypted(value)
        and not (_REFERENCE.search(key) and _SECRET_NAME.fullmatch(value))
    )


def _kind(key: Any, value: Any) -> str | None:
    if by_name(key, value):
        return "a secret, by its name"
    return looks_like(value) if isinstance(value, str) else None


@rule(
    "MA570",
    "no-secrets-in-config-maps",
    title="Secret in a ConfigMap",
    why="Everybody who may look at the namespace may read ConfigMaps; they are logged, listed and committed.",
    fix="Put it into a Secret, or better use the pod's own identity; replace the credential: it is no longer "
    "secret. Task pods need no keys in `michelangelo-config` on AWS.",
    severities=ALWAYS,
    kinds=[CONFIG_MAP],
)
def in_config_maps(resource: Resource) -> Iterator[Violation]:
    inside = {key: list(_in_file(content)) for key, content, _ in files(resource)}
    for key, value in mapping(resource.properties.get("data")).items():
        path: Path = ("data", key)
        for place, what in inside.get(key, ()):
            yield Violation((*path, *place), f"{key}, at {dotted(place)}, holds {what}")
        if not inside.get(key) and (kind := _kind(key, value)):
            yield Violation(path, f"{key} holds {kind}")
    for key in mapping(resource.properties.get("binaryData")):
        if by_name(key, "binary"):
            yield Violation(("binaryData", key), f"{key} holds a secret, by its name")


def _in_file(content: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for path, value in walk(content):
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        if kind := _kind(key, value):
            yield path, kind


@rule(
    "MA571",
    "no-secrets-in-environment",
    title="Secret in a pod's environment, in plain text",
    why="Everybody who may look at pods reads it, and so does every crash report.",
    fix="Refer to a Secret by valueFrom.secretKeyRef, and replace the credential.",
    severities=ALWAYS,
    kinds=WORKLOADS,
)
def in_environment(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        for variable, path in mappings(container.data.get("env"), (*container.path, "env")):
            if kind := _kind(variable.get("name"), variable.get("value")):
                said = f"{container.name}: variable {variable.get('name')} holds {kind}"
                yield Violation((*path, "value"), said)


@rule(
    "MA572",
    "no-secrets-in-arguments",
    title="Secret on a command line",
    why="Every process on the node sees it, and everybody who may look at pods.",
    fix="Mount it from a Secret as a file, and replace the credential.",
    severities=ALWAYS,
    kinds=WORKLOADS,
)
def in_arguments(resource: Resource) -> Iterator[Violation]:
    for _, container in containers(resource):
        for key in ("command", "args"):
            for index, text in enumerate(texts(container.data.get(key))):
                name, separator, value = text.lstrip("-").partition("=")
                kind = _kind(name.replace("-", "_"), value) if separator else looks_like(text)
                if kind:
                    yield Violation((*container.path, key, index), f"{container.name}: {key} holds {kind}")


@rule(
    "MA573",
    "no-secrets-in-annotations",
    title="Secret in a label or an annotation",
    why="Metadata is listed, logged and copied to other objects; kubectl's own copy of a Secret is one.",
    fix="Remove it and replace the credential; apply Secrets server-side, so that kubectl keeps no copy.",
    severities=ALWAYS,
    kinds=[EVERY_KIND],
)
def in_annotations(resource: Resource) -> Iterator[Violation]:
    found = pod(resource) if resource.kind in WORKLOADS else None
    places: list[tuple[Mapping[str, Any], Path]] = [(resource.metadata, ("metadata",))]
    if found is not None and resource.kind != "core/Pod":
        places.append((found.metadata, (*found.path[:-1], "metadata")))
    for metadata, path in places:
        for section in ("labels", "annotations"):
            for key, value in mapping(metadata.get(section)).items():
                if key == _LAST_APPLIED:
                    if resource.kind == "core/Secret":
                        said = "kubectl's annotation holds the Secret's values"
                        yield Violation((*path, section, key), said)
                elif kind := _kind(str(key).rpartition("/")[2], value):
                    yield Violation((*path, section, key), f"{key} holds {kind}")


@rule(
    "MA574",
    "no-secrets-in-files",
    title="Secret with its values in a file",
    why="Base64 hides nothing: whoever reads the repository, now or in its history, has the credential.",
    fix="Commit an ExternalSecret, a SealedSecret or a SOPS file in its place, and replace the credential.",
    severities=ALWAYS,
    kinds=["core/Secret"],
    origins=["file"],
)
def in_files(resource: Resource) -> Iterator[Violation]:
    for section in ("data", "stringData"):
        for key, value in mapping(resource.properties.get(section)).items():
            if value is not None and not _NO_VALUE.match(str(value)) and not encrypted(value):
                yield Violation((section, key), f"{section}.{key} is in the file")


RULES: Final = (in_config_maps, in_environment, in_arguments, in_annotations, in_files)
