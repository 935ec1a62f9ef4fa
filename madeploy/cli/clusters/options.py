"""Options that say where a new cluster's kubeconfig comes from, and what is printed of it."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, Optional

import typer

from madeploy.findings.text import write

Text = Optional[str]  # noqa: UP045 - typer reads this at run time, on Python 3.10 too

Stack = Annotated[str, typer.Option("--stack", "-s", metavar="STACK", help="Name or file of the stack.")]
Kubeconfig = Annotated[
    Text, typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig to store encrypted; - for input.")
]
Context = Annotated[
    Text, typer.Option("--context", metavar="C", help="Context in that file. Default: its current one.")
]
FromContext = Annotated[
    Text,
    typer.Option("--from-context", metavar="C", help="Context of the kubeconfig at hand; nothing is stored."),
]
EksName = Annotated[Text, typer.Option("--eks", metavar="CLUSTER", help="Name on EKS.")]
Region = Annotated[Text, typer.Option("--region", metavar="R", help="Region; needed with --eks.")]
RoleArn = Annotated[
    Text, typer.Option("--role-arn", metavar="ARN", help="IAM role that signs in, with --eks.")
]
Profile = Annotated[
    Text, typer.Option("--profile", metavar="P", help="Profile of the AWS CLI that signs in, with --eks.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print what happened as JSON.")]


def print_result(as_json: bool, data: dict[str, Any], text: str) -> None:
    """Say what happened: as JSON, or in words."""
    if as_json:
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    else:
        write(text, sys.stdout)
