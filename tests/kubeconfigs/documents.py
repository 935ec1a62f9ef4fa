"""Kubeconfigs as data and as text, good ones with something changed."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import yaml

from tests.kubeconfigs.authorities import NOW, encoded, pem

SERVER = "https://compute.example.com:6443"
COMMAND = "never-started"
GKE = "https://gke-0123456789abcdef0123-111122223333.europe-west1.gke.goog"


@dataclass(frozen=True)
class Case:
    """One text and its verdict."""

    name: str
    text: Callable[[], bytes]
    errors: tuple[str, ...] = ()
    """Codes of errors, one for each defect, in alphabetical order; none for a text that is accepted."""

    warnings: tuple[str, ...] = ()
    context: str | None = None
    instead: Mapping[str, Any] = field(default_factory=dict)
    """What the entry says in place of the kubeconfig: `server`, `certificate_authority_data`."""

    endpoint: tuple[str, str] = ("https://compute.example.com", "6443")
    """Host and port of one that is accepted."""


def document(
    cluster: Mapping[str, Any] | None = None, user: Mapping[str, Any] | None = None, **top: Any
) -> dict[str, Any]:
    """A kubeconfig as data: what is given is added to a good one; a value of None takes a field out."""
    server = {"server": SERVER, "certificate-authority-data": encoded(pem()), **(cluster or {})}
    person = {"token": "example-token", **({} if user is None else {"token": None, **user})}
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "east",
        "contexts": [{"name": "east", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {k: v for k, v in server.items() if v is not None}}],
        "users": [{"name": "u", "user": {k: v for k, v in person.items() if v is not None}}],
        **top,
    }
    return {key: value for key, value in made.items() if value is not None}


def text(data: Any) -> bytes:
    """Data as YAML."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    written: str = yaml.dump(data, Dumper=dumper, sort_keys=False)
    return written.encode()


def of(**given: Any) -> Callable[[], bytes]:
    """The text of `document`, made later."""
    return lambda: text(document(**given))


def secret(key: str) -> bytes:
    """A Secret whose data hold a kubeconfig under a key."""
    data = {key: base64.b64encode(text(document())).decode()}
    meta = {"name": "ml-kubeconfig", "namespace": "fleet"}
    return text({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})


def token(days: float | None) -> str:
    """Something with the shape of a JWT that ends days from NOW, signed by nobody; None: it never ends."""

    def part(data: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    ends = {} if days is None else {"exp": int((NOW + timedelta(days=days)).timestamp())}
    return f"{part({'alg': 'none'})}.{part({'sub': 'example', **ends})}.c2lnbmF0dXJl"


def authority(content: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: text(document({"certificate-authority-data": encoded(content())}))


def login(command: str, *arguments: str) -> dict[str, Any]:
    return {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": [*arguments]}
    }


def pair(certificate: Callable[[], bytes], key: Callable[[], bytes]) -> Callable[[], bytes]:
    return lambda: text(
        document(user={"client-certificate-data": encoded(certificate()), "client-key-data": encoded(key())})
    )


def edited(old: str, new: str) -> Callable[[], bytes]:
    """The good text with one piece of it replaced."""

    def made() -> bytes:
        good = text(document()).decode()
        assert old in good
        return good.replace(old, new, 1).encode()

    return made


def bomb() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(lines).encode()


def many(count: int) -> bytes:
    made = document()
    for number in range(count):
        for kind, body in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
            entry = copy.deepcopy(made[kind][0])
            entry["name"] = f"other-{number}"
            made[kind].append({"name": entry["name"], body: entry[body]})
    return text(made)


def everything() -> bytes:
    """A file with as many defects at once as there is room for."""
    return text(
        document(
            {
                "server": "http://u:p@compute.example.com:6443/k8s",
                "certificate-authority": "ca.pem",
                "certificate-authority-data": None,
                "insecure-skip-tls-verify": True,
                "proxy-url": "http://proxy.example.com:3128",
                "tls-server-name": "kubernetes",
            },
            {
                **login(COMMAND),
                "auth-provider": {"name": "gcp"},
                "username": "example",
                "password": "example",
                "as": "system:admin",
                "as-groups": ["system:masters"],
                "client-key": "key.pem",
                "tokenFile": "token",
            },
        )
    )


def good(**given: Any) -> bytes:
    data = {"certificate-authority-data": encoded(pem(ends=20_000)), **given}
    return text(document(data))


STACK = """\
# yaml-language-server: $schema=schema.json
# The lab.
config:
  michelangelo:platform:
    tier: development # not for work
  michelangelo:domains: {api: api.example.com, app: app.example.com}
  michelangelo:tls:
    mode: provided
  michelangelo:images:
    tag: 'sha-cbf5720'
  michelangelo:workflow:
    engine: temporal
    host: temporal.example.com:7233
  michelangelo:storage:
    kind: existing
    region: eu-west-1
    buckets: {workspace: example-ml-workspace, models: example-ml-models}
  # Compute clusters, by name.
  michelangelo:clusters:
    west: # the old one
      kubeconfigContext: west
      server: https://west.example.com:6443
  michelangelo:kubeconfigs:
    control-plane:
      secure: v1:placeholder
encryptionsalt: v1:placeholder
"""

Command = Callable[..., tuple[int, str, str]]
