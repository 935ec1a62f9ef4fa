"""Folders of Kustomize that nobody has built yet: judged as built, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy.policy import files, kustomize
from madeploy.policy.files import RENDERED, Reading

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "model"}, "spec": {"type": "NodePort"}}
PATCH = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "model"}}


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PATH with a `kubectl` that writes down where it was started and prints one object."""
    folder = tmp_path_factory.mktemp("bin")
    note = folder / "started"
    program = folder / "kubectl"
    origin = r"annotations: {config.kubernetes.io/origin: \"path: $(cat $2/target)/../../base/service.yaml\"}"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {note}\n'
        'sed -n "s/^- //p" "$2/kustomization.yaml" | head -1 > "$2/target"\n'
        f'echo "apiVersion: v1\nkind: Service\nmetadata: {{name: prod-model, namespace: ml, {origin}}}"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return note


def put(folder: Path, name: str, data: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(yaml.safe_dump(data), encoding="utf-8")


def subjects(reading: Reading) -> list[str]:
    return [item.subject for item in reading.resources]


def test_what_is_judged_is_what_is_built_at_the_place_of_the_file_it_comes_from(
    tmp_path: Path, started: Path
) -> None:
    """CARD-4, UX-3: namespaces and names are the build's; patches are no objects of their own."""
    base, overlay = tmp_path / "base", tmp_path / "overlays" / "prod"
    put(base, "kustomization.yaml", {"resources": ["service.yaml"]})
    put(base, "service.yaml", SERVICE)
    put(overlay, "Kustomization", {"resources": ["../../base"], "patches": [{"path": "patch.yaml"}]})
    put(overlay, "patch.yaml", PATCH)
    for given in (tmp_path, overlay / "Kustomization"):
        reading = files.read([given])
        assert (subjects(reading), reading.findings) == (["Service/ml/prod-model"], [])
        place = reading.place(reading.resources[0], ("spec", "type"))
        assert place is not None
        assert (Path(place.file).resolve(), place.line) == (base / "service.yaml", 6)
        assert "annotations" not in reading.resources[0].metadata
    assert [line.split()[0] for line in started.read_text().splitlines()] == ["kustomize", "kustomize"]


@pytest.mark.parametrize(
    "kustomization",
    [
        {"namespace": "ml", "resources": ["https://example.com/base.yaml"]},
        {"namespace": "ml", "resources": ["github.com/example/base?ref=v1"]},
        {"namespace": "ml", "bases": ["../nowhere"]},
        {"namespace": "ml", "resources": ["service.yaml"], "components": ["git@example.com:base.git"]},
        {"resources": ["service.yaml"], "patches": [{"path": "http://example.com/patch.yaml"}]},
        {"resources": ["service.yaml"], "openapi": {"path": "https://example.com/schema.json"}},
        {
            "resources": ["service.yaml"],
            "configMapGenerator": [{"name": "a", "files": ["a=https://example.com/a"]}],
        },
        {"resources": ["service.yaml"], "secretGenerator": [{"name": "a", "envs": [".env"]}]},
        {"resources": ["service.yaml"], "transformers": ["apiVersion: builtin\nurl: https://example.com\n"]},
        {"resources": ["service.yaml"], "kind": "Component", "namespace": "ml"},
    ],
)
def test_what_would_be_fetched_or_is_not_there_is_left_out_and_nothing_is_started(
    kustomization: dict[str, Any], tmp_path: Path, started: Path
) -> None:
    """UX-3: one warning at the kustomization; its files are not judged by themselves."""
    put(tmp_path, "kustomization.yml", kustomization)
    put(tmp_path, "service.yaml", SERVICE)
    put(tmp_path, "other.yaml", {**SERVICE, "metadata": {"name": "of-nobody"}})
    reading = files.read([tmp_path])
    # What no kustomization names is judged as it stands.
    expected = ["Service/of-nobody"] + ([] if "service.yaml" in str(kustomization) else ["Service/model"])
    assert subjects(reading) == expected
    ((code, severity, where),) = [(f.code, f.severity, f.location) for f in reading.findings]
    assert (code, severity, where and where.file) == ("MA383", "warning", str(tmp_path / "kustomization.yml"))
    assert not started.exists()


def test_without_kubectl_and_kustomize_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-3."""
    monkeypatch.setenv("PATH", str(tmp_path))
    put(tmp_path, "kustomization.yaml", {"namespace": "ml", "resources": ["service.yaml"]})
    put(tmp_path, "service.yaml", SERVICE)
    reading = files.read([tmp_path])
    assert subjects(reading) == []
    assert "neither kubectl nor kustomize is on PATH" in reading.findings[0].evidence


def test_a_refusal_is_repeated_without_what_it_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3: Kustomize quotes patches, which may hold secrets."""
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'error: bad patch `password: dummy`: no matches' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/bin")
    put(tmp_path, "kustomization.yaml", {"namespace": "ml", "resources": ["service.yaml"]})
    put(tmp_path, "service.yaml", SERVICE)
    (finding,) = files.read([tmp_path]).findings
    assert finding.evidence == "left out, with its 2 file(s): Kustomize refuses it: bad patch …: no matches"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("error: bad patch `password: dummy`: no matches", "bad patch …: no matches"),
        (
            'E1129 04:27:24.711613 6168 run.go:72] "command failed" err=<\n\ttrouble configuring builtin '
            "HelmChartInflationGenerator with config: `\n\tname: dummy\n\t`: must specify --enable-helm\n >",
            "trouble configuring builtin HelmChartInflationGenerator with config: …: must specify "
            "--enable-helm",
        ),
        ('E1129 04:27:24.7 1 run.go:72] "command failed" err="no such \\"a\\""', "no such 'a'"),
        (" >\n\n", "it does not say why"),
    ],
)
def test_a_refusal_over_several_lines_is_one_sentence(said: str, reason: str) -> None:
    """UX-3: as kubectl logs it, and as Kustomize prints it."""
    assert kustomize._reason(said) == reason


