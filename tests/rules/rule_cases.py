"""Cases for the rules between sections: each broken once or more, and the near misses that are allowed."""

from __future__ import annotations

from typing import Any

from madeploy.settings.environment import CONTROL_PLANE

SECURE = {"secure": "v1:placeholder"}
REGISTRY = {"modelRegistry": {"endpoint": "api.internal.example.com:15566"}}
MYSQL = {"host": "mysql.example.com", "credentialsSecret": "michelangelo-mysql"}
SCRAPED = {"monitoringNamespace": "monitoring"}
ARN = "arn:aws:iam::123456789012:role/example"


def aws(**more: Any) -> dict[str, Any]:
    return {
        "kind": "aws",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-a", "models": "example-b"},
        "identity": {"kind": "podIdentity", "clusterName": "control"},
    } | more


def minio(**more: Any) -> dict[str, Any]:
    return {
        "kind": "s3Compatible",
        "endpoint": "https://minio.example.com",
        "credentialsSecret": "minio",
    } | more


def existing(**buckets: str) -> dict[str, Any]:
    return {
        "kind": "existing",
        "region": "eu-west-1",
        "buckets": {"workspace": "example-a", "models": "example-b"} | buckets,
    }


def lifecycle(purpose: str, **more: Any) -> dict[str, Any]:
    return {"lifecycle": {purpose: [{"prefix": "old/"} | more]}}


def moves(*steps: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"days": days, "storageClass": name} for days, name in steps]


def lock(days: int, *purposes: str) -> dict[str, Any]:
    return {"mode": "governance", "days": days} | ({"buckets": list(purposes)} if purposes else {})


def irsa(name: str, account: str = "123456789012") -> dict[str, Any]:
    return {"kind": "irsa", "oidcProviderArn": f"arn:aws:iam::{account}:oidc-provider/{name}"}


def temporal(**more: Any) -> dict[str, Any]:
    return {"engine": "temporal", "host": "temporal.example.com:7233"} | more


def service(name: str, **more: Any) -> dict[str, Any]:
    return {"controlPlane": {name: more}}


def override(name: str, **config: Any) -> dict[str, Any]:
    return service(name, config=config)


def cluster(**more: Any) -> dict[str, Any]:
    return {"clusters": {"gpu": {"kubeconfigContext": "gpu"} | more}}


def beside_control_plane(context: str, server: str) -> dict[str, Any]:
    """A cluster at an address, and the control plane's own context; no encrypted kubeconfig."""
    return cluster(server=server) | {"controlPlane": {"kubeconfigContext": context}, "kubeconfigs": ...}


def clusters(**more: dict[str, Any]) -> dict[str, Any]:
    return {"clusters": {name: {"kubeconfigContext": name} | entry for name, entry in more.items()}}


def sharded(configuration: dict[str, Any], size: int = 50) -> dict[str, Any]:
    return configuration | {"fleet": {"layout": "sharded", "shardSize": size}}


def credential(**more: Any) -> dict[str, Any]:
    return cluster(credential=more)


def tier(name: str) -> dict[str, Any]:
    return {"platform": {"tier": name}}


def origins(*listed: str, **more: Any) -> dict[str, Any]:
    return {"cors": {"additionalOrigins": list(listed)} | more}


FLAVOR = {"name": "cpu", "quotas": {"cpu": "64", "memory": "256Gi"}}
QUEUES: dict[str, Any] = {"projects": ["fraud"], "flavors": [FLAVOR]}
SERVING = {"serving": {"namespace": "serving"}}
KUEUE = {"controlPlane": {"controllermgr": {"scheduler": "kueue"}}}


def queues(*quotas: dict[str, str]) -> dict[str, Any]:
    """Queues of flavors with these quotas."""
    flavors = [{"name": f"flavor-{number}", "quotas": item} for number, item in enumerate(quotas)]
    return {"projects": ["fraud"], "flavors": flavors}


ACME = {"mode": "acme", "email": "platform@example.com"}


def login(**more: Any) -> dict[str, Any]:
    """Sign-in at a Keycloak, with settings put over it."""
    own = {
        "kind": "oidc",
        "provider": "keycloak",
        "issuer": "https://login.example.com/realms/ml",
        "clientId": "michelangelo",
        "editors": {"groups": ["ml-platform"]},
    }
    return {"access": {"browser": own | more}}


