"""Rules about what is monitored."""

from __future__ import annotations

from collections.abc import Iterator

from madeploy.findings.codes.code import Code
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment


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
