"""`madeploy descriptors`: sets from charts and from running API servers, named in the stack file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from madeploy.cli.descriptors import descriptors
from madeploy.descriptors.sets import DescriptorError, read
from madeploy.errors import ToolkitError
from madeploy.stackfile.loader import load_environment
from tests.support.descriptors import FIELDS, KINDS, OLD_FIELDS, chart, descriptor_set
from tests.support.grpc_described import described_server
from tests.support.stacks import stack_text

pytestmark = pytest.mark.whole

RELEASED: dict[str, Any] = {"images": {"tag": "0.12.0"}, "controlPlane": {"worker": {"replicas": 3}}}


def stack(folder: Path, sections: dict[str, Any] | None = None) -> Path:
    path = folder / "Pulumi.prod.yaml"
    path.write_text("# by hand\n" + stack_text(RELEASED | (sections or {})), encoding="utf-8")
    return path


def test_a_charts_set_is_written_beside_the_stack_file_and_named_in_it(tmp_path: Path) -> None:
    """CP-5, REL-1: byte for byte, and everything else in the file stays as it was."""
    path, content = stack(tmp_path), descriptor_set()
    descriptors(str(path), from_chart=chart(tmp_path, {"files/descriptors.pb": content}))
    loaded = load_environment(path)
    assert loaded.findings == ()
    assert loaded.environment is not None
    file = loaded.environment.control_plane.envoy.descriptors
    assert file is not None
    assert (file.path, file.content) == ("descriptors/0.12.0.pb", content)
    assert (tmp_path / "descriptors" / "0.12.0.pb").read_bytes() == content
    assert loaded.environment.control_plane.worker.replicas == 3
    assert path.read_text().startswith("# by hand\n")


@pytest.mark.parametrize("before", ["descriptors/gone.pb", "2026.04.pb"])
def test_a_set_that_is_missing_or_wrong_is_replaced(tmp_path: Path, before: str) -> None:
    """CP-5: what the command mends is no reason for it to refuse the file."""
    (tmp_path / "2026.04.pb").write_bytes(descriptor_set(fields=OLD_FIELDS))
    path = stack(tmp_path, {"controlPlane": {"envoy": {"descriptors": before}}})
    assert load_environment(path).environment is None
    descriptors(str(path), from_chart=chart(tmp_path, {"files/descriptors.pb": descriptor_set()}))
    assert load_environment(path).environment is not None


@pytest.mark.parametrize(
    ("version", "content", "said"),
    [
        ("0.11.0", descriptor_set(), "version 0.11.0"),
        ("0.12.1", descriptor_set(), "version 0.12.1"),
        ("0.12.0", descriptor_set(fields=OLD_FIELDS), "of another release"),
        ("0.12.0", descriptor_set(fields=FIELDS | {"ClusterSpec": ("region",)}), "of another release"),
        ("0.12.0", descriptor_set([kind for kind in KINDS if kind != "Model"]), "ModelService"),
        ("0.12.0", b"no set", "cannot be used"),
        ("0.12.0", b"version https://git-lfs.github.com/spec/v1\n", "pointer"),
        ("0.12.0", None, "holds no descriptor set"),
    ],
)
def test_what_is_not_of_the_deployed_version_is_refused_and_nothing_written(
    tmp_path: Path, version: str, content: bytes | None, said: str
) -> None:
    """REL-1, UX-3: fields that a set does not know would vanish from the application."""
    path = stack(tmp_path)
    before = path.read_text()
    files = {} if content is None else {"files/descriptors.pb": content}
    with pytest.raises(ToolkitError) as refusal:
        descriptors(str(path), from_chart=chart(tmp_path, files, version))
    assert said in str(refusal.value)
    assert refusal.value.exit_code == 2
    assert path.read_text() == before
    assert not (tmp_path / "descriptors").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00truncated"])
def test_a_file_that_is_no_chart_is_refused_with_how_to_get_one(tmp_path: Path, content: bytes) -> None:
    """UX-3."""
    wrong = tmp_path / "chart.tgz"
    wrong.write_bytes(content)
    with pytest.raises(ToolkitError, match="helm pull"):
        descriptors(str(stack(tmp_path)), from_chart=wrong)


def test_the_set_of_a_running_api_server_comes_by_reflection(tmp_path: Path) -> None:
    """CP-5, REL-1: with the headers the platform's RPC layer asks for, and complete."""
    path, content = stack(tmp_path), descriptor_set()
    with described_server(content, with_reflection=True) as (port, _):
        descriptors(str(path), from_api=f"127.0.0.1:{port}", plaintext=True)
    loaded = load_environment(path)
    assert loaded.findings == ()
    assert loaded.environment is not None
    file = loaded.environment.control_plane.envoy.descriptors
    assert file is not None
    assert file.content is not None
    assert read(file.content) == read(content)


def test_an_api_server_of_another_release_is_told(tmp_path: Path) -> None:
    """REL-1: an older one does not describe every service."""
    content = descriptor_set([kind for kind in KINDS if kind != "InferenceServer"])
    with described_server(content, with_reflection=True) as (port, _), pytest.raises(ToolkitError) as refusal:
        descriptors(str(stack(tmp_path)), from_api=f"127.0.0.1:{port}", plaintext=True)
    assert "InferenceServerService" in str(refusal.value)


def test_a_server_without_reflection_and_an_address_without_a_server_say_what_to_do(tmp_path: Path) -> None:
    """UX-3: never a traceback."""
    path = stack(tmp_path)
    with described_server(descriptor_set()) as (port, _), pytest.raises(ToolkitError) as refusal:
        descriptors(str(path), from_api=f"127.0.0.1:{port}", plaintext=True)
    assert "UNIMPLEMENTED" in str(refusal.value)
    with pytest.raises(ToolkitError) as refusal:
        descriptors(str(path), from_api=f"127.0.0.1:{port}", plaintext=True)
    assert "port-forward" in str(refusal.value)


def test_a_release_that_needs_none_says_so(tmp_path: Path) -> None:
    """REL-1."""
    path = stack(tmp_path, {"platform": {"release": "2026.04"}, "images": {"tag": "sha-cbf5720"}})
    with pytest.raises(ToolkitError, match="needs no descriptor set"):
        descriptors(str(path), from_api="127.0.0.1:1", plaintext=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no file is described"),
        (b"\xff\xff", "does not decode"),
        (descriptor_set()[:-20], "does not decode"),
    ],
)
def test_bytes_that_are_no_set_are_told_from_one(content: bytes, said: str) -> None:
    """CP-5: as Envoy reads it."""
    with pytest.raises(DescriptorError, match=said):
        read(content)
