"""Why an API server refuses a token, by the token's dates and by what stands behind it."""

from __future__ import annotations

from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.clusters.checks import credential
from madeploy.clusters.registration import Registered, read_registration
from madeploy.clusters.remedies import remedies
from madeploy.clusters.verification import CHECKS, checks_of, verify_registration
from tests.kubeconfigs.test_tokens import BOUND, LONG_LIVED, token
from tests.support.answers import Answers
from tests.support.environments import QUEUES, environment

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/ray-manager"
SECRET = "/api/v1/namespaces/default/secrets/ray-manager-token"
SETTINGS = environment(clusters={"a": {"kubeconfigContext": "a"}})
REMEDIES = remedies(SETTINGS, "a", "prod")
NOW = 2000.0
RAY_MANAGER = {"metadata": {"uid": "u-1"}}


class Dated(Answers):
    """An API server with a clock of its own."""

    now: float | None = NOW

    def clock(self) -> float | None:
        """Its time."""
        return self.now


def registered(text: str) -> Registered:
    return Registered(
        "a",
        "https://compute",
        "6443",
        "",
        text,
        {},
        {},
        {"ca": "cluster-a-ca-data", "token": "cluster-a-client-token"},
    )


def refused(
    text: str, there: float | None = NOW, here: float = NOW, compute: dict[str, Any] | None = None
) -> tuple[str, str]:
    """Code and evidence for a token that is refused."""
    client = Dated({REVIEWS: ClientError("https://compute:6443", "unauthorized", status=401)})
    client.now = there
    administrator = None if compute is None else Answers(compute)
    _, finding = credential.accept(registered(text), client, administrator, REMEDIES, lambda: here)
    assert finding is not None
    assert "clusters rotate a --stack prod" in finding.fix
    return finding.code, finding.evidence


@pytest.mark.parametrize(
    ("claims", "there", "here", "code", "evidence"),
    [
        (BOUND | {"exp": 1400}, NOW, NOW, "MA438", "expired 600 s ago"),
        (BOUND | {"exp": 1400}, None, NOW, "MA438", "expired 600 s ago"),
        (BOUND | {"exp": 1400}, NOW, 1000.0, "MA439", "1000 s ahead of this machine's"),
        (BOUND | {"nbf": 2600, "iat": 2600}, NOW, NOW, "MA439", "600 s from now"),
        (BOUND | {"nbf": 2600, "iat": 2600}, NOW, 2600.0, "MA439", "600 s behind this machine's"),
        (BOUND | {"nbf": 2030, "iat": 2030}, NOW, NOW, "MA437", "dates are in order"),
        (BOUND, NOW, NOW, "MA437", "dates are in order"),
        (LONG_LIVED, NOW, NOW, "MA437", "dates are in order"),
    ],
)
def test_dates_are_judged_by_the_api_servers_clock(
    claims: dict[str, Any], there: float | None, here: float, code: str, evidence: str
) -> None:
    """REG-10, REG-11: and what differs from this machine's clock is said."""
    found = refused(token(**claims), there, here)
    assert found[0] == code
    assert evidence in found[1]


@pytest.mark.parametrize(
    ("compute", "evidence"),
    [
        ({}, "ServiceAccount default/ray-manager is not there"),
        ({ACCOUNT: {"metadata": {"uid": "u-2"}}}, "issued for another ServiceAccount"),
        ({ACCOUNT: RAY_MANAGER}, "Secret default/ray-manager-token, which it ends with, is gone"),
        ({ACCOUNT: RAY_MANAGER, SECRET: {}}, "another cluster issued it"),
        ({ACCOUNT: ClientError("https://compute:6443", "forbidden")}, "dates are in order"),
    ],
)
def test_what_stands_behind_a_refused_token_is_looked_at(compute: dict[str, Any], evidence: str) -> None:
    """REG-11: with an administrator's eyes, where there are any."""
    code, said = refused(token(**LONG_LIVED), compute=compute)
    assert code == "MA437"
    assert evidence in said


def test_a_context_that_leads_to_another_cluster_than_the_registration_is_found() -> None:
    """REG-11: the token is accepted at the registered address, and its account is not the context's."""
    client = Answers(
        {REVIEWS: {"status": {"userInfo": {"username": "system:serviceaccount:default:ray-manager"}}}}
    )
    compute = Answers({ACCOUNT: {"metadata": {"uid": "u-2"}}})
    _, finding = credential.accept(registered(token(**LONG_LIVED)), client, compute, REMEDIES)
    assert finding is not None
    assert finding.code == "MA448"
    assert "context a leads to another cluster than https://compute:6443" in finding.evidence


