"""What breaks the rules for secrets, the platform's objects and configuration files."""

from __future__ import annotations

from tests.policies.cases.shape import (
    CLUSTER,
    CONFIG_MAP,
    DEPLOYMENT,
    MAIN,
    MODEL,
    SERVER,
    base,
    case,
    deployment,
    drop,
    envoy,
    hcm,
    origins,
    put,
)

KEY_ID = "AKIA" + "EXAMPLE0" * 2
"""Shaped like a key id, and nothing else."""

GENERATED = "Zm9vYmFy" + "Qx7Kp2Lw9Tz4Vb6Nc8Rd"
"""As mixed as a generated credential, and nothing else."""

SECRETS = (
    case(
        "no-secrets-in-config-maps",
        CONFIG_MAP,
        "michelangelo-config",
        put("data", "AWS_SECRET_ACCESS_KEY", to="dummy"),
    ),
    case(
        "no-secrets-in-config-maps",
        CONFIG_MAP,
        "michelangelo-config",
        put("data", "NOTE", to=f"id {KEY_ID}"),
        label="look",
    ),
    case(
        "no-secrets-in-config-maps",
        CONFIG_MAP,
        "michelangelo-config",
        put("data", "NOTE", to=GENERATED),
        label="entropy",
    ),
    base(
        "no-secrets-in-config-maps",
        "controllermgr",
        put("minio", "awsSecretAccessKey", to="dummy"),
        label="in a file",
    ),
    deployment(
        "no-secrets-in-environment", put(*MAIN, "env", to=[{"name": "DB_PASSWORD", "value": "dummy"}])
    ),
    deployment("no-secrets-in-arguments", put(*MAIN, "args", to=["--db-password=dummy"])),
    case(
        "no-secrets-in-annotations",
        DEPLOYMENT,
        "apiserver",
        put("metadata", "annotations", to={"x/token": "dummy"}),
    ),
    deployment(
        "no-secrets-in-annotations",
        put("spec", "template", "metadata", "annotations", "note", to="https://user:dummy@example.com"),
        label="of pods",
    ),
    case(
        "no-secrets-in-annotations",
        "core/Secret",
        "",
        put("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration", to="{}"),
        label="kubectl",
    ),
    case("no-secrets-in-files", "core/Secret", "", put("data", to={"other": "ZHVtbXk="})),
)

REST = ("spec", "kubernetes", "rest")

PLATFORM = (
    case("clusters-in-their-namespace", CLUSTER, "", put("metadata", "namespace", to="default")),
    case("clusters-without-labels-and-annotations", CLUSTER, "", put("metadata", "labels", to={"team": "a"})),
    case("cluster-addresses", CLUSTER, "", put(*REST, "host", to="a.example.com")),
    case(
        "cluster-addresses",
        CLUSTER,
        "",
        put(*REST, "host", to="https://a.example.com:6443"),
        label="port in host",
    ),
    case("cluster-addresses", CLUSTER, "", put(*REST, "host", to="https://a.example.com/k8s"), label="path"),
    case("cluster-addresses", CLUSTER, "", put(*REST, "port", to=6443), label="number"),
    case("cluster-addresses", CLUSTER, "", put(*REST, "host", to="https://127.0.0.1"), label="loopback"),
    case("cluster-credentials-found", CLUSTER, "", drop(*REST, "tokenTag")),
    case(
        "cluster-credentials-found",
        "external-secrets.io/ExternalSecret",
        "",
        put("metadata", "namespace", to="ma-system"),
        label="elsewhere",
    ),
    case("enum-values", SERVER, "", put("spec", "backendType", to="triton")),
    case("enum-values", MODEL, "", put("spec", "kind", to="REGRESSION"), label="model"),
    case(
        "enum-values",
        MODEL,
        "",
        put("spec", "inputSchema", "schemaItems", 0, "dataType", to="DOUBLE"),
        label="type",
    ),
    case("enum-values", CLUSTER, "", put("spec", "sla", to="production"), label="cluster"),
    case("fields-that-are-kept", MODEL, "", put("spec", "revision_id", to=3)),
    case("fields-that-are-kept", SERVER, "", put("spec", "modelVersion", to="1"), label="unknown"),
    case("inference-servers-complete", SERVER, "", drop("spec", "initSpec", "resourceSpec")),
    case(
        "inference-servers-complete",
        SERVER,
        "",
        put("spec", "backendType", to="BACKEND_TYPE_LLM_D"),
        label="backend",
    ),
)

CONFIGURATION = (
    base("bind-addresses-with-colon", "controllermgr", put("controllermgr", "metricsBindAddress", to=8091)),
    base("engine-spelling", "controllermgr", put("workflowClient", "provider", to="temporal")),
    base("engine-spelling", "controllermgr", drop("workflowClient", "provider"), label="missing"),
    base("engine-spelling", "worker", put("workflow-engine", "provider", to="Temporal"), label="worker"),
    base(
        "object-store-addresses", "controllermgr", put("minio", "awsEndpointUrl", to="https://s3.example.com")
    ),
    base("object-store-addresses", "controllermgr", drop("minio", "secure"), label="secure"),
    case(
        "object-store-addresses",
        CONFIG_MAP,
        "michelangelo-config",
        put("data", "AWS_ENDPOINT_URL", to="minio.example.com:9000"),
        label="tasks",
    ),
    base("services-configured-to-work", "apiserver", put("apiserver", "yarpc", "host", to="localhost")),
    base(
        "services-configured-to-work",
        "apiserver",
        put("apiserver", "crdSync", "enableCRDDeletion", to=True),
        label="crds",
    ),
    base("services-configured-to-work", "controllermgr", drop("workflowClient", "taskList"), label="queue"),
    base(
        "services-configured-to-work",
        "worker",
        lambda config: config["worker"].update(useTLS=True, address="michelangelo-apiserver:15566"),
        label="tls",
    ),
    base(
        "services-configured-to-work",
        "worker",
        lambda config: config["workflow-engine"].update(
            workers=[{"domain": "default", "taskList": "default"}]
        ),
        label="queues",
    ),
    envoy("envoy-starts", lambda config: hcm(config).pop("stat_prefix")),
    envoy(
        "envoy-starts",
        lambda config: config["static_resources"]["clusters"][0].update(http2_protocol_options={}),
        label="deprecated",
    ),
    envoy(
        "origins-exact",
        lambda config: origins(config).append({"safe_regex": {"regex": "https://app.example.com"}}),
    ),
    envoy(
        "origins-exact", lambda config: origins(config).append({"safe_regex": {"regex": ".*"}}), label="any"
    ),
    envoy("origins-exact", lambda config: origins(config).append({"suffix": "example.com"}), label="suffix"),
    base(
        "keys-the-service-reads",
        "controllermgr",
        put("controllermgr", "leaderElectionNamespace", to="ma-system"),
    ),
    base(
        "keys-the-service-reads",
        "apiserver",
        put("apiserver", "yarpc", "timeout", to="1s"),
        label="api server",
    ),
    base(
        "keys-the-service-reads",
        "apiserver",
        put("apiserver", "metadataStorage", to={"enableMetadataStorage": False}),
        label="elsewhere",
    ),
    base("keys-the-service-reads", "apiserver", put("k8s", "burst", to="many"), label="type"),
)
