"""The policy pack: the only place that turns rules into the engine's policies."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError
from rules import RULES, Rule
from rules.evaluation import evaluate
from rules.model import Resource, plain_numbers
from stack import release, suppressions, tier

TIER = tier()
RELEASE = release()
SUPPRESSIONS = suppressions()
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
_LEVELS = {"error": EnforcementLevel.MANDATORY, None: EnforcementLevel.DISABLED}
_SEVERITIES = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW}


def plain(value: Any) -> Any:
    """Properties as plain data. What is not known before the update is the engine's own mark for that."""
    if isinstance(value, Mapping):
        return {key: _known(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_known(value, index) for index in range(len(value))]
    return value


def _known(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN_STRING_VALUE


def _is_known(resource: Resource, path: tuple[str | int, ...]) -> bool:
    """Whether the value a violation is about is known yet: the update itself judges it otherwise."""
    value: Any = resource.properties
    for step in path:
        if value == UNKNOWN_STRING_VALUE:
            return False
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return True
    return bool(value != UNKNOWN_STRING_VALUE)


def resource(args: ResourceValidationArgs | PolicyResource) -> Resource:
    """The engine's resource as rules take it."""
    dependencies = [
        *getattr(args, "dependencies", ()),
        *(one for several in getattr(args, "property_dependencies", {}).values() for one in several),
    ]
    return Resource(
        token=args.resource_type,
        properties=plain_numbers(plain(args.props)),
        cluster=args.provider.name if args.provider else "",
        origin="engine",
        name=args.name,
        identity=args.urn,
        depends_on=frozenset(item.urn for item in dependencies),
        release=RELEASE,
    )


def _report(rule: Rule, resources: list[Resource], report: ReportViolation) -> None:
    for found in evaluate([rule], resources, TIER, SUPPRESSIONS, TODAY).found:
        if _is_known(found.resource, found.violation.path):
            fix = found.violation.fix or rule.fix
            report(
                f"{found.resource.subject}: {found.violation.evidence}. {fix}",
                found.resource.identity or None,
            )


def policy(rule: Rule) -> Policy:
    """The engine's policy for a rule."""
    severity = getattr(rule.severities, TIER)
    common: dict[str, Any] = {
        "name": rule.name,
        "description": f"{rule.code} {rule.title}. {rule.why}",
        "enforcement_level": _LEVELS.get(severity, EnforcementLevel.ADVISORY),
        "severity": _SEVERITIES.get(severity),
        "remediation_steps": rule.fix,
    }

    def one(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if rule.looks_at(args.resource_type):
            _report(rule, [resource(args)], report)

    def together(args: StackValidationArgs, report: ReportViolation) -> None:
        chosen = [resource(item) for item in args.resources if rule.looks_at(item.resource_type)]
        _report(rule, chosen, report)

    if rule.check_set is not None:
        return StackValidationPolicy(validate=together, **common)
    return ResourceValidationPolicy(validate=one, **common)


PolicyPack(
    name="michelangelo",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[policy(rule) for rule in RULES if "engine" in rule.origins],
)
