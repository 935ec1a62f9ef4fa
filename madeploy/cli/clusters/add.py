"""`madeploy clusters add`: a compute cluster becomes one entry and one secret of a stack."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from madeploy.cli.clusters.options import (
    Context,
    EksName,
    FromContext,
    Kubeconfig,
    Profile,
    Region,
    RoleArn,
    print_result,
)
from madeploy.cli.options import AsJson, OfStack
from madeploy.clusters import entries, sources
from madeploy.clusters.onboarding import INVALID, Plan, addressed, planned, prerequisites_of, store
from madeploy.documents.text import dump
from madeploy.errors import UsageError
from madeploy.findings import Finding, exit_code
from madeploy.findings.text import report, write
from madeploy.kubeconfigs import Instead
from madeploy.names.configuration import subject
from madeploy.progress import phase, say
from madeploy.settings import CONTROL_PLANE
from madeploy.stackfile.loader import label
from madeploy.stacks.files import open_environment

Management = Literal["managed", "selfManaged"]
Sla = Literal["production", "ephemeral"]


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the cluster in the stack.")],
    stack: OfStack,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    from_context: FromContext = None,
    eks: EksName = None,
    region: Region = None,
    role_arn: RoleArn = None,
    profile: Profile = None,
    server: Annotated[
        str | None,
        typer.Option("--server", metavar="URL", help="API server as the control plane reaches it."),
    ] = None,
    certificate_authority: Annotated[
        Path | None, typer.Option("--certificate-authority", metavar="FILE", help="Its authority, PEM.")
    ] = None,
    management: Annotated[
        Management | None, typer.Option("--management", help="Whether the API server is a pod (selfManaged).")
    ] = None,
    zone: Annotated[str | None, typer.Option("--zone", metavar="Z", help="Zone, stored with it.")] = None,
    sla: Annotated[Sla | None, typer.Option("--sla", help="Service level, stored with it.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the verdict and the plan; connect to nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Register it too: pulumi up for this cluster only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a compute cluster to a stack, from a kubeconfig, a context or a name on EKS.

    Shows its verdict on the kubeconfig, what the stack file gets and which objects come of it, checks the
    prerequisites on the cluster, and writes the entry and the secret. Run again, it finds nothing to do.

    Ends with 2, all defects and nothing written for a kubeconfig or an entry that cannot be used; with 1 when
    a prerequisite is missing or the update did not do everything.
    """
    stack_name, path, environment = open_environment(stack)
    origin = sources.origin_of(
        name,
        kubeconfig,
        context,
        from_context,
        eks,
        region,
        _instead(server, certificate_authority),
        role_arn=role_arn,
        profile=profile,
    )
    findings = list(origin.verdict.findings)
    if not origin.verdict.is_refused:
        with phase("comparing with the stack's clusters"):
            findings += sources.neighbours(
                name, origin, environment, stack_name, decrypt=not dry_run, meant=server is not None
            )
    findings = [addressed(item, name, stack_name) for item in findings]
    data: dict[str, Any] = {
        "stack": stack_name,
        "cluster": name,
        "verdict": {**origin.verdict.to_data(), "findings": [item.to_data() for item in findings]},
    }
    if exit_code(findings):
        data["verdict"]["accepted"] = False
        print_result(as_json, data, report(origin.verdict.name, findings))
        raise typer.Exit(INVALID)

    given = {"region": region, "zone": zone, "sla": sla, "management": management, "server": server}
    given["certificateAuthorityData"] = _instead(None, certificate_authority).certificate_authority_data
    entry = {**{key: value for key, value in given.items() if value is not None}, **origin.entry}
    plan = planned(stack_name, path, environment, name, entry, origin)
    data |= {
        "entry": plan.entry,
        "secret": subject(("kubeconfigs", name)) if plan.secret else None,
        "objects": [asdict(item) | {"namespace": item.namespace or None} for item in plan.objects],
    }
    if not as_json:
        write(_verdict_text(origin, findings), sys.stdout)
        print(_plan_text(plan))  # noqa: T201
    if dry_run:
        print_result(
            as_json, {**data, "prerequisites": None, "written": False}, "Nothing was asked, nothing written."
        )
        return

    missing = prerequisites_of(plan, origin)
    data["prerequisites"] = [item.to_data() for item in missing]
    if exit_code(missing):
        print_result(as_json, {**data, "written": False}, report(f"prerequisites of {name}", missing))
        raise typer.Exit(1)
    if missing and not as_json:
        write(report(f"prerequisites of {name}", missing), sys.stdout)
    data["written"] = store(plan)
    if not yes:
        did = "is in the stack" if data["written"] else "was in the stack already"
        print_result(
            as_json,
            data,
            f"{name} {did}. Register it: pulumi up --stack {stack_name}, or this command with --yes.",
        )
        return
    apply_plan(plan, data, as_json)