def guarded(**more: Any) -> dict[str, Any]:
    """The lock at the API's host."""
    return {"access": {"api": {"kind": "guarded"} | more}}


def tokens(**more: Any) -> dict[str, Any]:
    """The same with tokens, with settings put over them."""
    own = {
        "issuer": "https://login.example.com/realms/ml",
        "keys": "https://login.example.com/realms/ml/protocol/openid-connect/certs",
        "audiences": ["michelangelo-api"],
        "editors": {"groups": ["ml-platform"]},
    }
    return guarded(tokens=own | more)


def entra(**more: Any) -> dict[str, Any]:
    tenant = "00000000-0000-0000-0000-000000000001"
    return login(provider="entra", issuer=f"https://login.example.com/{tenant}/v2.0", **more)


def release(name: str, tier: str = "production") -> dict[str, Any]:
    return {"platform": {"release": name, "tier": tier}}


def descriptors(file: str) -> dict[str, Any]:
    """One of the files that `tests.support.stacks` puts beside the stack file."""
    return service("envoy", descriptors=file)


BROKEN: list[tuple[str, str, str, dict[str, Any]]] = [
    # code, severity, subject, sections
    ("MA240", "error", "access.browser", {"access": {}}),
    ("MA240", "error", "access.browser", {"access": ...}),
    ("MA240", "error", "access.api", {"access": ...}),
    ("MA241", "error", "access.api.tokens", tokens(editors={})),
    ("MA243", "error", "access.api.tokens.authorities", tokens(authorities="bundle")),
    ("MA244", "error", "network.policies", guarded() | {"network": {"policies": False}}),
    (
        "MA246",
        "error",
        "controlPlane.envoy.image.tag",
        guarded() | service("envoy", image={"tag": "v1.39.2"}),
    ),
    ("MA247", "warning", "access.api.trustedCidrs", guarded() | cluster()),
    ("MA247", "warning", "access.api.trustedCidrs", guarded() | service("worker", apiAccess="public")),
    ("MA248", "error", "access.api.trustedCidrs[0]", guarded(trustedCidrs=["0.0.0.0/0"])),
    (
        "MA248",
        "error",
        "access.api.trustedCidrs[1]",
        guarded(trustedCidrs=["203.0.113.0/28", "128.0.0.0/1"]),
    ),
    ("MA248", "error", "access.api.trustedCidrs[0]", guarded(trustedCidrs=["::/0"])),
    ("MA241", "error", "access.browser", login(editors={})),
    ("MA241", "error", "access.browser", login(editors={"claims": {"team": []}})),
    ("MA242", "error", "access.browser.issuer", login(issuer="https://login.example.com/")),
    ("MA242", "error", "access.browser.issuer", login(provider="google", issuer="https://google.com")),
    (
        "MA242",
        "error",
        "access.browser.issuer",
        login(provider="entra", issuer="https://login.microsoftonline.com/common/v2.0"),
    ),
    ("MA242", "error", "access.browser.issuer", login(provider="okta", issuer="https://a.okta.com/x")),
    ("MA243", "error", "access.browser.authorities", login(authorities="bundle")),
    (
        "MA243",
        "error",
        "access.browser.authorities",
        login() | {"tls": {"mode": "provided", "envoy": {"enabled": True}}},
    ),
    ("MA244", "error", "network.policies", login() | {"network": {"policies": False}}),
    (
        "MA245",
        "error",
        "access.browser.editors.claims.email",
        entra(editors={"claims": {"email": ["someone@example.com"]}}),
    ),
    ("MA246", "error", "controlPlane.envoy.image.tag", login() | service("envoy", image={"tag": "v1.39.2"})),
    ("MA120", "error", "controlPlane.apiserver.config.k8s.qsp", override("apiserver", k8s={"qsp": 1})),
    ("MA120", "error", "controlPlane.worker.config.azure", override("worker", azure={})),
    ("MA121", "error", "controlPlane.apiserver.config.k8s", override("apiserver", k8s=300)),
    ("MA121", "error", "controlPlane.apiserver.config.k8s.burst", override("apiserver", k8s={"burst": 1.5})),
    ("MA122", "error", "controlPlane.worker.config.minio.secure", override("worker", minio={"secure": True})),
    (
        "MA122",
        "error",
        "controlPlane.worker.config.logging.level",
        override("worker", logging={"level": "warn"}),
    ),
    (
        "MA123",
        "error",
        "controlPlane.controllermgr.config.metadataStorage.enableMetadataStorage",
        override("controllermgr", metadataStorage={"enableMetadataStorage": True}) | release("2026.04"),
    ),
    (
        "MA124",
        "warning",
        "controlPlane.apiserver.config.apiserver.crdSync.enableCRDDeletion",
        override("apiserver", apiserver={"crdSync": {"enableCRDDeletion": True}}),
    ),
    (
        "MA501",
        "error",
        "controlPlane.controllermgr.config.mysql.password",
        override("controllermgr", mysql={"password": "example"}),
    ),
    (
        "MA130",
        "error",
        "controlPlane.controllermgr.leaderElection",
        service("controllermgr", leaderElection=False),
    ),
    ("MA131", "warning", "controlPlane.envoy.replicas", service("envoy", replicas=1)),
    ("MA132", "error", "images", {"images": {}} | service("apiserver", image={"tag": "sha-cbf5720"})),
    ("MA133", "error", "images.tag", {"images": {"tag": "main"}}),
    ("MA133", "error", "images.tag", {"images": {"tag": "feature-x"}}),
    ("MA133", "error", "controlPlane.ui.image.tag", service("ui", image={"tag": "latest"})),
    ("MA133", "error", "controlPlane.envoy.image.tag", service("envoy", image={"tag": "v1.29-latest"})),
    ("MA133", "error", "images.ui.tag", {"images": {"tag": "sha-cbf5720", "ui": {"tag": "latest"}}}),
    ("MA133", "warning", "images.tag", {"images": {"tag": "main"}} | tier("staging")),
    ("MA133", "info", "images.tag", {"images": {"tag": "main"}} | tier("development")),
    ("MA134", "warning", "images.pullPolicy", {"images": {"tag": "latest"}} | tier("development")),
    ("MA134", "warning", "images.pullPolicy", {"images": {"tag": "sha-cbf5720", "pullPolicy": "Never"}}),
    ("MA140", "info", "images.envoy", {"images": {"tag": "sha-cbf5720", "envoy": {"tag": "v1.39.0"}}}),
    (
        "MA140",
        "error",
        "images.worker",
        {"images": {"tag": "sha-cbf5720", "worker": {"tag": "sha-0000000"}}}
        | service("worker", image={"tag": "sha-1111111"}),
    ),
    (
        "MA135",
        "warning",
        "workflow.additionalTaskLists[1]",
        {"workflow": temporal(additionalTaskLists=["a", "a"])},
    ),
    (
        "MA135",
        "warning",
        "workflow.additionalTaskLists[0]",
        {"workflow": temporal(additionalTaskLists=["trigger_run"])},
    ),
    ("MA136", "warning", "workflow.host", {"workflow": temporal(host="temporal.example.com:7833")}),
    (
        "MA136",
        "warning",
        "workflow.host",
        {"workflow": {"engine": "cadence", "host": "cadence.example.com:7833", "transport": "tchannel"}},
    ),
    ("MA137", "error", "workflow.tls", {"workflow": temporal(tls=True)} | release("2026.04")),
    (
        "MA138",
        "error",
        "workflow.executionUrlFormat",
        {"workflow": temporal(executionUrlFormat="https://x.example.com/{{.RunID}}")} | release("2026.04"),
    ),
    (
        "MA137",
        "error",
        "workflow.tls",
        {
            "workflow": {
                "engine": "cadence",
                "host": "cadence.example.com:7933",
                "transport": "tchannel",
                "tls": True,
            }
        },
    ),
    (
        "MA138",
        "error",
        "workflow.executionUrlFormat",
        {"workflow": temporal(executionUrlFormat="https://e.example.com/{{.Run}}")},
    ),
    (
        "MA138",
        "error",
        "workflow.executionUrlFormat",
        {"workflow": temporal(executionUrlFormat="e.example.com")},
    ),
    ("MA201", "error", "domains.app", {"domains": {"api": "ml.example.com", "app": "ml.example.com"}}),
    ("MA202", "error", "domains.api", {"domains": {"api": "xn--pple-43d.com", "app": "app.example.com"}}),
    ("MA202", "error", "cors.additionalOrigins[0]", origins("https://xn--80ak6aa92e.com")),
    ("MA203", "error", "cors.additionalOrigins[0]", origins("http://studio.example.com")),
    ("MA203", "warning", "cors.additionalOrigins[0]", origins("http://studio.example.com") | tier("staging")),
    ("MA204", "error", "cors.additionalOrigins[0]", origins("https://*.co.uk")),
    ("MA204", "error", "cors.additionalOrigins[0]", origins("https://*.github.io")),
    ("MA205", "error", "cors.allowCredentials", origins("https://*.example.com", allowCredentials=True)),
    ("MA206", "warning", "cors.additionalOrigins[0]", origins("https://app.example.com:443")),
    (
        "MA206",
        "warning",
        "cors.additionalOrigins[1]",
        origins("https://a.example.com", "https://a.example.com:443"),
    ),
    ("MA207", "error", "cors.additionalOrigins[0]", origins("http://localhost:3000")),
    ("MA207", "warning", "cors.additionalOrigins[0]", origins("https://dev.localhost") | tier("staging")),
    (
        "MA210",
        "error",
        "controlPlane.worker.apiAccess",
        {"tls": {"mode": "internalCa"}} | service("worker", apiAccess="public"),
    ),
    (
        "MA211",
        "error",
        "tls.server",
        {"tls": ACME | {"server": "https://acme-staging.example.com/directory"}},
    ),
    ("MA212", "error", "tls.appSecretName", {"tls": ACME | {"apiSecretName": "a", "appSecretName": "a"}}),
    (
        "MA213",
        "error",
        "domains.app",
        {"tls": ACME, "domains": {"api": "api.example.com", "app": "app.ml.local"}},
    ),
    ("MA214", "warning", "frontDoor.className", {"frontDoor": {"kind": "ingress", "className": "traefik"}}),
    ("MA220", "warning", "network.policies", {"network": {"policies": False}}),
    ("MA221", "warning", "network.egressCidrs[0]", {"network": {"egressCidrs": ["0.0.0.0/0"]}}),
    (
        "MA221",
        "warning",
        "controlPlane.kubernetesApiCidrs[0]",
        {"controlPlane": {"kubernetesApiCidrs": ["::/0"]}},
    ),
    ("MA222", "error", "clusters.gpu.management", cluster(management="selfManaged")),
    (
        "MA223",
        "warning",
        "network.egressCidrs[1]",
        {"network": {"egressCidrs": ["10.0.0.0/8", "10.1.0.0/16"]}},
    ),
    (
        "MA223",
        "warning",
        "network.egressCidrs[1]",
        {"network": {"egressCidrs": ["10.0.0.0/8", "10.0.0.0/8"]}},
    ),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="Upper")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="a..b")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="10.0.0.1")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="sthree-a")}),
    ("MA301", "error", "storage.buckets.models", {"storage": existing(models="a--x-s3")}),
    ("MA302", "error", "storage.buckets.models", {"storage": existing(models="deploy-models")}),
    (
        "MA303",
        "error",
        "storage.buckets.models",
        {"storage": aws(buckets={"workspace": "example", "models": "example"})},
    ),
    ("MA303", "warning", "storage.buckets.models", {"storage": existing(models="example-a")}),
    ("MA304", "warning", "storage.buckets.models", {"storage": existing(models="example.models")}),
    (
        "MA305",
        "warning",
        "storage.buckets.models",
        {"storage": minio(buckets={"workspace": "default", "models": "models"})},
    ),
    (
        "MA306",
        "error",
        "storage.permissionsBoundaryArn",
        {"storage": aws(permissionsBoundaryArn="arn:aws-cn:iam::123456789012:policy/x")},
    ),
    (
        "MA306",
        "error",
        "storage.kmsKeyArn",
        {"storage": aws(kmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/x")},
    ),
    (
        "MA306",
        "error",
        "storage.identity.oidcProviderArn",
        {
            "storage": aws(
                identity={
                    "kind": "irsa",
                    "oidcProviderArn": "arn:aws-us-gov:iam::123456789012:oidc-provider/x",
                }
            )
        },
    ),
    ("MA310", "error", "storage.endpoint", {"storage": minio(endpoint="http://minio.example.com")}),
    ("MA310", "warning", "storage.endpoint", {"storage": minio(endpoint="http://minio.minio.svc:9000")}),
    (
        "MA310",
        "warning",
        "storage.endpoint",
        {"storage": minio(endpoint="http://minio.example.com")} | tier("staging"),
    ),
    (
        "MA311",
        "error",
        "storage",
        {"storage": {"kind": "s3Compatible", "endpoint": "https://minio.example.com"}},
    ),
    (
        "MA311",
        "error",
        "objectStore",
        {
            "storage": {"kind": "s3Compatible", "endpoint": "https://minio.example.com"},
            "objectStore": {"accessKeyId": SECURE},
        },
    ),
    ("MA312", "warning", "objectStore", {"objectStore": {"accessKeyId": SECURE, "secretAccessKey": SECURE}}),
    ("MA313", "warning", "storage.protect", {"storage": aws(protect=False)}),
    ("MA315", "warning", "storage.roleArns", {"storage": existing() | {"roleArns": {"worker": ARN}}}),
    (
        "MA301",
        "error",
        "storage.accessLogs.bucket",
        {"storage": aws(accessLogs={"bucket": "Upper-case"})},
    ),
    (
        "MA306",
        "error",
        "clusters.gpu.taskIdentity.oidcProviderArn",
        {"storage": aws()}
        | cluster(
            taskIdentity={
                "kind": "irsa",
                "oidcProviderArn": "arn:aws-cn:iam::123456789012:oidc-provider/x",
            }
        ),
    ),
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
            "MA306",
            "error",
            "storage.identity.oidcProviderArn",
            {
                "storage": aws(
                    region=region,
                    identity={
                        "kind": "irsa",
                        "oidcProviderArn": f"arn:{name}:iam::123456789012:oidc-provider/x",
                    },
                )
            },
        )
        for region, name in (
            ("us-iso-east-1", "aws"),
            ("us-isob-east-1", "aws-iso"),
            ("eusc-de-east-1", "aws"),
            ("eu-west-1", "aws-nowhere"),
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
    ("MA307", "warning", "storage.region", {"storage": aws(region="eu-wset-1")}),
    ("MA307", "warning", "storage.region", {"storage": existing() | {"region": "us-isoo-east-1"}}),
    (
        "MA307",
        "warning",
        "storage.identity.region",
        {"storage": aws(identity={"kind": "podIdentity", "clusterName": "c", "region": "eu-west-4"})},
    ),
    (
        "MA307",
        "warning",
        "clusters.gpu.eks.region",
        {"clusters": {"gpu": {"eks": {"clusterName": "c", "region": "us-wets-2"}}}},
    ),
    (
        "MA307",
        "warning",
        "clusters.gpu.taskIdentity.region",
        {
            "storage": aws(),
            "clusters": {
                "gpu": {
                    "kubeconfigContext": "gpu",
                    "taskIdentity": {"kind": "podIdentity", "clusterName": "c", "region": "eu-wset-2"},
                }
            },
        },
    ),
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
    ("MA164", "error", "modelRegistry.endpoint", REGISTRY | release("2026.04")),
    ("MA164", "error", "controlPlane.envoy.descriptors", descriptors("descriptors.pb") | release("2026.04")),
    ("MA164", "error", "notifications.enabled", {"notifications": {"enabled": True}} | release("2026.04")),
    ("MA164", "error", "metadataStorage", {"metadataStorage": MYSQL} | release("2026.04")),
    ("MA164", "error", "rayLogs", {"rayLogs": {"bucket": "ray-history"}} | release("2026.04")),
    (
        "MA164",
        "error",
        "controlPlane.controllermgr.pipelineRevisions",
        service("controllermgr", pipelineRevisions=True) | release("2026.04"),
    ),
    ("MA160", "warning", "metadataStorage", {"metadataStorage": MYSQL}),
    ("MA161", "error", "metadataStorage", {"metadataStorage": MYSQL} | sharded(cluster(shard=0))),
    ("MA162", "error", "rayLogs.credentialsSecret", {"rayLogs": {"bucket": "ray-history"}}),
    (
        "MA162",
        "error",
        "rayLogs.credentialsSecret",
        {"rayLogs": {"bucket": "ray-history"}, "storage": minio(credentialsSecret="minio")},
    ),
    ("MA163", "warning", "notifications.enabled", {"notifications": {"enabled": True}}),
    ("MA165", "error", "images.tag", {"images": {"tag": "0.11.0"}}),
    ("MA165", "error", "images.tag", {"images": {"tag": "v0.13.1"}}),
    ("MA165", "error", "images.tag", {"images": {"tag": "0.12.0"}} | release("2026.04")),
    ("MA165", "error", "images.worker.tag", {"images": {"tag": "0.12.1", "worker": {"tag": "0.11.0"}}}),
    ("MA165", "warning", "images.tag", {"images": {"registry": "r.example.com/ml", "tag": "1.4.0"}}),
    ("MA166", "error", "images.tag", {"images": {"tag": "0.12.0-rc.2"}}),
    ("MA166", "warning", "images.tag", {"images": {"tag": "v0.12.1-rc.1"}} | tier("staging")),
    ("MA166", "info", "images.tag", {"images": {"tag": "0.12.0-rc.2"}} | tier("development")),
    ("MA143", "warning", "controlPlane.envoy", {"controlPlane": {}}),
    ("MA144", "error", "controlPlane.envoy.descriptors", descriptors("not-there.pb")),
    ("MA144", "error", "controlPlane.envoy.descriptors", descriptors("text.pb")),
    ("MA144", "error", "controlPlane.envoy.descriptors", descriptors("empty.pb")),
    ("MA144", "error", "controlPlane.envoy.descriptors", descriptors("large.pb")),
    ("MA145", "error", "controlPlane.envoy.descriptors", descriptors("partial.pb")),
    ("MA146", "error", "controlPlane.envoy.descriptors", descriptors("2026.04.pb")),
    ("MA146", "warning", "controlPlane.envoy.descriptors", descriptors("0.11.pb")),
    ("MA402", "error", "clusters.gpu", {"clusters": {"gpu": {}}}),
    ("MA402", "error", "controlPlane", {"kubeconfigs": ...}),
    ("MA139", "error", "platform.namespace", {"platform": {"namespace": "default"}}),
    ("MA139", "error", "platform.namespace", {"platform": {"namespace": "kube-system"}}),
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
    ("MA224", "warning", "clusters.gpu.server", cluster(server="https://node_1.example.com:6443")),
    ("MA211", "error", "tls.server", {"tls": ACME | {"server": "https://dv.acme-v02.test-api.pki.goog/x"}}),
    *(
        ("MA215", "error", "tls.server", {"tls": ACME | {"server": server}})
        for server in (
            "https://acme.zerossl.com/v2/DV90",
            "https://dv.acme-v02.api.pki.goog/directory",
            "https://acme.sectigo.com/v2/DV",
            "https://acme.enterprise.sectigo.com",
            "https://acme.ssl.com/sslcom-dv-ecc",
            "https://acme.digicert.com/v2/acme/directory/",
        )
    ),
    ("MA141", "error", "workflow.host", {"workflow": temporal(host="ml.a1b2c.tmprl.cloud:7233")}),
    ("MA141", "error", "workflow.host", {"workflow": temporal(host="US-EAST-1.aws.api.temporal.io:7233")}),
    (
        "MA141",
        "error",
        "workflow.host",
        {"workflow": {"engine": "cadence", "host": "ml.a1b2c.tmprl.cloud:7233"}},
    ),
    *(
        (
            "MA141",
            "error",
            "workflow.host",
            {"workflow": {"engine": engine, "host": "ml.a1b2c.tmprl.cloud:7233", "tls": True}}
            | release("0.12"),
        )
        for engine in ("temporal", "cadence")
    ),
    ("MA141", "warning", "workflow.host", {"workflow": temporal(host="temporal.example.com:443")}),
    (
        "MA141",
        "warning",
        "workflow.host",
        {"workflow": {"engine": "cadence", "host": "cadence.example.com:443"}},
    ),
    ("MA225", "error", "network.dnsPort", {"network": {"dnsPort": 5353}}),
    ("MA325", "error", "storage.auditLogs.bucket", {"storage": aws(auditLogs={"bucket": "example-a"})}),
    (
        "MA325",
        "error",
        "storage.auditLogs.bucket",
        {"storage": aws(accessLogs={"bucket": "example-c"}, auditLogs={"bucket": "example-c"})},
    ),
    ("MA301", "error", "storage.auditLogs.bucket", {"storage": aws(auditLogs={"bucket": "Example"})}),
    ("MA164", "error", "controlPlane.controllermgr.scheduler", KUEUE | release("2026.04")),
    ("MA164", "error", "clusters.gpu.queues", cluster(queues=QUEUES) | release("2026.04")),
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
    ("MA164", "error", "clusters.gpu.serving", cluster(serving=True) | SERVING | release("2026.04")),
    (
        "MA164",
        "error",
        "serving.tritonImage",
        {"serving": {"namespace": "serving", "tritonImage": {"repository": "a.example.com/t", "tag": "1"}}}
        | release("2026.04"),
    ),
    ("MA492", "error", "clusters.gpu.serving", cluster(serving=True)),
    (
        "MA493",
        "info",
        "clusters.gpu.serving",
        cluster(serving=True, credential={"kind": "bounded"}) | SERVING,
    ),
    ("MA601", "info", "network.alerts", {"network": {"alerts": True}}),
    ("MA601", "info", "network.alerts", {"network": SCRAPED | {"alerts": True}, "monitoring": {}}),
    ("MA602", "error", "monitoring", {"monitoring": {}}),
    ("MA225", "error", "network.dnsPort", {"network": {"dnsPort": 1053, "dns": {"port": 5353}}}),
    ("MA225", "error", "network.dnsPort", {"network": {"dnsPort": 8053, "dns": {"namespace": "dns"}}}),
    ("MA224", "warning", "workflow.host", {"workflow": temporal(host="my_engine.example.com:7233")}),
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
    ("MA481", "error", "clusters.c.shard", sharded(clusters(a={"shard": 3}, b={}, c={"shard": 3}), 1)),
    ("MA482", "warning", "fleet.layout", clusters(**{f"c{i}": {} for i in range(21)})),
]

ALLOWED: list[tuple[str, dict[str, Any]]] = [
    ("MA240", {"access": ...} | tier("staging")),
    ("MA240", login() | {"platform": {"tier": "development"}}),
    ("MA241", tokens()),
    ("MA243", tokens()),
    ("MA244", guarded()),
    ("MA247", guarded(trustedCidrs=["203.0.113.0/28"]) | cluster()),
    ("MA247", guarded()),
    ("MA248", guarded(trustedCidrs=["10.0.0.0/8", "2001:db8::/32", "203.0.113.7/32"])),
    ("MA241", login(editors={}, viewers={"claims": {"hd": ["example.com"]}})),
    ("MA242", login()),
    ("MA242", login(provider="google", issuer="https://accounts.google.com")),
    ("MA242", login(provider="okta", issuer="https://a.okta.com/oauth2/default")),
    ("MA242", entra()),
    ("MA243", login(authorities="bundle") | {"controlPlane": {"caBundleConfigMap": "company-ca"}}),
    ("MA244", {"network": {"policies": False}}),
    ("MA245", login(editors={"claims": {"email": ["someone@example.com"]}})),
    ("MA245", entra(editors={"claims": {"oid": ["00000000-0000-0000-0000-000000000001"]}})),
    ("MA246", login()),
    ("MA246", service("envoy", image={"tag": "v1.39.2"})),
    ("MA137", {"workflow": temporal(tls=True)}),
    ("MA138", {"workflow": temporal(executionUrlFormat="https://x.example.com/{{.RunID}}")}),
    ("MA164", REGISTRY),
    ("MA164", {"controlPlane": {}} | release("2026.04")),
    ("MA164", {"notifications": {"enabled": True}}),
    ("MA161", {"metadataStorage": MYSQL}),
    ("MA162", {"rayLogs": {"bucket": "ray-history", "credentialsSecret": "ray-logs"}}),
    ("MA163", {"notifications": {"enabled": True}, "images": {"worker": {"repository": "r.example.com/w"}}}),
    ("MA165", {"images": {"tag": "0.12.0"}}),
    ("MA165", {"images": {"tag": "v0.12.3"}}),
    ("MA165", {"images": {"tag": "sha-cbf5720"}} | release("2026.04")),
    ("MA166", {"images": {"tag": "0.12.0"}}),
    ("MA143", {"controlPlane": {}} | release("2026.04")),
    (
        "MA133",
        {
            "images": {"tag": "main"},
            "controlPlane": {
                name: {"image": {"digest": f"sha256:{'0' * 64}"}}
                for name in ("apiserver", "controllermgr", "worker", "ui")
            },
        },
    ),
    ("MA133", {"images": {"registry": "registry.example.com/ml", "tag": "build-17"}}),
    ("MA130", service("controllermgr", leaderElection=False, replicas=1)),
    ("MA137", {"workflow": {"engine": "cadence", "host": "cadence.example.com:7833", "tls": True}}),
    ("MA202", {"domains": {"api": "api.xn--bcher-kva.example", "app": "app.example.com"}}),
    ("MA204", origins("https://*.example.co.uk")),
    (
        "MA210",
        {
            "tls": {"mode": "internalCa"},
            "controlPlane": {"caBundleConfigMap": "ca", "worker": {"apiAccess": "public"}},
        },
    ),
    ("MA212", {"tls": {"mode": "provided", "apiSecretName": "a", "appSecretName": "a"}}),
    (
        "MA213",
        {
            "tls": ACME | {"server": "https://acme.ml.internal/directory"},
            "domains": {"api": "api.ml.internal", "app": "app.ml.internal"},
        },
    ),
    ("MA214", {"frontDoor": {"kind": "ingress", "className": "nginx-internal"}}),
    ("MA222", {"network": {"egressCidrs": ["203.0.113.0/28"]}} | cluster(management="selfManaged")),
    ("MA302", {"storage": minio()}),
    ("MA310", {"storage": minio(endpoint="http://minio.example.com")} | tier("development")),
    ("MA315", {"storage": existing() | {"roleArns": {"worker": ARN, "controllermgr": ARN}}}),
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
    *[
        (
            "MA306",
            {
                "storage": aws(
                    region=region,
                    identity={
                        "kind": "irsa",
                        "oidcProviderArn": f"arn:{name}:iam::123456789012:oidc-provider/x",
                    },
                )
            },
        )
        for region, name in (
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
            ("cn-north-1", "aws-cn"),
        )
    ],
    ("MA307", {"storage": aws(region="eusc-de-east-1")}),
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
    (
        "MA215",
        {
            "tls": ACME
            | {"server": "https://acme.zerossl.com/v2/DV90", "externalAccountBinding": {"keyId": "kid-1"}}
        },
    ),
    ("MA215", {"tls": ACME | {"server": "https://acme.example.com/directory"}}),
    ("MA225", {"network": {"dnsPort": 53}}),
    ("MA478", cluster(queues=QUEUES) | KUEUE),
    ("MA491", cluster(queues=QUEUES) | KUEUE),
    ("MA489", cluster(queues=queues({"cpu": "1"}, {"cpu": "2"})) | KUEUE),
    ("MA490", {"tracking": {"uri": "https://tracking.example.com/mlflow"}}),
    ("MA490", {"tracking": {"uri": "http://tracking.internal:5000"}} | tier("development")),
    ("MA492", cluster(serving=True) | SERVING),
    ("MA493", cluster(serving=True) | SERVING),
    ("MA601", {"network": SCRAPED, "monitoring": {}}),
    ("MA602", {"network": SCRAPED, "monitoring": {}}),
    ("MA602", {"network": {"policies": False}, "monitoring": {"kind": "files"}}),
    ("MA225", {"network": {"dns": {"port": 5353, "namespace": "openshift-dns"}}}),
    ("MA141", {"workflow": temporal(host="tmprl.cloud.example.com:7233")}),
    ("MA141", {"workflow": temporal(host="temporal.example.com:443", tls=True)} | release("0.12")),
    ("MA137", {"workflow": temporal(tls=True)} | release("0.12")),
    ("MA141", {"workflow": {"engine": "cadence", "host": "cadence.example.com:443", "tls": True}}),
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
