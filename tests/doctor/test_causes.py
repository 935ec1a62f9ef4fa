"""What does not work is taken down to its causes: last words, logs, events, models and inference servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from madeploy.clients.errors import ClientError
from madeploy.doctor import causes
from madeploy.doctor.checks import Check, Seen, run
from madeploy.findings.outcomes import Outcome
from tests.support import environments
from tests.support.furnished import Furnished, FurnishedSite, deployed, named, unfinished

SPACE = "ma-system"
WORKER = "michelangelo-worker"


def look(answer: Callable[[], Seen]) -> Outcome:
    (outcome,) = run("diagnose", "prod", [Check("one", "x", answer)]).outcomes
    return outcome


def production() -> FurnishedSite:
    return deployed(environments.production_aws())


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


def model(name: str, **spec: Any) -> dict[str, Any]:
    return named("Model", name, "team-a", "michelangelo.api/v2", spec=spec)


URIS = {"modelArtifactUri": ["s3://a/b"], "deployableArtifactUri": ["s3://a/c"]}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (URIS, []),
        ({}, ["MA977"]),
        ({"modelArtifactUri": []}, ["MA977"]),
        ({"model_artifact_uri": ["s3://a/b"]}, ["MA977"]),
        ({"modelArtifactUri": ["s3://a/b"]}, ["MA978"]),
    ],
)
def test_models_without_artifacts_are_named(spec: dict[str, Any], found: list[str]) -> None:
    """MR-10: rows 3 and 4 of the registry guide's table, from the live registry."""
    made = production()
    assert look(lambda: causes.models(made.site)).state == "notNeeded"
    made.hub.hold(model("fraud", **spec))
    outcome = look(lambda: causes.models(made.site))
    assert codes(outcome) == found
    assert all(finding.commands for finding in outcome.findings)


@pytest.mark.parametrize(
    ("backend", "found"),
    [
        ("BACKEND_TYPE_TRITON", []),
        ("triton", ["MA356"]),
        (None, ["MA356"]),
        ("BACKEND_TYPE_DYNAMO", ["MA359"]),
    ],
)
def test_inference_servers_that_nobody_takes_are_named(backend: str | None, found: list[str]) -> None:
    """MR-10: row 7 of the registry guide's table."""
    made = production()
    assert look(lambda: causes.inference_servers(made.site)).state == "notNeeded"
    spec = {"backendType": backend} if backend else {}
    made.hub.hold(named("InferenceServer", "s", "team-a", "michelangelo.api/v2", spec=spec))
    assert codes(look(lambda: causes.inference_servers(made.site))) == found


def pod(**status: Any) -> dict[str, Any]:
    found = named("Pod", f"{WORKER}-0", SPACE, status=status)
    found["metadata"] |= {"uid": "pod-uid", "labels": {"app": WORKER}, "ownerReferences": [{"uid": "rs-uid"}]}
    return found


def with_rollout(made: FurnishedSite, *objects: dict[str, Any]) -> FurnishedSite:
    """A Deployment that is not complete, with these pods."""
    unfinished(made, WORKER, 0, {}, *objects)
    return made


def crashed(message: str) -> dict[str, Any]:
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": message}}
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    return pod(containerStatuses=[{"name": "worker", "image": "x:1", "state": state, "lastState": ended}])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("line 3: field cascadeDelete not found in type controllermgr.Config", "MA988"),
        ("unable to start the manager: listen tcp: address 8091: missing port in address", "MA982"),
        ("Endpoint url cannot have fully qualified paths.", "MA987"),
        ("something nobody has seen before", "MA960"),
    ],
)
def test_the_last_words_of_a_container_tell_the_cause(said: str, code: str) -> None:
    """OPS-8: the cause in place of the crash, and the crash where no cause is known."""
    made = with_rollout(production(), crashed(said))
    outcome = look(lambda: causes.rollouts(made.site))
    assert codes(outcome) == [code]
    assert said in outcome.findings[0].evidence


def test_a_deployment_that_is_gone_is_named() -> None:
    """OPS-8."""
    made = production()
    del made.hub.objects[f"/apis/apps/v1/namespaces/{SPACE}/deployments/{WORKER}"]
    assert codes(look(lambda: causes.rollouts(made.site))) == ["MA936"]


def test_logs_of_the_services_are_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-8, UX-3: with the line that tells, and no value that looks like a secret."""
    made = production()
    made.hub.hold(pod())
    log = "\n".join(
        [
            "started",
            "password=Sup3rS3cretValueThatIsLong dial tcp 10.0.0.9:443: connect: connection refused",
            "the server has asked for the client to provide credentials",
        ]
    )
    monkeypatch.setattr(Furnished, "text", lambda self, path: log)
    outcome = look(lambda: causes.logs(made.site))
    assert sorted(codes(outcome)) == ["MA431", "MA437"]
    assert {finding.subject for finding in outcome.findings} == {
        f"log of {WORKER}-0, line 2",
        f"log of {WORKER}-0, line 3",
    }
    assert "Sup3rS3cret" not in str(outcome.to_data())


def test_logs_that_no_kubelet_gives_are_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """UX-8."""
    made = production()
    assert look(lambda: causes.logs(made.site)).state == "notNeeded"
    made.hub.hold(pod())

    def none(self: Furnished, path: str) -> str:
        raise ClientError(self.server, "server", "no kubelet", 500)

    monkeypatch.setattr(Furnished, "text", none)
    assert look(lambda: causes.logs(made.site)).state == "notNeeded"


def test_warnings_of_clusters_are_told_with_the_object_they_are_about() -> None:
    """OPS-8: those of tasks' namespace on compute clusters, too."""
    made = production()
    about = {"involvedObject": {"kind": "Pod", "name": "ray-head"}, "type": "Warning"}
    made.clusters["gpu-west"].hold(
        named(
            "Event",
            "e1",
            "default",
            message="0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
            **about,
        )
    )
    outcome = look(lambda: causes.events(made.site, "gpu-west"))
    assert codes(outcome) == ["MA957"]
    assert outcome.findings[0].subject == "gpu-west: Pod default/ray-head"
    assert look(lambda: causes.events(made.site, "cpu-east")).state == "passed"


def test_places_are_looked_into_once() -> None:
    """UX-8: names of the checks are unique."""
    names = [check.name for check in causes.checks_of_causes(production().site)]
    assert len(names) == len(set(names))
