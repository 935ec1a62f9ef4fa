"""Definitions of custom resources as their projects publish them, read from Go's module cache."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from madeploy.sandbox.tools.build import environment

DEFINITIONS: Final[Mapping[str, str]] = {
    "sigs.k8s.io/kueue@v0.15.0": "config/components/crd/bases",
    "sigs.k8s.io/gateway-api@v1.4.0": "config/crd/standard",
    "github.com/ray-project/kuberay/ray-operator@v1.6.1": "config/crd/bases",
    "github.com/cert-manager/cert-manager@v1.19.1": "deploy/crds",
    "github.com/prometheus-operator/prometheus-operator@v0.82.2": "example/prometheus-operator-crd",
    "github.com/grafana/grafana-operator/v5@v5.18.0": "config/crd/bases",
    "github.com/external-secrets/external-secrets@v0.20.4": "config/crds/bases",
    "github.com/fluxcd/source-controller@v1.7.0": "config/crd/bases",
    "github.com/argoproj/argo-cd/v3@v3.1.9": "manifests/crds",
}
"""Folder of the definitions in each module. KubeRay's is the newest that can be had as a Go module."""


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: a plain `=` is a text, and nothing of YAML 1.1's own."""


_Loader.add_constructor("tag:yaml.org,2002:value", _Loader.construct_yaml_str)


def folders(modules: Mapping[str, str], directory: Path) -> Iterator[Path]:
    """Where the definitions are, fetched into the module cache if need be; Go's checksum database vouches for
    them. `directory` is one without a module."""
    ran = subprocess.run(
        ["go", "mod", "download", "-json", *modules],
        cwd=directory,
        env=environment() | {"GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    decoder, text = json.JSONDecoder(), ran.stdout.strip()
    while text:
        found, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        yield Path(found["Dir"]) / modules[f"{found['Path']}@{found['Version']}"]


def definitions(kinds: set[tuple[str, str]], directory: Path) -> list[dict[str, Any]]:
    """The published definitions of these kinds (group, kind)."""
    made = []
    for folder in folders(DEFINITIONS, directory):
        for path in sorted(folder.glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if not any(f"kind: {kind}\n" in text and group in text for group, kind in kinds):
                continue
            for item in yaml.load_all(text, Loader=_Loader):
                if not item or item.get("kind") != "CustomResourceDefinition":
                    continue
                spec = item["spec"]
                if (spec["group"], spec["names"]["kind"]) in kinds:
                    # Who converts between versions does not run.
                    spec.pop("conversion", None)
                    made.append({**item, "metadata": {**item["metadata"], "labels": {}}})
    return made