def test_rights_are_those_of_the_roles_that_are_made() -> None:
    """REG-2, REG-6: fourteen on Ray's objects, in `default` or in each namespace of the stack, and the health
    check."""
    limited = environment(clusters={"a": {"kubeconfigContext": "a", "namespaces": ["default", "jobs"]}})
    for chosen, count in ((SETTINGS, 15), (limited, 29)):
        asked = list(credential.rights(chosen, "a"))
        assert len(asked) == count
        assert asked[-1] == {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}
    namespaces = {item["resourceAttributes"]["namespace"] for item in asked[:-1]}
    assert namespaces == {"default", "jobs"}


def test_the_right_on_queues_is_asked_for_where_jobs_go_to_kueue() -> None:
    """OPS-6, REG-6: refused, every job would end as KueueQueueCheckFailed."""
    kueue = {"controlPlane": {"controllermgr": {"scheduler": "kueue"}}}
    queued = environment(clusters={"a": {"kubeconfigContext": "a", "queues": QUEUES}}, **kueue)
    (asked,) = [item for item in credential.rights(queued, "a") if "kueue" in str(item)]
    wanted = {"group": "kueue.x-k8s.io", "resource": "localqueues", "verb": "get", "namespace": "default"}
    assert asked == {"resourceAttributes": wanted}


def test_what_is_missing_reads_as_the_platform_takes_it() -> None:
    """REG-4, facts 3.1: a missing key is an empty value, and no secret is shown by a registration."""
    hub = Answers(
        {
            "/apis/michelangelo.api/v2/namespaces/ma-system/clusters/a": {
                "metadata": {"name": "a"},
                "spec": {
                    "kubernetes": {"rest": {"host": "https://compute", "port": "6443", "tokenTag": "mine"}}
                },
            },
            "/api/v1/namespaces/default/secrets/mine": {
                "metadata": {"name": "mine"},
                "data": {"token": "aHVudGVyMg=="},
            },
        }
    )
    found = read_registration(hub, "a")
    assert (found.server, found.certificate_authority, found.token) == ("https://compute:6443", "", "hunter2")
    assert found.secret_names == {"ca": "cluster-a-ca-data", "token": "mine"}
    assert found.secrets["ca"] is None
    assert "hunter2" not in repr(found)


def test_a_control_plane_that_fails_ends_the_verification_and_is_no_check() -> None:
    """REG-6, UX-2."""
    hub = Answers({}, "https://hub:6443")
    hub.objects = {
        "/apis/michelangelo.api/v2/namespaces/ma-system/clusters/a": ClientError(hub.server, "refused")
    }
    with pytest.raises(ClientError):
        verify_registration(hub, None, SETTINGS, "a")


def test_a_cluster_that_is_only_prepared_is_told_from_one_that_is_lost() -> None:
    """REG-9."""
    prepared = environment(clusters={"a": {"kubeconfigContext": "a", "credential": {"generation": 0}}})
    first, *others = verify_registration(Answers({}, "https://hub:6443"), None, prepared, "a", stack="prod")
    assert first.finding is not None
    assert "only prepares it" in first.finding.evidence
    assert [check.state for check in others] == ["notTried"] * (len(checks_of(prepared, "a")) - 1)


def test_queues_and_serving_are_looked_at_where_there_are_some() -> None:
    """OPS-5, OPS-6: a cluster without has nothing of it to prove."""
    cluster = {"kubeconfigContext": "a", "queues": QUEUES, "serving": True}
    every = environment(serving={"namespace": "serving"}, clusters={"a": cluster})
    assert checks_of(every, "a") == CHECKS
    assert set(CHECKS) - set(checks_of(SETTINGS, "a")) == {"queues", "serving"}


def test_fixes_name_the_stacks_that_hold_the_cluster() -> None:
    """REG-12, UX-3: its own in a sharded fleet, with the environment's configuration."""
    fleet = {"fleet": {"layout": "sharded"}, "clusters": {"a": {"kubeconfigContext": "a", "shard": 3}}}
    sharded = remedies(environment(**fleet), "a", "prod").up.splitlines()
    config = "--config-file stacks/Pulumi.prod.yaml"
    assert sharded == [
        f"pulumi up --refresh --stack prod-compute-a {config}",
        f"pulumi up --refresh --stack prod-shard-03 {config}",
    ]
    assert REMEDIES.up == "pulumi up --refresh --stack prod"
