"""Whether the quotas of the namespaces leave room for all of the stack's pods, before the first of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from madeploy.clients.kubernetes import Object
from madeploy.doctor.checks import NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.settings import CONTROL_PLANE
from manifests.workload_pods import workload_pods

_UNITS: Final = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("", "k", "M", "G", "T", "P", "E"))},
    **{f"{unit}i": Decimal(1024) ** (power + 1) for power, unit in enumerate("KMGTPE")},
}
_UNLIMITED: Final = ("scopes", "scopeSelector")
"""Fields of a quota that counts some pods only: which, is left to the API server."""


def quantity(text: str) -> Decimal:
    """A quantity as a number, bytes or cores (Kubernetes API conventions, quantities). Raises ValueError."""
    unit = text.lstrip("0123456789.")
    try:
        return Decimal(text[: len(text) - len(unit)]) * _UNITS[unit]
    except (ArithmeticError, KeyError):
        raise ValueError(f"{text!r} is no quantity") from None


def wanted(objects: tuple[Object, ...], namespace: str) -> Counter[str]:
    """What all replicas of the Deployments of a namespace ask for, by the names that quotas have for it."""
    total: Counter[str] = Counter()
    for obj in objects:
        if obj["kind"] != "Deployment" or obj["metadata"]["namespace"] != namespace:
            continue
        replicas = obj["spec"].get("replicas", 1)
        total["pods"] += replicas
        (pods,) = workload_pods([obj])
        for container in pods.spec["containers"]:
            for kind, amounts in (container.get("resources") or {}).items():
                for what, amount in amounts.items():
                    total[f"{kind}.{what}"] += quantity(str(amount)) * replicas
    for what in ("cpu", "memory"):
        # A quota may leave `requests.` out.
        total[what] = total[f"requests.{what}"]
    return total


def quotas(site: Site) -> Seen:
    """Whether what is left of each quota is enough. Raises ClientError."""
    client, objects = site.client(), site.objects[CONTROL_PLANE]
    namespaces = sorted({each.namespace for each in workload_pods(objects)})
    found: list[Finding] = []
    looked = 0
    for namespace in namespaces:
        own = _used_already(client.items(f"/apis/apps/v1/namespaces/{namespace}/deployments"), objects)
        for quota in client.items(f"/api/v1/namespaces/{namespace}/resourcequotas"):
            looked += 1
            if not any(field in quota["spec"] for field in _UNLIMITED):
                found += _judged(site, namespace, quota, wanted(objects, namespace), own)
    if not looked:
        raise NotNeededError("no quota limits the namespaces of its pods")
    return found or f"{looked} quotas leave room for every replica"


def _used_already(deployments: Iterator[Object], objects: tuple[Object, ...]) -> Counter[str]:
    names = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Deployment"}
    live = [{**item, "kind": "Deployment", "apiVersion": "apps/v1"} for item in deployments]
    ours = tuple(item for item in live if item["metadata"]["name"] in names)
    return wanted(ours, ours[0]["metadata"]["namespace"]) if ours else Counter()


def _judged(
    site: Site, namespace: str, quota: Object, total: Counter[str], own: Mapping[str, Any]
) -> Iterator[Finding]:
    hard: dict[str, str] = quota["spec"].get("hard") or {}
    used: dict[str, str] = (quota.get("status") or {}).get("used") or {}
    short = []
    for what, limit in hard.items():
        if not total[what]:
            continue
        # What runs of the stack already is replaced, not added to.
        others = max(quantity(used.get(what, "0")) - own.get(what, 0), Decimal(0))
        left = quantity(limit) - others
        if total[what] > left:
            short.append(f"{what}: {_shown(total[what])} asked for, {_shown(left)} left of {limit}")
    if short:
        name = quota["metadata"]["name"]
        look = site.kubectl(f"-n {namespace} describe resourcequota {name}")
        fix = f"Raise it, or ask for less in controlPlane.<service>.resources:\n{look}"
        yield find("MA927", f"ResourceQuota {namespace}/{name}", "; ".join(short), fix=fix)


def _shown(amount: Any) -> str:
    for unit in ("Gi", "Mi"):
        if amount >= _UNITS[unit]:
            return f"{amount / _UNITS[unit]:.4g}{unit}"
    return f"{amount:.4g}"
