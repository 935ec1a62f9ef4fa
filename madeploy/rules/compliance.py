"""The controls of SOC 2, GDPR and HIPAA: rules between settings where these decide, and the names of what
objects or people show."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from madeploy.documents.paths import Path
from madeploy.rules.controls import CONTROLS, Chosen, Control, control, longest
from madeploy.rules.controls_shown import OF_OBJECTS
from madeploy.rules.model import Violation
from madeploy.settings.control_plane import services
from madeploy.settings.environment import Environment
from madeploy.settings.identities import PodIdentity
from madeploy.settings.storage import AwsStorage, ExistingStorage, S3CompatibleStorage

_STORE: Path = ("storage", "kind")


def _own_store(env: Environment, what: str, code: str) -> Generator[Violation, None, AwsStorage | None]:
    """The store that is made here. Another one may do it or not: nothing here shows it, which is a
    violation."""
    if isinstance(env.storage, AwsStorage):
        return env.storage
    evidence = f"is {env.storage.kind}: {what} is decided elsewhere, and not shown by this environment"
    yield Violation(code, _STORE, evidence, severity="warning")
    return None


@control(
    "MA701",
    Control(
        "encryption-at-rest",
        "Data encrypted at rest, with keys of one's own",
        {"soc2": "CC6.1", "gdpr": "Art. 32(1)(a)", "hipaa": "164.312(a)(2)(iv)"},
        ("storage.kind", "storage.kmsKey", "storage.kmsKeyArn"),
        ("aws:s3/bucketServerSideEncryptionConfiguration", "aws:kms/key"),
        questions=("buckets", "eks-secrets"),
    ),
    reads=("storage",),
)
def data_is_encrypted_at_rest(env: Environment, chosen: Chosen) -> Iterator[Violation]:
    """OPS-4."""
    storage = yield from _own_store(env, "encryption at rest", "MA701")
    if storage is not None and "hipaa" in chosen and not (storage.kms_key or storage.kms_key_arn):
        yield Violation("MA701", ("storage",), "names neither kmsKey nor kmsKeyArn", key=True)


@control(
    "MA702",
    Control(
        "encryption-in-transit",
        "Data encrypted on every path, by TLS 1.2 or later",
        {"soc2": "CC6.7", "gdpr": "Art. 32(1)(a)", "hipaa": "164.312(e)(1)"},
        ("storage.endpoint", "workflow.tls", "tls.envoy.enabled"),
        ("Ingress", "Gateway", "ConfigMap", "aws:s3/bucketPolicy"),
        ("MA544", "MA548", "MA563"),
        ("doors",),
    ),
    reads=("storage", "workflow", "tls"),
)
def data_is_encrypted_in_transit(env: Environment, chosen: Chosen) -> Iterator[Violation]:
    """OPS-4: HIPAA's guide row asks for no plain listener at all, so Envoy ends TLS itself."""
    storage = env.storage
    if isinstance(storage, S3CompatibleStorage) and storage.endpoint.startswith("http://"):
        yield Violation("MA702", ("storage", "endpoint"), "is plain HTTP")
    if not env.workflow.tls:
        yield Violation("MA702", ("workflow", "tls"), "is false: what workflows carry is sent in plaintext")
    if "hipaa" in chosen and not env.tls.envoy.enabled:
        yield Violation("MA702", ("tls", "envoy", "enabled"), "is false: Envoy listens in plaintext")


