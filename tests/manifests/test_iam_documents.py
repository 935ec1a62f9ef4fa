"""What each identity may do, and who may be it: exactly what is documented, and nothing more."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Set
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeploy.settings import Environment
from madeploy.settings.storage import AwsStorage
from manifests.iam_documents import access_policy, key_policy, trust_policy
from manifests.identities import Subject, subjects
from tests.support.environments import aws_storage, environment
from tests.support.iam import Document, Request, allows, weakened
from tests.support.proves import proves

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ALIAS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/objects"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/id"
BUCKETS = {"workspace": "example-workspace", "models": "example-models", "logs": "example-logs"}

GUIDE = {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"}
OBJECT_ACTIONS = (
    "s3:PutObject",
    "s3:GetObject",
    "s3:DeleteObject",
    "s3:GetObjectVersion",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3:PutObjectRetention",
    "s3:BypassGovernanceRetention",
    "s3:RestoreObject",
)
BUCKET_ACTIONS = (
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:GetBucketLocation",
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketVersioning",
    "s3:DeleteBucket",
    "s3:CreateBucket",
)
KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:Encrypt",
    "kms:ScheduleKeyDeletion",
    "kms:CreateGrant",
)
OTHER_ACTIONS = ("iam:PassRole", "sts:AssumeRole", "ec2:RunInstances", "s3:ListAllMyBuckets")
WORKSPACE = f"arn:aws:aps:eu-west-1:{ACCOUNT}:workspace/ws-11111111-2222-3333-4444-555555555555"
WRITER = "arn:aws:iam::210987654321:role/writer"
METRICS_ACTIONS = (
    "aps:RemoteWrite",
    "aps:QueryMetrics",
    "aps:PutRuleGroupsNamespace",
    "aps:DeleteWorkspace",
    "sts:AssumeRole",
)


def made(
    service_access: str = "guide", source: str = "irsa", amazon: dict[str, str] | None = None
) -> Environment:
    """An environment with a logs bucket, a compute cluster that serves and whose tasks have a role,
    model-sync and a Prometheus that writes to Amazon's service."""
    sources: dict[str, Any] = {
        "irsa": lambda name: {"kind": "irsa", "oidcProviderArn": f"{OIDC}/{name}"},
        "podIdentity": lambda name: {"kind": "podIdentity", "clusterName": name},
    }
    return environment(
        storage=aws_storage(
            buckets=BUCKETS, serviceAccess=service_access, identity=sources[source]("control")
        ),
        modelRegistry={"retentionDays": 90},
        serving={"namespace": "serving", "modelSync": {"servers": ["example"]}},
        network={"monitoringNamespace": "monitoring"},
        monitoring={"amazon": {"workspaceArn": WORKSPACE, "serviceAccount": "prometheus"} | (amazon or {})},
        clusters={
            "gpu": {"kubeconfigContext": "gpu", "serving": True, "taskIdentity": sources[source]("gpu")}
        },
    )


def subject(env: Environment, identity: str) -> Subject:
    (found,) = [item for item in subjects(env) if item.identity == identity]
    return found


def policy(identity: str, service_access: str = "guide", key: str | None = None) -> Document:
    env = made(service_access)
    assert isinstance(env.storage, AwsStorage)
    return access_policy(env.storage, subject(env, identity), key)


def s3_arn(purpose: str) -> str:
    return f"arn:aws:s3:::{BUCKETS[purpose]}"


