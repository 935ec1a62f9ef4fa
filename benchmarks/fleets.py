"""Generated stacks with many compute clusters."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml

from madeploy.settings import CONTROL_PLANE, PROJECT, SECRET_KEYS
from tests.support.environments import aws_storage
from tests.support.stacks import MINIMAL, stack_text

_PEM = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(bytes(768)).decode()}\n-----END CERTIFICATE-----\n"
_AUTHORITY = base64.b64encode(_PEM.encode()).decode()


def _names(clusters: int) -> list[str]:
    return [f"compute-{number:04d}" for number in range(clusters)]


def sections(clusters: int) -> dict[str, Any]:
    """Sections of a production stack on AWS with this many registered clusters, every second one
    self-managed; `kubeconfigs` holds their ciphertexts' place."""
    fleet = {
        name: {
            "server": f"https://{name}.example.com:6443",
            "management": "selfManaged" if number % 2 else "managed",
            "region": "eu-west-1",
            "zone": "eu-west-1a",
            "sla": "production",
            "skus": [{"cpu": 96, "memoryGb": "1152G", "gpu": 8, "gpuSku": "H100"}],
        }
        for number, name in enumerate(_names(clusters))
    }
    return MINIMAL | {
        "storage": aws_storage(),
        "network": {"egressCidrs": ["203.0.113.0/28"]},
        "clusters": fleet,
        "kubeconfigs": {name: {"secure": "v1:placeholder"} for name in (CONTROL_PLANE, *fleet)},
    }


def settings(clusters: int) -> str:
    """The same without what is secret, as JSON that `Environment` validates."""
    plain = {name: value for name, value in sections(clusters).items() if name not in SECRET_KEYS}
    return json.dumps(plain)


def configuration(clusters: int) -> dict[str, str]:
    """The same as the engine hands it to the program: every section as JSON, kubeconfigs decrypted."""
    given = sections(clusters) | {
        "kubeconfigs": {name: _kubeconfig(name) for name in (CONTROL_PLANE, *_names(clusters))}
    }
    return {f"{PROJECT}:{name}": json.dumps(value) for name, value in given.items()}


def write(folder: Path, clusters: int) -> tuple[Path, Path]:
    """The configuration as `benchmarks.sides.program` takes it, and the stack file that it came from."""
    given, stack = folder / "configuration.json", folder / "Pulumi.fleet.yaml"
    secret = [f"{PROJECT}:{name}" for name in SECRET_KEYS]
    given.write_text(json.dumps({"values": configuration(clusters), "secret": secret}), encoding="utf-8")
    stack.write_text(stack_text(sections(clusters)), encoding="utf-8")
    return given, stack


def _kubeconfig(name: str) -> str:
    server = {"server": f"https://{name}.example.com:6443", "certificate-authority-data": _AUTHORITY}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": server}],
            "users": [{"name": name, "user": {"token": "example"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }
    )
