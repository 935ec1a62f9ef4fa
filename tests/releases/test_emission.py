"""What is written for a release is what its services read, and nothing that would stop one of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from madeploy.releases import RELEASES, Release
from madeploy.releases.keys import entries
from madeploy.schemas.service_keys import fits
from madeploy.settings import Environment
from manifests.service_config import CONFIGURED, ConfiguredName, base_config
from tests.support.environments import ALL, environment, every_part
from tests.support.proves import proves
from tests.support.strategies import environments

FATAL: dict[str, dict[ConfiguredName, tuple[str, ...]]] = {
    "2026.04": {
        "apiserver": (),
        "controllermgr": ("controllermgr.cascadeDelete",),
        "worker": ("worker.runnerToken",),
    },
    "0.12": {
        "apiserver": ("apiserver.pipelineRunDefaults.restrictedBranches",),
        "controllermgr": (
            "controllermgr.cascadeDelete",
            "inferenceServer.triton.readinessProbe",
            "inferenceServer.triton.probes",
            "inferenceServer.triton.drain",
        ),
        "worker": ("worker.runnerToken",),
    },
}
"""Keys in sections that a service reads strictly, and at which it exits (V23, and by each image version)."""

IGNORED = ("apiserver.auth", "apiserver.tls", "apiserver.k8s", "secrets", "deployment")
"""Sections that every release ignores (V22): what they say never takes effect."""


def dotted(config: dict[str, Any], path: tuple[str, ...] = ()) -> set[str]:
    """Every path in a configuration, groups included."""
    found = set()
    for name, value in config.items():
        here = (*path, name)
        found.add(".".join(here))
        if isinstance(value, dict):
            found |= dotted(value, here)
    return found


def check(chosen: Environment, service: ConfiguredName) -> None:
    config = base_config(chosen, service)
    known = chosen.release.keys[service]
    for entry in entries(known, config):
        assert entry.key is not None, entry.path
        assert not entry.key.secret, entry.path
        if entry.path != ("workflow-engine", "workers"):
            assert fits(entry.key.type, entry.value), entry.path
    written = dotted(config)
    assert not written & set(FATAL[chosen.release.name][service])
    assert not written & set(IGNORED)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", CONFIGURED)
@proves("CP-6", "REL-1")
def test_every_emitted_key_is_accepted_by_its_release_and_none_is_fatal_for_it(
    service: ConfiguredName, name: str
) -> None:
    """REL-1, CP-6 (V2, V22 to V25): every environment of each release, one with every optional part."""
    check(ALL[name](), service)


@given(data=environments())
@settings(max_examples=40, deadline=None)
def test_of_any_environment_only_what_its_release_reads_is_generated(data: dict[str, Any]) -> None:
    """REL-1, CP-6: whatever is said in the stack file; overrides have a check of their own, and what a
    release does not have is refused by a rule."""
    is_old = data.get("platform", {}).get("release") == "2026.04"
    left_out = {"config", "pipelineRevisions", "scheduler"} if is_old else {"config"}
    control_plane = {
        name: {key: value for key, value in part.items() if key not in left_out}
        if isinstance(part, dict)
        else part
        for name, part in data.get("controlPlane", {}).items()
    }
    parts = {"notifications", "metadataStorage", "rayLogs"} if is_old else set()
    kept = {name: section for name, section in data.items() if name not in parts}
    chosen = Environment.model_validate(kept | {"controlPlane": control_plane})
    for service in CONFIGURED:
        check(chosen, service)


@pytest.mark.parametrize("release", RELEASES.values(), ids=lambda release: release.name)
@proves("REL-4")
def test_what_stops_a_service_or_is_ignored_is_refused_by_name(release: Release) -> None:
    """REL-4: no table has such a key, so every override of it is refused, and 0.12 says why."""
    for service, fatal in FATAL[release.name].items():
        for path in (*fatal, *IGNORED):
            names = path.split(".")
            nested: Any = 1
            for name in reversed(names):
                nested = {name: nested}
            (entry,) = entries(release.keys[service], nested)
            assert entry.key is None
    for path in FATAL["0.12"]["controllermgr"] + FATAL["0.12"]["apiserver"] + FATAL["0.12"]["worker"]:
        assert RELEASES["0.12"].refused[path]


@proves("REL-2")
def test_log_persistence_has_every_key_or_none() -> None:
    """REL-2 (V25): with one missing or unknown, logs are dropped and nothing says so."""
    keys = {
        name.rpartition(".")[2]
        for name in RELEASES["0.12"].keys["controllermgr"]
        if name.startswith("jobs.k8sengine.mapper.logPersistence.")
    }
    assert len(keys) == 10
    written = base_config(every_part(), "controllermgr")["jobs"]["k8sengine"]["mapper"]["logPersistence"]
    assert set(written) == keys
    assert "jobs" not in base_config(environment(), "controllermgr")


@pytest.mark.parametrize(
    ("storage", "endpoint", "plain"),
    [
        ({"endpoint": "http://minio.example.com:9000"}, "minio.example.com:9000", True),
        ({"endpoint": "https://minio.example.com"}, "minio.example.com", False),
        (None, "s3.eu-west-1.amazonaws.com", False),
    ],
)
def test_collectors_speak_tls_where_the_store_does(
    storage: dict[str, str] | None, endpoint: str, plain: bool
) -> None:
    """REL-2: the released chart turns TLS off, and keys travel in clear."""
    sections = {} if storage is None else {"storage": {"kind": "s3Compatible", **storage}}
    config = base_config(environment(rayLogs={"bucket": "ray-history"}, **sections), "controllermgr")
    written = config["jobs"]["k8sengine"]["mapper"]["logPersistence"]
    assert (written["storageEndpoint"], written["s3DisableSSL"]) == (endpoint, plain)


@proves("REL-2")
def test_both_services_have_the_same_database_or_none() -> None:
    """REL-2: a mirror that one of them does not use loses objects; its password is in a Secret."""
    configs = [base_config(every_part(), service) for service in ("apiserver", "controllermgr")]
    assert configs[0]["mysql"] == configs[1]["mysql"]
    assert all(config["metadataStorage"]["enableMetadataStorage"] is True for config in configs)
    assert "password" not in configs[0]["mysql"]
    for service in ("apiserver", "controllermgr"):
        off = base_config(environment(), service)
        assert off["metadataStorage"] == {"enableMetadataStorage": False}
        assert "mysql" not in off


def test_the_worker_polls_the_queues_of_its_release() -> None:
    """REL-1, CP-3: notifications of 0.12 would queue for ever."""
    for name, make in ALL.items():
        chosen = make()
        polled = [row["taskList"] for row in base_config(chosen, "worker")["workflow-engine"]["workers"]]
        assert ("notification_worker" in polled) == (chosen.release.name == "0.12"), name
        assert {"trigger_run", "pipeline_run", chosen.workflow.task_list} <= set(polled)
        assert len(polled) == len(set(polled))
