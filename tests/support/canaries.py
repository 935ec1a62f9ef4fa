"""Values that must never be seen: put into every place for a secret, and looked for in everything that comes
out, in sixteen forms (S2).

A command that reads stacks is one line in `COMMANDS`; everything it prints and writes is searched.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import hashlib
import html
import io
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import yaml

from madeploy.cli.app import main
from tests.support.stacks import stack_text

COMMANDS: dict[str, tuple[str, ...]] = {
    "validate": ("validate", "{stack}"),
    "validate as JSON": ("validate", "{stack}", "--json"),
    "validate as SARIF": ("validate", "{stack}", "--sarif", "{out}/findings.sarif"),
    "explain": ("explain", "domains.api"),
    "config diff": ("config", "diff", "{stack}", "{stack}", "--json"),
    "render": ("render", "{stack}"),
    "render as JSON": ("render", "{stack}", "--json"),
    "render files": ("render", "{stack}", "-o", "{out}/files"),
    "render for Argo CD": ("render", "{stack}", "-o", "{out}/argocd", "--format", "argocd"),
    "render for Flux": ("render", "{stack}", "-o", "{out}/flux", "--format", "flux"),
    "render for the Pulumi operator": (
        *("render", "{stack}", "-o", "{out}/operator", "--format", "pulumi-operator"),
    ),
    "plan": ("plan", "{stack}", "--from", "{stack}"),
    "plan as JSON": ("plan", "{stack}", "--from", "{stack}", "--json"),
    "policy": ("policy", "{stack}", "--json"),
    "policy of files": ("policy", "{folder}", "--json"),
    "topology": ("topology", "{stack}"),
    "topology as JSON": ("topology", "{stack}", "--json"),
    "topology page": ("topology", "{stack}", "--format", "html", "-o", "{out}/topology.html"),
    "render with somebody else's folder": ("render", "{stack}", "-o", "{folder}"),
    "render with a kubeconfig for outputs": ("render", "{stack}", "--outputs", "{kubeconfig}"),
}
"""Arguments of `madeploy` by name. `{stack}` is the stack file, `{out}` a folder that is searched, `{folder}`
the one the stack file and a kubeconfig are in, `{kubeconfig}` that one."""


def canary(name: str) -> str:
    """A value for one place: with characters that encodings change, and like no real secret."""
    tail = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f'Canary/{name}+"{tail}"&end'


def forms(value: str) -> dict[str, str]:
    """The value as it may lie around, by the name of the encoding."""
    data = value.encode()

    def shifted(encode: Any, pad: int) -> str:
        # What stands around the value changes the characters at both ends.
        text: str = encode(b"x" * pad + data).decode()
        return text.rstrip("=")[4 if pad else 0 : -3]

    found = {
        "plain": value,
        "reversed": value[::-1],
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "percent": quote(value, safe=""),
        "percent, all": "".join(f"%{byte:02X}" for byte in data),
        "JSON": json.dumps(value)[1:-1],
        "unicode escapes": "".join(f"\\u{ord(letter):04x}" for letter in value),
        "HTML": html.escape(value),
        "rot13": codecs.encode(value, "rot13"),
        "base32": base64.b32encode(data).decode().rstrip("=")[:-2],
        "UTF-16 in base64": base64.b64encode(value.encode("utf-16-le")).decode().rstrip("=")[:-3],
        "twice base64": base64.b64encode(base64.b64encode(data)).decode().rstrip("=")[:-8],
    }
    found |= {f"base64 at {pad}": shifted(base64.b64encode, pad) for pad in range(3)}
    found |= {f"base64url at {pad}": shifted(base64.urlsafe_b64encode, pad) for pad in range(3)}
    return found


def seen(text: str, values: Mapping[str, str]) -> list[str]:
    """Which of these values, by name, are in a text, in which form; whole or the first part of it, lines put
    together again."""
    joined = re.sub(r"\s+", "", text)
    found = []
    for name, value in values.items():
        for form, encoded in forms(value).items():
            whole = re.sub(r"\s+", "", encoded)
            part = whole[: max(16, len(whole) * 2 // 3)]
            if part in joined:
                found.append(f"{name}: {form}")
    return found


@dataclass(frozen=True)
class Planted:
    """A stack, and an environment to run commands in, with a canary in every place for a secret."""

    folder: Path
    stack: Path
    kubeconfig: Path
    values: Mapping[str, str]
    """Canary by the place it is in."""

    environ: Mapping[str, str]

    def run(self, *arguments: str, out: Path) -> str:
        """Everything one run of `madeploy` printed, and every file it wrote, names included. It runs in this
        process, by the command's own entry point."""
        printed, log = io.StringIO(), io.StringIO()
        argv = ["madeploy", *(self._filled(each, out) for each in arguments)]
        with (
            mock.patch.dict(os.environ, self.environ),
            mock.patch.object(sys, "argv", argv),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(log),
            contextlib.suppress(SystemExit),
        ):
            main()
        files = [path for path in sorted(out.rglob("*")) if path.is_file()]
        written = [f"{path.name}\n{path.read_text(encoding='utf-8', errors='replace')}" for path in files]
        return "\n".join([printed.getvalue(), log.getvalue(), *written])

    def _filled(self, argument: str, out: Path) -> str:
        return argument.format(stack=self.stack, out=out, folder=self.folder, kubeconfig=self.kubeconfig)


