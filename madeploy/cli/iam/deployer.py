"""`madeploy iam deployer`: the least policy of whoever deploys a stack."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Annotated

import typer

from madeploy.cli.options import Stack
from madeploy.errors import UsageError
from madeploy.progress import say
from madeploy.settings import Environment
from madeploy.stacks.files import open_environment
from manifests.deployer import POLICY_LIMIT, Grant, deployer_policy, grants
from manifests.identities import stated_account

_WIDTH = 108


def deployer(
    stack: Stack,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="AWS account, where the settings do not tell it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the policy document for AWS.")] = False,
) -> None:
    """Print what whoever deploys STACK must be allowed on AWS, and no more.

    Covers creating, refreshing, changing and destroying what the settings say; while storage.protect is true
    neither buckets nor key can be deleted with it. The state's backend and the secrets provider are not in
    it. Needs no network, engine or login.
    """
    name, _, environment = open_environment(stack)
    known = _account(environment, name, account)
    found = grants(environment, name, known)
    if not found:
        say(f"stack {name} makes nothing on AWS and asks it for nothing: no rights are needed there")
    if as_json:
        text = json.dumps(deployer_policy(environment, name, known), indent=2)
        length = len(re.sub(r"\s", "", text))
        if length > POLICY_LIMIT:
            say(
                f"the policy has {length:,} characters; a managed policy may have {POLICY_LIMIT:,}, an "
                "inline policy of a role 10,240: give its statements to several policies"
            )
        sys.stdout.write(text + "\n")
        return
    for grant in found:
        sys.stdout.write("\n".join(_lines(grant)) + "\n\n")
    if found:
        say(f"as a policy document: bin/madeploy iam deployer {name} --json > policy.json")


def _account(environment: Environment, stack: str, given: str | None) -> str:
    stated = stated_account(environment)
    known = given or (stated.number if stated is not None else "")
    on_aws = environment.storage.kind == "aws" or any(one.eks for one in environment.clusters.values())
    if not on_aws:
        return known
    if not re.fullmatch("[0-9]{12}", known):
        raise UsageError(
            "of which AWS account is the deployer?",
            f"--account {given} is no account's number"
            if given
            else f"the settings of {stack} do not tell it",
            f"give its 12 digits: bin/madeploy iam deployer {stack} --account ID, or set storage.accountId",
        )
    if stated is not None and stated.number != known:
        raise UsageError(
            f"account {known} is not that of stack {stack}",
            f"{'.'.join(stated.setting)} tells {stated.number}",
            "leave --account out",
        )
    return known


def _lines(grant: Grant) -> Iterator[str]:
    yield f"{grant.sid}: to {grant.reason}"
    conditions = [
        f"{key} {operator} {value}"
        for operator, keys in grant.condition.items()
        for key, value in keys.items()
    ]
    for word, items in (("allow", grant.actions), ("on", grant.resources), ("when", conditions)):
        if items:
            yield from textwrap.wrap(
                ", ".join(items),
                _WIDTH,
                initial_indent=f"  {word:<6} ",
                subsequent_indent=" " * 9,
                break_long_words=False,
                break_on_hyphens=False,
            )
