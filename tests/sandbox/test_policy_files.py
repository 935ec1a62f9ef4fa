"""Folders of Kustomize, built by the real kubectl for the policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from madeploy.policy import files
from tests.policies.test_kustomize import PATCH, SERVICE, put

DEPLOYMENT = {
    **PATCH,
    "spec": {"template": {"spec": {"containers": [{"name": "m", "image": "example/m:1"}]}}},
}


@pytest.fixture(autouse=True)
def real_kubectl(monkeypatch: pytest.MonkeyPatch, tool_paths: dict[str, Path]) -> None:
    monkeypatch.setenv("PATH", str(tool_paths["kubectl"].parent))


def test_overlays_are_built_each_by_itself_with_places_in_the_base(tmp_path: Path) -> None:
    """CARD-4, UX-3: namespace, prefix, patch and generator, all as kubectl applies them."""
    put(tmp_path / "base", "kustomization.yaml", {"resources": ["deployment.yaml", "service.yaml"]})
    put(tmp_path / "base", "deployment.yaml", DEPLOYMENT)
    put(tmp_path / "base", "service.yaml", SERVICE)
    put(
        tmp_path / "dev",
        "kustomization.yaml",
        {"resources": ["../base"], "namespace": "dev", "namePrefix": "d-"},
    )
    prod = {
        "resources": ["../base"],
        "namespace": "prod",
        "patches": [{"path": "patch.yaml"}],
        "configMapGenerator": [{"name": "settings", "literals": ["level=info"]}],
        "generatorOptions": {"disableNameSuffixHash": True},
    }
    put(tmp_path / "prod", "kustomization.yaml", prod)
    put(tmp_path / "prod", "patch.yaml", {**PATCH, "spec": {"replicas": 3}})
    reading = files.read([tmp_path])
    assert reading.findings == []
    assert {(item.cluster, item.subject) for item in reading.resources} == {
        ("dev", "Service/dev/d-model"),
        ("dev", "Deployment/dev/d-model"),
        ("prod", "Service/prod/model"),
        ("prod", "Deployment/prod/model"),
        ("prod", "ConfigMap/prod/settings"),
    }
    by_subject = {item.subject: item for item in reading.resources}
    assert by_subject["Deployment/prod/model"].properties["spec"]["replicas"] == 3
    for subject, file in (
        ("Deployment/dev/d-model", "base/deployment.yaml"),
        ("Service/prod/model", "base/service.yaml"),
        ("ConfigMap/prod/settings", "prod/kustomization.yaml"),
    ):
        place = reading.place(by_subject[subject])
        assert place is not None
        assert place.file == str(tmp_path / file)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"patches": [{"path": "patch.yaml"}]}, "no matches for Id"),
        ({"helmCharts": [{"name": "x", "repo": "oci://example.com/x"}]}, "helm"),
        ({"generators": ["plugin.yaml"]}, "plugin"),
        ({"namespce": "ml"}, "namespce"),
    ],
)
def test_what_kustomize_refuses_is_left_out_with_its_reason(
    more: dict[str, object], said: str, tmp_path: Path
) -> None:
    """UX-3: a patch without its object, Helm, a plug-in that would be started, a misspelt field."""
    put(tmp_path, "kustomization.yaml", {"resources": ["service.yaml"], "namespace": "ml", **more})
    put(tmp_path, "service.yaml", SERVICE)
    put(tmp_path, "patch.yaml", PATCH)
    plugin = {"apiVersion": "example.com/v1", "kind": "Plugin", "metadata": {"name": "x"}}
    put(tmp_path, "plugin.yaml", plugin)
    reading = files.read([tmp_path])
    ((code, evidence),) = [(finding.code, finding.evidence) for finding in reading.findings]
    assert code == "MA383"
    assert said in evidence
    assert "Service/model" not in [item.subject for item in reading.resources]
