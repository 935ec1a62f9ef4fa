"""Objects of the Pulumi Kubernetes Operator (v2): a `Stack` for each stack of the environment, each waiting
for those it reads from, with the template of the `Workspace` that the operator makes for it
(`pulumi.com/v1`, `auto.pulumi.com/v1alpha1`: the operator's API references of `Stack` and `Workspace`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from madeploy.fleet.roles import StackRole, roles, shards
from madeploy.names.images import other_reference
from madeploy.settings import Environment
from madeploy.settings.gitops import PulumiOperator
from manifests.objects import Object, checksum

FOLDER: Final = "pulumi-operator"
NAMESPACE: Final = "pulumi-kubernetes-operator"

LONGEST_NAME: Final = 42
"""Characters of a Stack's name: the operator names pods and labels after it (rule of its definition)."""

ENGINE_MIB: Final = 256
"""Memory of the engine and the program of one stack."""

PROVIDER_MIB: Final = 192
"""Memory of one provider process; there is one for each cluster of a stack (docs/fleets.md)."""

RESYNC_SECONDS: Final = 300
"""How often the operator looks whether the branch has moved."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_SSH: Final = re.compile(r"ssh://(?P<user>[^@/]+@)?(?P<host>[^:/]+)/(?P<path>.+)")


def objects(environment: Environment, stack: str) -> Iterator[tuple[str, Object]]:
    """File name and object of everything the operator is given, in the folder `pulumi-operator`: account and
    right of the workspaces' pods, then the stacks, those that others wait for first."""
    settings = environment.gitops.pulumi_operator
    namespace = environment.gitops.namespace or NAMESPACE
    account = settings.service_account
    yield (
        "serviceaccount.yaml",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(account, namespace)},
    )
    # By it the agent in a workspace's pod finds out whether a call comes from the operator.
    yield (
        "clusterrolebinding.yaml",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": _metadata(f"{namespace}:{account}:auth-delegator", None),
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:auth-delegator",
            },
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        },
    )
    for role in roles(environment, stack):
        name = object_name(role)
        yield (
            f"stack-{name}.yaml",
            {
                "apiVersion": "pulumi.com/v1",
                "kind": "Stack",
                "metadata": _metadata(name, namespace),
                "spec": _spec(environment, role, _before(environment, role)),
            },
        )


def object_name(role: StackRole) -> str:
    """Name of a stack's object: the stack's own, shortened where it is too long."""
    name = role.stack.lower().replace("_", "-")
    if name == role.stack and len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{checksum(role.stack)[:8]}"


def _before(environment: Environment, role: StackRole) -> list[StackRole]:
    """Stacks that have to be up to date before this one: a shard reads what its clusters' own stacks hand
    over, and its objects are of kinds that the environment's API server defines."""
    if role.shard is None:
        return []
    own = StackRole("environment", role.environment)
    members = [] if environment.fleet.are_halves_together else shards(environment)[role.shard]
    return [own, *(StackRole("compute", role.environment, cluster=name) for name in members)]


def _spec(environment: Environment, role: StackRole, before: Sequence[StackRole]) -> dict[str, Any]:
    settings, gitops = environment.gitops.pulumi_operator, environment.gitops
    organization = f"{settings.organization}/" if settings.organization else ""
    spec: dict[str, Any] = {
        "stack": f"{organization}{role.stack}",
        "projectRepo": _repository(str(gitops.repository)),
        "commit" if _COMMIT.fullmatch(gitops.revision) else "branch": gitops.revision,
        "shallow": True,
        "serviceAccountName": settings.service_account,
        "resyncFrequencySeconds": RESYNC_SECONDS,
        # An update may be begun again at any point; by hand there may be one under way.
        "retryOnUpdateConflict": True,
        # Taking a cluster away goes in an order that the operator does not know (docs/fleets.md).
        "destroyOnFinalize": False,
        # A pod for each stack is too many to keep.
        "workspaceReclaimPolicy": "Delete",
        "envRefs": {
            "PULUMI_OPTION_CONFIG_FILE": _literal(f"stacks/Pulumi.{role.environment}.yaml"),
            "PULUMI_CONTINUE_ON_ERROR": _literal("true"),
        },
        "workspaceTemplate": {"spec": _workspace(environment, role)},
    }
    if gitops.path is not None:
        spec["repoDir"] = gitops.path
    if gitops.repository_secret is not None:
        spec["gitAuth"] = _login(str(gitops.repository), gitops.repository_secret)
    if settings.backend is not None:
        spec["backend"] = settings.backend
    if settings.secrets_provider is not None:
        spec["secretsProvider"] = settings.secrets_provider
    if before:
        spec["prerequisites"] = [{"name": object_name(each)} for each in before]
    return spec


def _workspace(environment: Environment, role: StackRole) -> dict[str, Any]:
    """Spec of the `Workspace`, as far as it is not the operator's to say."""
    settings = environment.gitops.pulumi_operator
    providers = 1
    if environment.fleet.layout == "inline":
        providers += len(environment.clusters)
    elif role.shard is not None and environment.fleet.are_halves_together:
        providers += environment.fleet.most_in_shard
    memory = f"{ENGINE_MIB + PROVIDER_MIB * providers}Mi"
    return {
        "image": other_reference(settings.image, PulumiOperator().image),
        "securityProfile": "restricted",
        "envFrom": [{"secretRef": {"name": settings.environment_secret}}],
        "resources": {"requests": {"cpu": "250m", "memory": memory}, "limits": {"memory": memory}},
    }


def _literal(value: str) -> dict[str, Any]:
    return {"type": "Literal", "literal": {"value": value}}


def _repository(url: str) -> str:
    """The repository as the operator takes it: its SSH keys go with addresses in the form of scp alone."""
    found = _SSH.fullmatch(url)
    return f"{found['user'] or 'git@'}{found['host']}:{found['path']}" if found else url


def _login(url: str, secret: str) -> dict[str, Any]:
    """References to the keys of the Secret by which the repository is read."""

    def of(key: str) -> dict[str, Any]:
        return {"type": "Secret", "secret": {"name": secret, "key": key}}

    if url.startswith("ssh:"):
        return {"sshAuth": {"sshPrivateKey": of("sshPrivateKey")}}
    return {"accessToken": of("accessToken")}


def must_exist(environment: Environment) -> list[dict[str, Any]]:
    """What somebody else puts beside the objects, as `madeploy.render.notes.must_exist` has it."""
    settings, gitops = environment.gitops.pulumi_operator, environment.gitops
    found = [
        _secret(
            environment,
            settings.environment_secret,
            ["PULUMI_CONFIG_PASSPHRASE or PULUMI_ACCESS_TOKEN"],
            "variables of the engine: these, and credentials of backend and cloud where pods have no role",
        )
    ]
    if gitops.repository_secret is not None:
        key = "sshPrivateKey" if str(gitops.repository).startswith("ssh:") else "accessToken"
        found.append(_secret(environment, gitops.repository_secret, [key], "how the repository is read"))
    return found


def _secret(environment: Environment, name: str, keys: list[str], holds: str) -> dict[str, Any]:
    return {
        "where": "cluster",
        "cluster": "that of the operator",
        "kind": "Secret",
        "namespace": environment.gitops.namespace or NAMESPACE,
        "name": name,
        "keys": keys,
        "holds": holds,
        "who": "whoever runs the operator",
    }


def _metadata(name: str, namespace: str | None) -> dict[str, Any]:
    return {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        "labels": {"app.kubernetes.io/part-of": "michelangelo", "app.kubernetes.io/managed-by": "madeploy"},
    }
