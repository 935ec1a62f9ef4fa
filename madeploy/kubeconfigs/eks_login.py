"""The login command of a kubeconfig for EKS, read as what an entry `eks` says; it is never started.

Its options: `aws eks get-token` (AWS CLI reference) and `aws-iam-authenticator token` (its documentation).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Key = Literal["cluster", "region", "role", "profile"]

_COMMANDS: Final = ("aws", "aws.exe", "aws-iam-authenticator", "aws-iam-authenticator.exe")
_OPTIONS: Final[dict[str, Key]] = {
    "--cluster-name": "cluster",
    "--cluster-id": "cluster",
    "-i": "cluster",
    "--region": "region",
    "--role-arn": "role",
    "--role": "role",
    "-r": "role",
    "--profile": "profile",
}
_VARIABLES: Final[dict[str, Key]] = {
    "AWS_REGION": "region",
    "AWS_DEFAULT_REGION": "region",
    "AWS_PROFILE": "profile",
    "AWS_DEFAULT_PROFILE": "profile",
}
_OURS: Final = ("--output",)
"""Options that the kubeconfig of an entry has anyway."""

_ACCEPTED: Final[dict[Key, re.Pattern[str]]] = {
    "cluster": re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}"),
    "region": re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}"),
    "role": re.compile(r"arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/[\w+=,.@/-]+"),
    "profile": re.compile(r"[\w.@/+-]{1,100}"),
}
_NAME: Final = re.compile(r"-{0,2}[A-Za-z][A-Za-z0-9_-]{0,60}")


@dataclass(frozen=True)
class EksLogin:
    """Cluster on EKS that a login command names."""

    cluster: str
    region: str | None = None
    role: str | None = None
    profile: str | None = None
    dropped: tuple[str, ...] = ()
    """Options and variables that an entry `eks` cannot carry."""

    @property
    def options(self) -> str:
        """The options of `clusters add` that say the same, safe to paste; REGION where none is said."""
        given = ["--eks", self.cluster, "--region", self.region or "REGION"]
        given += ["--role-arn", self.role] if self.role else []
        given += ["--profile", self.profile] if self.profile else []
        return shlex.join(given)


def read(called: Any) -> EksLogin | None:
    """What an `exec` section says of a cluster on EKS; None for another command."""
    if not isinstance(called, Mapping):
        return None
    command = re.split(r"[/\\]", str(called.get("command") or ""))[-1]
    arguments = called.get("args")
    if command not in _COMMANDS or not isinstance(arguments, list):
        return None
    found: dict[Key, str] = {}
    dropped: list[str] = []
    variables = [(f"${name}", _VARIABLES.get(name), value) for name, value in _variables(called.get("env"))]
    options = [(name, _OPTIONS.get(name), value) for name, value in _options(arguments)]
    # An option of the command goes before a variable of its environment.
    for name, key, value in (*options, *variables):
        if key is not None and _ACCEPTED[key].fullmatch(value):
            found.setdefault(key, value)
        elif name not in _OURS:
            dropped.append(name if _NAME.fullmatch(name.removeprefix("$")) else "an option")
    if "cluster" not in found:
        return None
    return EksLogin(
        found["cluster"],
        found.get("region"),
        found.get("role"),
        found.get("profile"),
        tuple(dict.fromkeys(dropped)),
    )


def _options(arguments: list[Any]) -> Iterator[tuple[str, str]]:
    """Options with their values, `--option value` and `--option=value` alike; "" for one without."""
    texts = [str(item) for item in arguments]
    for number, text in enumerate(texts):
        if not text.startswith("-"):
            continue
        name, joined, value = text.partition("=")
        following = texts[number + 1] if number + 1 < len(texts) else "-"
        yield name, value if joined else "" if following.startswith("-") else following


def _variables(env: Any) -> Iterator[tuple[str, str]]:
    for item in env if isinstance(env, list) else ():
        if isinstance(item, Mapping) and item.get("name"):
            yield str(item["name"]), str(item.get("value") or "")
