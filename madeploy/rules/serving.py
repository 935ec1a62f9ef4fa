"""Rules about serving."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.findings.codes.code import Code
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import CONTROL_PLANE, Environment
from madeploy.settings.identities import Irsa, PodIdentity
from madeploy.settings.serving import TRITON
from madeploy.settings.storage import AwsStorage, S3CompatibleStorage


@rule(
    "MA164",
    {
        "MA492": Code(
            "Cluster that serves, and no serving",
            "It gets neither Gateway nor account: `michelangelo:serving` says where inference servers are.",
            "Set serving.namespace, or take serving from the cluster.",
        ),
    },
    reads=("platform", "serving", "clusters"),
)
def clusters_that_serve_have_what_it_takes(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-5: at 2026.04 inference servers run on the control plane's cluster alone, from one image."""
    keys = env.release.keys["controllermgr"]
    for name, cluster in env.clusters.items():
        if not cluster.serving:
            continue
        if env.serving is None:
            yield Violation("MA492", ("clusters", name, "serving"), "is true, and serving is not set")
        elif "inferenceServer.gateway.name" not in keys:
            evidence = f"release {env.release.name} serves on the control plane's own cluster only"
            yield Violation("MA164", ("clusters", name, "serving"), evidence)
    chosen = env.serving is not None and env.serving.triton_image != TRITON
    if chosen and "inferenceServer.triton.defaultImage" not in keys:
        evidence = f"release {env.release.name} has its image built in"
        yield Violation("MA164", ("serving", "tritonImage"), evidence, key=True)


@rule(
    {
        "MA493": Code(
            "Serving cluster with a bounded credential",
            "The token of inference-server-manager is long-lived all the same: it ends only with its Secret, "
            "which each rotation of the cluster's credential replaces.",
            "Rotate on a schedule: bin/madeploy clusters rotate --all --older-than AGE --stack STACK",
            "info",
        ),
    },
    reads=("clusters",),
)
def tokens_of_serving_are_long_lived(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-5: whoever chose bounded credentials should know."""
    for name, cluster in env.clusters.items():
        if cluster.serving and cluster.credential.kind == "bounded":
            yield Violation("MA493", ("clusters", name, "serving"), "is true, with a bounded credential")


@rule(
    {
        "MA494": Code(
            "model-sync without credentials",
            "An S3-compatible store knows keys only, and model-sync has none: no model reaches a node.",
            "Make a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the serving namespace, and "
            "name it in serving.modelSync.credentialsSecret.",
        ),
        "MA495": Code(
            "Role for a cluster that does not serve",
            "Nothing would take it.",
            "Name control-plane, or a cluster with serving: true.",
        ),
        "MA496": Code(
            "model-sync without a role",
            "Its pods have whatever the nodes may do: without a right to read the bucket no model reaches a "
            "node.",
            "Set clusters.<name>.taskIdentity to irsa or podIdentity, so that a role is made; or name an "
            "existing one in serving.modelSync.roleArns.",
            "warning",
        ),
    },
    reads=("serving", "storage", "clusters"),
)
def model_sync_can_read_models(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-5."""
    sync = env.serving.model_sync if env.serving is not None else None
    if sync is None:
        return
    if isinstance(env.storage, S3CompatibleStorage) and sync.credentials_secret is None:
        path = ("serving", "modelSync", "credentialsSecret")
        yield Violation("MA494", path, "is not set, and storage.kind is s3Compatible", key=True)
    serving = {CONTROL_PLANE, *(name for name, cluster in env.clusters.items() if cluster.serving)}
    for name in sorted(serving - {CONTROL_PLANE} - sync.role_arns.keys()):
        # Elsewhere than where roles are made, one may be known by name to EKS Pod Identity.
        if isinstance(env.storage, AwsStorage) and not isinstance(
            env.clusters[name].task_identity, Irsa | PodIdentity
        ):
            evidence = "is true, and no role is made for its model-sync"
            yield Violation("MA496", ("clusters", name, "serving"), evidence)
    for name in sync.role_arns:
        if name not in serving:
            here = ("serving", "modelSync", "roleArns", name)
            yield Violation("MA495", here, f"{name} does not serve", key=True)
