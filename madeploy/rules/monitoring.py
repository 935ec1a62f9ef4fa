"""Rules about what is monitored."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.findings.codes.code import Code
from madeploy.names.aws import account_of
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment
from madeploy.settings.identities import Irsa
from madeploy.settings.storage import AwsStorage


@rule(
    {
        "MA601": Code(
            "Alerts at their older place",
            "What is monitored stands together in monitoring; the older place makes the alerts alone.",
            "Write `michelangelo:monitoring: {}` and remove network.alerts.",
            "info",
        ),
    },
    reads=("network", "monitoring"),
)
def alerts_stand_with_what_is_monitored(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-3: with the section, its own switch decides, and the older one says nothing."""
    if env.network.alerts:
        evidence = "is true" if env.monitoring is None else "is true, and monitoring.alerts decides"
        yield Violation("MA601", ("network", "alerts"), evidence, key=True)


@rule(
    {
        "MA602": Code(
            "Monitoring that NetworkPolicies keep out",
            "The policies admit no scrape: every series would be missing, and the alerts on missing ones "
            "fire.",
            "Set network.monitoringNamespace to the namespace Prometheus runs in.",
        ),
    },
    reads=("network", "monitoring"),
)
def scrapes_are_admitted(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-3, NET-13: nobody but the named namespace reaches the metrics' ports."""
    if env.monitoring is not None and env.network.policies and env.network.monitoring_namespace is None:
        yield Violation("MA602", ("monitoring",), "network.monitoringNamespace is not set", key=True)


@rule(
    {
        "MA603": Code(
            "Role of Prometheus that cannot be made",
            "Roles are made with buckets on AWS, for a ServiceAccount in a namespace that the settings name.",
            "Set network.monitoringNamespace and storage.kind: aws; or leave amazon.serviceAccount out and "
            "give Prometheus a role of your own.",
        ),
        "MA604": Code(
            "Workspace of another account",
            "A role may write to workspaces of its own account only.",
            "Name a role of the workspace's account, which this environment's may take, in "
            "monitoring.amazon.roleArn.",
        ),
    },
    reads=("monitoring", "network", "storage"),
)
def prometheus_may_write(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """OPS-3: the role that is made for its ServiceAccount."""
    amazon = env.monitoring.amazon if env.monitoring is not None else None
    if amazon is None or amazon.service_account is None:
        return
    where, storage = ("monitoring", "amazon", "serviceAccount"), env.storage
    if not isinstance(storage, AwsStorage):
        yield Violation("MA603", where, f"is set, and storage.kind is {storage.kind}", key=True)
        return
    if env.network.monitoring_namespace is None:
        yield Violation("MA603", where, "is set, and network.monitoringNamespace is not", key=True)
    own = storage.account_id
    if own is None and isinstance(storage.identity, Irsa):
        own = account_of(storage.identity.oidc_provider_arn)
    of = account_of(amazon.workspace_arn)
    if amazon.role_arn is None and own not in (None, of):
        place = ("monitoring", "amazon", "workspaceArn")
        yield Violation("MA604", place, f"is of account {of}; roles are made in {own}")
