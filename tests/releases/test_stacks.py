"""Every stack of the repository for every release: rendered, proven, judged, and read by the services."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from madeploy.policy import sources
from madeploy.releases import ReleaseName
from madeploy.render.tree import Format, tree
from madeploy.settings import Environment
from manifests import catalog
from manifests.proof import prove_all
from manifests.service_config import CONFIGURED
from tests.policies.world import found
from tests.releases.test_emission import check
from tests.render.environments import REPOSITORY
from tests.support.proves import proves
from tests.support.stacks import for_release

STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))
FORMATS: tuple[Format, ...] = tuple(form for form in get_args(Format) if form != "pulumi-operator")
"""Those with the objects themselves; the operator is given stacks."""

EVERY_STACK = pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
EVERY_RELEASE = pytest.mark.parametrize("release", get_args(ReleaseName))


def environment(path: Path, release: ReleaseName, folder: Path) -> Environment:
    stack = for_release(path, release, folder)
    assert stack.environment is not None, stack.text
    assert stack.environment.platform.release == release
    return stack.environment


@EVERY_STACK
@EVERY_RELEASE
@pytest.mark.parametrize("form", FORMATS)
def test_it_is_rendered_in_every_format(
    form: Format, release: ReleaseName, path: Path, tmp_path: Path
) -> None:
    """REL-1, CARD-4: files of every cluster, with the release's own definitions named in its rights."""
    made = environment(path, release, tmp_path)
    made = made.model_copy(update={"gitops": made.gitops.model_copy(update={"repository": REPOSITORY})})
    text = "\n".join(tree(made, "prod", form=form).files.values())
    for service in ("apiserver", "controllermgr", "worker", "envoy", "ui"):
        assert f"name: michelangelo-{service}\n" in text
    assert ("evaluationreports" in text) == (release == "0.12")


@EVERY_STACK
@EVERY_RELEASE
@proves("REL-1")
def test_everything_it_names_exists_and_every_policy_is_kept(
    release: ReleaseName, path: Path, tmp_path: Path
) -> None:
    """REL-1, CARD-2, CP-7."""
    made = environment(path, release, tmp_path)
    assert prove_all(catalog.placed(made), made) == []
    source = sources.of_stack(path.name, tmp_path / path.name, made)
    assert found(source.resources, made.platform.tier, suppressions=source.suppressions).found == []


@EVERY_STACK
@EVERY_RELEASE
def test_services_read_every_key_and_stop_at_none(release: ReleaseName, path: Path, tmp_path: Path) -> None:
    """REL-1, CP-6 (V2, V22 to V25)."""
    for service in CONFIGURED:
        check(environment(path, release, tmp_path), service)
