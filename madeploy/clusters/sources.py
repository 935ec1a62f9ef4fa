"""Sources of a new cluster's kubeconfig: a file, a context of the one at hand, or EKS."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from madeploy import kubeconfigs
from madeploy.clients.errors import ClientError
from madeploy.documents.files import read_bytes
from madeploy.errors import ToolkitError, UsageError
from madeploy.findings import Finding, find
from madeploy.kubeconfigs import Instead, KubeconfigError, Verdict
from madeploy.names.reachability import misled
from madeploy.names.servers import split_server
from madeploy.progress import phase
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.cluster_origins import Eks
from madeploy.settings.servers import canonical_server, parse_server
from madeploy.stacks.secrets import secret_section


@dataclass(frozen=True)
class Origin:
    """Kubeconfig of a new cluster, with the verdict on it."""

    verdict: Verdict
    entry: dict[str, Any]
    """What the cluster's entry says about it."""

    secret: str | None = field(default=None, repr=False)
    """Kubeconfig to be stored encrypted; None where the entry says how to get one."""


def from_file(given: str, context: str | None, instead: Instead) -> Origin:
    """A cluster from a kubeconfig file, or from standard input (`-`). Nothing it refers to is opened, and no
    command in it is started."""
    content = sys.stdin.buffer.read() if given == "-" else read_bytes(Path(given), given)
    if isinstance(content, Finding):
        missing = find("MA410", given, content.evidence, location=content.location)
        return Origin(Verdict(given, (missing,)), {})
    name = "standard input" if given == "-" else given
    verdict = kubeconfigs.inspect(content, name, context, instead)
    text = None if verdict.kubeconfig is None else json.dumps(verdict.kubeconfig, sort_keys=True)
    return Origin(verdict, {}, text)


def from_kubeconfig_at_hand(context: str, instead: Instead) -> Origin:
    """A cluster from a context of the kubeconfig at hand, which stays where it is."""
    try:
        found = kubeconfigs.read_context(context)
    except KubeconfigError as error:
        missing = find("MA414", error.subject, "; ".join(error.defects))
        return Origin(Verdict(f"context {context}", (missing,)), {})
    verdict = kubeconfigs.inspect_context(found, f"context {context}", instead)
    return Origin(verdict, {"kubeconfigContext": context})


def from_eks(name: str, eks: Eks, instead: Instead) -> Origin:
    """A cluster from its name on EKS. Its address and authority are recorded with it, so that no update has
    to ask AWS for them. Raises ToolkitError (3) when AWS does not say."""
    from madeploy.clients.eks import describe

    try:
        found = describe(eks.cluster_name, eks.region, eks.profile)
    except ClientError as error:
        raise ToolkitError(
            f"cluster {eks.cluster_name} cannot be described",
            str(error),
            f"see that it is there: aws eks describe-cluster --name {eks.cluster_name} --region {eks.region}",
        ) from None
    server = instead.server or found.server
    authority = instead.certificate_authority_data or found.certificate_authority_data
    made = kubeconfigs.eks_kubeconfig(name, eks, found.server, found.certificate_authority_data)
    verdict = kubeconfigs.inspect_context(made, f"EKS cluster {eks.cluster_name}", instead)
    recorded = eks.to_yaml_data()
    return Origin(verdict, {"eks": recorded, "server": server, "certificateAuthorityData": authority})


