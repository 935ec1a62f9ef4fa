"""Every kubeconfig of the corpus gets the verdict that is right for it, with all its defects at once."""

from __future__ import annotations

import json

import pytest

from madeploy import kubeconfigs
from madeploy.findings.text import report
from madeploy.kubeconfigs import Instead, Verdict
from tests.kubeconfigs.authorities import NOW, encoded, pem
from tests.kubeconfigs.corpus import CASES, COMMAND, Case, document, text, token


def instead(case: Case) -> Instead:
    given = dict(case.instead)
    if "certificate_authority_data" in given:
        ends = {"good": 900, "expired": -1}[given["certificate_authority_data"]]
        given["certificate_authority_data"] = encoded(pem(ends=ends))
    return Instead(**given)


def inspected(case: Case) -> Verdict:
    return kubeconfigs.inspect(case.text(), "FILE", case.context, instead(case), NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_kubeconfig_is_taken_or_refused_with_every_defect(case: Case) -> None:
    """REG-1, REG-11, UX-3: a code for each defect, none too many; what is taken has its endpoint."""
    verdict = inspected(case)
    told = report(verdict.name, verdict.findings)
    by_severity = {
        severity: tuple(sorted(item.code for item in verdict.findings if item.severity == severity))
        for severity in ("error", "warning", "info")
    }
    assert by_severity == {"error": case.errors, "warning": case.warnings, "info": ()}, told
    assert verdict.is_refused is bool(case.errors)
    if case.errors:
        assert verdict.kubeconfig is None
        assert verdict.endpoint is None
    else:
        assert verdict.endpoint is not None
        assert (verdict.endpoint.host, verdict.endpoint.port) == case.endpoint
        assert verdict.endpoint.certificate_authority.startswith("-----BEGIN CERTIFICATE-----\n")
        assert "\r" not in verdict.endpoint.certificate_authority


def test_the_corpus_is_large_and_each_case_is_its_own() -> None:
    """REG-1: at least eighty, of which some are taken."""
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 80
    assert sum(not case.errors for case in CASES) >= 20
    assert {code for case in CASES for code in case.errors} == {
        *(f"MA4{number}" for number in (10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26))
    }


@pytest.mark.parametrize("case", [case for case in CASES if case.errors], ids=lambda case: case.name)
def test_a_refusal_says_where_why_and_what_to_do_and_repeats_no_credential(case: Case) -> None:
    """REG-1, REG-11, UX-3."""
    verdict = inspected(case)
    shown = report(verdict.name, verdict.findings) + json.dumps(verdict.to_data())
    for finding in verdict.findings:
        assert finding.fix
        assert finding.why
        assert finding.location is not None
        assert finding.location.source is None, "a line of a kubeconfig may hold a credential"
    for secret in ("example-token", "word@", ":123@", "u:p@", "PRIVATE KEY-----", "\x1b"):
        assert secret not in shown


@pytest.mark.parametrize("case", [case for case in CASES if not case.errors], ids=lambda case: case.name)
def test_what_is_stored_stands_on_its_own_and_is_taken_again(case: Case) -> None:
    """REG-1: one context in normal form; reading it again changes nothing."""
    verdict = inspected(case)
    assert verdict.kubeconfig is not None
    for kind in ("contexts", "clusters", "users"):
        assert len(verdict.kubeconfig[kind]) == 1
    cluster, user = verdict.kubeconfig["clusters"][0]["cluster"], verdict.kubeconfig["users"][0]["user"]
    assert not {"certificate-authority", "extensions"} & cluster.keys()
    assert not {"client-certificate", "client-key", "tokenFile", "exec", "extensions"} & user.keys()
    again = kubeconfigs.inspect(json.dumps(verdict.kubeconfig).encode(), "FILE", None, instead(case), NOW)
    assert again.kubeconfig == verdict.kubeconfig
    assert again.endpoint == verdict.endpoint


def test_a_verdict_prints_no_credential_by_accident() -> None:
    """REG-1, UX-3: neither the object nor its JSON."""
    verdict = kubeconfigs.inspect(text(document()), "FILE", now=NOW)
    assert verdict.kubeconfig is not None
    assert "example-token" not in repr(verdict) + json.dumps(verdict.to_data())


def test_the_login_of_the_aws_cli_leads_to_the_cluster_by_its_name() -> None:
    """REG-1, UX-3: the way out can be typed, and names the cluster it is about."""
    (case,) = [case for case in CASES if case.name == "login by the AWS CLI"]
    (finding,) = inspected(case).findings
    assert "--eks ml --region eu-west-1" in finding.fix


def test_a_context_at_hand_may_log_in_by_a_command() -> None:
    """REG-1: it is used on machines that have the command; a file somebody handed over is another matter."""
    data = document(user={"exec": {"command": COMMAND}})
    verdict = kubeconfigs.inspect_context(data, "context east", now=NOW)
    assert not verdict.is_refused
    assert verdict.credential == "exec"
    assert [(item.code, item.severity) for item in verdict.findings] == [("MA421", "info")]


def test_certificates_and_tokens_are_judged_by_the_present_when_no_time_is_given() -> None:
    """REG-1."""
    past = kubeconfigs.inspect(text(document(user={"token": token(-10_000)})), "FILE")
    assert "MA426" in [item.code for item in past.findings if item.severity == "error"]
