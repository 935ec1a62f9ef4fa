"""`madeploy init`: write a stack file that validates, from at most six answers, in production one more, or
from flags."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from madeploy.cli.validate import INVALID
from madeploy.documents.text import dump
from madeploy.findings.text import report
from madeploy.names.configuration import encrypt_command
from madeploy.reference.example import MODELINE, comment
from madeploy.settings import shape
from madeploy.settings.access import Provider
from madeploy.settings.environment import CONTROL_PLANE, PROJECT, Environment
from madeploy.stackfile.loader import load_environment
from madeploy.stacks.files import folder, known_stacks, stack_path

QUESTIONS = {
    "domain": "Domain of the environment (api.<domain> and app.<domain> are made of it)",
    "email": "E-mail address for Let's Encrypt (empty: certificates you provide yourself)",
    "engine": "Workflow engine's host:port (Temporal 7233, Cadence 7833 or 7933)",
    "store": "Object store: an AWS region, or the URL of an S3-compatible store",
    "eks": "Name of the EKS cluster the control plane runs on",
    "tag": "Image tag, such as sha-cbf5720",
    "access": "Who may use the application: an OpenID provider's issuer, or `open: ` and the reason",
}
"""Every question there is, by the flag that answers it. `eks` is asked for AWS only, `access` for production
only."""

_PROVIDERS: dict[str, Provider] = {
    "accounts.google.com": "google",
    ".okta.com": "okta",
    "login.microsoftonline.com": "entra",
    "/realms/": "keycloak",
}
"""Providers by a part of their issuers."""

_TIERS = {"prod": "production", "stag": "staging"}
_STACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class _RefusedError(Exception):
    """Wrong use, with a message for a person."""


def tier_of(name: str) -> str:
    """Tier an environment's name suggests: `production` for names with `prod`, `staging` for `stag`,
    else `development`."""
    return next((tier for part, tier in _TIERS.items() if part in name.lower()), "development")


def _engine(host: str) -> dict[str, Any]:
    port = host.rpartition(":")[2]
    if port == "7933":
        return {"engine": "cadence", "host": host, "transport": "tchannel"}
    return {"engine": "cadence" if port == "7833" else "temporal", "host": host}


def _storage(store: str, eks: str | None, name: str) -> dict[str, Any]:
    if store.startswith(("http://", "https://")):
        # An existing Secret, so that no key is needed before the first deployment.
        return {"kind": "s3Compatible", "endpoint": store, "credentialsSecret": "michelangelo-object-store"}
    prefix = re.sub(r"[^a-z0-9-]", "-", f"michelangelo-{name.lower()}").strip("-")[:50]
    return {
        "kind": "aws",
        "region": store,
        "buckets": {"workspace": f"{prefix}-workspace", "models": f"{prefix}-models"},
        "identity": {"kind": "podIdentity", "clusterName": eks},
    }


def _access(answer: str) -> dict[str, Any]:
    kind, separator, reason = answer.partition(":")
    if kind == "open" and separator:
        opened = {"kind": "open", "reason": reason.strip()}
        return {"browser": opened, "api": opened}
    provider = next((found for part, found in _PROVIDERS.items() if part in answer), None)
    if provider is None:
        known = ", ".join(_PROVIDERS.values())
        raise _RefusedError(
            f"--access {answer!r} is neither `open: ` with a reason nor an issuer of {known}. For another "
            "provider start with `open: ` and follow docs/access.md."
        )
    login = {"kind": "oidc", "provider": provider, "issuer": answer, "clientId": "michelangelo"}
    people = {**login, "editors": {"groups": ["michelangelo-editors"]}}
    return {"browser": people, "api": {"kind": "guarded"}}


def sections(name: str, tier: str, answers: Mapping[str, str]) -> dict[str, Any]:
    """Plain settings of a new environment from the answers, by section."""
    domain = answers["domain"]
    tls = {"mode": "acme", "email": answers["email"]} if answers["email"] else {"mode": "provided"}
    access = {"access": _access(answers["access"])} if "access" in answers else {}
    return {
        "platform": {"tier": tier},
        "domains": {"api": f"api.{domain}", "app": f"app.{domain}"},
        "tls": tls,
        **access,
        "images": {"tag": answers["tag"]},
        "controlPlane": {"kubeconfigContext": name},
        "workflow": _engine(answers["engine"]),
        "storage": _storage(answers["store"], answers.get("eks"), name),
    }


def copied(source: Mapping[str, Any], source_name: str, name: str, tier: str, domain: str) -> dict[str, Any]:
    """Settings of an environment copied from another one: everything but what can belong to one only,
    which is domains, buckets, clusters and secrets."""
    data = {key: value for key, value in source.items() if key != "clusters"}
    data["platform"] = {**data.get("platform", {}), "tier": tier}
    data["domains"] = {"api": f"api.{domain}", "app": f"app.{domain}"}
    data["controlPlane"] = {**data.get("controlPlane", {}), "kubeconfigContext": name}
    storage = dict(data["storage"])
    if storage["kind"] == "aws":
        storage["buckets"] = {
            purpose: _renamed(bucket, source_name, name) for purpose, bucket in storage["buckets"].items()
        }
        logs = storage.get("accessLogs")
        if logs is not None and logs.get("create", True):
            storage["accessLogs"] = {**logs, "bucket": _renamed(logs["bucket"], source_name, name)}
    elif storage["kind"] == "s3Compatible":
        storage.setdefault("credentialsSecret", "michelangelo-object-store")
    data["storage"] = storage
    return {key: data[key] for key in shape.fields(Environment) if key in data}


def _renamed(bucket: str, source_name: str, name: str) -> str:
    slug = re.sub(r"[^a-z0-9-]", "-", name.lower())
    if source_name.lower() in bucket:
        return bucket.replace(source_name.lower(), slug)
    return f"{bucket[: 62 - len(slug)]}-{slug}"


def stack_text(data: Mapping[str, Any]) -> str:
    """A stack file of plain settings, each section under its description."""
    lines = [MODELINE, "config:", '  pulumi:disable-default-providers: ["*"]']
    for key, value in data.items():
        lines += comment(shape.meaning(Environment, key), 2)
        text = dump({f"{PROJECT}:{key}": value})
        lines += [f"  {line}" for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def _ask(given: Mapping[str, str | None], needed: Callable[[str, Mapping[str, str]], bool]) -> dict[str, str]:
    """Answers from flags, and from questions where a flag is missing and somebody is there to ask."""
    answers: dict[str, str] = {}
    for flag, question in QUESTIONS.items():
        value = given[flag]
        if value is None and needed(flag, answers):
            if not sys.stdin.isatty():
                known = {name: text for name, text in given.items() if text is not None}
                missing = [f"--{name}" for name in QUESTIONS if name not in known and needed(name, known)]
                raise _RefusedError(f"Nobody is there to ask; give {', '.join(missing)}.")
            from rich.prompt import Prompt

            value = Prompt.ask(question)
        if value is not None:
            answers[flag] = value.strip()
    return answers


def _needed(flag: str, answers: Mapping[str, str], tier: str) -> bool:
    if flag == "access":
        return tier == "production"
    return flag != "eks" or not answers.get("store", "").startswith(("http://", "https://"))


def _from(source: str, name: str, tier: str, domain: str | None) -> dict[str, Any]:
    path = stack_path(source)
    if not path.is_file():
        raise _RefusedError(f"There is no stack {source!r}. There are: {known_stacks()}.")
    stack = load_environment(path)
    if stack.environment is None:
        raise _RefusedError(report(stack.file, stack.findings))
    answers = _ask({**dict.fromkeys(QUESTIONS), "domain": domain}, lambda flag, _: flag == "domain")
    source_name = path.name.removeprefix("Pulumi.").rsplit(".", 1)[0]
    return copied(stack.environment.to_yaml_data(), source_name, name, tier, answers["domain"])


def _next_steps(name: str, path: Path) -> str:
    return (
        f"Wrote {path}.\n"
        f"Next, with a kubeconfig context {name} that reaches the control plane's cluster:\n"
        f"  pulumi stack init {name}\n"
        f"  pulumi up --stack {name}\n"
        f"or with its kubeconfig stored encrypted, in place of controlPlane.kubeconfigContext:\n"
        f"  {encrypt_command(('kubeconfigs', CONTROL_PLANE)).replace('STACK', name)}\n"
    )


def init(
    name: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment and its stack.")],
    domain: Annotated[str | None, typer.Option(help=QUESTIONS["domain"])] = None,
    email: Annotated[str | None, typer.Option(help=QUESTIONS["email"])] = None,
    engine: Annotated[str | None, typer.Option(help=QUESTIONS["engine"])] = None,
    store: Annotated[str | None, typer.Option(help=QUESTIONS["store"])] = None,
    eks: Annotated[str | None, typer.Option(help=QUESTIONS["eks"])] = None,
    tag: Annotated[str | None, typer.Option(help=QUESTIONS["tag"])] = None,
    access: Annotated[str | None, typer.Option(help=QUESTIONS["access"])] = None,
    tier: Annotated[
        str | None, typer.Option(help="production, staging or development. Default: by the name.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="STACK", help="Copy another environment.")
    ] = None,
) -> None:
    """Write the stack file of a new environment, asking for what no flag gives.

    Never overwrites a file, and writes none that would not validate. Copying leaves out what belongs to
    one environment only: clusters and secrets; domains and buckets get new names.
    """
    path = folder() / f"Pulumi.{name}.yaml"
    chosen = tier or tier_of(name)
    try:
        if not _STACK_NAME.fullmatch(name):
            raise _RefusedError(
                f"{name!r} is no name for a stack: letters, digits, hyphens, dots, underscores."
            )
        if path.exists():
            raise _RefusedError(f"{path} exists already; change it, or choose another name.")
        if source is not None:
            data = _from(source, name, chosen, domain)
        else:
            flags = {
                "domain": domain,
                "email": email,
                "engine": engine,
                "store": store,
                "eks": eks,
                "tag": tag,
                "access": access,
            }
            answers = _ask(flags, lambda flag, known: _needed(flag, known, chosen))
            data = sections(name, chosen, answers)
    except _RefusedError as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(INVALID) from None
    _write(path, stack_text(data))
    sys.stdout.write(_next_steps(name, path))


def _write(path: Path, text: str) -> None:
    """Check the text as the file it will be, then put it there unless something is in the way."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        draft.write_text(text, encoding="utf-8")
        stack = load_environment(draft, str(path))
    if stack.environment is None:
        print(f"No file was written: these answers cannot be used.\n\n{stack.text}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(INVALID)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as stream:
        stream.write(text)
