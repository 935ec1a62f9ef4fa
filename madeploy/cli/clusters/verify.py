"""`madeploy clusters verify`: prove registrations, check after check."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from madeploy.cli.options import AsJson, OfStack
from madeploy.cli.output import print_json
from madeploy.clusters.access import open_for
from madeploy.clusters.verification import CHECKS, Check, is_proven, verify_all
from madeploy.findings.text import one, write
from madeploy.progress import phase

CAVEAT = (
    "Asked from this machine, with the registered address, authority and token. That the control plane's own "
    "pods reach the cluster is shown by the check health alone."
)
_WORDS = {"passed": "passed", "failed": "FAILED", "notTried": "not tried", "skipped": "skipped"}


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Clusters to prove.", show_default=False)
    ] = None,
    stack: OfStack = "",
    every: Annotated[bool, typer.Option("--all", help="Prove all clusters of the stack.")] = False,
    as_json: AsJson = False,
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
    with phase(f"proving {len(chosen)} cluster{'s' if len(chosen) != 1 else ''}") as proving:
        checks = verify_all(
            access,
            chosen,
            create_ray_cluster=create,
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
        print_json(data)
    else:
        write("\n\n".join([*(_report(name, found) for name, found in checks.items()), CAVEAT]), sys.stdout)
    raise typer.Exit(0 if all(is_proven(found) for found in checks.values()) else 1)


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
