"""`madeploy clusters add`: a compute cluster becomes one entry and one secret of a stack."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import typer

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import entries, sources
from madeploy.clusters.onboarding import INVALID, Plan, planned, store
from madeploy.documents.text import dump
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, exit_code
from madeploy.findings.text import report, write
from madeploy.kubeconfigs import Instead
from madeploy.names.configuration import subject
from madeploy.sandbox.progress import phase, say
from madeploy.settings import CONTROL_PLANE
from madeploy.stackfile.loader import label
from madeploy.stacks.access import open_stack
from madeploy.stacks.files import open_environment

Text = Optional[str]  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
Management = Literal["managed", "selfManaged"]
Sla = Literal["production", "ephemeral"]


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the cluster in the stack.")],
    stack: Annotated[str, typer.Option("--stack", "-s", metavar="STACK", help="Name or file of the stack.")],
    kubeconfig: Annotated[
        Text,
        typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig to store encrypted; - for input."),
    ] = None,
    context: Annotated[
        Text, typer.Option("--context", metavar="C", help="Context in that file. Default: its current one.")
    ] = None,
    from_context: Annotated[
        Text,
        typer.Option(
            "--from-context", metavar="C", help="Context of the kubeconfig at hand; nothing is stored."
        ),
    ] = None,
    eks: Annotated[Text, typer.Option("--eks", metavar="CLUSTER", help="Name on EKS.")] = None,
    region: Annotated[Text, typer.Option("--region", metavar="R", help="Region; needed with --eks.")] = None,
    role_arn: Annotated[
        Text, typer.Option("--role-arn", metavar="ARN", help="IAM role that signs in, with --eks.")
    ] = None,
    profile: Annotated[
        Text, typer.Option("--profile", metavar="P", help="Profile of the AWS CLI that signs in, with --eks.")
    ] = None,
    server: Annotated[
        Text,
        typer.Option("--server", metavar="URL", help="API server as the control plane reaches it."),
    ] = None,
    certificate_authority: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--certificate-authority", metavar="FILE", help="Its authority, PEM."),
    ] = None,
    management: Annotated[
        Optional[Management],  # noqa: UP045
        typer.Option("--management", help="Whether the API server is a pod (selfManaged)."),
    ] = None,
    zone: Annotated[Text, typer.Option("--zone", metavar="Z", help="Zone, stored with it.")] = None,
    sla: Annotated[
        Optional[Sla],  # noqa: UP045
        typer.Option("--sla", help="Service level, stored with it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the verdict and the plan; connect to nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Register it too: pulumi up for this cluster only.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what happened as JSON.")] = False,
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
        "objects": [item.to_data() for item in plan.objects],
    }
    if not as_json:
        write(_verdict_text(origin, findings), sys.stdout)
        print(_plan_text(plan))  # noqa: T201
    if dry_run:
        print_result(
            as_json, {**data, "prerequisites": None, "written": False}, "Nothing was asked, nothing written."
        )
        return

    missing = _prerequisites(plan, origin)
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
    """What stands in place of the kubeconfig's own. Raises ToolkitError (2)."""
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
                raise ToolkitError(
                    f"{option} cannot be used",
                    f"it {error}",
                    "bin/madeploy clusters add --help",
                    exit_code=INVALID,
                ) from None
    return Instead(server, data)


def _prerequisites(plan: Plan, origin: sources.Origin) -> list[Finding]:
    """What the cluster lacks (REG-7), and whether it is the control plane itself."""
    from madeploy.clusters.checks.prerequisites import prerequisites

    assert origin.verdict.kubeconfig is not None
    with phase(f"asking {plan.name} for what it has"):
        try:
            compute = Kubernetes.from_kubeconfig(origin.verdict.kubeconfig)
        except ClientError as error:
            from madeploy.clusters.failures import administrator_finding

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


def print_result(as_json: bool, data: dict[str, Any], text: str) -> None:
    """Say what happened: as JSON, or in words."""
    if as_json:
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    else:
        write(text, sys.stdout)
