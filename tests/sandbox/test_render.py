"""Rendered files as kustomize and kubeconform read them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy.render.folder import Folder
from madeploy.render.tree import Format, Tree, tree
from madeploy.schemas import platform
from madeploy.schemas.kinds import DEFINITIONS
from madeploy.schemas.kubeconform import Complaint, check
from madeploy.schemas.kubernetes import MINORS
from madeploy.settings import Environment
from madeploy.stackfile.loader import load_environment
from tests.manifests.test_passthrough import DOORS, passing
from tests.render.environments import REPOSITORY, gitops
from tests.support.environments import ALL
from tests.support.objects import identity
from tests.support.proves import proves

STACKS = Path(__file__).parents[2] / "stacks"
FORMATS: tuple[Format, ...] = ("files", "argocd", "flux", "pulumi-operator")
WAVE = "argocd.argoproj.io/sync-wave"


def render(of: Environment, form: Format) -> Tree:
    settings = of.gitops.model_copy(update={"repository": REPOSITORY})
    of = of.model_copy(update={"gitops": settings})
    return tree(of, "prod", form=form)


def stack(path: Path) -> Environment:
    found = load_environment(path)
    assert found.environment is not None, found.text
    return found.environment


@pytest.fixture(scope="module")
def kubeconform(tool_paths: dict[str, Path]) -> Path:
    """The binary."""
    return tool_paths["kubeconform"]


def complaints(binary: Path, trees: list[Tree], minors: tuple[str, ...] = MINORS) -> list[str]:
    """What there is against any file of these trees, each with its path."""
    files = [(path, text) for made in trees for path, text in made.files.items() if path.endswith(".yaml")]
    found = check(binary, [text for _, text in files], minors)
    return [f"{files[each.document][0]}: {each.message} {each.minors}" for each in found]


@proves("CARD-2")
def test_every_file_of_every_stack_passes_on_every_supported_minor(kubeconform: Path) -> None:
    """CARD-2, CARD-4, CP-1 to CP-5: strictly, no kind left out, in every format."""
    environments = [build() for build in ALL.values()]
    environments += [stack(path) for path in sorted(STACKS.glob("Pulumi.*.yaml"))]
    environments += [gitops(kind) for kind in ("pushed", "sops")]
    environments += [passing(door) for door in DOORS]
    trees = [render(each, form) for each in environments for form in FORMATS]
    assert complaints(kubeconform, trees) == []


@pytest.mark.parametrize(
    "path",
    [*sorted(DEFINITIONS.glob("*.yaml")), platform.DEFINITIONS / "cluster.yaml"],
    ids=lambda path: path.stem,
)
def test_a_field_that_is_not_there_is_found_in_every_kind_of_others(path: Path, kubeconform: Path) -> None:
    """CARD-2: so that the test above can fail; each kind that is not Kubernetes' own is rendered by some
    environment."""
    definition = yaml.safe_load(path.read_text())["spec"]
    group, kind = definition["group"], definition["names"]["kind"]
    texts = [
        document
        for built in (*(build() for build in ALL.values()), gitops("pushed"), passing("gatewayApi"))
        for form in FORMATS
        for document in render(built, form).files.values()
        if f"kind: {kind}\n" in document and f"apiVersion: {group}/" in document
    ]
    obj = yaml.safe_load(texts[0])
    holder = obj if group == "kustomize.config.k8s.io" else obj["spec"]
    holder["misspelt"] = 1
    (found,) = check(kubeconform, [yaml.safe_dump(obj)], ["1.34"])
    assert "misspelt" in found.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: example.com/v1\nkind: Unheard\nmetadata: {name: a}\n", "there is no schema of Unheard"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 1}\n", "data/a"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: null\n", "data"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\ndata: {c: d}\n", "data"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndate: {a: b}\n", "date"),
    ],
)
def test_what_kubernetes_would_refuse_or_drop_is_found(text: str, message: str, kubeconform: Path) -> None:
    """CARD-2."""
    good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"
    (found,) = check(kubeconform, [good, text, good], ["1.30", "1.37"])
    assert (found.document, found.minors) == (1, ("1.30", "1.37"))
    assert message in found.message


def test_a_field_that_only_newer_minors_have_is_refused_by_the_older_ones(kubeconform: Path) -> None:
    """CARD-2: `hostnameOverride` of pods came with 1.34."""
    pod: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    pod["spec"] = {"hostnameOverride": "a", "containers": [{"name": "a", "image": "a"}]}
    (found,) = check(kubeconform, [yaml.safe_dump(pod)])
    assert isinstance(found, Complaint)
    assert found.minors == tuple(minor for minor in MINORS if minor < "1.34")


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "pulumi-operator"])
def test_kustomize_builds_the_rendered_objects_and_nothing_else(
    form: Format, tmp_path: Path, tool_paths: dict[str, Path]
) -> None:
    """CARD-4: every target; waves are annotations of the objects themselves and of no pod template."""
    made = render(gitops("pushed"), form)
    Folder(tmp_path / "out", "prod").write(made.files)
    for target in made.plan.targets:
        done = subprocess.run(
            [tool_paths["kubectl"], "kustomize", str(tmp_path / "out" / target.folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        built = {identity(obj): obj for obj in yaml.safe_load_all(done.stdout)}
        rendered = {identity(obj): obj for stage in target.stages for obj in stage.objects}
        order = {identity(obj): stage.order for stage in target.stages for obj in stage.objects}
        for key, obj in built.items():
            wave = obj["metadata"].get("annotations", {}).pop(WAVE, None)
            if form == "argocd" and target.folder == "control-plane":
                assert wave == str(order[key])
            if obj["metadata"].get("annotations") == {}:
                del obj["metadata"]["annotations"]
        assert WAVE not in yaml.safe_dump(list(built.values()))
        assert built == rendered
