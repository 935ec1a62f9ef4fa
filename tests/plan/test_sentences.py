"""The commonest changes, each in at most five sentences that name cause and effect."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from madeploy.plan.changes import Comparison, Identity
from madeploy.plan.environments import between, of_environment
from madeploy.plan.sentences import sentences
from madeploy.plan.text import LEVELS, listed
from tests.plan.cases import CASES
from tests.support.environments import ALL, minimal
from tests.support.proves import proves

EXPECTED: Final[dict[str, list[tuple[str, str]]]] = {
    "nothing": [
        (
            "quiet",
            "Nothing changes.",
        ),
    ],
    "the application moves to another host": [
        (
            "outage",
            "app.ml.example.com is no longer answered, studio.ml.example.com is instead: DNS must point "
            "there, and clients, bookmarks and tasks with the old address fail at once.",
        ),
        (
            "outage",
            "Pages of https://app.ml.example.com may no longer call the API, those of "
            "https://studio.ml.example.com may; browsers that have asked before may go on until their "
            "preflight answer expires.",
        ),
        (
            "notice",
            "Certificates for studio.ml.example.com are issued by the ACME authority behind "
            "letsencrypt-prod.",
        ),
        (
            "quiet",
            "The web application for another configuration (apiBaseUrl) and Envoy for another "
            "configuration (CORS origins) restart, pod after pod: callers notice nothing.",
        ),
    ],
    "an origin is admitted": [
        (
            "notice",
            "Pages of https://studio.example.com may call the API from now on.",
        ),
        (
            "quiet",
            "Envoy restarts, pod after pod, for another configuration (CORS origins): callers notice "
            "nothing.",
        ),
    ],
    "an origin is refused again": [
        (
            "outage",
            "Pages of https://studio.example.com may no longer call the API; browsers that have asked "
            "before may go on until their preflight answer expires.",
        ),
        (
            "quiet",
            "Envoy restarts, pod after pod, for another configuration (CORS origins): callers notice "
            "nothing.",
        ),
    ],
    "people have to sign in": [
        (
            "outage",
            "People sign in at login.example.com from now on, also those who have the application open: its"
            " Secret must be there, and the provider must know the way back.",
        ),
        (
            "notice",
            "The front door is configured anew "
            '(annotations["nginx.ingress.kubernetes.io/proxy-buffer-size"] and rules[0].http.paths): its '
            "controller takes that over without a restart; long calls in progress may be ended.",
        ),
        ("notice", "Permitted traffic changes (michelangelo-envoy and michelangelo-ui); nothing restarts."),
        (
            "quiet",
            "Envoy restarts, pod after pod, for another configuration (static_resources.clusters, "
            "common_http_protocol_options.headers_with_underscores_action, typed_config.http_filters and 11"
            " more) and other pod settings (containers[0].volumeMounts and volumes): callers notice "
            "nothing.",
        ),
    ],
    "nobody has to sign in any more": [
        (
            "notice",
            "The front door is configured anew "
            '(annotations["nginx.ingress.kubernetes.io/proxy-buffer-size"] and rules[0].http.paths): its '
            "controller takes that over without a restart; long calls in progress may be ended.",
        ),
        ("notice", "Nobody signs in any more: whoever reaches the application may change everything."),
        ("notice", "Permitted traffic changes (michelangelo-envoy and michelangelo-ui); nothing restarts."),
        (
            "quiet",
            "Envoy restarts, pod after pod, for another configuration (static_resources.clusters, "
            "common_http_protocol_options.headers_with_underscores_action, typed_config.http_filters and 11"
            " more) and other pod settings (containers[0].volumeMounts and volumes): callers notice "
            "nothing.",
        ),
    ],
    "the API's host gets a lock": [
        (
            "outage",
            "The API's host lets in trusted networks and tokens only: tools and tasks that call from "
            "elsewhere fail at once.",
        ),
        (
            "notice",
            "The front door is configured anew (rules[0].http.paths[0].backend.service.name and "
            "rules[0].http.paths[0].backend.service.port.number): its controller takes that over without a "
            "restart; long calls in progress may be ended.",
        ),
        (
            "notice",
            "Permitted traffic changes (michelangelo-apiserver and michelangelo-envoy); nothing restarts.",
        ),
        (
            "quiet",
            "Envoy restarts, pod after pod, for another configuration (static_resources.listeners) and "
            "other pod settings (containers[0].ports): callers notice nothing.",
        ),
        ("quiet", "Also Service ma-system/michelangelo-envoy changes; nothing restarts for that."),
    ],
    "the API's host loses its lock": [
        (
            "notice",
            "The front door is configured anew (rules[0].http.paths[0].backend.service.name and "
            "rules[0].http.paths[0].backend.service.port.number): its controller takes that over without a "
            "restart; long calls in progress may be ended.",
        ),
        ("notice", "The API's host is open: whoever reaches it may change everything."),
        (
            "notice",
            "Permitted traffic changes (michelangelo-apiserver and michelangelo-envoy); nothing restarts.",
        ),
        (
            "quiet",
            "Envoy restarts, pod after pod, for another configuration (static_resources.listeners) and "
            "other pod settings (containers[0].ports): callers notice nothing.",
        ),
        ("quiet", "Also Service ma-system/michelangelo-envoy changes; nothing restarts for that."),
    ],
    "another network is trusted": [
        ("outage", "Callers from 203.0.113.0/28 need a token at the API's host."),
        ("notice", "Callers from 198.51.100.0/28 need no token at the API's host."),
        (
            "quiet",
            "Envoy restarts, pod after pod, for another configuration (remote_ip.address_prefix): callers "
            "notice nothing.",
        ),
    ],
    "a tenant comes": [
        ("notice", "Tenants come with projects, rights and limits of their own: vision."),
        ("notice", "Permitted traffic changes (deny-cross-namespace); nothing restarts."),
        (
            "notice",
            "Rights in Kubernetes are given: ClusterRole michelangelo-editor, ClusterRole "
            "michelangelo-viewer and Role vision/model-registry-reader.",
        ),
    ],
    "a tenant leaves the settings": [
        (
            "notice",
            "Tenants leave the settings (vision): what they have stays on the cluster as it is until "
            "`bin/madeploy tenants remove` deletes it.",
        ),
    ],
    "all images are updated": [
        (
            "quiet",
            "The API server, the controller manager, the worker and the web application restart, pod "
            "after pod, for another image (sha-abcdef0): callers notice nothing; another replica of the "
            "controller manager leads within 15 s, running jobs go on; workflows go on from their last "
            "finished step.",
        ),
    ],
    "the API server gets more pods": [
        (
            "quiet",
            "The API server runs in 4 pods instead of 2; nothing restarts for that.",
        ),
    ],
    "Envoy gets one pod only": [
        (
            "notice",
            "Envoy runs in 1 pod instead of 2: the loss of its node takes it down until it is placed "
            "elsewhere.",
        ),
        (
            "quiet",
            "Envoy restarts, pod after pod, for other pod settings (topologySpreadConstraints): callers "
            "notice nothing.",
        ),
    ],
    "the worker gets more memory": [
        (
            "quiet",
            "The worker restarts, pod after pod, for another memory request (256Mi to 1Gi): workflows go "
            "on from their last finished step.",
        ),
    ],
    "the workflow engine moves": [
        (
            "outage",
            "Workflows run in another engine or domain (host temporal-2.example.com:7233): those in "
            "progress stay where they are and are not followed any more. Let them finish first.",
        ),
        (
            "quiet",
            "The controller manager for another configuration (workflowClient.host) and the worker for "
            "another configuration (workflow-engine.host) restart, pod after pod: another replica of the "
            "controller manager leads within 15 s, running jobs go on; workflows go on from their last "
            "finished step.",
        ),
    ],
    "the first cluster is added": [
        (
            "notice",
            "first becomes the target of every job, being the only one.",
        ),
        (
            "quiet",
            "1 cluster is registered (first): account, rights and storage settings there, address and "
            "credential here; nothing restarts.",
        ),
    ],
    "a second cluster is added": [
        (
            "notice",
            "Jobs that name no cluster go to whichever of the 2 the controller manager finds first, "
            "ready or not: no longer to first for certain. Label jobs that must stay there.",
        ),
        (
            "quiet",
            "1 cluster is registered (second): account, rights and storage settings there, address and "
            "credential here; nothing restarts.",
        ),
    ],
    "the second cluster is removed": [
        (
            "outage",
            "second is let go: the platform forgets what runs there without stopping it, and its "
            "credential is withdrawn. Drain first: bin/madeploy clusters drain.",
        ),
        (
            "notice",
            "first becomes the target of every job, being the only one.",
        ),
    ],
    "a cluster's API server moves": [
        (
            "outage",
            "first is called at another address (https://moved.example.com:6443): the controller manager "
            "takes it over at once; jobs there are followed again as soon as it answers.",
        ),
    ],
    "certificates come from ACME": [
        (
            "notice",
            "Certificates for api.ml.example.com and app.ml.example.com are issued by the ACME authority "
            "behind letsencrypt-prod; until they are there, the front door shows its own.",
        ),
        (
            "quiet",
            "Also Ingress ma-system/michelangelo-apiserver and Ingress ma-system/michelangelo-ui change; "
            "nothing restarts for that.",
        ),
    ],
    "the front door becomes the Gateway API": [
        (
            "outage",
            "The front door changes from Ingress to the Gateway API, which has another address: callers "
            "are cut off until DNS points there. Services do not restart for it.",
        ),
        (
            "notice",
            "Permitted traffic changes (michelangelo-apiserver, michelangelo-envoy and michelangelo-ui); "
            "nothing restarts.",
        ),
    ],
    "another bucket takes the models": [
        (
            "refused",
            "Bucket example-ml-models would be replaced by example-ml-models-2, and is protected: the "
            "update is refused. A rename moves no data. To do it: `pulumi state unprotect "
            "'urn:pulumi:prod::michelangelo::michelangelo:index:Platform$michelangelo:index:ArtifactStore$aws:s3/bucket:Bucket::models'`,"
            " and this update lets it go as it is; example-ml-models-2 is made, empty, beside it; copy "
            "what is needed, `aws s3 sync s3://example-ml-models s3://example-ml-models-2`.",
        ),
    ],
    "an unprotected bucket is renamed": [
        (
            "loss",
            "Bucket example-ml-models-2 is made, empty, in place of example-ml-models: nothing is copied."
            " example-ml-models is then deleted if it is empty; S3 refuses while it holds an object or a "
            "version (BucketNotEmpty), and leaves it as it is, now and at every later update. To keep it,"
            " two updates: first storage.protect: true under the old name; then the new name, and `pulumi"
            " state unprotect "
            "'urn:pulumi:prod::michelangelo::michelangelo:index:Platform$michelangelo:index:ArtifactStore$aws:s3/bucket:Bucket::models'`,"
            " and this update lets it go as it is; copy what is needed, `aws s3 sync s3://example-ml-"
            "models s3://example-ml-models-2`.",
        ),
    ],
    "the buckets move to another region": [
        (
            "refused",
            "Bucket example-ml-models would move from eu-west-1 to eu-west-2, which no bucket can: its "
            "name cannot be had a second time. The update is refused, and nothing of the bucket is "
            "changed. Give the buckets of the new region other names; a rename moves no data.",
        ),
        (
            "refused",
            "Bucket example-ml-workspace would move from eu-west-1 to eu-west-2, which no bucket can: its"
            " name cannot be had a second time. The update is refused, and nothing of the bucket is "
            "changed. Give the buckets of the new region other names; a rename moves no data.",
        ),
        (
            "quiet",
            "The controller manager and the worker restart, pod after pod, for another configuration "
            "(minio.awsEndpointUrl and minio.awsRegion): another replica of the controller manager leads "
            "within 15 s, running jobs go on; workflows go on from their last finished step.",
        ),
    ],
    "access logs are given up": [
        (
            "refused",
            "Bucket example-ml-access would be deleted, and is protected: the update is refused, now and "
            "at every later update. To delete it with all that is in it, two updates: first "
            "storage.protect: false and storage.forceDestroy: true with the bucket still in the settings;"
            " then without it, and with both as they were. To keep it: `pulumi state unprotect "
            "'urn:pulumi:prod::michelangelo::michelangelo:index:Platform$michelangelo:index:ArtifactStore$aws:s3/bucket:Bucket::access-"
            "logs'`, and this update lets it go as it is.",
        ),
    ],
    "isolation is lifted": [
        (
            "notice",
            "Traffic of the control plane is no longer limited: any pod may call any service.",
        ),
    ],
    "the namespace changes": [
        (
            "outage",
            "The control plane moves from namespace ma-system to michelangelo: all of it is made anew "
            "there and deleted here. Until it runs and the front door follows, nobody is served; Secrets "
            "provided by hand must be there before.",
        ),
    ],
    "the controller manager runs alone": [
        (
            "outage",
            "The controller manager stops and starts again, for another configuration (logging.level): "
            "until its new pod runs, nothing is scheduled and no status is followed; running jobs go on.",
        ),
    ],
    "the platform goes to another release": [
        (
            "loss",
            "The platform goes from release 2026.04 to 0.12, and there is no way back: earlier services fail "
            "on what this one writes. Revisions lose commit, gitBranch, gitRef and reviewToolUrl, and while "
            "there are any the new API server does not start. `bin/madeploy upgrade STACK --to 0.12` looks "
            "for what stands in the way, writes a dump of every object, and goes step by step.",
        ),
        (
            "outage",
            "InferenceServers without clusterTargets serve nothing until they have it.",
        ),
        (
            "notice",
            "Whoever deletes a Pipeline deletes all its runs from now on, an engine that prunes or replaces "
            "it included.",
        ),
        (
            "notice",
            "Rights in Kubernetes are changed: ClusterRole michelangelo-apiserver and ClusterRole "
            "michelangelo-controllermgr.",
        ),
        (
            "quiet",
            "The API server for another image (0.12.0), the controller manager for another image (0.12.0), "
            "the worker for another configuration (workflow-engine.workers) and another image (0.12.0), the "
            "web application for another image (0.12.0) and Envoy for another configuration "
            "(http_filters.name, typed_config.@type and envoy.filters.http.cors.allow_headers) restart, pod "
            "after pod: callers notice nothing; another replica of the controller manager leads within 15 s, "
            "running jobs go on; workflows go on from their last finished step.",
        ),
    ],
    "the platform goes back to an earlier release": [
        (
            "outage",
            "The platform cannot go back from release 0.12 to 2026.04: the earlier API server does not start "
            "on the newer definitions, and earlier controllers fail on newer objects. docs/upgrading.md says "
            "what leads back.",
        ),
        (
            "notice",
            "Rights in Kubernetes are changed: ClusterRole michelangelo-apiserver and ClusterRole "
            "michelangelo-controllermgr.",
        ),
        (
            "quiet",
            "The API server for another image (sha-cbf5720), the controller manager for another image "
            "(sha-cbf5720), the worker for another configuration (workflow-engine.workers) and another image "
            "(sha-cbf5720), the web application for another image (sha-cbf5720) and Envoy for another "
            "configuration (http_filters.name, typed_config.@type and "
            "envoy.filters.http.cors.allow_headers) restart, pod after pod: callers notice nothing; another "
            "replica of the controller manager leads within 15 s, running jobs go on; workflows go on from "
            "their last finished step.",
        ),
    ],
    "a team may read models": [
        (
            "notice",
            "Rights in Kubernetes are given: Role team-a/model-registry-reader.",
        ),
    ],
}


def _said(name: str) -> list[tuple[str, str]]:
    before, after = CASES[name]
    return [(sentence.level, sentence.text) for sentence in sentences(between(before(), after(), "prod"))]


@pytest.mark.parametrize("name", CASES)
@proves("UX-4")
def test_a_common_change_is_said_in_at_most_five_sentences_that_name_cause_and_effect(name: str) -> None:
    """UX-4."""
    said = _said(name)
    assert said == EXPECTED[name]
    assert len(said) <= 5


def test_at_least_fifteen_changes_are_pinned() -> None:
    """UX-4."""
    assert len(CASES) >= 16
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("before", ALL)
@pytest.mark.parametrize("after", ALL)
def test_every_change_between_any_two_environments_is_explained_or_counted(before: str, after: str) -> None:
    """UX-4: nothing is left out, and what hurts most is said first."""
    comparison = between(ALL[before](), ALL[after](), "prod")
    said = sentences(comparison)
    explained = {identity for sentence in said for identity in sentence.about}
    assert {change.identity for change in comparison.changes} <= explained
    ranks = [LEVELS.index(sentence.level) for sentence in said if not sentence.text.startswith("Also ")]
    assert ranks == sorted(ranks)


def test_a_first_deployment_says_so_and_names_the_hosts() -> None:
    """UX-4."""
    said = [sentence.text for sentence in sentences(between(None, minimal(), "prod"))]
    assert said[0].startswith("Everything is made for the first time: ")
    assert said[1].startswith("api.ml.example.com and app.ml.example.com are served once DNS points")


def _with(objects: dict[Identity, Any], kind: str, name: str, change: Any) -> dict[Identity, Any]:
    identity = next(i for i in objects if (i.kind, i.name) == (kind, name))
    item = json.loads(json.dumps(objects[identity]))
    change(item)
    return {**objects, identity: item}


def test_a_touched_registration_is_said_to_end_the_reports_of_its_health() -> None:
    """UX-4, V7."""
    before, _ = CASES["a cluster's API server moves"]
    objects = of_environment(before(), "prod")
    for change in (
        lambda item: item["metadata"].update(labels={"a": "b"}),
        lambda item: item["spec"]["kubernetes"].update(skus=[{"cpu": 1}]),
    ):
        (sentence,) = sentences(Comparison(objects, _with(objects, "Cluster", "first", change)))
        assert "its health is not reported any more until it restarts" in sentence.text


def _rotated(roll: bool) -> list[tuple[str, str]]:
    before, _ = CASES["a cluster's API server moves"]
    secret = Identity("control-plane", "Secret", "default", "cluster-first-client-token")
    objects = {**of_environment(before(), "prod"), secret: {"data": {"token": "one"}}}
    after = {**objects, secret: {"data": {"token": "another"}}}
    if roll:

        def annotate(item: Any) -> None:
            item["spec"]["template"]["metadata"]["annotations"]["example.com/credentials"] = "2"

        after = _with(after, "Deployment", "michelangelo-controllermgr", annotate)
    return [(sentence.level, sentence.text) for sentence in sentences(Comparison(objects, after))]


def test_a_credential_that_changes_without_a_roll_is_an_outage() -> None:
    """UX-4, REG-8, V14."""
    (said,) = _rotated(roll=False)
    assert said[0] == "outage"
    assert "goes on with the old one" in said[1]


def test_a_credential_that_changes_with_a_roll_is_not() -> None:
    """UX-4, REG-8, V14."""
    levels = [level for level, _ in _rotated(roll=True)]
    assert levels == ["notice", "quiet"]


def test_lists_are_cut_and_counted() -> None:
    """UX-4."""
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "a"]) == "a and b"
    assert listed("abcd") == "a, b, c and d"
    assert listed("abcde") == "a, b, c and 2 more"
