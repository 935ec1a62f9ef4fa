"""What breaks the rules for secrets, the platform's objects and configuration files."""

from __future__ import annotations

from tests.policies.cases.shape import (
    CONFIG_MAP,
    DEPLOYMENT,
    MAIN,
    base,
    case,
    deployment,
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
        "no-secrets-in-environment", put(*MAIN, "env", 0, to={"name": "DB_PASSWORD", "value": "dummy"})
    ),
    deployment("no-secrets-in-arguments", put(*MAIN, "args", 0, to="--db-password=dummy")),
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
