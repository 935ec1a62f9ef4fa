"""The kubeconfig at hand, of which a fleet's clusters are contexts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from madeploy.kubeconfigs import files
from madeploy.kubeconfigs.errors import KubeconfigError


def written(path: Path, *names: str, user: str | None = None) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example.com"}} for name in names],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user or name}} for name in names],
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_file_with_many_contexts_is_understood_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-10: or a look at a fleet takes time with the square of its size; a changed file is read anew."""
    read: list[str] = []
    load = files.load
    monkeypatch.setattr(
        files, "load", lambda content, subject: read.append(subject) or load(content, subject)
    )
    names = [f"c{number}" for number in range(30)]
    environ = {"KUBECONFIG": str(written(tmp_path / "config", *names))}
    for name in names:
        found = files.read_context(name, environ)
        assert found["clusters"][0]["cluster"]["server"] == f"https://{name}.example.com"
        assert [len(found[kind]) for kind in ("clusters", "users", "contexts")] == [1, 1, 1]
    assert len(read) == 1
    written(tmp_path / "config", "other")
    assert files.read_context("other", environ)["current-context"] == "other"
    assert len(read) == 2


def test_what_is_done_with_one_is_not_seen_by_the_next(tmp_path: Path) -> None:
    """REG-10: files that it refers to are put in their place in what was asked for alone."""
    environ = {"KUBECONFIG": str(written(tmp_path / "config", "a"))}
    first: dict[str, Any] = files.read_context("a", environ)
    first["users"][0]["user"]["token"] = "changed"
    assert files.read_context("a", environ)["users"][0]["user"]["token"] == "token-of-a"


def test_a_context_without_its_user_is_told_the_users_there_are(tmp_path: Path) -> None:
    """UX-3."""
    environ = {"KUBECONFIG": str(written(tmp_path / "config", "a", "b", user="c"))}
    with pytest.raises(KubeconfigError) as refused:
        files.read_context("a", environ)
    assert "'c', which is not there" in str(refused.value)
    with pytest.raises(KubeconfigError, match="contexts there: a, b"):
        files.read_context("d", environ)
