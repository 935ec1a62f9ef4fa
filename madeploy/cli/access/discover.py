"""`madeploy access discover`: an identity provider's own description, as settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml
from pydantic import ValidationError

from madeploy.access.discovery import Discovered, is_issuer
from madeploy.access.discovery import discover as ask
from madeploy.cli.options import AsJson, Editors, Viewers
from madeploy.cli.output import note, print_json
from madeploy.clients.errors import ClientError
from madeploy.errors import ToolkitError, UsageError
from madeploy.findings import exit_code
from madeploy.findings.text import one

_WHO: Final = "# Besides, who may come in: editors: {groups: [ml-platform]}, and viewers likewise.\n"


def discover(
    issuer: Annotated[str, typer.Argument(metavar="ISSUER", help="The provider's issuer, an https:// URL.")],
    client_id: Annotated[
        str, typer.Option("--client-id", metavar="ID", help="The client's id at the provider.")
    ] = "michelangelo",
    viewers: Viewers = None,
    editors: Editors = None,
    audiences: Annotated[
        list[str] | None,
        typer.Option(
            "--audience", metavar="NAME", help="Also the API's tokens, for this audience; likewise."
        ),
    ] = None,
    authorities: Annotated[
        Path | None,
        typer.Option("--ca", metavar="FILE", help="PEM file of the authorities to trust."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask an identity provider for its endpoints and keys, and print `michelangelo:access` for it.

    Says what of the provider sign-in at Envoy cannot use, and then ends with 1. Needs no login, and writes
    nothing.
    """
    if not is_issuer(issuer):
        raise UsageError(
            f"{issuer!r} is no issuer",
            "an issuer is an https:// URL in lower case up to its path, without query",
            "say it as its tokens do: https://login.example.com/realms/ml",
        )
    trusted = None if authorities is None else _pem(authorities)
    note(f"asking {issuer}")
    try:
        found = ask(issuer, client_id, viewers or (), editors or (), trusted, audiences or ())
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UsageError(
            "a name is none that the settings take",
            f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}",
            "say the client's id, groups and audiences as the provider has them",
        ) from None
    except ClientError as error:
        raise ToolkitError(
            f"{issuer} says nothing of itself that can be used",
            str(error),
            "see that it is the issuer and is reached from here; private authorities are given by --ca",
        ) from None
    _print(found, as_json)
    raise typer.Exit(exit_code(found.findings))


def _pem(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii", errors="ignore")
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{file} cannot be read", why, "name a file of PEM") from None
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise UsageError(f"{file} holds no certificate", "", "name a file of PEM")
    return text


def _print(found: Discovered, as_json: bool) -> None:
    if as_json:
        data: dict[str, Any] = {
            "issuer": found.issuer,
            "settings": {"access": dict(found.settings)} if found.settings else None,
            "findings": [finding.to_data() for finding in found.findings],
        }
        print_json(data)
        return
    if found.settings:
        section = {"michelangelo:access": dict(found.settings)}
        sys.stdout.write(yaml.safe_dump(section, sort_keys=False, allow_unicode=True))
        if not {"viewers", "editors"} & found.settings["browser"].keys():
            sys.stdout.write(_WHO)
    for finding in found.findings:
        note(one(finding))
