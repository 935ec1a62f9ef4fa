"""The tree of files: path and text of each, in order, as a pure function of an environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from madeploy.render import argocd, flux, notes, pulumi_operator
from madeploy.render.documents import Texts
from madeploy.render.kustomize import KUSTOMIZATION, kustomization
from madeploy.render.stages import Plan, Stage, plan
from madeploy.settings import CONTROL_PLANE, Environment
from manifests.objects import Object

Format = Literal["files", "argocd", "flux", "pulumi-operator"]
"""For kubectl and kustomize; with the objects of Argo CD or Flux that apply the files; or, in their place,
those of the Pulumi Kubernetes Operator, which runs the program."""

SECRETS_FILE: Final = "SECRETS.md"


@dataclass(frozen=True)
class Document:
    """One object and the file it is in."""

    path: str
    """Relative, with slashes."""

    cluster: str
    object: Object
    text: str


@dataclass(frozen=True)
class Tree:
    """Content of a rendered folder."""

    documents: tuple[Document, ...]
    """Objects of the environment, in the order of application."""

    others: Mapping[str, str]
    """Text by path of what is no object of the environment: kustomizations, the engine's own objects, the
    list of secrets."""

    encrypted: tuple[str, ...]
    """Files that must be put there by hand."""

    plan: Plan

    @property
    def files(self) -> dict[str, str]:
        """Text by path, sorted."""
        made = {document.path: document.text for document in self.documents}
        return dict(sorted((made | dict(self.others)).items()))

    def stream(self) -> Iterator[str]:
        """One stream of YAML documents, each with its path as a comment."""
        for document in self.documents:
            yield f"---\n# {document.path}\n{document.text}"


def tree(
    environment: Environment,
    stack: str,
    endpoints: Mapping[str, tuple[str, str]] | None = None,
    form: Format = "files",
) -> Tree:
    """The tree of an environment.

    Args:
        environment: the environment.
        stack: name of the stack.
        endpoints: `(host, port)` of registered clusters whose address is not in the settings.
        form: `files` for kubectl and kustomize, or whose objects to add. Those of the Pulumi operator are all
            there is then: its engine makes everything else.
    """
    if form == "pulumi-operator":
        return _stacks(environment, stack)
    what = plan(environment, stack, endpoints or {})
    texts = Texts()
    documents: list[Document] = []
    others: dict[str, str] = {}
    encrypted: list[str] = []
    for target in what.targets:
        folders = [stage.folder for stage in target.stages if stage.folder]
        if folders:
            others[f"{target.folder}/{KUSTOMIZATION}"] = texts.of(kustomization(folders))
        for stage in target.stages:
            folder = f"{target.folder}/{stage.folder}" if stage.folder else target.folder
            made = dict(_named(stage))
            documents += [
                Document(f"{folder}/{name}", target.cluster, obj, texts.of(obj)) for name, obj in made.items()
            ]
            wave = argocd.wave(target, stage) if form == "argocd" else None
            others[f"{folder}/{KUSTOMIZATION}"] = texts.of(kustomization([*made, *stage.encrypted], wave))
            encrypted += [f"{folder}/{name}" for name in stage.encrypted]
    if form != "files":
        wrapper = argocd if form == "argocd" else flux
        for name, obj in wrapper.objects(environment, stack, what):
            others[f"{form}/{name}"] = texts.of(obj)
    others[SECRETS_FILE] = notes.page(environment, stack, what)
    return Tree(tuple(documents), others, tuple(encrypted), what)


def _stacks(environment: Environment, stack: str) -> Tree:
    texts = Texts()
    documents = tuple(
        Document(f"{pulumi_operator.FOLDER}/{name}", CONTROL_PLANE, obj, texts.of(obj))
        for name, obj in pulumi_operator.objects(environment, stack)
    )
    needed = notes.listed(stack, pulumi_operator.must_exist(environment))
    return Tree(documents, {SECRETS_FILE: needed}, (), Plan((), ()))


def _named(stage: Stage) -> Iterator[tuple[str, Object]]:
    """File name of each object: kind and name, and the namespace where two would share a file."""
    seen: set[str] = set()
    for obj in stage.objects:
        metadata: dict[str, Any] = obj["metadata"]
        name = f"{obj['kind']}-{metadata['name']}".lower()
        if name in seen:
            name = f"{obj['kind']}-{metadata['namespace']}-{metadata['name']}".lower()
        seen.add(name)
        yield f"{name}.yaml", obj
