"""Cases of codes MA4xx."""

from __future__ import annotations

from madeploy.settings.environment import CONTROL_PLANE
from tests.rules.cases.sections import (
    ARN,
    FLAVOR,
    KUEUE,
    QUEUES,
    SECURE,
    SERVING,
    Allowed,
    Broken,
    aws,
    beside_control_plane,
    cluster,
    clusters,
    credential,
    minio,
    queues,
    sharded,
    synced,
    tier,
    together,
)

BROKEN: list[Broken] = [
    # code, severity, subject, sections
    (
        "MA401",
        "error",
        "clusters.b.server",
        {
            "clusters": {
                "a": {"kubeconfigContext": "a", "server": "https://c.example.com"},
                "b": {"kubeconfigContext": "b", "server": "https://C.example.com.:443"},
            }
        },
    ),
    ("MA402", "error", "clusters.gpu", {"clusters": {"gpu": {}}}),
    ("MA402", "error", "controlPlane", {"kubeconfigs": ...}),
    ("MA403", "error", f"clusters.{CONTROL_PLANE}", {"clusters": {CONTROL_PLANE: {}}}),
    ("MA404", "error", "kubeconfigs.gpu", {"kubeconfigs": {CONTROL_PLANE: SECURE, "gpu": SECURE}}),
    ("MA405", "error", f"clusters.{'a' * 57}", {"clusters": {"a" * 57: {"kubeconfigContext": "a"}}}),
    ("MA407", "warning", "clusters.gpu.kubeconfigContext", cluster()),
    ("MA407", "warning", "controlPlane.kubeconfigContext", {"controlPlane": {"kubeconfigContext": "a"}}),
    (
        "MA408",
        "error",
        "clusters.b.kubeconfigContext",
        {"clusters": {"a": {"kubeconfigContext": "x"}, "b": {"kubeconfigContext": "x"}}},
    ),
    (
        "MA408",
        "error",
        "clusters.b.eks",
        {"clusters": {name: {"eks": {"clusterName": "ml", "region": "eu-west-1"}} for name in ("a", "b")}},
    ),
    (
        "MA419",
        "error",
        "clusters.gpu.eks",
        cluster(eks={"clusterName": "gpu", "region": "eu-west-1"}),
    ),
    ("MA478", "warning", "clusters.gpu.queues", cluster(queues=QUEUES)),
    ("MA491", "warning", "controlPlane.controllermgr.scheduler", KUEUE),
    ("MA491", "warning", "controlPlane.controllermgr.scheduler", KUEUE | cluster()),
    (
        "MA489",
        "error",
        "clusters.gpu.queues.flavors[1].quotas",
        cluster(queues=queues({"cpu": "1", "memory": "1Gi"}, {"memory": "1Gi", "cpu": "1"})) | KUEUE,
    ),
    (
        "MA489",
        "error",
        "clusters.gpu.queues.flavors[1].name",
        cluster(queues=QUEUES | {"flavors": [FLAVOR, FLAVOR]}) | KUEUE,
    ),
    ("MA490", "warning", "tracking.uri", {"tracking": {"uri": "http://tracking.internal:5000"}}),
    (
        "MA490",
        "warning",
        "clusters.gpu.tracking.uri",
        cluster(tracking={"uri": "http://tracking.internal:5000"}),
    ),
    ("MA492", "error", "clusters.gpu.serving", cluster(serving=True)),
    (
        "MA494",
        "error",
        "serving.modelSync.credentialsSecret",
        {"serving": synced(), "storage": minio()},
    ),
    (
        "MA495",
        "error",
        "serving.modelSync.roleArns.gpu",
        {"serving": synced(roleArns={"gpu": ARN})} | cluster(),
    ),
    (
        "MA496",
        "warning",
        "clusters.gpu.serving",
        {"serving": synced(), "storage": aws()} | cluster(serving=True),
    ),
    (
        "MA493",
        "info",
        "clusters.gpu.serving",
        cluster(serving=True, credential={"kind": "bounded"}) | SERVING,
    ),
    (
        "MA418",
        "warning",
        "clusters.gpu.certificateAuthorityData",
        cluster(server="https://gke-1.europe-west1.gke.goog"),
    ),
    ("MA409", "error", "clusters.gpu.server", cluster(server="https://localhost:6443")),
    ("MA409", "error", "clusters.gpu.server", cluster(server="https://[::1]:6443")),
    ("MA409", "error", "clusters.gpu.server", cluster(server="https://kubernetes.docker.internal:6443")),
    ("MA409", "error", "clusters.gpu.server", beside_control_plane("hub", "https://kubernetes.default.svc")),
    ("MA409", "warning", "clusters.gpu.server", cluster(server="https://kubernetes.default")),
    ("MA409", "warning", "clusters.gpu.server", cluster(server="https://vcluster.team-a.svc:443")),
    (
        "MA409",
        "warning",
        "clusters.gpu.server",
        cluster(server="https://127.0.0.1:6443") | tier("development"),
    ),
    ("MA460", "error", "clusters.gpu.namespaces", cluster(namespaces=["team-a"])),
    ("MA461", "warning", "clusters.gpu.namespaces[1]", cluster(namespaces=["default", "team-a"])),
    ("MA462", "error", "clusters.gpu.operators.spark", cluster(operators={"spark": "install"})),
    ("MA463", "error", "clusters.gpu.credential.keep", credential(keep=[{"generation": 1}])),
    ("MA464", "warning", "clusters.gpu.credential.keep", credential(keep=[{"generation": 2}])),
    ("MA465", "warning", "clusters.gpu.credential.generation", credential(generation=0)),
    ("MA466", "error", "clusters.gpu.credential.generation", credential(kind="bounded")),
    ("MA467", "error", "clusterTokens.gpu", cluster() | {"clusterTokens": {"gpu": SECURE}}),
    (
        "MA467",
        "error",
        "clusterTokens.gpo",
        credential(kind="bounded") | {"clusterTokens": {"gpo": SECURE, "gpu": SECURE}},
    ),
    ("MA468", "warning", "clusters.gpu.credential.lifetimeHours", credential(lifetimeHours=24)),
    ("MA480", "error", "clusters.gpu.shard", sharded(cluster())),
    ("MA480", "error", "clusters.a.shard", sharded(clusters(a={}, b={"shard": 0}))),
    ("MA481", "error", "fleet.shardSize", together(clusters(a={"shard": 0}), shardSize=21)),
    ("MA481", "error", "clusters.c8.shard", together(clusters(**{f"c{i}": {"shard": 0} for i in range(9)}))),
    ("MA481", "error", "clusters.c.shard", sharded(clusters(a={"shard": 3}, b={}, c={"shard": 3}), 1)),
    ("MA482", "warning", "fleet.layout", clusters(**{f"c{i}": {} for i in range(21)})),
]

