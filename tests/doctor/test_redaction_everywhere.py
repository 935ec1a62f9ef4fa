"""A secret that stands anywhere in what servers say is in no report, and no answer to a pasted log."""

from __future__ import annotations

import base64
import json
import random
import string
from pathlib import Path
from urllib.parse import quote

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madeploy.cli.diagnose import diagnose
from madeploy.doctor.checks import Check, NotCheckedError, Seen, masked, run
from madeploy.findings import find
from madeploy.findings.outcomes import outcome_of
from tests.doctor.test_redaction import forms
from tests.support.proves import proves

LETTERS = string.ascii_letters + string.digits
WORDS = ["connection refused", "level=error", "at 12:30:01", '{"msg":"no"}', "Deployment ma-system/ui:", "–"]
NAMES = ["password", "DB_PASSWORD", "aws_secret_access_key", "client-secret-key", "accessToken", "api_key"]


def secrets(letters: str) -> st.SearchStrategy[str]:
    """Values that cannot be told by their look alone. They begin alike, so that shrinking ends at one that no
    text holds by accident."""
    return st.text(letters, min_size=3, max_size=24).map(lambda tail: f"zq7{tail}")


@st.composite
def placed(draw: st.DrawFn) -> tuple[str, str]:
    """A secret, and one line that holds it where servers, pods and people put them."""
    name = draw(st.sampled_from(NAMES))
    spoken = secrets(LETTERS + " ,;&:=@/+!'\"\\")
    bare = secrets(LETTERS + ",;&:=@/+!-")
    secret, line = draw(
        st.one_of(
            bare.map(lambda value: (value, f"{name}={value}")),
            bare.map(lambda value: (value, f"{name}: {value}")),
            spoken.map(lambda value: (value, json.dumps({"user": "bob", name: value, "more": 1}))),
            spoken.map(lambda value: (value, json.dumps(json.dumps({name: value}))[1:-1])),
            spoken.map(lambda value: (value, json.dumps([{"name": "API_TOKEN", "value": value}]))),
            bare.map(lambda value: (value, f"- name: API_TOKEN value: {value}")),
            spoken.map(lambda value: (value, f"postgres://bob:{quote(value, safe='')}@db.example.com/x")),
            bare.map(lambda value: (value, f"Authorization: Bearer {value}")),
            secrets(LETTERS).map(lambda value: (value, f"GET /x?X-Amz-Signature={value}&x=1")),
            st.integers(0).map(_token),
            st.integers(0).map(_key_id),
        )
    )
    before, after = draw(st.sampled_from(WORDS)), draw(st.sampled_from(WORDS))
    return secret, f"{before} {line} {after}"


def _token(seed: int) -> tuple[str, str]:
    parts = ({"alg": "RS256", "kid": str(seed)}, {"sub": f"zq7-{seed}", "aud": ["x"]})
    head, claims = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts)
    return claims, f"token {head}.{claims}.c2ln is not valid"


def _key_id(seed: int) -> tuple[str, str]:
    letters = string.ascii_uppercase + string.digits
    key = "ASIA" + "".join(random.Random(seed).choices(letters, k=16))
    return key, f"the key {key} does not exist"


def shown(secret: str, text: str) -> bool:
    """Whether a text holds a secret, as it is or as it is written in JSON and URLs."""
    return any(form in text for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")))


@proves("UX-3")
@settings(max_examples=150, deadline=None)
@given(case=placed())
def test_no_report_of_any_command_shows_a_secret_that_a_server_said(case: tuple[str, str]) -> None:
    """UX-3, UX-8: as evidence, as what was seen, as the reason for not looking, and as what an update of an
    acceptance ended with; as text, JSON, JUnit, SARIF and a page."""
    secret, line = case

    def fails() -> Seen:
        raise NotCheckedError(line)

    looks = {"found": lambda: [find("MA960", "x", line)], "seen": lambda: line, "why": fails}
    for command in ("doctor", "verify", "diagnose", "accept"):
        report = run(command, "prod", [Check(name, "x", look) for name, look in looks.items()])
        assert not shown(secret, forms(report))
    update = outcome_of("update", "x", [masked(find("MA960", "x", line))])
    assert not shown(secret, str(update))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=placed())
def test_no_answer_to_a_log_shows_a_secret_of_it(
    case: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """UX-3, OPS-8: a line that is known, with a secret in it."""
    secret, line = case
    log = tmp_path / "log"
    log.write_text(f"{line} x509: certificate signed by unknown authority {line}\n", encoding="utf-8")
    for as_json in (True, False):
        with pytest.raises(typer.Exit):
            diagnose(log=str(log), as_json=as_json)
        said = capsys.readouterr()
        assert "MA" in said.out
        assert not shown(secret, said.out + said.err)
