"""Cases of codes MA32 and MA33."""

from __future__ import annotations

from tests.rules.cases.sections import (
    ARN,
    Allowed,
    Broken,
    aws,
    cluster,
    existing,
    irsa,
    lifecycle,
    lock,
    minio,
    moves,
    tier,
)

BROKEN: list[Broken] = [
    # code, severity, subject, sections
    (
        "MA320",
        "error",
        "storage.kmsKey",
        {"storage": aws(kmsKeyArn="arn:aws:kms:eu-west-1:123456789012:key/x", kmsKey={})},
    ),
    ("MA321", "error", "storage.forceDestroy", {"storage": aws(forceDestroy=True)}),
    (
        "MA322",
        "warning",
        "storage.objectLock.days",
        {"storage": aws(objectLock=lock(20)), "modelRegistry": {"retentionDays": 10}},
    ),
    ("MA322", "warning", "storage.objectLock.days", {"storage": aws(objectLock=lock(31))}),
    (
        "MA322",
        "warning",
        "storage.lifecycle.models[0].expireDays",
        {"storage": aws(objectLock=lock(20)) | lifecycle("models", expireDays=10)},
    ),
    ("MA323", "error", "storage.lifecycle.workspace[0]", {"storage": aws() | lifecycle("workspace")}),
    (
        "MA323",
        "error",
        "storage.lifecycle.logs[1].prefix",
        {"storage": aws(lifecycle={"logs": [{"prefix": "a", "expireDays": 1}] * 2})},
    ),
    (
        "MA323",
        "error",
        "storage.lifecycle.models[0].transitions[0].days",
        {"storage": aws() | lifecycle("models", transitions=[{"days": 29, "storageClass": "STANDARD_IA"}])},
    ),
    *[
        (
            "MA323",
            "error",
            f"storage.lifecycle.models[0].transitions[{place}",
            {"storage": aws() | lifecycle("models", transitions=moves(*steps))},
        )
        for place, steps in (
            # Order: each class has those after it.
            ("1].storageClass", ((0, "GLACIER_IR"), (30, "STANDARD_IA"))),
            ("1].storageClass", ((30, "ONEZONE_IA"), (60, "STANDARD_IA"))),
            ("1].storageClass", ((30, "ONEZONE_IA"), (120, "GLACIER_IR"))),
            ("1].storageClass", ((0, "INTELLIGENT_TIERING"), (30, "STANDARD_IA"))),
            ("0].storageClass", ((300, "STANDARD_IA"), (0, "GLACIER_IR"))),
            # The same class twice.
            ("1].storageClass", ((30, "STANDARD_IA"), (90, "STANDARD_IA"))),
            (
                "2].storageClass",
                ((0, "INTELLIGENT_TIERING"), (90, "GLACIER_IR"), (200, "INTELLIGENT_TIERING")),
            ),
            # Distance.
            ("1].days", ((30, "STANDARD_IA"), (59, "GLACIER_IR"))),
            ("1].days", ((30, "STANDARD_IA"), (30, "INTELLIGENT_TIERING"))),
            ("1].days", ((5, "INTELLIGENT_TIERING"), (5, "GLACIER_IR"))),
        )
    ],
    *[
        (
            "MA331",
            "warning",
            f"storage.lifecycle.workspace[0].transitions[{place}].days",
            {"storage": aws() | lifecycle("workspace", transitions=moves(*steps), **more)},
        )
        for place, steps, more in (
            (0, ((0, "GLACIER_IR"),), {"expireDays": 59}),
            (0, ((40, "STANDARD_IA"),), {"expireDays": 41, "noncurrentDays": 28}),
            (1, ((0, "INTELLIGENT_TIERING"), (30, "ONEZONE_IA")), {"expireDays": 31, "noncurrentDays": 1}),
        )
    ],
    *[
        (
            "MA332",
            "error",
            f"storage.ignoreTags.{place}[0]",
            {"storage": aws(tags={"team": "ml"}, ignoreTags=tags)},
        )
        for place, tags in (
            ("keys", {"keys": ["team"]}),
            ("keys", {"keys": ["michelangelo:environment"]}),
            ("keyPrefixes", {"keyPrefixes": ["te"]}),
            ("keyPrefixes", {"keyPrefixes": ["michelangelo:"]}),
        )
    ],
    *[
        ("MA333", "info", "storage.protect", {"storage": aws(protect=False, **more)})
        for more in ({}, {"forceDestroy": True}, {"accessLogs": {"bucket": "example-c"}})
    ],
    (
        "MA323",
        "error",
        "storage.lifecycle.models[0].transitions[0].days",
        {
            "storage": aws()
            | lifecycle("models", expireDays=60, transitions=[{"days": 60, "storageClass": "GLACIER_IR"}])
        },
    ),
    (
        "MA324",
        "warning",
        "storage.lifecycle.models[0].noncurrentDays",
        {"storage": aws() | lifecycle("models", noncurrentDays=31)},
    ),
    (
        "MA325",
        "error",
        "storage.accessLogs.bucket",
        {"storage": aws(accessLogs={"bucket": "example-b"})},
    ),
    (
        "MA326",
        "error",
        "storage.identity.oidcProviderArn",
        {"storage": aws(accountId="210987654321", identity=irsa("a"))},
    ),
    (
        "MA326",
        "error",
        "clusters.gpu.taskIdentity.oidcProviderArn",
        {"storage": aws(identity=irsa("a"))} | cluster(taskIdentity=irsa("b", account="210987654321")),
    ),
    (
        "MA326",
        "error",
        "storage.permissionsBoundaryArn",
        {"storage": aws(identity=irsa("a"), permissionsBoundaryArn="arn:aws:iam::210987654321:policy/b")},
    ),
    ("MA327", "warning", "clusters.gpu", {"storage": aws()} | cluster()),
    (
        "MA328",
        "error",
        "clusters.gpu.taskIdentity.kind",
        {"storage": existing()} | cluster(taskIdentity=irsa("a")),
    ),
    (
        "MA328",
        "error",
        "clusters.gpu.taskIdentity",
        {"storage": minio()} | cluster(taskIdentity={"kind": "role", "roleArn": ARN}),
    ),
    (
        "MA329",
        "error",
        "clusters.b.taskIdentity.oidcProviderArn",
        {
            "storage": aws(),
            "clusters": {name: {"kubeconfigContext": name, "taskIdentity": irsa("x")} for name in ("a", "b")},
        },
    ),
    (
        "MA329",
        "error",
        "clusters.b.taskIdentity.clusterName",
        {
            "storage": aws(),
            "clusters": {
                name: {
                    "kubeconfigContext": name,
                    "taskIdentity": {"kind": "podIdentity", "clusterName": "x"},
                }
                for name in ("a", "b")
            },
        },
    ),
    ("MA330", "warning", "storage.forceDestroy", {"storage": aws(forceDestroy=True, protect=False)}),
    ("MA325", "error", "storage.auditLogs.bucket", {"storage": aws(auditLogs={"bucket": "example-a"})}),
    (
        "MA325",
        "error",
        "storage.auditLogs.bucket",
        {"storage": aws(accessLogs={"bucket": "example-c"}, auditLogs={"bucket": "example-c"})},
    ),
]