ALLOWED: list[Allowed] = [
    (
        "MA401",
        {
            "clusters": {
                "a": {"kubeconfigContext": "a", "server": "https://c.example.com"},
                "b": {"kubeconfigContext": "b", "server": "https://c.example.com:6443"},
            }
        },
    ),
    ("MA405", {"clusters": {"a" * 56: {"kubeconfigContext": "a"}}}),
    ("MA478", cluster(queues=QUEUES) | KUEUE),
    ("MA491", cluster(queues=QUEUES) | KUEUE),
    ("MA489", cluster(queues=queues({"cpu": "1"}, {"cpu": "2"})) | KUEUE),
    ("MA490", {"tracking": {"uri": "https://tracking.example.com/mlflow"}}),
    ("MA490", {"tracking": {"uri": "http://tracking.internal:5000"}} | tier("development")),
    ("MA492", cluster(serving=True) | SERVING),
    ("MA494", {"serving": synced(credentialsSecret="keys"), "storage": minio()}),
    ("MA494", {"serving": synced(), "storage": aws()}),
    ("MA495", {"serving": synced(roleArns={"gpu": ARN, "control-plane": ARN})} | cluster(serving=True)),
    (
        "MA496",
        {"serving": synced(), "storage": aws()}
        | cluster(serving=True, taskIdentity={"kind": "podIdentity", "clusterName": "gpu"}),
    ),
    ("MA496", {"serving": synced(roleArns={"gpu": ARN}), "storage": aws()} | cluster(serving=True)),
    ("MA496", {"serving": synced()} | cluster(serving=True)),
    ("MA493", cluster(serving=True) | SERVING),
    (
        "MA408",
        {
            "clusters": {
                name: {"eks": {"clusterName": "ml", "region": region}}
                for name, region in (("a", "eu-west-1"), ("b", "us-east-1"))
            }
        },
    ),
    ("MA407", {"controlPlane": {"kubeconfigContext": "prod"}}),
    ("MA407", {"controlPlane": {"kubeconfigContext": "a"}} | tier("staging")),
    ("MA409", beside_control_plane("gpu", "https://kubernetes.default.svc")),
    ("MA409", cluster(server="https://ip-10-0-0-1.eu-west-1.compute.internal:6443")),
    ("MA461", cluster(namespaces=["default"])),
    ("MA466", credential(kind="bounded", generation=0)),
    ("MA480", clusters(a={}, b={"shard": 0})),
    ("MA480", sharded(cluster(shard=7))),
    ("MA481", sharded(clusters(**{f"c{i}": {"shard": 0} for i in range(50)}))),
    ("MA481", together(clusters(**{f"c{i}": {"shard": 0} for i in range(20)}), shardSize=20)),
    ("MA481", clusters(**{f"c{i}": {"shard": 0} for i in range(20)}) | {"fleet": {"shardSize": 1}}),
    ("MA482", clusters(**{f"c{i}": {} for i in range(20)})),
    ("MA482", sharded(clusters(**{f"c{i}": {"shard": i % 2} for i in range(60)}))),
    ("MA466", credential(kind="bounded") | {"clusterTokens": {"gpu": SECURE}}),
    (
        "MA467",
        credential(generation=2, keep=[{"generation": 1, "kind": "bounded"}])
        | {"clusterTokens": {"gpu": SECURE}},
    ),
]