@pytest.mark.parametrize("rendered", [False, True])
def test_files_that_are_only_listed_are_read_as_they_stand(
    tmp_path: Path, rendered: bool, started: Path
) -> None:
    """CARD-4: and those of a rendered tree, whose kustomizations add who wrote them."""
    put(
        tmp_path,
        "kustomization.yaml",
        {"resources": ["a"]} | ({"transformers": ["x: y\n"]} if rendered else {}),
    )
    put(tmp_path / "a", "kustomization.yaml", {"resources": ["service.yaml"]})
    put(tmp_path / "a", "service.yaml", SERVICE)
    if rendered:
        (tmp_path / RENDERED).write_text("{}")
    reading = files.read([tmp_path])
    assert (subjects(reading), reading.findings) == (["Service/model"], [])
    assert not started.exists()


@pytest.mark.parametrize(
    "missing",
    ["https://example.com/base.yaml", "gone.yaml", "../../elsewhere", "github.com/example/base?ref=v1"],
)
@pytest.mark.parametrize("listed", [["service.yaml"], []])
def test_what_a_list_of_files_takes_from_elsewhere_is_said(
    listed: list[str], missing: str, tmp_path: Path, started: Path
) -> None:
    """UX-3: the files that are here are judged all the same."""
    put(tmp_path, "kustomization.yaml", {"resources": [*listed, missing]})
    put(tmp_path, "service.yaml", SERVICE)
    reading = files.read([tmp_path])
    assert subjects(reading) == ["Service/model"]
    (finding,) = reading.findings
    assert (finding.code, finding.severity) == ("MA383", "warning")
    assert finding.evidence.startswith(f"{missing} is part of it and not in this folder")
    assert not started.exists()


def test_folders_that_name_one_another_and_flux_objects_are_no_trouble(tmp_path: Path) -> None:
    """UX-3."""
    put(tmp_path / "a", "kustomization.yaml", {"resources": ["../b"], "namespace": "a"})
    put(tmp_path / "b", "kustomization.yaml", {"resources": ["../a"], "namespace": "b"})
    flux = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "x"},
    }
    put(tmp_path / "c", "kustomization.yaml", flux)
    assert subjects(files.read([tmp_path])) == ["Kustomization/x"]
    assert kustomize.of(tmp_path / "c") is None
