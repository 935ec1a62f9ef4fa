"""`madeploy clusters adopt`: a registration made by hand becomes an entry of a stack, and stays as it is."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from madeploy.cli.clusters.add import apply_plan
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
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import adoption, entries, sources
from madeploy.clusters.onboarding import INVALID, Plan, addressed, planned, store
from madeploy.documents.text import dump
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, exit_code, in_order
from madeploy.findings.text import report, write
from madeploy.kubeconfigs import Instead
from madeploy.progress import phase
from madeploy.settings import CONTROL_PLANE
from madeploy.stackfile.loader import label
from madeploy.stacks.access import open_stack


def adopt(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the Cluster on the control plane.")],
    stack: OfStack,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    from_context: FromContext = None,
    eks: EksName = None,
    region: Region = None,
    role_arn: RoleArn = None,
    profile: Profile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare and show what would be written; write nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Import it too: pulumi up for this cluster only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take over a cluster that was registered by hand, as the registration guide says.

    Reads the objects on both sides, reports how they differ from what the stack would make, and writes an
    entry with which the first update imports them and changes none. What differs is named in the entry
    (adopted.keep) and stays as it is until it is taken out there.

    Ends with 1 when something is missing or cannot be taken over, with 2 for a kubeconfig or an entry that
    cannot be used, with 3 when one of the two clusters does not answer.
    """
    access = open_stack(stack, [CONTROL_PLANE])
    try:
        control_plane = access.client(CONTROL_PLANE)
        registered = adoption.registered(control_plane, name, access.name)
        said = adoption.entry(registered)
        instead = Instead(said.get("server"))
        origin = sources.origin_of(
            name, kubeconfig, context, from_context, eks, region, instead, role_arn=role_arn, profile=profile
        )
        findings = [addressed(item, name, access.name) for item in origin.verdict.findings]
        data: dict[str, Any] = {"stack": access.name, "cluster": name, "verdict": origin.verdict.to_data()}
        if exit_code(findings):
            print_result(as_json, data, report(origin.verdict.name, findings))
            raise typer.Exit(INVALID)
        assert origin.verdict.kubeconfig is not None
        assert origin.verdict.endpoint is not None
        with phase(f"reading what {name} and the control plane have"):
            compute = Kubernetes.from_kubeconfig(origin.verdict.kubeconfig)
            found = adoption.read(name, control_plane, compute)
    except ClientError as error:
        raise ToolkitError(
            f"cluster {name} cannot be compared",
            str(error),
            "see that both API servers answer, and that the kubeconfigs' users may read these objects",
        ) from None

    entry = {**origin.entry, **said, "adopted": {}}
    place = (access.name, access.path, access.environment, name)
    lacking = adoption.missing(found, access.environment)
    if not lacking:
        first = planned(*place, entries.as_kept(entry, access.path, name), origin)
        kept, differing = adoption.differences(found, first.environment, origin.verdict.endpoint)
        lacking += differing
        entry["adopted"] = {"keep": [*kept]} if kept else {}
    data["differences"] = [item.to_data() for item in in_order(lacking)]
    if exit_code(lacking):
        print_result(as_json, data, report(f"registration of {name}", lacking))
        raise typer.Exit(1)
    plan = planned(*place, entry, origin)
    data |= {"entry": plan.entry}
    if not as_json:
        write(_text(plan, lacking), sys.stdout)
    if dry_run:
        print_result(as_json, {**data, "written": False}, "Nothing was written.")
        return
    data["written"] = store(plan)
    if not yes:
        print_result(as_json, data, f"{name} is in the stack. Import it: pulumi up --stack {access.name}")
        return
    apply_plan(plan, data, as_json)


def _text(plan: Plan, differing: list[Finding]) -> str:
    lines = [report(f"registration of {plan.name}", differing), "", f"In {label(plan.path)}:"]
    lines += [f"  {line}" for line in dump({plan.name: plan.entry}).splitlines()]
    return "\n".join([*lines, "", "The first update imports the objects of both sides and changes none."])
