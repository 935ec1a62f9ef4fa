"""Every kubeconfig of the corpus gets the verdict that is right for it, with all its defects at once."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy import kubeconfigs
from madeploy.findings.text import report
from madeploy.kubeconfigs import Instead, Verdict
from tests.kubeconfigs.authorities import NOW, encoded, pem
from tests.kubeconfigs.corpus import CASES
from tests.kubeconfigs.documents import COMMAND, Case, document, text, token
from tests.support.proves import proves


def instead(case: Case) -> Instead:
    given = dict(case.instead)
    if "certificate_authority_data" in given:
        ends = {"good": 900, "expired": -1}[given["certificate_authority_data"]]
        given["certificate_authority_data"] = encoded(pem(ends=ends))
    return Instead(**given)


def inspected(case: Case) -> Verdict:
    return kubeconfigs.inspect(case.text(), "FILE", case.context, instead(case), NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@proves("REG-1")
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


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("in base64", "base64 -d < FILE > kubeconfig.yaml"),
        ("in base64 twice", "base64 -d < FILE | base64 -d > kubeconfig.yaml"),
        ("in base64 with quotes around it", "tr -d '\"' < FILE | base64 -d > kubeconfig.yaml"),
        (
            "in a Secret of Cluster API",
            "kubectl get secret ml-kubeconfig --namespace fleet --output jsonpath='{.data.value}' "
            "| base64 -d > kubeconfig.yaml",
        ),
        (
            "in a Secret under a name of its own",
            "kubectl get secret ml-kubeconfig --namespace fleet --output jsonpath='{.data.admin\\.conf}' "
            "| base64 -d > kubeconfig.yaml",
        ),
        ("in a ConfigMap", "kubectl get configmap x --output jsonpath='{.data.config}' > kubeconfig.yaml"),
        (
            "in a Secret that is not stored yet",
            "yq --unwrapScalar .stringData.kubeconfig FILE > kubeconfig.yaml",
        ),
        ("among a tool's outputs", "yq --unwrapScalar .kubeconfig.value FILE > kubeconfig.yaml"),
    ],
)
def test_a_wrapped_kubeconfig_is_told_with_the_command_that_unwraps_it(name: str, command: str) -> None:
    """REG-1, UX-3: typed as it stands, it writes the kubeconfig."""
    (case,) = [case for case in CASES if case.name == name]
    (finding,) = inspected(case).findings
    assert command in finding.fix.splitlines()


@given(st.binary(max_size=200), st.sampled_from(["value", "kubeconfig", "config.yaml", "password"]))
def test_what_is_no_kubeconfig_is_never_called_one(content: bytes, key: str) -> None:
    """REG-1: a Secret with something else in it stays a Secret with something else in it."""
    other = text({"apiVersion": "v1", "kind": "Secret", "data": {key: base64.b64encode(content).decode()}})
    verdict = kubeconfigs.inspect(other, "FILE", now=NOW)
    assert not any("kubeconfig in base64" in item.evidence for item in verdict.findings)


@given(
    st.sampled_from(["sha256~{}", "kubeconfig-user-{}:x7", "token-abc12:{}", "ya29.{}", "dop_v1_0{}"]),
    st.from_regex(r"[a-f0-9]{20,60}", fullmatch=True),
)
def test_tokens_that_a_login_left_behind_are_told_by_their_form(form: str, rest: str) -> None:
    """REG-1, REG-8: a warning with the way to one that lasts, and nothing of the token."""
    verdict = kubeconfigs.inspect(text(document(user={"token": form.format(rest)})), "FILE", now=NOW)
    (finding,) = verdict.findings
    assert (finding.code, finding.severity, verdict.is_refused) == ("MA426", "warning", False)
    assert "ends" in finding.evidence
    assert "create serviceaccount" in finding.fix
    assert rest not in report("FILE", verdict.findings)


@given(
    st.text("abc", min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n", "\r", "\u2028"]),
    st.text("abc", max_size=5),
)
def test_a_token_over_several_lines_is_refused_wherever_it_is_read(head: str, end: str, tail: str) -> None:
    """REG-1: before the engine's plugin fails on it in the middle of an update."""
    data = document(user={"token": head + end + tail})
    verdict = kubeconfigs.inspect(json.dumps(data).encode(), "FILE", now=NOW)
    assert [item.code for item in verdict.findings] == ["MA426"]
    with pytest.raises(kubeconfigs.KubeconfigError, match="token of user"):
        kubeconfigs.minify(data, None, "kubeconfigs.east")


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
