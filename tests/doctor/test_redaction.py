"""Secrets placed everywhere a check looks appear in no report, in none of its forms."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.doctor import drift
from madeploy.doctor.after import checks_after
from madeploy.doctor.before import checks_of_cluster
from madeploy.doctor.causes import checks_of_causes
from madeploy.doctor.checks import Check, NotCheckedError, Seen, run
from madeploy.findings.junit import to_junit
from madeploy.findings.outcomes import Report
from madeploy.findings.overview import checks as overview
from madeploy.findings.page import to_html
from madeploy.findings.sarif import to_sarif
from madeploy.settings import CONTROL_PLANE
from tests.support import environments
from tests.support.furnished import Furnished, FurnishedSite, deployed, named

SPACE = "ma-system"
PASSWORD = "Zx9qLw3TbV7mKc5RpN2d"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
KEY_ID = "AKIAIOSFODNN7CANARY9"
CANARIES = (PASSWORD, TOKEN, KEY_ID)
ENCODED = tuple(base64.b64encode(canary.encode()).decode() for canary in CANARIES)
SAID = f"login failed: password={PASSWORD} token {TOKEN} key {KEY_ID}"


def forms(report: Report) -> str:
    """The report in every form."""
    unseen = [item.detail for item in report.outcomes if item.state == "notChecked"]
    return "\n".join(
        [
            json.dumps(report.to_data()),
            overview(report),
            to_html(report),
            to_junit(report),
            to_sarif(report.findings, "1.0", unseen),
        ]
    )


def planted() -> FurnishedSite:
    """An environment with canaries in Secrets, live configuration, annotations, events and refusals."""
    made = deployed(environments.production_aws())
    hub = made.hub
    for path, item in hub.objects.items():
        if "/secrets/" in path:
            item["data"] = dict(zip((*(item.get("data") or {}), "a", "b", "c"), ENCODED, strict=False))
        elif "/configmaps/" in path:
            item["data"] = {file: f"{text}\n{SAID}\n" for file, text in (item.get("data") or {}).items()}
        elif "/deployments/" in path:
            (container, *_) = item["spec"]["template"]["spec"]["containers"]
            container["env"] = [{"name": "API_TOKEN", "value": TOKEN}, {"name": "X", "value": PASSWORD}]
            item["metadata"]["annotations"] = {"note": SAID}
            item["status"]["availableReplicas"] = 0
        elif "/ingresses/" in path:
            item["metadata"]["annotations"] = {"auth": SAID}
    about = {"kind": "Deployment", "name": "michelangelo-worker"}
    hub.hold(named("Event", "e", SPACE, type="Warning", message=SAID, reason="Failed", involvedObject=about))
    hub.refusals["michelangelo-apiserver"] = f"admission webhook denied the request: {SAID}"
    return made


def test_no_report_shows_what_was_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-3, UX-8: doctor, verify and diagnose, as text, JSON, JUnit, SARIF and a page."""
    made = planted()
    monkeypatch.setattr(Furnished, "text", lambda self, path: f"{SAID}\nconnect: connection refused {SAID}")
    site = made.site
    found = [
        *(check for cluster in site.objects for check in checks_of_cluster(site, cluster)),
        *(check for check in checks_after(site, lambda: None) if not check.name.startswith(("dns", "trust"))),
        *checks_of_causes(site),
    ]
    report = run("verify", "prod", list({check.name: check for check in found}.values()))
    assert len(report.findings) > 10, "the canaries make findings"
    text = forms(report)
    for canary in (*CANARIES, *ENCODED):
        assert canary not in text


def test_of_a_variable_with_a_secrets_name_no_value_is_said() -> None:
    """UX-3: whoever put it where another stood."""
    made = deployed(environments.environment(modelRegistry={"retentionDays": 30}))
    (job,) = (item for item in made.hub.objects.values() if item["kind"] == "CronJob")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    container["env"][0] = {"name": "DB_PASSWORD", "value": "swordfish"}
    report = run("verify", "prod", [Check("one", "x", lambda: drift.objects(made.site, CONTROL_PLANE))])
    assert any(finding.code == "MA937" for finding in report.findings)
    assert "swordfish" not in forms(report)


@pytest.mark.parametrize(
    "error",
    [
        NotCheckedError(SAID),
        ClientError("https://hub:6443", "server", SAID, 500),
        RuntimeError(SAID),
    ],
    ids=["not checked", "client", "defect"],
)
def test_no_reason_for_not_looking_shows_one(error: Exception) -> None:
    """UX-3."""

    def look() -> Seen:
        raise error

    text = forms(run("doctor", "prod", [Check("one", "x", look)]))
    assert not [canary for canary in CANARIES if canary in text]


def test_what_was_seen_shows_none() -> None:
    """UX-3."""

    def look(said: str) -> Seen:
        return said

    text = forms(run("doctor", "prod", [Check("one", "x", partial(look, SAID))]))
    assert not [canary for canary in CANARIES if canary in text]


def test_words_that_are_none_are_shown() -> None:
    """UX-3: a report that hides what it is about helps nobody."""
    made: dict[str, Any] = {}
    for said in (
        "Deployment ma-system/michelangelo-worker: spec.replicas is 7, not 5",
        "https://hub.example.com:6443: its certificate is for another name",
        "field cascadeDelete not found in type controllermgr.Config",
        "arn:aws:sts::123456789012:assumed-role/deployer/session",
    ):
        (outcome,) = run("doctor", "prod", [Check("one", "x", lambda said=said: said)]).outcomes  # type: ignore[misc]
        made[said] = outcome.detail
    assert {said for said, shown in made.items() if said != shown} == set()
