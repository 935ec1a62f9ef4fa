"""Onboarding: one entry in the stack file and one secret, both or neither."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from madeploy import kubeconfigs
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import entries
from madeploy.clusters.checks.prerequisites import prerequisites
from madeploy.clusters.failures import administrator_finding
from madeploy.clusters.sources import Origin
from madeploy.errors import ToolkitError, UsageError
from madeploy.findings import Finding
from madeploy.fleet.roles import free_shard
from madeploy.names.configuration import subject
from madeploy.plan.changes import Identity
from madeploy.progress import phase
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stacks.access import open_stack
from madeploy.stacks.files import read_text, require_unchanged, write
from madeploy.stacks.secrets import remove_secret, secret_section, set_secret

INVALID = 2


@dataclass(frozen=True)
class Plan:
    """Plan of an onboarding."""

    stack: str
    path: Path
    name: str
    before: str
    """Text of the stack file as it is."""

    after: str
    """Text of the stack file with the entry, before the secret is stored."""

    entry: dict[str, Any]
    secret: str | None = field(repr=False)
    """Kubeconfig to be stored encrypted; None where the entry says how to get one."""

    environment: Environment
    """The environment with the cluster."""

    objects: list[Identity]


def planned(
    stack: str, path: Path, environment: Environment, name: str, entry: dict[str, Any], origin: Origin
) -> Plan:
    """What is going to be written, checked with everything else in the file. Raises UsageError for an
    entry that is there and says something else, or with which the stack could not be used."""
    text = read_text(path)
    there = entries.existing(text, name)
    if there is not None:
        differs = sorted(key for key in entry if there.get(key) != entry[key])
        differs += [key for key in ("eks", "kubeconfigContext") if key in there and key not in entry]
        if differs:
            raise UsageError(
                f"stack {stack} has a cluster {name} already, and it is another",
                f"they differ in {', '.join(differs)}",
                "choose another name, change the entry by hand, or remove it first: "
                f"bin/madeploy clusters remove {name} --stack {stack}",
            )
    elif (shard := free_shard(environment)) is not None:
        entry = {**entry, "shard": shard}
    after = text if there is not None else entries.with_entry(text, name, entry)
    made, findings = entries.checked(after, path, name, stored=origin.secret is not None)
    if made is None:
        raise entries.refused(name, path, findings)
    endpoint = origin.verdict.endpoint
    assert endpoint is not None
    return Plan(
        stack, path, name, text, after, entry, origin.secret, made, entries.objects(made, name, endpoint)
    )


def store(plan: Plan) -> bool:
    """Store the secret, then the entry; the secret is taken back when the entry cannot be written. Returns
    whether anything had to be written.

    Raises ToolkitError: 2 for a stack file that has changed, or a secret of that name that is another one; 3
    when the Pulumi CLI cannot store it. Nothing is half-written then.
    """
    require_unchanged(plan.path, plan.before)
    is_new = plan.secret is not None and _must_be_stored(plan)
    if plan.secret is not None and is_new:
        set_secret(plan.stack, ("kubeconfigs", plan.name), plan.secret)
    if plan.after == plan.before:
        return is_new
    try:
        now = read_text(plan.path)
        entry = entries.existing(plan.after, plan.name) or {}
        write(plan.path, now, entries.with_entry(now, plan.name, entry))
    except BaseException:
        if is_new:
            remove_secret(plan.stack, ("kubeconfigs", plan.name))
        raise
    return True


def _must_be_stored(plan: Plan) -> bool:
    """Whether the stack lacks the kubeconfig. Raises UsageError where it has another."""
    stored = secret_section(plan.stack, "kubeconfigs").get(plan.name)
    if stored is None or _is_same(stored, str(plan.secret)):
        return stored is None
    secret = subject(("kubeconfigs", plan.name))
    raise UsageError(
        f"stack {plan.stack} has another kubeconfig for {plan.name} already",
        f"the secret {secret} is not this one",
        f"if this one is newer, store it by hand:\n"
        f"pulumi config set --secret --path '{secret}' --stack {plan.stack} < FILE",
    )


def _is_same(stored: Any, secret: str) -> bool:
    """Whether two kubeconfigs say the same, however they are written."""
    if stored == secret:
        return True
    held = kubeconfigs.inspect(str(stored).encode(), "stored").kubeconfig
    return held is not None and bool(held == json.loads(secret))


def prerequisites_of(plan: Plan, origin: Origin) -> list[Finding]:
    """What the cluster lacks (REG-7), and whether it is the control plane itself."""
    assert origin.verdict.kubeconfig is not None
    with phase(f"asking {plan.name} for what it has"):
        try:
            compute = Kubernetes.from_kubeconfig(origin.verdict.kubeconfig)
        except ClientError as error:
            return [administrator_finding(error, plan.name)]
        control_plane = None
        # A cluster may be added before there is a control plane to compare it with.
        with contextlib.suppress(ClientError, ToolkitError):
            control_plane = open_stack(str(plan.path), [CONTROL_PLANE]).client(CONTROL_PLANE)
        return prerequisites(
            compute, plan.environment, plan.name, control_plane=control_plane, stack=plan.stack
        )


def addressed(finding: Finding, name: str, stack: str) -> Finding:
    """A finding whose fix can be typed: its options with the command and the names they belong to."""
    fix = finding.fix.replace(
        "on EKS: --eks", f"on EKS: bin/madeploy clusters add {name} --stack {stack} --eks"
    )
    return replace(
        finding, fix=fix.replace("clusters add NAME", f"clusters add {name}").replace("STACK", stack)
    )
