"""Secrets of a stack, read and written by the Pulumi CLI, which alone has the key."""

from __future__ import annotations

import json
from typing import Any

from madeploy.errors import ToolkitError
from madeploy.names.configuration import subject
from madeploy.settings import PROJECT
from madeploy.stacks.pulumi import pulumi


def secret_section(stack: str, key: str) -> dict[str, Any]:
    """An encrypted map of the stack's configuration, decrypted.

    Raises ToolkitError (3) when the CLI is missing or cannot decrypt. Values are never shown.
    """
    what = f"the secrets of stack {stack} cannot be read"
    done = pulumi(
        *("config", "--show-secrets", "--json", "--stack", stack),
        what=what,
        fix="install it (bin/madeploy tools shows what is there), or name a kubeconfigContext instead",
    )
    if done.returncode != 0:
        raise ToolkitError(
            what,
            done.stderr.strip() or f"exit code {done.returncode}",
            "log in (`pulumi login`) and give the stack's passphrase or key, as `pulumi up` needs them too",
        )
    entry = json.loads(done.stdout).get(f"{PROJECT}:{key}") or {}
    value = entry.get("objectValue") or entry.get("value") or {}
    if isinstance(value, str):
        value = json.loads(value)
    return value if isinstance(value, dict) else {}


def static_keys(stack: str) -> tuple[str, str] | None:
    """Access key id and secret access key of the stack's S3-compatible store; None where it holds none.

    Raises ToolkitError (3) when they cannot be decrypted.
    """
    found = secret_section(stack, "objectStore")
    key_id, secret = found.get("accessKeyId"), found.get("secretAccessKey")
    return (str(key_id), str(secret)) if key_id and secret else None


def set_secret(stack: str, path: tuple[str, ...], value: str) -> None:
    """Encrypt `value` as the stack's secret at `path`. It is handed over on standard input, so that no list
    of processes ever shows it.

    Raises ToolkitError (3) when the CLI is missing or refuses.
    """
    _write(stack, path, ["set", "--secret", "--path", subject(path)], value)


def remove_secret(stack: str, path: tuple[str, ...]) -> None:
    """Take the stack's secret at `path` away. Raises ToolkitError (3)."""
    _write(stack, path, ["rm", "--path", subject(path)], "")


def _write(stack: str, path: tuple[str, ...], arguments: list[str], value: str) -> None:
    what = f"the secret {subject(path)} of stack {stack} cannot be written"
    done = pulumi(
        *("config", *arguments, "--stack", stack),
        what=what,
        fix="install it; bin/madeploy tools shows what is there",
        entered=value,
    )
    if done.returncode != 0:
        raise ToolkitError(
            what,
            done.stderr.strip() or f"exit code {done.returncode}",
            "log in (`pulumi login`), make the stack (`pulumi stack init`), and give its passphrase or key",
        )