def origin_of(
    name: str,
    kubeconfig: str | None,
    context: str | None,
    from_context: str | None,
    eks: str | None,
    region: str | None,
    instead: Instead,
    *,
    role_arn: str | None = None,
    profile: str | None = None,
) -> Origin:
    """Read what exactly one of the options names. Raises UsageError for none, or more."""
    chosen = [given for given in (kubeconfig, from_context, eks) if given is not None]
    stray = (context and kubeconfig is None) or ((role_arn or profile) and eks is None)
    if len(chosen) != 1 or stray or (eks and not region):
        raise UsageError(
            "where is the cluster?",
            "exactly one of --kubeconfig FILE (with --context C, if need be), --from-context C, and --eks "
            "CLUSTER --region R (with --role-arn ARN and --profile P, if need be) says it",
            "name one of them; bin/madeploy clusters add --help",
        )
    if kubeconfig is not None:
        return from_file(kubeconfig, context, instead)
    if from_context is not None:
        return from_kubeconfig_at_hand(from_context, instead)
    try:
        wanted = Eks.model_validate(
            {"clusterName": eks, "region": region, "roleArn": role_arn, "profile": profile}
        )
    except ValidationError:
        raise UsageError(
            "the options about EKS cannot be used",
            "a name on EKS has 1 to 100 letters, digits, hyphens and underscores; a region is like "
            "eu-west-1; a role is its ARN; a profile has no space at its ends",
            "give name and region as `aws eks list-clusters --region REGION` shows them",
        ) from None
    with phase(f"asking AWS for {wanted.cluster_name}"):
        return from_eks(name, wanted, instead)


def neighbours(
    name: str, origin: Origin, environment: Environment, stack: str, *, decrypt: bool, meant: bool
) -> Iterator[Finding]:
    """What is wrong with an API server beside those the stack has already: it is the control plane's own, or
    registered under another name, or an address that means another machine to every pod.

    `decrypt`: whether the stack's encrypted kubeconfigs are looked at; `meant`: the address was given by
    hand, so that the control plane itself may be meant.
    """
    endpoint = origin.verdict.endpoint
    if endpoint is None:
        return
    own = f"{endpoint.host.removeprefix('https://')}:{endpoint.port}"
    administered = _server(origin.verdict.kubeconfig)
    known = _servers(environment, stack, decrypt)
    for other, servers in known.items():
        if other == CONTROL_PLANE and {own, administered} & servers:
            evidence = f"is at {own}, and so is the control plane of stack {stack}"
            yield find("MA427", name, evidence, severity="warning" if meant else "error")
        elif other not in (CONTROL_PLANE, name) and own in servers:
            yield find("MA401", name, f"{own} is {other}'s as well")
    is_control_plane = administered in known[CONTROL_PLANE] if CONTROL_PLANE in known else None
    found = misled(
        parse_server(f"https://{own}")[0],
        development=environment.platform.tier == "development",
        # An address that nobody gave by hand was written in a pod of the cluster itself.
        is_control_plane=is_control_plane if meant else False,
    )
    if found is not None:
        fix = f"{found.fix}\nGive it with --server https://HOST:PORT."
        yield find("MA409", name, found.evidence, fix=fix, severity=found.severity)


def _servers(environment: Environment, stack: str, decrypt: bool) -> dict[str, set[str]]:
    """Addresses of the stack's clusters in normal form, as far as they can be told."""
    contexts = {CONTROL_PLANE: environment.control_plane.kubeconfig_context}
    contexts |= {name: cluster.kubeconfig_context for name, cluster in environment.clusters.items()}
    secrets: Mapping[str, Any] = secret_section(stack, "kubeconfigs") if decrypt else {}
    found: dict[str, set[str]] = {}
    for name, context in contexts.items():
        entry = environment.clusters.get(name)
        if entry is not None and entry.server is not None:
            found[name] = {canonical_server(entry.server)}
        elif context is not None or isinstance(secrets.get(name), str):
            try:
                found[name] = {_server(kubeconfigs.of_entry(name, context, secrets.get(name), entry))}
            except KubeconfigError:
                # It is reported where that cluster itself is worked on.
                continue
    return found


def _server(kubeconfig: Mapping[str, Any] | None) -> str:
    """The address a kubeconfig calls, in normal form; "" for one that has none."""
    try:
        given = str(kubeconfig["clusters"][0]["cluster"].get("server")) if kubeconfig else ""
        return ":".join(split_server(given)).removeprefix("https://")
    except ValueError:
        return ""
