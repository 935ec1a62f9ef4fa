"""Reading Pulumi's type tokens: which Kubernetes kind a resource is."""

from __future__ import annotations

from dataclasses import dataclass

from madeploy.sandbox.plugins.server import PluginError

_REFUSED_MODULES = ("helm", "helm.sh", "kustomize", "yaml")


@dataclass(frozen=True)
class PatchedKind:
    """The Kubernetes kind behind a resource type.

    Args:
        api_version: "apps/v1", "v1".
        kind: "Deployment".
        is_patch: whether the resource sets fields on someone else's object (`ConfigMapPatch`).
    """

    api_version: str
    kind: str
    is_patch: bool = False


def read_type(urn_or_token: str) -> PatchedKind:
    """The kind that a URN or a type token (`kubernetes:apps/v1:Deployment`) names.

    Raises:
        PluginError: it is not one object of the API but a chart, a file, a list.
    """
    parts = urn_or_token.split("::")
    token = (parts[2] if len(parts) > 3 else urn_or_token).rpartition("$")[2]
    package, _, rest = token.partition(":")
    module, _, kind = rest.rpartition(":")
    if package != "kubernetes" or module.partition("/")[0] in _REFUSED_MODULES:
        raise PluginError(
            f"{token}: the offline kubernetes plugin applies single objects; it renders no charts, YAML "
            "files or kustomizations. Declare the objects in the program, or install the official plugin."
        )
    group, _, version = module.rpartition("/")
    if not kind or not version or not group:
        raise PluginError(f"{token} names no Kubernetes API version and kind")
    if kind.endswith("List") and "." not in group:
        raise PluginError(f"{token}: lists cannot be created; declare the objects one by one")
    api_version = version if group == "core" else f"{group}/{version}"
    is_patch = kind.endswith("Patch") and kind != "Patch"
    return PatchedKind(api_version, kind.removesuffix("Patch") if is_patch else kind, is_patch)
