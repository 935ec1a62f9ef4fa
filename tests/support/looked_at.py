"""A deployed sandbox with what others have to make, and reports of the commands that look at it."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.sandbox import Deployed, sandbox
from tests.support.tls import certificate_pair
from tests.support.waiting import wait

SPACE = "ma-system"
KUBECTL = ("kubectl", "--context", "control-plane")
UNKNOWN = {"MA911", "MA924", "MA143", "MA333", "MA346"}
"""Codes of what a sandbox does not have: domains that resolve, an engine, descriptors, protected
buckets, an answer about quotas."""

CERTIFICATES = {
    "michelangelo-apiserver-tls": "api.sandbox.example.com",
    "michelangelo-ui-tls": "app.sandbox.example.com",
}


def certificate(name: str, host: str) -> dict[str, Any]:
    """A Secret with a new certificate for a host, vouched for by itself."""
    return secret(name, *certificate_pair(host))


def secret(name: str, pem: bytes, key: bytes) -> dict[str, Any]:
    """A Secret with a certificate that vouches for itself."""
    data = {"tls.crt": pem, "tls.key": key, "ca.crt": pem}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name, "namespace": SPACE},
        "data": {file: base64.b64encode(text).decode() for file, text in data.items()},
    }


def apply(made: Deployed, *objects: dict[str, Any]) -> None:
    for item in objects:
        path = made.state.parent / "applied.json"
        path.write_text(json.dumps(item))
        done = made.run(*KUBECTL, "apply", "-f", str(path))
        assert done.returncode == 0, done.stderr


def get(made: Deployed, *arguments: str) -> dict[str, Any]:
    return made.get("control-plane", *arguments)


def look(made: Deployed, verb: str, *arguments: str) -> dict[str, Any]:
    """A command's report."""
    done = made.run(sys.executable, "-m", "madeploy", verb, "sandbox", "--json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def codes(report: dict[str, Any]) -> set[str]:
    found = {finding["code"] for check in report["checks"] for finding in check["findings"]}
    return found - UNKNOWN


def states(report: dict[str, Any], state: str) -> set[str]:
    return {check["check"] for check in report["checks"] if check["state"] == state}


@contextlib.contextmanager
def looked_at_sandbox(state: Path) -> Iterator[Deployed]:
    """Deploy one: an ingress controller's pod, which kwok plays, and two certificates are made by hand."""
    made = sandbox(state)
    up = made.madeploy("sandbox", "up")
    assert up.returncode == 0, up.stdout + up.stderr
    image = "registry.k8s.io/ingress-nginx/controller:v1"
    controller = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "controller", "namespace": "ingress-nginx"},
        "spec": {"containers": [{"name": "controller", "image": image}]},
    }
    apply(made, controller, *(certificate(name, host) for name, host in CERTIFICATES.items()))
    wait(lambda: "Ready" in str(get(made, "-n", "ingress-nginx", "pod", "controller").get("status")))
    yield made
    made.madeploy("sandbox", "down")
