"""`kustomization.yaml` of a folder (Kustomize, kustomize.config.k8s.io/v1beta1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from madeploy.documents.text import dump

KUSTOMIZATION: Final = "kustomization.yaml"


def kustomization(resources: Sequence[str], annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A kustomization of files or folders in this order, with annotations for each of its objects.

    Annotations are put on objects only: `commonAnnotations` would put them on pod templates too, and so
    restart every pod when one changes.
    """
    data: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(resources),
    }
    if annotations:
        transformer = {
            "apiVersion": "builtin",
            "kind": "AnnotationsTransformer",
            "metadata": {"name": "annotations"},
            "annotations": dict(annotations),
            "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
        }
        data["transformers"] = [dump(transformer)]
    return data
