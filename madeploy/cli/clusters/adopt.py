"""`madeploy clusters adopt`: a registration made by hand becomes an entry of a stack, and stays as it is."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from madeploy.cli.clusters.add import Text, addressed, apply_plan, print_result
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import adoption, sources
from madeploy.clusters.onboarding import INVALID, Plan, planned, store
from madeploy.documents.text import dump
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, exit_code, in_order
from madeploy.findings.text import report, write
from madeploy.kubeconfigs import Instead
from madeploy.names.kubernetes import API_VERSION, CLUSTERS_NAMESPACE
from madeploy.sandbox.progress import phase
from madeploy.settings import CONTROL_PLANE
from madeploy.stackfile.loader import label
from madeploy.stacks.access import open_stack
from madeploy.stacks.files import read_text

_CLUSTERS = f"/apis/{API_VERSION}/namespaces/{CLUSTERS_NAMESPACE}/clusters"


def adopt(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the Cluster on the control plane.")],
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
    region: Annotated[Text, typer.Option("--region", metavar="R", help="Region of EKS.")] = None,
    role_arn: Annotated[
        Text, typer.Option("--role-arn", metavar="ARN", help="IAM role that signs in, with --eks.")
    ] = None,
    profile: Annotated[
        Text, typer.Option("--profile", metavar="P", help="Profile of the AWS CLI that signs in, with --eks.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare and show what would be written; write nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Import it too: pulumi up for this cluster only.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what happened as JSON.")] = False,
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
        registered = _registered(control_plane, name, access.name)
        said = adoption.entry(adoption.ExistingRegistration(name, registered, *[None] * 8))
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
        first = planned(*place, _as_it_was(entry, access.path, name), origin)
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


def _as_it_was(entry: dict[str, Any], path: Any, name: str) -> dict[str, Any]:
    """The entry with the parts that an earlier run of this command kept, so that it is recognised."""
    from madeploy.clusters import entries

    there = entries.existing(read_text(path), name) or {}
    return {**entry, "adopted": there["adopted"]} if "adopted" in there else entry


def _registered(control_plane: Kubernetes, name: str, stack: str) -> dict[str, Any]:
    """The `Cluster` on the control plane. Raises ToolkitError (2) naming those there are."""
    found = control_plane.find(f"{_CLUSTERS}/{name}")
    if found is not None:
        return found
    there = ", ".join(sorted(item["metadata"]["name"] for item in control_plane.items(_CLUSTERS))) or "none"
    raise ToolkitError(
        f"no cluster {name} is registered at the control plane of stack {stack}",
        f"registered are: {there}",
        f"name one of these; a new one is added by bin/madeploy clusters add {name} --stack {stack}",
        exit_code=INVALID,
    )


def _text(plan: Plan, differing: list[Finding]) -> str:
    lines = [report(f"registration of {plan.name}", differing), "", f"In {label(plan.path)}:"]
    lines += [f"  {line}" for line in dump({plan.name: plan.entry}).splitlines()]
    return "\n".join([*lines, "", "The first update imports the objects of both sides and changes none."])
