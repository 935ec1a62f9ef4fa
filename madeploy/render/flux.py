"""Flux's own objects: one Kustomization for each stage, waiting for those before it
(kustomize.toolkit.fluxcd.io/v1, source.toolkit.fluxcd.io/v1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from madeploy.render.stages import REGISTRATIONS, Plan, Stage, Target
from madeploy.render.stages import folder as stage_folder
from madeploy.settings import CONTROL_PLANE, Environment
from manifests.objects import Object, checksum
from manifests.parts import REGISTRAR

NAMESPACE: Final = "flux-system"


def kubeconfig_secret(cluster: str) -> str:
    """Secret in Flux's namespace with a compute cluster's kubeconfig under `value`."""
    return f"{cluster}-kubeconfig"


def objects(environment: Environment, stack: str, plan: Plan) -> Iterator[tuple[str, Object]]:
    """File name and object of everything Flux is given, in the folder `flux` of the tree."""
    source = f"michelangelo-{stack}"
    namespace = environment.gitops.namespace or NAMESPACE
    secret = environment.gitops.repository_secret
    yield (
        "gitrepository.yaml",
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": _metadata(source, namespace),
            "spec": {
                "interval": "1m",
                "url": environment.gitops.repository,
                "ref": {"branch": environment.gitops.revision},
                **({"secretRef": {"name": secret}} if secret else {}),
            },
        },
    )
    for target in plan.targets:
        for stage, needs in _steps(target):
            path = f"{target.folder}/{stage.folder}" if stage.folder else target.folder
            name = _name(source, path)
            # Deleted only once what it applied is gone: a `Cluster` needs its controller manager to the end.
            spec: dict[str, Any] = {
                "interval": "10m",
                "retryInterval": "1m",
                "timeout": "10m",
                "prune": True,
                "deletionPolicy": "WaitForTermination",
                "wait": target.cluster == CONTROL_PLANE and stage.awaited,
                "path": f"./{environment.gitops.path}/{path}" if environment.gitops.path else f"./{path}",
                "sourceRef": {"kind": "GitRepository", "name": source},
            }
            waits_for = [_name(source, f"{target.folder}/{need}") for need in needs]
            if target.folder == REGISTRATIONS and stage.order == min(each.order for each in target.stages):
                # When it is healthy, their definitions exist and their finalizer runs.
                waits_for.append(_name(source, f"{CONTROL_PLANE}/{stage_folder(REGISTRAR)}"))
            if waits_for:
                spec["dependsOn"] = [{"name": need} for need in waits_for]
            if environment.gitops.secrets.kind == "sops":
                spec["decryption"] = {"provider": "sops"}
            if target.cluster != CONTROL_PLANE:
                spec["kubeConfig"] = {"secretRef": {"name": kubeconfig_secret(target.cluster)}}
            yield (
                f"kustomization-{path.replace('/', '-')}.yaml",
                {
                    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                    "kind": "Kustomization",
                    "metadata": _metadata(name, namespace),
                    "spec": spec,
                },
            )


def _steps(target: Target) -> Iterator[tuple[Stage, Iterable[str]]]:
    """Each stage, with the folders of the awaited stages just before it."""
    awaited = [stage for stage in target.stages if stage.awaited]
    for stage in target.stages:
        before = max((each.order for each in awaited if each.order < stage.order), default=None)
        needs = [each.folder for each in awaited if each.order == before]
        yield stage, needs


def _name(source: str, path: str) -> str:
    """Name of a Kustomization: Flux puts it on every object as a label's value, of at most 63 characters."""
    name = f"{source}-{path.replace('/', '-')}"
    return name if len(name) <= 63 else f"{name[:46]}-{checksum(name)}"


def _metadata(name: str, namespace: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/part-of": "michelangelo", "app.kubernetes.io/managed-by": "madeploy"},
    }
