"""Whoever works on a stack's clusters reaches them by the kubeconfig that the program takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from madeploy.documents.text import dump
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks import access
from madeploy.stacks.files import open_environment
from tests.kubeconfigs.documents import document, text
from tests.support.environments import MINIMAL

AT_HAND = "https://at-hand.example.com"
STORED = "https://stored.example.com"


def stack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **sections: Any) -> Path:
    """A stack file that names a context of the kubeconfig at hand, with more sections."""
    kubeconfig = tmp_path / "config"
    kubeconfig.write_bytes(text(document({"server": AT_HAND})))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    settings = {
        **MINIMAL,
        "platform": {"tier": "development"},
        "controlPlane": {"kubeconfigContext": "east"},
        **sections,
    }
    path = tmp_path / "Pulumi.lab.yaml"
    path.write_text(dump({"config": {f"michelangelo:{key}": value for key, value in settings.items()}}))
    return path


def servers(path: Path) -> set[str]:
    """The control plane's API server as commands reach it, in either way."""
    connect = access.connector(*open_environment(str(path)))
    return {connect(CONTROL_PLANE).server, access.open_stack(str(path)).client(CONTROL_PLANE).server}


def test_an_encrypted_kubeconfig_is_taken_before_a_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-1: two could lead to two clusters."""
    held = {CONTROL_PLANE: json.dumps(document({"server": STORED}))}
    monkeypatch.setattr(access, "secret_section", lambda *_: held)
    secret = {"kubeconfigs": {CONTROL_PLANE: {"secure": "v1:stored"}}}
    assert servers(stack_file(tmp_path, monkeypatch, **secret)) == {STORED}


def test_nothing_is_decrypted_where_the_file_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-1: a context needs no passphrase."""
    monkeypatch.delattr(access, "secret_section")
    assert servers(stack_file(tmp_path, monkeypatch)) == {AT_HAND}
