"""What the services read, and what an operator may override."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from madeploy.releases import RELEASES, ReleaseName
from madeploy.releases.keys import entries
from madeploy.schemas.service_keys import accepted, fits
from manifests.service_config import base_config
from tests.support.environments import ALL
from tests.support.proves import proves


def test_every_release_has_a_table_for_each_configured_service() -> None:
    """CP-6, REL-1: one table of what each release accepts."""
    assert set(RELEASES) == set(get_args(ReleaseName))
    for release in RELEASES.values():
        assert set(release.keys) == {"apiserver", "controllermgr", "worker"}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", ["apiserver", "controllermgr", "worker"])
def test_what_the_toolkit_writes_is_what_the_service_reads(name: str, service: Any) -> None:
    """CP-6, V2: no generated key is one the service would stop at, and each has the right type."""
    environment = ALL[name]()
    keys = environment.release.keys[service]
    config = base_config(environment, service)
    for entry in entries(keys, config):
        assert entry.key is not None, entry.path
        if entry.path[-1] != "workers":
            assert fits(entry.key.type, entry.value), entry.path


@pytest.mark.parametrize("service", ["apiserver", "controllermgr", "worker"])
def test_what_another_setting_decides_is_what_the_toolkit_writes(service: Any) -> None:
    """CP-6: a key is refused as derived only if it is written, or must stay unwritten."""
    for release in RELEASES.values():
        written: set[str] = set()
        for make in ALL.values():
            environment = make()
            if environment.release is release:
                config = base_config(environment, service)
                written |= {".".join(entry.path) for entry in entries(release.keys[service], config)}
        never = {"minio.useEnvAws"}
        derived = {name for name, key in release.keys[service].items() if key.owner}
        assert derived - written <= never


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", ["", "x"], [1, None, True]),
        ("whole number", [0, 5], [-1, 1.5, True, "5"]),
        ("number", [0, 1.5], [-1, True, "1"]),
        ("true or false", [True, False], [0, "true"]),
        ("duration", ["30s", "1h30m", "1.5h", "100ms", "-1s"], [30, "30", "", "30 s", "1d"]),
        ("bind address", [":8083", "0.0.0.0:8083", "localhost:1"], [8083, "8083", ":99999", "a b:1", ":"]),
        ("encoding", ["json", "console"], ["JSON", "text"]),
        ("counts by kind", [{}, {"Model": 1}], [[], {"Model": "1"}]),
        ("durations by kind", [{"Model": "1s"}], [{"Model": 1}]),
        ("texts by name", [{}, {"a": "b"}], [[], {"a": 1}, "a"]),
        ("CRD versions", [{"a": {"versions": ["v2"]}}, {"a": {}}], [{"a": {"other": 1}}, {"a": []}, []]),
    ],
)
@proves("CP-6")
def test_values_are_checked_as_the_service_reads_them(kind: Any, good: list[Any], bad: list[Any]) -> None:
    """CP-6: bare ports and bare durations are the traps (facts 2.1, 2.3 row 3)."""
    assert accepted(kind)
    assert all(fits(kind, value) for value in good)
    assert not any(fits(kind, value) for value in bad)


def test_hints_are_for_what_is_really_unread() -> None:
    """CP-6: a section that has become a key is no longer called unread."""
    for release in RELEASES.values():
        for dotted in release.refused:
            for keys in release.keys.values():
                assert not any(key == dotted or key.startswith(f"{dotted}.") for key in keys)
