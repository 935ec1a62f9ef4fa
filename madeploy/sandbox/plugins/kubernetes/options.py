"""The options of the `kubernetes` provider: what they are, which the stand-in honours, how they change.

Names and environment variables are those of pulumi-kubernetes 4.32.0 (`pulumi_kubernetes.ProviderArgs`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from madeploy.sandbox.plugins.kubernetes.client import Throttle
from madeploy.sandbox.plugins.kubernetes.kubeconfig import active_cluster
from madeploy.sandbox.plugins.properties import UNKNOWN, Properties, plain
from madeploy.sandbox.plugins.server import PluginError

_ENVIRONMENT = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
# Taken and of no effect here: nothing that they suppress or configure exists in the stand-in.
_WITHOUT_EFFECT = frozenset(
    {
        "suppressDeprecationWarnings",
        "suppressHelmHookWarnings",
        "helmReleaseSettings",
        "clusterIdentifier",
        "strictMode",
    }
)
_OWN = frozenset(
    {"kubeconfig", "context", "cluster", "namespace", "kubeClientSettings", "rejectUnknownResources"}
)
_NOT_HERE = {
    "renderYamlToDirectory": "it writes files instead of applying objects; use `madeploy render`",
    "alwaysRender": "it belongs to renderYamlToDirectory",
}
# The engine's own keys in a provider's configuration.
_ENGINE = frozenset({"version", "pluginDownloadURL", "__internal"})


@dataclass(frozen=True)
class Options:
    """What a provider instance was told. Fields are named as the options of the Python SDK."""

    kubeconfig: str | None
    context: str | None
    cluster: str | None
    namespace: str | None
    delete_unreachable: bool
    skip_update_unreachable: bool
    enable_config_map_mutable: bool
    enable_secret_mutable: bool
    enable_patch_force: bool
    upsert_existing_objects: bool
    reject_unknown_resources: bool
    timeout: float | None
    throttle: Throttle | None


def parse(values: Mapping[str, str], environ: Mapping[str, str]) -> Options:
    """Options from their text form; the environment fills in what they leave out.

    Raises:
        PluginError: an option is unknown, not supported by the stand-in, or malformed; all of them in one
            text.
    """
    known = _OWN | _WITHOUT_EFFECT | _NOT_HERE.keys() | _ENVIRONMENT.keys() | _ENGINE
    problems = [f"{key}: there is no such option" for key in sorted(values.keys() - known)]
    problems += [
        f"{key}: {why}" for key, why in _NOT_HERE.items() if values.get(key, "") not in ("", "false")
    ]
    flags = {
        key: _flag(values[key] if values.get(key) else environ.get(variable, ""))
        for key, variable in _ENVIRONMENT.items()
    }
    if (
        values.get("enableServerSideApply") or environ.get(_ENVIRONMENT["enableServerSideApply"])
    ) and not flags["enableServerSideApply"]:
        problems.append(
            "enableServerSideApply: it cannot be switched off; the stand-in applies server-side only"
        )
    settings, wrong = _client_settings(values.get("kubeClientSettings", ""), environ)
    problems += wrong
    if problems:
        raise PluginError(
            "the offline kubernetes plugin cannot work with these options:\n  " + "\n  ".join(problems)
        )
    qps, burst = settings.get("qps"), settings.get("burst")
    return Options(
        kubeconfig=values.get("kubeconfig") or None,
        context=values.get("context") or None,
        cluster=values.get("cluster") or None,
        namespace=values.get("namespace") or None,
        delete_unreachable=flags["deleteUnreachable"],
        skip_update_unreachable=flags["skipUpdateUnreachable"],
        enable_config_map_mutable=flags["enableConfigMapMutable"],
        enable_secret_mutable=flags["enableSecretMutable"],
        enable_patch_force=flags["enablePatchForce"],
        upsert_existing_objects=flags["upsertExistingObjects"],
        reject_unknown_resources=_flag(values.get("rejectUnknownResources", "")),
        timeout=settings.get("timeout"),
        throttle=Throttle(qps or 50.0, int(burst or 120)) if qps or burst else None,
    )


def check_strict(news: Properties, is_default: bool, configured: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What strict mode has against a provider's options: (property, reason) pairs.

    Args:
        news: the provider's options as the program gives them; may hold `UNKNOWN`.
        is_default: whether it is the default provider.
        configured: the package's section of the stack configuration.
    """
    strict = plain(news.get("strictMode", configured.get("strictMode")))
    if strict not in ("true", True):
        return []
    failures = [("", "strict mode prohibits default provider")] if is_default else []
    failures += [
        (key, f'strict mode requires Provider "{key}" argument')
        for key in ("kubeconfig", "context")
        if not plain(news.get(key))
    ]
    return failures


def diff(olds: Properties, news: Properties) -> tuple[list[str], list[str]]:
    """Changed options, and those among them that replace the provider and with it all of its resources.

    With a `clusterIdentifier` on both sides only that decides; without, another cluster in the kubeconfig
    does."""
    changed = sorted(key for key in olds.keys() | news.keys() if plain(olds.get(key)) != plain(news.get(key)))
    old_identifier, identifier = plain(olds.get("clusterIdentifier")), plain(news.get("clusterIdentifier"))
    if old_identifier and identifier:
        return changed, ["clusterIdentifier"] if old_identifier != identifier else []
    selecting: list[str] = [key for key in ("kubeconfig", "context", "cluster") if key in changed]
    if unknown := [key for key in selecting if plain(news.get(key)) is UNKNOWN]:
        return changed, unknown
    before, after = (
        active_cluster(*(plain(options.get(key)) for key in ("kubeconfig", "context", "cluster")))
        for options in (olds, news)
    )
    moved = before is not None and after is not None and before != after
    return changed, selecting if moved else []


def _client_settings(text: str, environ: Mapping[str, str]) -> tuple[dict[str, float], list[str]]:
    try:
        given = json.loads(text) if text else {}
        named = {
            key: given.get(key, environ.get(f"PULUMI_K8S_CLIENT_{key.upper()}"))
            for key in ("qps", "burst", "timeout")
        }
        return {key: float(value) for key, value in named.items() if value not in (None, "")}, []
    except (ValueError, TypeError, AttributeError):
        return {}, ["kubeClientSettings: accepted are the numbers qps, burst and timeout (seconds)"]


def _flag(text: str) -> bool:
    return text.lower() == "true"
