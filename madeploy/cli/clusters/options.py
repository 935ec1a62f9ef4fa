"""Options that say where a new cluster's kubeconfig comes from, and what is printed of it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from madeploy.cli.output import print_json
from madeploy.findings.text import write

Kubeconfig = Annotated[
    str | None,
    typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig to store encrypted; - for input."),
]
Context = Annotated[
    str | None, typer.Option("--context", metavar="C", help="Context in that file. Default: its current one.")
]
FromContext = Annotated[
    str | None,
    typer.Option("--from-context", metavar="C", help="Context of the kubeconfig at hand; nothing is stored."),
]
EksName = Annotated[str | None, typer.Option("--eks", metavar="CLUSTER", help="Name on EKS.")]
Region = Annotated[str | None, typer.Option("--region", metavar="R", help="Region; needed with --eks.")]
RoleArn = Annotated[
    str | None, typer.Option("--role-arn", metavar="ARN", help="IAM role that signs in, with --eks.")
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="P", help="Profile of the AWS CLI that signs in, with --eks."),
]


def print_result(as_json: bool, data: dict[str, Any], text: str) -> None:
    """Say what happened: as JSON, or in words."""
    if as_json:
        print_json(data)
    else:
        write(text, sys.stdout)