def apply_plan(plan: Plan, data: dict[str, Any], as_json: bool) -> None:
    """Bring the stack to what was written, for this cluster only; says what came of it, and ends the command
    with 1 when something is not done."""
    from madeploy.clusters.mirroring import roll_once_mirrored
    from madeploy.stacks.apply import apply
    from madeploy.stacks.session import StackSession

    with phase(f"pulumi up for {plan.name}") as running:
        applied = apply(plan.stack, clusters=[plan.name], tell=say, note=running.note)
    if not applied.exit_code and plan.environment.metadata_storage is not None:
        applied.findings += roll_once_mirrored(StackSession(plan.stack, [plan.name]), plan.name, say)
    data["applied"] = {
        "changes": applied.changes,
        "findings": [item.to_data() for item in applied.findings],
    }
    proof = f"Prove it: bin/madeploy clusters verify {plan.name} --stack {plan.stack}"
    text = (
        report(f"stack {plan.stack}", applied.findings)
        if applied.findings
        else f"{plan.name} is registered. {proof}"
    )
    print_result(as_json, data, text)
    if applied.exit_code:
        raise typer.Exit(applied.exit_code)


def _instead(server: str | None, authority: Path | None) -> Instead:
    """What stands in place of the kubeconfig's own. Raises UsageError."""
    from madeploy.settings.authorities import authority_text
    from madeploy.settings.servers import parse_server

    data = None if authority is None else entries.authority_data(authority)
    for option, value, check in (
        ("--server", server, parse_server),
        ("--certificate-authority", data, authority_text),
    ):
        if value is not None:
            try:
                check(value)
            except ValueError as error:
                raise UsageError(
                    f"{option} cannot be used", f"it {error}", "bin/madeploy clusters add --help"
                ) from None
    return Instead(server, data)


def _verdict_text(origin: sources.Origin, findings: list[Finding]) -> str:
    verdict = origin.verdict
    endpoint = verdict.endpoint
    assert endpoint is not None
    authority = verdict.authority
    lines = [
        f"{verdict.name}, context {verdict.context}: can be registered",
        f"  API server   {endpoint.host}:{endpoint.port}",
        f"  authority    SHA-256 {authority['sha256'][:16]}…, until {authority['expires']}",
        f"  administered by {verdict.credential}",
    ]
    return "\n".join([*lines, *(["", report(verdict.name, findings)] if findings else [])])


def _plan_text(plan: Plan) -> str:
    file = label(plan.path)
    lines = ["", f"In {file}:" if plan.after != plan.before else f"In {file}, as it is:"]
    lines += [f"  {line}" for line in dump({plan.name: _shortened(plan.entry)}).splitlines()]
    if plan.secret is not None:
        lines += ["", f"Encrypted beside it: {subject(('kubeconfigs', plan.name))}"]
    for cluster in (plan.name, CONTROL_PLANE):
        where = "the control plane" if cluster == CONTROL_PLANE else plan.name
        lines += ["", f"Registering it makes on {where}:"]
        lines += [f"  {item}" for item in plan.objects if item.cluster == cluster]
    return "\n".join([*lines, ""])


def _shortened(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry fit for a terminal: an authority is long."""
    return {
        key: f"{value[:24]}…" if key == "certificateAuthorityData" else value for key, value in entry.items()
    }
