"""The generated part of `docs/iam.md`: policies of every identity, from the builder that deployments use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from madeploy.names.aws import role_arn
from madeploy.settings import Environment
from madeploy.settings.storage import AwsStorage
from manifests.bucket_documents import bucket_policy, log_bucket_policy
from manifests.deployer import grants
from manifests.iam_documents import access_policy, key_policy, trust_policy
from manifests.identities import Subject, account, subjects
from manifests.policy_documents import Document, Statement

_ACCOUNT: Final = "123456789012"
_KEY: Final = f"arn:aws:kms:eu-west-1:{_ACCOUNT}:key/KEY"
_STACK: Final = "production"


_DEPLOYER: Final = """
## Whoever deploys

`bin/madeploy iam deployer STACK` prints the least policy for a stack, `--json` as a document for AWS:
creating, refreshing, changing and destroying what its settings say, and nothing besides. Rows are there
only where the settings need them; with `storage.protect: true` neither buckets nor key can be deleted by
it. A change of settings needs what both need, the old and the new. Rights that make a role are rights to
give it any policy: a boundary (`storage.permissionsBoundaryArn`) bounds them.

Not in it: the state's backend, the secrets provider (`awskms://…`), and what Kubernetes asks for.
`GetCallerIdentity`, by which clusters on EKS are signed in to and the account is told, needs no right.

