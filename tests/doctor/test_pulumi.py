"""The Pulumi CLI is asked: its version, its plugins, its login, its secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from madeploy.doctor import engine
from tests.doctor.answers import codes, look
from tests.support.environments import environment
from tests.support.furnished import FurnishedSite


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a CLI on PATH that does what a shell script says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.delenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", raising=False)

    def install(script: str) -> None:
        path = folder / "pulumi"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return install


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo v3.250.0", []),
        ("echo v4.0.1", []),
        ("echo v3.99.0", ["MA900"]),
        ("echo nothing", ["MA900"]),
        ("echo broken >&2; exit 1", ["MA900"]),
        ("", ["MA900"]),
    ],
)
def test_the_cli_is_there_and_new_enough(
    script: str, found: list[str], pulumi: Callable[[str], None]
) -> None:
    """CARD-3, UX-8."""
    if script:
        pulumi(script)
    assert codes(engine.cli) == found


def test_plugins_are_there_or_may_be_fetched(
    pulumi: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARD-3, UX-8: an error where fetching is forbidden."""
    made = FurnishedSite(environment())
    answer = lambda: engine.plugins(made.site)  # noqa: E731
    pulumi('echo \'[{"name": "kubernetes", "version": "4.32.0"}]\'')
    assert look(answer).state == "passed"
    pulumi('echo \'[{"name": "kubernetes", "version": "4.1.0"}]\'')
    (finding,) = look(answer).findings
    assert (finding.code, finding.severity) == ("MA901", "warning")
    assert finding.commands == ("pulumi plugin install resource kubernetes 4.32.0",)
    monkeypatch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
    (finding,) = look(answer).findings
    assert finding.severity == "error"


def test_the_backend_takes_the_login_and_has_the_stack(pulumi: Callable[[str], None]) -> None:
    """CARD-3, UX-8."""
    made = FurnishedSite(environment())
    answer = lambda: engine.backend(made.site)  # noqa: E731
    pulumi('echo \'[{"name": "acme/prod"}]\'')
    assert look(answer).state == "passed"
    pulumi('echo \'[{"name": "lab"}]\'')
    (finding,) = look(answer).findings
    assert (finding.code, finding.commands) == ("MA935", ("pulumi stack init prod",))
    pulumi("echo 'error: PULUMI_ACCESS_TOKEN must be set for login' >&2; exit 255")
    (finding,) = look(answer).findings
    assert finding.code == "MA902"
    assert "PULUMI_ACCESS_TOKEN must be set" in finding.evidence


def test_secrets_are_tried_and_never_shown(pulumi: Callable[[str], None]) -> None:
    """CARD-3, UX-3, UX-8."""
    made = FurnishedSite(environment())
    answer = lambda: engine.secrets(made.site)  # noqa: E731
    pulumi('echo \'{"michelangelo:objectStore": {"value": "plain-text-key", "secret": true}}\'')
    outcome = look(answer)
    assert outcome.state == "passed"
    assert "plain-text-key" not in str(outcome.to_data())
    pulumi("echo '{}'")
    assert look(answer).state == "notNeeded"
    pulumi("echo 'error: incorrect passphrase' >&2; exit 255")
    assert codes(answer) == ["MA903"]
    pulumi("echo 'error: no stack named prod found' >&2; exit 255")
    assert look(answer).state == "notChecked"
