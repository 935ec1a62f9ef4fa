"""The policy pack: the only place that turns rules into the engine's policies."""

from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from rules import RULES, Rule


def policy(rule: Rule) -> ResourceValidationPolicy:
    """The engine's policy for a rule."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        properties: dict[str, Any] = dict(args.props)
        for violation in rule.check(args.resource_type, properties):
            report(violation, None)

    return ResourceValidationPolicy(name=rule.name, description=rule.description, validate=validate)


PolicyPack(
    name="michelangelo",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[policy(rule) for rule in RULES],
)
