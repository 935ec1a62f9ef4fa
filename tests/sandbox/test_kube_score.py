"""kube-score over everything that is deployed: nothing critical but what is accepted with a reason."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from madeploy.names.services import SERVICES
from madeploy.sandbox import tools
from madeploy.settings import Environment
from madeploy.stackfile.loader import load_environment
from manifests import catalog
from manifests.inputs import Inputs
from manifests.objects import Object
from tests.support import kube_score
from tests.support.environments import ALL, minimal
from tests.support.environments import environment as smallest
from tests.support.kube_score import ACCEPTED, Accepted, Critical
from tests.support.objects import container, deployment

pytestmark = pytest.mark.sandbox

STACKS = {path.stem: path for path in sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))}


@pytest.fixture(scope="module")
def binary() -> Path:
    return tools.ensure(["kube-score"]).path("kube-score")


def load(name: str) -> Environment:
    """A representative environment, or a stack file's."""
    if name in ALL:
        return ALL[name]()
    stack = load_environment(STACKS[name])
    assert stack.environment is not None, stack.text
    return stack.environment


@pytest.fixture(scope="module")
def found(binary: Path) -> dict[str, frozenset[Critical]]:
    """Criticals of every environment."""
    return {name: kube_score.criticals(binary, load(name)) for name in (*ALL, *STACKS)}


@pytest.mark.parametrize("name", [*ALL, *STACKS])
def test_nothing_is_critical_but_what_is_accepted(name: str, found: dict[str, frozenset[Critical]]) -> None:
    """CARD-2, CP-7, CP-9, NET-13: every object of every cluster."""
    assert sorted(found[name] - kube_score.ACCEPTED_CRITICALS) == []


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: row.check)
def test_every_accepted_critical_is_there(row: Accepted, found: dict[str, frozenset[Critical]]) -> None:
    """CP-7: an exception that nothing needs any more would hide the next one."""
    assert sorted(row.criticals - frozenset().union(*found.values())) == []


def test_the_settings_named_for_it_lift_an_exception(binary: Path) -> None:
    """CP-7, CP-9."""
    environment = smallest(
        images={"tag": "sha-cbf5720", "pullPolicy": "Always"},
        controlPlane={service: {"resources": {"cpuLimit": "1"}} for service in SERVICES},
    )
    left = {critical.check for critical in kube_score.criticals(binary, environment)}
    assert left == {"pod-probes-identical"}


def without_memory_limit(obj: Object) -> None:
    del container(obj)["resources"]["limits"]


def with_a_floating_tag(obj: Object) -> None:
    container(obj)["image"] = "registry.example.com/worker:latest"


def with_a_writable_root(obj: Object) -> None:
    container(obj)["securityContext"]["readOnlyRootFilesystem"] = False


def without_its_policy_s_label(obj: Object) -> None:
    obj["spec"]["template"]["metadata"]["labels"]["app"] = "stray"


def silenced(obj: Object) -> None:
    obj["metadata"]["annotations"] = {"kube-score/ignore": "container-image-tag"}
    with_a_floating_tag(obj)


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (without_memory_limit, "container-resources"),
        (with_a_floating_tag, "container-image-tag"),
        (with_a_writable_root, "container-security-context-readonlyrootfilesystem"),
        (without_its_policy_s_label, "pod-networkpolicy"),
        (silenced, "container-image-tag"),
    ],
)
def test_a_new_critical_is_found(binary: Path, spoil: Callable[[Object], None], check: str) -> None:
    """CP-7, CP-9, NET-13: so that the tests above can fail; a check of which one comment is accepted
    included."""
    objects = copy.deepcopy([obj for bundle in catalog.bundles(Inputs(minimal())) for obj in bundle.objects])
    spoil(deployment(objects, "worker"))
    new = kube_score.score(binary, objects) - kube_score.ACCEPTED_CRITICALS
    assert check in {critical.check for critical in new}
    assert "Deployment/michelangelo-worker" in {critical.object for critical in new}


def test_the_page_is_up_to_date() -> None:
    """UX-3: `python -m tests.support.kube_score` writes it."""
    assert kube_score.PAGE.read_text(encoding="utf-8") == kube_score.page()
