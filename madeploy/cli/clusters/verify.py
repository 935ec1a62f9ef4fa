"""`madeploy clusters verify`: prove registrations, check after check."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Optional

import typer

from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters.verification import CHECKS, Check, verify_registration
from madeploy.errors import ToolkitError
from madeploy.findings import find
from madeploy.findings.text import one, write
from madeploy.sandbox.progress import phase
from madeploy.settings import CONTROL_PLANE
from madeploy.stacks.access import StackAccess, open_stack

SECONDS = 90.0
"""Time limit for one cluster."""

CAVEAT = (
    "Asked from this machine, with the registered address, authority and token. That the control plane's own "
    "pods reach the cluster is shown by the check health alone."
)
_WORDS = {"passed": "passed", "failed": "FAILED", "notTried": "not tried", "skipped": "skipped"}


def verify(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads this at run time, on Python 3.10 too
        typer.Argument(metavar="[NAME]...", help="Clusters to prove.", show_default=False),
    ] = None,
    stack: Annotated[
        str, typer.Option("--stack", "-s", metavar="STACK", help="Name or file of the stack.")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Prove all clusters of the stack.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
    create: Annotated[
        bool,
        typer.Option(
            "--create-ray-cluster",
            help="Create a RayCluster (suspended: no pod starts) and delete it. Default: a dry run.",
        ),
    ] = False,
) -> None:
    """Prove that the platform can dispatch to clusters, with what it is registered with.

    Goes from the registration over DNS, TCP, TLS, the credential, each of its rights, storage and KubeRay
    to the platform's own proof and a RayCluster; the first check that fails names cause and fix. Ends with
    0 when all is proven, 1 when a check failed, 2 for wrong use, 3 when the control plane does not answer.
    """
    access = open_for(stack, names or [], every)
    chosen = [name for name in access.environment.clusters if every or name in (names or [])]
    control_plane = access.client(CONTROL_PLANE)
    with phase(f"proving {len(chosen)} cluster{'s' if len(chosen) != 1 else ''}") as proving:
        checks = run_bounded(
            {name: partial(_prove, access, control_plane, name, create) for name in chosen},
            _late,
            SECONDS,
            note=lambda done: proving.note(f"{done} of {len(chosen)} done"),
        )
    if as_json:
        data = {
            "stack": access.name,
            "askedFrom": CAVEAT,
            "clusters": [
                {"name": name, "proven": is_proven(found), "checks": [check.to_data() for check in found]}
                for name, found in checks.items()
            ],
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        write("\n\n".join([*(_report(name, found) for name, found in checks.items()), CAVEAT]), sys.stdout)
    raise typer.Exit(0 if all(is_proven(found) for found in checks.values()) else 1)


def open_for(stack: str, names: Sequence[str], every: bool) -> StackAccess:
    """The stack with these clusters, or all; only the control plane has to have a usable kubeconfig.
    Raises ToolkitError (2) for wrong use."""
    if not stack:
        raise ToolkitError(
            "no stack is named", "clusters belong to a stack", "name it: --stack STACK", exit_code=2
        )
    if bool(names) == every:
        raise ToolkitError(
            "which clusters?",
            "names or --all are needed, not both",
            "name clusters, or say --all",
            exit_code=2,
        )
    return open_stack(stack, None if every else [CONTROL_PLANE, *names], required=[CONTROL_PLANE])


def administrator(access: StackAccess, name: str) -> Kubernetes | None:
    """The compute cluster by its kubeconfig, None where that cannot be used: what is registered can be proven
    without."""
    try:
        return access.client(name)
    except (ClientError, ToolkitError):
        return None


def is_proven(checks: Sequence[Check]) -> bool:
    """Whether no check failed."""
    return all(check.state in ("passed", "skipped") for check in checks)


def unreachable_control_plane(error: ClientError, stack: str) -> ToolkitError:
    """The error that ends a command without a control plane to ask."""
    return ToolkitError(
        f"the control plane of stack {stack} cannot be asked",
        str(error),
        "see that its API server runs, and that controlPlane.kubeconfigContext or kubeconfigs.control-plane "
        "leads there",
    )


def _prove(access: StackAccess, control_plane: Kubernetes, name: str, create: bool) -> list[Check]:
    try:
        return verify_registration(
            control_plane,
            administrator(access, name),
            access.environment,
            name,
            stack=access.name,
            create_ray_cluster=create,
        )
    except ClientError as error:
        raise unreachable_control_plane(error, access.name) from None


def _late(name: str) -> list[Check]:
    finding = find("MA432", name, f"its checks did not end within {SECONDS:g} s")
    first, *rest = CHECKS
    return [
        Check(first, "failed", finding.evidence, (finding,)),
        *(Check(check, "notTried", f"{first} failed") for check in rest),
    ]


def _report(name: str, checks: Sequence[Check]) -> str:
    width = max(map(len, CHECKS))
    state_width = max(map(len, _WORDS.values()))
    lines = [f"{name}: {'proven' if is_proven(checks) else 'not proven'}"]
    lines += [
        f"  {check.name:<{width}}  {_WORDS[check.state]:<{state_width}}  {check.detail}".rstrip()
        for check in checks
    ]
    findings: list[str] = [one(finding) for check in checks for finding in check.findings]
    return "\n\n".join(["\n".join(lines), *findings])
