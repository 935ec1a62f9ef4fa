"""The worked example of docs/development.md, done as it says, in a copy of the product."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stacks import stack_text

pytestmark = pytest.mark.whole

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("madeploy", "manifests", "components", "policies", "tests")
HUNK = re.compile(r"^@@.*@@$", re.MULTILINE)

SEEN = """
import yaml
from pathlib import Path
from madeploy.names.services import SERVICES
from madeploy.plan.environments import between
from madeploy.plan.sentences import sentences
from madeploy.render.tree import tree
from madeploy.settings import Environment
from madeploy.topology.build import build
from manifests import catalog
from manifests.inputs import Inputs
from manifests.policy_flows import permitted
from manifests.proof import prove
from tests.support.programs import deploy
from tests.support.environments import environment

for section in ({}, %(sections)s):
    made = environment(**section)
    # Created, under the control plane's component and after the API server.
    recording, _ = deploy(made)
    resource = recording.one(
        "kubernetes:apps/v1:Deployment", "notifier-deployment-ma-system-michelangelo-notifier"
    )
    assert "ControlPlane" in resource.parent
    assert any("michelangelo-apiserver" in name for name in recording.waits_for(resource))
    # Rendered, at its depth.
    files = tree(made, "prod").files
    text = files["control-plane/40-notifier/deployment-michelangelo-notifier.yaml"]
    container = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"][0]
    assert container["image"].startswith("ghcr.io/michelangelo-ai/notifier:")
    # Kept to its flows, and proven to be.
    (target,) = catalog.targets(Inputs(made))
    objects = [obj for bundle in target.bundles for obj in bundle.objects]
    assert prove(objects, made) == []
    allowed = {(p.direction, p.port) for p in permitted(objects) if "notifier" in p.subject}
    assert allowed == %(allowed)s, allowed
    # Drawn, in the picture of the services.
    assert "notifier" in SERVICES
    (node,) = [node for node in build(made, "prod").nodes if node.id == "notifier"]
    assert (node.kind, node.title) == ("service", "Notifier")
# Planned: a new image restarts it with the others.
old, new = environment(), environment(images={"tag": "sha-0000000"})
assert any("the notifier" in sentence.text for sentence in sentences(between(old, new, "prod")))
print("seen")
"""


def apply(diff: str, copy: Path) -> None:
    """Apply a diff of the document: each hunk's lines without `+` stand there once, and get the others."""
    name = re.search(r"^\+\+\+ (.+)$", diff, re.MULTILINE)
    assert name is not None
    path = copy / name[1]
    for hunk in HUNK.split(diff)[1:]:
        lines = hunk.strip("\n").split("\n")
        before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        after = "".join(f"{line[1:]}\n" for line in lines)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert text.count(before) == 1 or not text, f"{name[1]} does not hold once:\n{before}"
        path.write_text(text.replace(before, after) if text else after, encoding="utf-8")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product with the example's module and its row in the table of parts."""
    copy = tmp_path_factory.mktemp("product")
    for folder in PRODUCT:
        ignored = shutil.ignore_patterns("__pycache__", "__snapshots__", "node_modules")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    document = (ROOT / "docs/development.md").read_text(encoding="utf-8")
    diffs = re.findall(r"^```diff\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    assert len(diffs) == 3
    (copy / "stacks").mkdir()
    for name, diff in zip(("module", "row", "settings"), diffs, strict=True):
        (copy / f"{name}.diff").write_text(diff, encoding="utf-8")
    apply(diffs[0], copy)
    apply(diffs[1], copy)
    return copy


def python(copy: Path, *words: str) -> str:
    """What a program of the copy prints; fails when it does."""
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run([sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_three_files_make_a_workload_with_settings(product: Path, tmp_path: Path) -> None:
    """CARD-3, CARD-4, UX-4, UX-5, NET-13: module, row, settings; and every command works on the result."""
    copy = tmp_path / "copy"
    shutil.copytree(product, copy)
    apply((copy / "settings.diff").read_text(encoding="utf-8"), copy)
    sections = {"controlPlane": {"notifier": {"replicas": 3, "image": {"tag": "0.12.0"}}}}
    dns = {("egress", "53")}
    assert "seen" in python(copy, "-c", SEEN % {"sections": sections, "allowed": dns})
    stack = copy / "stacks/Pulumi.new.yaml"
    stack.write_text(stack_text(sections), encoding="utf-8")
    for command in (("render",), ("topology", "--format", "json"), ("validate",), ("policy",)):
        said = python(copy, "-m", "madeploy", *command, str(stack))
        assert command in (("validate",), ("policy",)) or "notifier" in said, command
    assert "replicas" in python(copy, "-m", "madeploy", "explain", "controlPlane.notifier.replicas")


def test_three_files_make_a_workload_that_calls_others(product: Path, tmp_path: Path) -> None:
    """CARD-4, NET-13: module, row, and what it calls, without settings of its own."""
    copy = tmp_path / "copy"
    shutil.copytree(product, copy)
    path = copy / "madeploy/names/services.py"
    text = path.read_text(encoding="utf-8")
    row = '    Service("notifier", "Notifier", "tells teams", calls_kubernetes=True),\n'
    last = '    Service(\n        "retention",'
    assert text.count(last) == 1
    path.write_text(text.replace(last, row + last), encoding="utf-8")
    flows = {("egress", "53"), ("egress", "443"), ("egress", "6443")}
    assert "seen" in python(copy, "-c", SEEN % {"sections": {}, "allowed": flows})