@control(
    "MA703",
    Control(
        "residency",
        "Data in the named regions only",
        {"gdpr": "Art. 44"},
        ("compliance.regions", "storage.region", "clusters.*.region", "clusters.*.eks.region"),
        ("aws:s3/bucket",),
        questions=("buckets",),
    ),
    reads=("storage", "clusters", "monitoring"),
)
def data_stays_in_its_regions(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4: every place that says a region, and clusters that say none."""
    allowed = env.compliance.regions
    if not allowed:
        yield Violation("MA703", ("compliance", "regions"), "names no region", key=True)
        return
    for path, region in _regions(env):
        if region is None:
            yield Violation("MA703", path, "says no region", key=True)
        elif region not in allowed:
            yield Violation("MA703", path, f"{region} is none of {', '.join(allowed)}")
    if isinstance(env.storage, S3CompatibleStorage):
        evidence = "is s3Compatible: where its data is, is not shown by this environment"
        yield Violation("MA703", _STORE, evidence, severity="warning")


def _regions(env: Environment) -> Iterator[tuple[Path, str | None]]:
    storage = env.storage
    if not isinstance(storage, S3CompatibleStorage):
        yield ("storage", "region"), storage.region
    if isinstance(storage, AwsStorage):
        if storage.kms_key_arn is not None:
            yield ("storage", "kmsKeyArn"), storage.kms_key_arn.split(":")[3]
        if isinstance(storage.identity, PodIdentity) and storage.identity.region is not None:
            yield ("storage", "identity", "region"), storage.identity.region
    for name, cluster in env.clusters.items():
        if cluster.eks is not None:
            yield ("clusters", name, "eks", "region"), cluster.eks.region
        if cluster.eks is None or cluster.region is not None:
            yield ("clusters", name, "region"), cluster.region
    if env.monitoring is not None and env.monitoring.amazon is not None:
        arn = env.monitoring.amazon.workspace_arn
        yield ("monitoring", "amazon", "workspaceArn"), arn.split(":")[3]


@control(
    "MA704",
    Control(
        "retention",
        "Data removed when it is no longer needed",
        {"gdpr": "Art. 5(1)(e)"},
        ("modelRegistry.retentionDays", "storage.lifecycle"),
        ("CronJob", "aws:s3/bucketLifecycleConfiguration"),
    ),
    reads=("model_registry", "storage"),
)
def data_is_removed(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4: models by the registry's job, which removes the record too; the other buckets by age."""
    if env.model_registry.retention_days is None:
        yield Violation("MA704", ("modelRegistry", "retentionDays"), "is not set", key=True)
    storage = yield from _own_store(env, "removal by age", "MA704")
    if storage is None:
        return
    for purpose in ("workspace", "logs"):
        named = getattr(storage.buckets, purpose) is not None
        rules = getattr(storage.lifecycle, purpose)
        if named and not any(item.prefix == "" and item.expire_days is not None for item in rules):
            path = ("storage", "lifecycle", purpose)
            yield Violation("MA704", path, "has no rule for every object with expireDays", key=True)


@control(
    "MA705",
    Control(
        "access-logged",
        "Access to data logged, and the logs kept",
        {"soc2": "CC7.2", "hipaa": "164.312(b)"},
        ("storage.accessLogs",),
        ("aws:s3/bucketLogging",),
        questions=("eks-audit",),
    ),
    reads=("storage",),
)
def access_is_logged(env: Environment, chosen: Chosen) -> Iterator[Violation]:
    """OPS-4."""
    days = longest(chosen)
    storage = yield from _own_store(env, "logging of access", "MA705")
    if storage is None:
        return
    logs = storage.access_logs
    if logs is None:
        yield Violation("MA705", ("storage", "accessLogs"), "is not set", key=True)
    elif logs.create and logs.expire_days < days:
        path = ("storage", "accessLogs", "expireDays")
        yield Violation("MA705", path, f"is {logs.expire_days}; {days} are asked for")


@control(
    "MA706",
    Control(
        "audit-unaltered",
        "Audit logs that nobody can alter or remove before their time",
        {"soc2": "CC7.3", "hipaa": "164.316(b)(2)(i)"},
        ("storage.auditLogs",),
        ("aws:s3/bucketObjectLockConfiguration",),
        questions=("audit-bucket",),
    ),
    reads=("storage",),
)
def audit_logs_stay_as_they_are(env: Environment, chosen: Chosen) -> Iterator[Violation]:
    """OPS-4: access logs themselves cannot be locked, for S3 delivers none to such a bucket."""
    days = longest(chosen)
    storage = yield from _own_store(env, "Object Lock", "MA706")
    if storage is None:
        return
    audit = storage.audit_logs
    if audit is None:
        yield Violation("MA706", ("storage", "auditLogs"), "is not set", key=True)
        return
    if audit.days < days:
        path = ("storage", "auditLogs", "days")
        yield Violation("MA706", path, f"is {audit.days}; {days} are asked for")
    if audit.mode != "compliance":
        evidence = "is governance: whoever may bypass it removes logs"
        yield Violation("MA706", ("storage", "auditLogs", "mode"), evidence)


@control(
    "MA707",
    Control(
        "availability",
        "The service survives the loss of a node",
        {"soc2": "A1.2", "hipaa": "164.308(a)(7)(ii)(C)"},
        ("controlPlane.*.replicas", "controlPlane.controllermgr.leaderElection"),
        ("Deployment", "PodDisruptionBudget"),
        ("MA575", "MA576", "MA579", "MA581", "MA582"),
    ),
    reads=("control_plane",),
)
def a_node_may_be_lost(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4."""
    for name, field in services().items():
        settings = env.control_plane.service(name)
        if settings.replicas < 2:
            path = ("controlPlane", field, "replicas")
            yield Violation("MA707", path, f"is {settings.replicas}")
    if not env.control_plane.controllermgr.leader_election:
        yield Violation("MA707", ("controlPlane", "controllermgr", "leaderElection"), "is false")


@control(
    "MA708",
    Control(
        "network-boundary",
        "Connections denied unless they are documented",
        {"soc2": "CC6.6", "gdpr": "Art. 32(1)(b)", "hipaa": "164.312(a)(1)"},
        ("network.policies",),
        ("NetworkPolicy", "Service"),
        ("MA540", "MA541", "MA542", "MA543"),
    ),
    reads=("network",),
)
def the_network_is_closed(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4."""
    if not env.network.policies:
        yield Violation("MA708", ("network", "policies"), "is false")


@control(
    "MA709",
    Control(
        "no-static-keys",
        "Pods hold roles, and no keys",
        {"soc2": "CC6.1", "hipaa": "164.312(d)"},
        ("storage.identity", "storage.roleArns", "rayLogs"),
        ("ServiceAccount", "aws:iam/role"),
        ("MA553", "MA554"),
    ),
    reads=("storage", "ray_logs"),
)
def nobody_holds_static_keys(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4."""
    storage = env.storage
    if isinstance(storage, S3CompatibleStorage):
        yield Violation("MA709", _STORE, "is s3Compatible: services and tasks hold static keys")
    if isinstance(storage, ExistingStorage):
        missing = [name for name in ("controllermgr", "worker") if name not in storage.role_arns]
        if missing:
            evidence = f"has no role of {' and '.join(missing)}"
            yield Violation("MA709", ("storage", "roleArns"), evidence, key=True)
    if env.ray_logs is not None:
        yield Violation("MA709", ("rayLogs",), "is set: its collector takes static keys", key=True)


@control(
    "MA710",
    Control(
        "credentials-rotated",
        "Credentials and keys that end",
        {"soc2": "CC6.1", "hipaa": "164.308(a)(5)(ii)(D)"},
        ("clusters.*.credential.kind", "clusters.*.serving", "storage.kmsKey.rotationDays"),
        ("Secret", "aws:kms/key"),
    ),
    reads=("clusters", "storage"),
)
def credentials_end(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4."""
    for name, cluster in env.clusters.items():
        if cluster.credential.kind != "bounded":
            evidence = "is longLived: the token ends only with its Secret"
            yield Violation("MA710", ("clusters", name, "credential", "kind"), evidence)
        elif cluster.serving:
            evidence = "is true: the token of serving ends with each rotation, and not by itself"
            yield Violation("MA710", ("clusters", name, "serving"), evidence, severity="warning")
    storage = env.storage
    key = storage.kms_key if isinstance(storage, AwsStorage) else None
    if key is not None and key.rotation_days > 365:
        path = ("storage", "kmsKey", "rotationDays")
        yield Violation("MA710", path, f"is {key.rotation_days}; a year is 365")


@control(
    "MA711",
    Control(
        "watched",
        "Failures and refused credentials raise alerts",
        {"soc2": "CC7.2", "hipaa": "164.308(a)(1)(ii)(D)"},
        ("monitoring.alerts",),
        ("PrometheusRule", "PodMonitor"),
    ),
    reads=("monitoring",),
)
def the_service_is_watched(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4."""
    if env.monitoring is None:
        yield Violation("MA711", ("monitoring",), "is not set", key=True)
    elif not env.monitoring.alerts:
        yield Violation("MA711", ("monitoring", "alerts"), "is false")


@control(
    "MA712",
    Control(
        "sign-in",
        "Nobody does anything before the doors know who it is",
        {"soc2": "CC6.1", "gdpr": "Art. 32(1)(b)", "hipaa": "164.312(d)"},
        (
            "access.browser.kind",
            "access.browser.issuer",
            "access.browser.sessionHours",
            "access.api.kind",
            "access.api.trustedCidrs",
            "access.api.tokens.issuer",
        ),
        ("ConfigMap",),
    ),
    reads=("access",),
)
def people_sign_in(env: Environment, _: Chosen) -> Iterator[Violation]:
    """OPS-4, ACC-1, ACC-2."""
    doors = {
        "browser": (env.access.browser, env.access.login),
        "api": (env.access.api, env.access.guarded),
    }
    for door, (chosen, shut) in doors.items():
        if shut is None:
            evidence = "is not set" if chosen is None else "lets everybody in"
            yield Violation("MA712", ("access", door), evidence, key=chosen is None)


CONTROLS.extend(OF_OBJECTS)