def _kubeconfig(token: str, key: str, password: str) -> str:
    user = {"token": token, "client-key-data": base64.b64encode(key.encode()).decode(), "password": password}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "a",
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "clusters": [{"name": "a", "cluster": {"server": "https://a.example.com"}}],
            "users": [{"name": "a", "user": user}],
        }
    )


SECTIONS: dict[str, Any] = {
    "storage": {"kind": "s3Compatible", "endpoint": "https://minio.example.com:9000"},
    "clusters": {"a": {"server": "https://a.example.com"}, "b": {"server": "https://b.example.com"}},
    "gitops": {
        "secrets": {"kind": "externalSecrets", "store": "vault", "computeStore": "vault"},
        "repository": "https://git.example.com/platform/environments.git",
    },
}


def planted(folder: Path, *, encrypted: bool) -> Planted:
    """Put canaries into every place for a secret there is.

    Args:
        folder: where the stack file and a kubeconfig are put.
        encrypted: whether the stack file's secrets are encrypted, as they must be; their ciphertexts are then
            not canaries, and the stack is valid. Else they stand there in plain text.
    """
    places = {
        f"{section}.{name}": canary(f"{section}-{name}")
        for section, names in {
            "kubeconfigs": ("control-plane", "a", "b"),
            "clusterTokens": ("a", "b"),
            "objectStore": ("accessKeyId", "secretAccessKey"),
        }.items()
        for name in names
    }
    outside = ("token", "key", "password", "passphrase", "aws", "aws-session", "engine", "access-token")
    values = {name: canary(name) for name in outside}
    sections: dict[str, Any] = dict(SECTIONS)
    if encrypted:
        sections["kubeconfigs"] = {name: {"secure": "v1:placeholder"} for name in ("control-plane", "a", "b")}
        sections["objectStore"] = {
            name: {"secure": "v1:placeholder"} for name in ("accessKeyId", "secretAccessKey")
        }
    else:
        values |= places
        for place, value in places.items():
            section, _, name = place.partition(".")
            text = _kubeconfig(value, value, value) if section == "kubeconfigs" else value
            sections.setdefault(section, {})[name] = text
    folder.mkdir(parents=True, exist_ok=True)
    stack, kubeconfig = folder / "Pulumi.canary.yaml", folder / "kubeconfig"
    stack.write_text(stack_text(sections), encoding="utf-8")
    kubeconfig.write_text(_kubeconfig(values["token"], values["key"], values["password"]), encoding="utf-8")
    environ = {
        "KUBECONFIG": str(kubeconfig),
        "PULUMI_CONFIG_PASSPHRASE": values["passphrase"],
        "PULUMI_ACCESS_TOKEN": values["access-token"],
        "PULUMI_CONFIG": json.dumps({"michelangelo:objectStore": values["engine"]}),
        "AWS_SECRET_ACCESS_KEY": values["aws"],
        "AWS_SESSION_TOKEN": values["aws-session"],
        "NO_COLOR": "1",
    }
    return Planted(folder, stack, kubeconfig, values, environ)
