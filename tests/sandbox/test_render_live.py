"""What `render` writes is what `pulumi up` has applied, as live API servers see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.proves import proves
from tests.support.sandbox import Deployed

pytestmark = pytest.mark.sandbox
MANAGER = "rendered"
TARGETS = {
    "control-plane": "control-plane",
    "registrations": "control-plane",
    "compute/compute-0": "compute-0",
}
"""Context of each folder's cluster."""


@pytest.fixture(scope="module")
def tree(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's stack, rendered with the outputs of its update."""
    folder = tmp_path_factory.mktemp("rendered")
    outputs = folder / "outputs.json"
    shown = deployed.run("pulumi", "stack", "output", "--json")
    assert shown.returncode == 0, shown.stderr
    outputs.write_text(shown.stdout)
    done = deployed.run(
        "madeploy", "render", "sandbox", "-o", str(folder / "tree"), "--outputs", str(outputs)
    )
    assert done.returncode == 0, done.stderr
    return folder / "tree"


def items(text: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Objects of a list by kind, namespace and name."""
    listed: dict[str, Any] = json.loads(text)
    found = listed["items"] if listed["kind"] == "List" else [listed]
    return {
        (obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]): obj for obj in found
    }


def kubectl(deployed: Deployed, folder: Path, context: str, *arguments: str) -> dict[Any, dict[str, Any]]:
    done = deployed.run(
        "kubectl", "--context", context, *arguments, "-k", str(folder), "-o", "json", "--show-managed-fields"
    )
    assert done.returncode == 0, done.stderr
    return items(done.stdout)


def applied(deployed: Deployed, folder: Path, context: str) -> dict[Any, dict[str, Any]]:
    """Objects as they would be after server-side apply; nothing is stored."""
    options = ("--server-side", "--dry-run=server", "--force-conflicts", f"--field-manager={MANAGER}")
    return kubectl(deployed, folder, context, "apply", *options)


def applied_part(obj: dict[str, Any]) -> dict[str, Any]:
    """The object without who manages which field, and without what its controllers keep writing."""
    metadata = {k: v for k, v in obj["metadata"].items() if k not in ("managedFields", "resourceVersion")}
    return {k: v for k, v in obj.items() if k != "status"} | {"metadata": metadata}


@pytest.mark.parametrize("folder", TARGETS)
@proves("CARD-4")
def test_applying_the_files_would_change_nothing(deployed: Deployed, tree: Path, folder: str) -> None:
    """CARD-4, CP-1 to CP-5, NET-5, NET-13, REG-2, REG-4: every rendered object is there, and equal in every
    field, its generation included, but for who manages them. That an update sets nothing more is
    proven where both can be seen as they were sent (`tests/render/test_equivalence.py`)."""
    live = kubectl(deployed, tree / folder, TARGETS[folder], "get")
    after = applied(deployed, tree / folder, TARGETS[folder])
    assert after.keys() == live.keys()
    for key, obj in after.items():
        assert applied_part(obj) == applied_part(live[key]), key


def test_roles_that_are_predicted_are_the_roles_that_were_made(
    deployed: Deployed, tree: Path, tmp_path: Path
) -> None:
    """CARD-4, MR-2: without the outputs only the registration is missing; nothing else differs."""
    done = deployed.run("madeploy", "render", "sandbox", "-o", str(tmp_path / "tree"))
    assert done.returncode == 0, done.stderr
    there, predicted = (
        {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*.yaml")}
        for root in (tree, tmp_path / "tree")
    )
    assert {path for path in there if not path.startswith("registrations/")} == predicted.keys()
    assert all(there[path] == text for path, text in predicted.items())


def test_a_change_by_hand_would_be_noticed(deployed: Deployed, tree: Path) -> None:
    """So that the tests above can fail."""
    folder = tree / "control-plane" / "70-ui"
    config = folder / "configmap-public-config.yaml"
    text = config.read_text()
    config.write_text(text.replace("app.sandbox.", "app.other."))
    try:
        live = kubectl(deployed, folder, "control-plane", "get")
        after = applied(deployed, folder, "control-plane")
        changed = {key for key in live if applied_part(after[key]) != applied_part(live[key])}
        assert changed == {("ConfigMap", "ma-system", "public-config")}
    finally:
        config.write_text(text)