def every_request() -> Iterator[tuple[tuple[str, str], Request]]:
    """Requests of the matrix, each under the name it has in it: `(action, what it is about)`."""
    for purpose, action in itertools.product(BUCKETS, OBJECT_ACTIONS):
        yield (action, f"{purpose}/*"), Request(action, f"{s3_arn(purpose)}/some/key")
    for purpose, action in itertools.product(BUCKETS, BUCKET_ACTIONS):
        yield (action, purpose), Request(action, s3_arn(purpose))
    for action in (*OBJECT_ACTIONS, *BUCKET_ACTIONS):
        yield (action, "another bucket"), Request(action, "arn:aws:s3:::example-models-2")
        yield (action, "another bucket/*"), Request(action, "arn:aws:s3:::example-models-2/key")
    through_s3 = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    for action in KEY_ACTIONS:
        yield (
            (action, "key by S3"),
            Request(action, KEY, {**through_s3, "kms:ResourceAliases": ["alias/objects"]}),
        )
        yield (action, "key directly"), Request(action, KEY, {"kms:ResourceAliases": ["alias/objects"]})
        elsewhere = {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:ResourceAliases": ["alias/objects"]}
        yield (action, "key by S3 elsewhere"), Request(action, KEY, elsewhere)
        other = KEY.replace("1111", "9999")
        yield (
            (action, "another key by S3"),
            Request(action, other, {**through_s3, "kms:ResourceAliases": ["alias/x"]}),
        )
    for action in METRICS_ACTIONS:
        yield (action, "workspace"), Request(action, WORKSPACE)
        yield (action, "another workspace"), Request(action, WORKSPACE.replace("1111", "9999"))
        yield (action, "writer"), Request(action, WRITER)
    for action in OTHER_ACTIONS:
        yield (action, "anything"), Request(action, "*")


def allowed(document: Document) -> set[tuple[str, str]]:
    return {name for name, request in every_request() if allows(document, request).allowed}


def grants(write: Set[str], read: Set[str] = frozenset()) -> set[tuple[str, str]]:
    """What these rights on buckets are in the matrix."""
    objects = {(action, f"{purpose}/*") for purpose in write for action in GUIDE}
    objects |= {("s3:GetObject", f"{purpose}/*") for purpose in read}
    return objects | {("s3:ListBucket", purpose) for purpose in write | read}


MATRIX: Mapping[tuple[str, str], set[tuple[str, str]]] = {
    ("controllermgr", "guide"): grants(write={"workspace", "models"}),
    ("worker", "guide"): grants(write={"workspace", "models"}),
    ("tasks-gpu", "guide"): grants(write={"workspace", "models", "logs"}),
    ("controllermgr", "readOnly"): grants(write=set(), read={"workspace", "models"}),
    ("worker", "readOnly"): grants(write=set(), read={"workspace", "models"}),
    ("tasks-gpu", "readOnly"): grants(write={"workspace", "models", "logs"}),
    ("retention", "guide"): {
        *(("s3:DeleteObject", f"{purpose}/*") for purpose in ("workspace", "models")),
        *(("s3:ListBucket", purpose) for purpose in ("workspace", "models")),
    },
    ("model-sync-control-plane", "guide"): grants(write=set(), read={"models"}),
    ("model-sync-gpu", "guide"): grants(write=set(), read={"models"}),
    ("metrics", "guide"): {("aps:RemoteWrite", "workspace")},
}
READERS = ("model-sync-control-plane", "model-sync-gpu")
"""Identities that read whatever `storage.serviceAccess` says."""
ROWS = sorted(MATRIX)
WITH_KEY = {("kms:Decrypt", "key by S3"), ("kms:GenerateDataKey", "key by S3")}


def documented(identity: str, access: str, key: str | None = None) -> set[tuple[str, str]]:
    """What `docs/iam.md` says an identity may do."""
    if key is None or identity in ("retention", "metrics"):
        return MATRIX[identity, access]
    reads_only = identity in READERS or (access == "readOnly" and not identity.startswith("tasks-"))
    return MATRIX[identity, access] | ({("kms:Decrypt", "key by S3")} if reads_only else WITH_KEY)


@pytest.mark.parametrize(("identity", "access"), ROWS)
@pytest.mark.parametrize("key", [None, KEY, ALIAS], ids=["SSE-S3", "SSE-KMS", "SSE-KMS by alias"])
@proves("MR-2")
def test_an_identity_may_do_exactly_what_is_documented(identity: str, access: str, key: str | None) -> None:
    """MR-2: over every identity, action and resource; with a key, its use through S3 and no other."""
    assert allowed(policy(identity, access, key)) == documented(identity, access, key)


@pytest.mark.parametrize(("identity", "access"), ROWS)
@pytest.mark.parametrize("key", [None, KEY, ALIAS], ids=["SSE-S3", "SSE-KMS", "SSE-KMS by alias"])
def test_nothing_in_an_identitys_policy_can_be_left_out(identity: str, access: str, key: str | None) -> None:
    """MR-2: without any one of its statements, actions, resources or conditions the matrix is another."""
    expected = documented(identity, access, key)
    changes = dict(weakened(policy(identity, access, key)))
    assert changes
    for change, document in changes.items():
        assert allowed(document) != expected, f"{change} makes no difference"


@given(
    action=st.sampled_from([*OBJECT_ACTIONS, *BUCKET_ACTIONS, *KEY_ACTIONS, *OTHER_ACTIONS])
    | st.from_regex(r"(s3|kms|iam|sts|ec2):[A-Z][A-Za-z]{0,20}", fullmatch=True),
    bucket=st.sampled_from([*BUCKETS.values(), "example", "example-models-2", "*"]),
    key=st.text(max_size=12),
    identity=st.sampled_from(["controllermgr", "worker", "tasks-gpu"]),
)
@proves("MR-2")
def test_no_request_outside_the_documented_rights_is_allowed(
    action: str, bucket: str, key: str, identity: str
) -> None:
    """MR-2: whatever the action, bucket and key."""
    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    if allows(policy(identity, "guide", KEY), Request(action, resource)).allowed:
        writable = {BUCKETS[purpose] for purpose in subject(made(), identity).access}
        assert bucket in writable
        assert action == "s3:ListBucket" if not key else action in GUIDE


class TestTrust:
    """Who may take a role."""

    @staticmethod
    def irsa(**changed: Any) -> bool:
        """Whether a pod of cluster `gpu` gets the tasks' role by IRSA."""
        provider = changed.get("provider", f"{OIDC}/gpu")
        issuer = provider.split(":oidc-provider/")[1]
        context = {
            f"{issuer}:sub": changed.get("sub", "system:serviceaccount:default:default"),
            f"{issuer}:aud": changed.get("aud", "sts.amazonaws.com"),
        }
        document = changed.get("document") or trust_policy(subject(made(), "tasks-gpu"), "eu-west-1")
        return allows(
            document, Request("sts:AssumeRoleWithWebIdentity", "role", context, {"Federated": provider})
        ).allowed

    @staticmethod
    def pod_identity(**changed: Any) -> bool:
        """Whether a pod of EKS cluster `gpu` gets the tasks' role by EKS Pod Identity."""
        context = {
            "aws:RequestTag/kubernetes-namespace": changed.get("namespace", "default"),
            "aws:RequestTag/kubernetes-service-account": changed.get("account", "default"),
            "aws:RequestTag/eks-cluster-arn": changed.get(
                "cluster", f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/gpu"
            ),
        }
        document = changed.get("document") or trust_policy(
            subject(made(source="podIdentity"), "tasks-gpu"), "eu-west-1"
        )
        service = {"Service": changed.get("service", "pods.eks.amazonaws.com")}
        return all(
            allows(document, Request(action, "role", context, service)).allowed
            for action in ("sts:AssumeRole", "sts:TagSession")
        )

    def test_only_the_service_account_of_one_cluster_gets_a_role_by_irsa(self) -> None:
        """MR-2: keyless, bound to namespace, name, issuer and the audience of STS."""
        assert self.irsa()
        assert not self.irsa(sub="system:serviceaccount:default:other")
        assert not self.irsa(sub="system:serviceaccount:other:default")
        assert not self.irsa(aud="another-audience")
        assert not self.irsa(provider=f"{OIDC}/control")

    def test_only_the_service_account_of_one_cluster_gets_a_role_by_pod_identity(self) -> None:
        """MR-2: no other association of the AWS account can use it."""
        assert self.pod_identity()
        assert not self.pod_identity(namespace="team-a")
        assert not self.pod_identity(account="other")
        assert not self.pod_identity(cluster=f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/gpu-2")
        assert not self.pod_identity(cluster=f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/gpu")
        assert not self.pod_identity(service="ec2.amazonaws.com")

    def test_nothing_in_a_trust_policy_can_be_left_out(self) -> None:
        """MR-2: without any statement or action nobody gets the role, without any condition others do."""
        wrong: dict[str, list[dict[str, Any]]] = {
            "irsa": [{"sub": "system:serviceaccount:default:other"}, {"aud": "another"}],
            "podIdentity": [
                {"namespace": "x"},
                {"account": "x"},
                {"cluster": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/x"},
            ],
        }
        for source, takes in (("irsa", self.irsa), ("podIdentity", self.pod_identity)):
            document = trust_policy(subject(made(source=source), "tasks-gpu"), "eu-west-1")
            for change, weaker in weakened(document):
                lost = not takes(document=weaker)
                opened = any(takes(document=weaker, **asked) for asked in wrong[source])
                assert lost or opened, f"{source}: {change} makes no difference"

    def test_services_and_tasks_take_their_own_roles_only(self) -> None:
        """MR-2: each role is for one ServiceAccount of one cluster."""
        trusts = [trust_policy(item, "eu-west-1")["Statement"] for item in subjects(made())]
        assert not any(trust in trusts[:place] for place, trust in enumerate(trusts))
        assert {(item.identity, item.namespace, item.service_account) for item in subjects(made())} == {
            ("controllermgr", "ma-system", "michelangelo-controllermgr"),
            ("worker", "ma-system", "michelangelo-worker"),
            ("retention", "ma-system", "michelangelo-retention"),
            ("tasks-gpu", "default", "default"),
            ("model-sync-control-plane", "serving", "michelangelo-model-sync"),
            ("model-sync-gpu", "serving", "michelangelo-model-sync"),
            ("metrics", "monitoring", "prometheus"),
        }

    def test_pods_take_roles_by_their_own_clusters_provider(self) -> None:
        """OPS-5: model-sync has one account on every cluster, and a role on each."""
        for source in ("irsa", "podIdentity"):
            env = made(source=source)
            here, there = (subject(env, name).source for name in READERS)
            assert here == subject(env, "worker").source
            assert there == subject(env, "tasks-gpu").source


@proves("OPS-3")
def test_prometheus_takes_the_workspaces_role_where_one_is_named() -> None:
    """OPS-3: of another account, whose workspace no role of this one may write to; that alone then."""
    env = made(amazon={"roleArn": WRITER})
    assert isinstance(env.storage, AwsStorage)
    document = access_policy(env.storage, subject(env, "metrics"), KEY)
    assert allowed(document) == {("sts:AssumeRole", "writer")}


class TestKeyPolicy:
    """Policy of a key made here."""

    document = key_policy("eu-west-1", ACCOUNT)

    def asked(
        self, action: str, document: Document | None = None, account: str = ACCOUNT, **context: str
    ) -> bool:
        """Whether the key's policy lets a role of an account do it, its own policies permitting."""
        who = {"AWS": f"arn:aws:iam::{account}:role/x"}
        return allows(document or self.document, Request(action, KEY, context, who)).allowed

    def test_a_key_is_used_through_s3_only_and_can_be_administered(self) -> None:
        """MR-1, MR-2: an administrator cannot decrypt objects that S3 would not give him."""
        through = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            assert self.asked(action, **through)
            assert not self.asked(action)
            assert not self.asked(action, account="210987654321", **through)
        for action in ("kms:PutKeyPolicy", "kms:EnableKeyRotation", "kms:ScheduleKeyDeletion"):
            assert self.asked(action)
            assert not self.asked(action, account="210987654321")
        assert not self.asked("kms:CreateGrant"), "a grant would lend the key past S3"
        assert not self.asked("kms:Encrypt")

    def test_nothing_that_matters_in_a_key_policy_can_be_left_out(self) -> None:
        """MR-1."""
        through = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
        administration, use = self.document["Statement"]
        for statement, kept in ((administration, use), (use, administration)):
            document = {**self.document, "Statement": [kept]}
            assert any(
                not self.asked(a.replace("*", "Key"), document, **through) for a in statement["Action"]
            )
        open_to_all = {key: value for key, value in use.items() if key != "Condition"}
        assert self.asked("kms:Decrypt", {**self.document, "Statement": [open_to_all]})


@pytest.mark.parametrize(
    ("region", "partition", "service"),
    [
        ("eu-west-1", "aws", "s3.eu-west-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", "s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "s3.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "aws-iso", "s3.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-west-1", "aws-iso-b", "s3.us-isob-west-1.sc2s.sgov.gov"),
        ("eusc-de-east-1", "aws-eusc", "s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_policies_are_of_their_regions_partition(region: str, partition: str, service: str) -> None:
    """MR-2: buckets, keys, clusters and services are named as the partition names them."""
    source = {"kind": "podIdentity", "clusterName": "control"}
    env = environment(storage=aws_storage(region=region, identity=source))
    assert isinstance(env.storage, AwsStorage)
    who = subject(env, "worker")
    key = f"arn:{partition}:kms:{region}:{ACCOUNT}:key/1"
    document = access_policy(env.storage, who, key)
    through = {"kms:ViaService": service}
    assert allows(document, Request("s3:GetObject", f"arn:{partition}:s3:::example-ml-models/a")).allowed
    assert allows(document, Request("kms:Decrypt", key, through)).allowed
    caller = {"AWS": f"arn:{partition}:iam::{ACCOUNT}:role/x"}
    assert allows(key_policy(region, ACCOUNT), Request("kms:Decrypt", key, through, caller)).allowed
    tags = {
        "aws:RequestTag/kubernetes-namespace": "ma-system",
        "aws:RequestTag/kubernetes-service-account": "michelangelo-worker",
        "aws:RequestTag/eks-cluster-arn": f"arn:{partition}:eks:{region}:{ACCOUNT}:cluster/control",
    }
    agent = {"Service": "pods.eks.amazonaws.com"}
    assert allows(trust_policy(who, region), Request("sts:AssumeRole", "role", tags, agent)).allowed


def test_a_right_that_the_evaluator_does_not_know_is_an_error() -> None:
    """MR-2: the proof above fails rather than guess."""
    strange = {
        "Statement": [{"Sid": "A", "Effect": "Allow", "NotAction": "s3:*", "Action": "*", "Resource": "*"}]
    }
    with pytest.raises(AssertionError, match="NotAction"):
        allows(strange, Request("s3:GetObject", "*"))
