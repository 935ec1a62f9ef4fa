"""The whole of three environments, object for object: what a change of a builder changes, in a review."""

from __future__ import annotations

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from manifests import catalog
from manifests.inputs import Inputs
from manifests.objects import to_yaml
from tests.support.environments import ALL


class YamlFile(SingleFileSnapshotExtension):
    """One YAML file for each environment, readable as what would be applied."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"


@pytest.mark.parametrize("name", ALL)
def test_an_environment_is_deployed_as_reviewed(name: str, snapshot: SnapshotAssertion) -> None:
    """CARD-4, CP-1 to CP-5: objects of every cluster in the order of application."""
    documents = [
        f"# {target.cluster}: {bundle.name}\n{to_yaml(obj)}"
        for target in catalog.targets(Inputs(ALL[name]()))
        for bundle in target.bundles
        for obj in bundle.objects
    ]
    text = "---\n".join(documents)
    assert list(yaml.safe_load_all(text)) == catalog.objects(ALL[name]())
    assert text == snapshot(extension_class=YamlFile)
