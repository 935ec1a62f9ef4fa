"""Rules about pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .model import Rule

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


def _pods(token: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The pod template of a workload, with the workload's kind and name."""
    kind = token.rpartition(":")[2]
    if token.startswith(("kubernetes:apps/v1:", "kubernetes:batch/v1:")) and kind in _WORKLOADS:
        name = (properties.get("metadata") or {}).get("name")
        spec = ((properties.get("spec") or {}).get("template") or {}).get("spec")
        if isinstance(spec, Mapping):
            yield f"{kind} {name}", spec


def _containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from spec.get("initContainers") or ()
    yield from spec.get("containers") or ()


def _floating(token: str, properties: Mapping[str, Any]) -> Iterator[str]:
    for subject, spec in _pods(token, properties):
        for container in _containers(spec):
            image = str(container.get("image"))
            _, _, tag = image.rpartition("/")[2].partition(":")
            if "@sha256:" in image:
                continue
            if not tag or tag in ("latest", "main") or tag.endswith("-latest"):
                yield f"{subject} runs {image}, which changes under it; pin a version or a digest."


def _restricted(token: str, properties: Mapping[str, Any]) -> Iterator[str]:
    for subject, spec in _pods(token, properties):
        pod = spec.get("securityContext") or {}
        for container in _containers(spec):
            own = container.get("securityContext") or {}
            missing = []
            if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
                missing.append("runAsNonRoot: true")
            if own.get("allowPrivilegeEscalation") is not False:
                missing.append("allowPrivilegeEscalation: false")
            if "ALL" not in ((own.get("capabilities") or {}).get("drop") or ()):
                missing.append("capabilities.drop: [ALL]")
            profile = own.get("seccompProfile") or pod.get("seccompProfile") or {}
            if profile.get("type") not in ("RuntimeDefault", "Localhost"):
                missing.append("seccompProfile.type: RuntimeDefault")
            if missing:
                name = container.get("name")
                yield f"{subject}, container {name}, fails Pod Security restricted; set {', '.join(missing)}."


FLOATING_IMAGES = Rule("no-floating-images", "Images are pinned by version or digest.", _floating)
RESTRICTED_PODS = Rule("restricted-pods", "Pods pass the Pod Security Standard restricted.", _restricted)