ALLOWED: list[Allowed] = [
    ("MA321", {"storage": aws(forceDestroy=True, protect=False)}),
    ("MA322", {"storage": aws(objectLock=lock(30)), "modelRegistry": {"retentionDays": 30}}),
    (
        "MA322",
        {
            "storage": aws(objectLock=lock(20, "workspace")) | lifecycle("models", expireDays=10),
            "modelRegistry": {"retentionDays": 10},
        },
    ),
    (
        "MA323",
        {
            "storage": aws()
            | lifecycle(
                "models",
                expireDays=151,
                transitions=moves((30, "STANDARD_IA"), (60, "INTELLIGENT_TIERING"), (61, "GLACIER_IR")),
            )
        },
    ),
    (
        "MA323",
        {
            "storage": aws()
            | lifecycle(
                "models",
                transitions=moves((90, "ONEZONE_IA"), (30, "STANDARD_IA"), (60, "INTELLIGENT_TIERING")),
            )
        },
    ),
    (
        "MA331",
        {"storage": aws() | lifecycle("models", expireDays=60, transitions=moves((0, "GLACIER_IR")))},
    ),
    (
        "MA331",
        {"storage": aws() | lifecycle("models", expireDays=1, transitions=moves((0, "INTELLIGENT_TIERING")))},
    ),
    ("MA331", {"storage": aws() | lifecycle("models", transitions=moves((0, "GLACIER_IR")))}),
    ("MA333", {"storage": aws()}),
    ("MA333", {"storage": existing()}),
    (
        "MA332",
        {
            "storage": aws(
                tags={"team": "ml"}, ignoreTags={"keys": ["Team"], "keyPrefixes": ["teams", "cost:"]}
            )
        },
    ),
    ("MA324", {"storage": aws() | lifecycle("models", noncurrentDays=30)}),
    ("MA325", {"storage": aws(accessLogs={"bucket": "example-c"})}),
    ("MA326", {"storage": aws(identity=irsa("a"))} | cluster(taskIdentity=irsa("b"))),
    ("MA327", {"storage": aws()} | cluster(taskIdentity=irsa("b"))),
    ("MA327", {"storage": existing()} | cluster()),
    ("MA328", {"storage": existing()} | cluster(taskIdentity={"kind": "role", "roleArn": ARN})),
    ("MA328", {"storage": aws()} | cluster(taskIdentity={"kind": "role", "roleArn": ARN})),
    (
        "MA329",
        {
            "storage": aws(),
            "clusters": {
                name: {
                    "kubeconfigContext": name,
                    "taskIdentity": {"kind": "podIdentity", "clusterName": "x", "region": region},
                }
                for name, region in (("a", "eu-west-1"), ("b", "us-east-1"))
            },
        },
    ),
    ("MA330", {"storage": aws(forceDestroy=True, protect=False)} | tier("development")),
]