This table is of the environment above with every setting that adds a row: Pod Identity on the control
plane, IRSA with `createOidcProvider` and a cluster on EKS found by its name, Object Lock, `protect:
false` and `forceDestroy: true`.
"""


def iam_reference() -> str:
    """What is generated of `docs/iam.md`."""
    irsa, pod_identity = _environment("irsa"), _environment("podIdentity")
    parts = [
        "## Who takes which role\n",
        *_who(irsa),
        "\n## What each identity may do\n\nWith `storage.serviceAccess: guide`, the default: the four "
        "actions of the model-registry guide, split by what each applies to.\n",
        *_may(irsa, subjects(irsa)),
        "\nWith `storage.serviceAccess: readOnly`, what the services' code calls in these releases. Task "
        "pods and the others are as above.\n",
        *_may(read_only := _environment("irsa", "readOnly"), subjects(read_only)[:2]),
        "\n## Who may take a role\n\nEach role is for one ServiceAccount of one cluster. By IRSA:\n",
        *_table(_trusts(irsa), ("Identity", "Principal", "Actions", "When")),
        "\nBy EKS Pod Identity:\n",
        *_table(_trusts(pod_identity), ("Identity", "Principal", "Actions", "When")),
        "\n## Buckets and key\n\nPolicies of the resources themselves.\n",
        *_table(_resources(irsa), ("Resource", "Statement", "Effect", "Principal", "Actions", "When")),
        _DEPLOYER,
        *_table(_deployer(), ("Statement", "To", "Actions", "On", "When")),
        "\n## As JSON\n\nThe policy of the controller manager's role, and its trust by IRSA:\n",
        *_json(irsa),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _environment(kind: str, service_access: str = "guide") -> Environment:
    def identity(cluster: str) -> dict[str, str]:
        provider = f"arn:aws:iam::{_ACCOUNT}:oidc-provider/ISSUER/{cluster}"
        by_name = {"kind": kind, "clusterName": cluster}
        return {"kind": kind, "oidcProviderArn": provider} if kind == "irsa" else by_name

    return Environment.model_validate(
        {
            "platform": {"release": "0.12"},
            "domains": {"api": "api.example.com", "app": "app.example.com"},
            "tls": {"mode": "provided"},
            "workflow": {"engine": "temporal", "host": "temporal.example.com:7233"},
            "storage": {
                "kind": "aws",
                "region": "eu-west-1",
                "buckets": {"workspace": "WORKSPACE", "models": "MODELS", "logs": "LOGS"},
                "accessLogs": {"bucket": "ACCESS-LOGS"},
                "identity": identity("control-plane"),
                "serviceAccess": service_access,
            },
            "modelRegistry": {"retentionDays": 90},
            "serving": {"namespace": "serving", "modelSync": {"servers": ["example"]}},
            "network": {"monitoringNamespace": "monitoring"},
            "monitoring": {
                "amazon": {
                    "workspaceArn": f"arn:aws:aps:eu-west-1:{_ACCOUNT}:workspace/ws-0",
                    "serviceAccount": "prometheus-server",
                }
            },
            "clusters": {"gpu": {"serving": True, "taskIdentity": identity("gpu")}},
        }
    )


def _storage(environment: Environment) -> AwsStorage:
    storage = environment.storage
    if not isinstance(storage, AwsStorage):
        raise TypeError("the reference is of an environment on AWS")
    return storage


def _who(environment: Environment) -> list[str]:
    storage = _storage(environment)
    known = account(environment) or _ACCOUNT
    rows = [
        (
            f"`{subject.identity}`",
            f"`{subject.namespace}/{subject.service_account}`",
            f"`{role_arn(storage.region, known, _STACK, subject.identity, storage.role_path)}`",
        )
        for subject in subjects(environment)
    ]
    return _table(rows, ("Identity", "ServiceAccount", f"Role, in a stack `{_STACK}`"))


def _may(environment: Environment, whom: Sequence[Subject]) -> list[str]:
    rows = [
        (f"`{subject.identity}`", _listed(item["Action"]), _listed(item["Resource"]), _when(item))
        for subject in whom
        for item in access_policy(_storage(environment), subject, _KEY)["Statement"]
    ]
    return _table(rows, ("Identity", "Actions", "On", "When"))


def _trusts(environment: Environment) -> Iterator[tuple[str, ...]]:
    for subject in subjects(environment):
        for item in trust_policy(subject, _storage(environment).region)["Statement"]:
            yield (f"`{subject.identity}`", _principal(item), _listed(item["Action"]), _when(item))


def _resources(environment: Environment) -> Iterator[tuple[str, ...]]:
    storage = _storage(environment)
    logs = storage.access_logs
    if logs is None:
        raise TypeError("the reference is of an environment with access logs")
    sources = list(storage.buckets.model_dump(exclude_none=True).values())
    documents: Mapping[str, Document] = {
        "every bucket": bucket_policy(storage.region, "BUCKET"),
        "bucket of access logs, besides": {
            "Statement": log_bucket_policy(storage.region, _ACCOUNT, logs, sources)["Statement"][2:]
        },
        "key made here": key_policy(storage.region, _ACCOUNT),
    }
    for resource, document in documents.items():
        for item in document["Statement"]:
            yield (
                resource,
                item["Sid"],
                item["Effect"],
                _principal(item),
                _listed(item["Action"]),
                _when(item),
            )


def _deployer() -> Iterator[tuple[str, ...]]:
    everything = _environment("podIdentity").model_dump(by_alias=True, exclude_unset=True)
    everything["storage"] |= {
        "kmsKey": {},
        "objectLock": {"mode": "governance", "days": 30},
        "protect": False,
        "forceDestroy": True,
    }
    provider = f"arn:aws:iam::{_ACCOUNT}:oidc-provider/ISSUER/gpu"
    everything["clusters"]["gpu"] = {
        "eks": {
            "clusterName": "gpu",
            "region": "eu-west-1",
            "roleArn": f"arn:aws:iam::{_ACCOUNT}:role/ADMIN",
        },
        "taskIdentity": {"kind": "irsa", "oidcProviderArn": provider, "createOidcProvider": True},
    }
    for grant in grants(Environment.model_validate(everything), _STACK, _ACCOUNT):
        when = _when({"Condition": grant.condition})
        yield f"`{grant.sid}`", grant.reason, _listed(grant.actions), _listed(grant.resources), when


def _json(environment: Environment) -> Iterator[str]:
    subject = subjects(environment)[0]
    for document in (
        access_policy(_storage(environment), subject, _KEY),
        trust_policy(subject, _storage(environment).region),
    ):
        yield f"```json\n{json.dumps(document, indent=2)}\n```\n"


def _table(rows: Sequence[tuple[str, ...]] | Iterator[tuple[str, ...]], head: tuple[str, ...]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _principal(item: Statement) -> str:
    ((kind, name),) = item["Principal"].items()
    return "everybody" if name == "*" else f"{kind} `{name}`"


def _when(item: Statement) -> str:
    conditions = [
        f"`{key}` {operator} {_listed(value)}"
        for operator, keys in item.get("Condition", {}).items()
        for key, value in keys.items()
    ]
    return ", ".join(conditions) or "always"


def _listed(value: Any) -> str:
    return ", ".join(f"`{item}`" for item in ([value] if isinstance(value, str) else value))
