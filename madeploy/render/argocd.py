"""Argo CD's own objects: an Application for the control plane, one for the registrations, an ApplicationSet
for the compute clusters, and the Application that holds these (Argo CD user guide, declarative set-up)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.render.stages import COMPUTE, REGISTRATIONS, Plan, Stage, Target
from madeploy.settings import CONTROL_PLANE, Environment
from manifests.objects import Object

API_VERSION: Final = "argoproj.io/v1alpha1"
WAVE: Final = "argocd.argoproj.io/sync-wave"
FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"
"""With it, deleting an Application deletes its objects, in the reverse order of waves."""

FOLDER: Final = "argocd"


def wave(target: Target, stage: Stage) -> dict[str, str] | None:
    """Annotations of a stage's objects. A `Cluster` gets none: it stays in wave 0, and what it needs comes
    before, so that nothing about it ever has to change (V7)."""
    if target.folder == REGISTRATIONS:
        return {WAVE: "-10"} if stage.folder.endswith("-credentials") else None
    return {WAVE: str(stage.order)} if stage.folder else None


def objects(environment: Environment, stack: str, plan: Plan) -> Iterator[tuple[str, Object]]:
    """File name and object of everything Argo CD is given, in the folder `argocd` of the tree."""
    settings = environment.gitops
    namespace = settings.namespace or "argocd"
    destination = {"name": settings.control_plane_cluster}
    name = f"michelangelo-{stack}"

    def application(name: str, folder: str, order: int | None, options: list[str]) -> Object:
        annotations = {} if order is None else {WAVE: str(order)}
        return {
            "apiVersion": API_VERSION,
            "kind": "Application",
            "metadata": _metadata(name, namespace, annotations) | {"finalizers": [FINALIZER]},
            "spec": _spec(environment, folder, destination, options),
        }

    # Retried until the API server has created the definitions: the sync fails before that, by design.
    yield "application-control-plane.yaml", application(f"{name}-control-plane", CONTROL_PLANE, 0, [])
    if any(target.folder == REGISTRATIONS for target in plan.targets):
        options = ["SkipDryRunOnMissingResource=true"]
        registrations = application(f"{name}-registrations", REGISTRATIONS, 10, options)
        yield "application-registrations.yaml", registrations
    if any(target.folder.startswith(f"{COMPUTE}/") for target in plan.targets):
        yield "applicationset-compute.yaml", _compute(environment, name, namespace)
    yield (
        "root.yaml",
        {
            "apiVersion": API_VERSION,
            "kind": "Application",
            "metadata": _metadata(name, namespace, {}) | {"finalizers": [FINALIZER]},
            "spec": _spec(environment, FOLDER, {"name": "in-cluster", "namespace": namespace}, [])
            | {"source": _source(environment, FOLDER) | {"directory": {"exclude": "root.yaml"}}},
        },
    )


def _compute(environment: Environment, name: str, namespace: str) -> Object:
    """One Application for each folder below `compute`, named after the cluster it is applied to."""
    template = "{{.path.basename}}"
    return {
        "apiVersion": API_VERSION,
        "kind": "ApplicationSet",
        "metadata": _metadata(f"{name}-compute", namespace, {WAVE: "10"}),
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [
                {
                    "git": {
                        "repoURL": environment.gitops.repository,
                        "revision": environment.gitops.revision,
                        "directories": [{"path": _path(environment, f"{COMPUTE}/*")}],
                    }
                }
            ],
            "template": {
                "metadata": {"name": f"{name}-compute-{template}", "finalizers": [FINALIZER]},
                "spec": _spec(environment, f"{COMPUTE}/{template}", {"name": template}, []),
            },
        },
    }


def _metadata(name: str, namespace: str, annotations: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/part-of": "michelangelo", "app.kubernetes.io/managed-by": "madeploy"},
    }
    return data | ({"annotations": dict(annotations)} if annotations else {})


def _path(environment: Environment, folder: str) -> str:
    root = environment.gitops.path
    return f"{root}/{folder}" if root else folder


def _source(environment: Environment, folder: str) -> dict[str, Any]:
    return {
        "repoURL": environment.gitops.repository,
        "targetRevision": environment.gitops.revision,
        "path": _path(environment, folder),
    }


def _spec(
    environment: Environment, folder: str, destination: Mapping[str, str], options: list[str]
) -> dict[str, Any]:
    return {
        "project": environment.gitops.project,
        "source": _source(environment, folder),
        "destination": dict(destination),
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": ["ServerSideApply=true", *options],
            # Until the API server has created the definitions, and secret stores have answered.
            "retry": {"limit": 20, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}},
        },
    }
