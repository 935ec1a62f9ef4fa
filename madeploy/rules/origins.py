"""Rules about public host names and browser origins."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from madeploy.documents.paths import Path
from madeploy.findings.codes.code import Code
from madeploy.names.addresses import app_url
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.settings.environment import Environment
from madeploy.settings.origins import ParsedOrigin, parse_origin

_SECOND_LEVEL: Final = re.compile(r"^(ac|co|com|edu|go|gov|mil|ne|net|or|org)\.[a-z]{2}$")
_SHARED: Final = frozenset(
    {
        "amazonaws.com", "appspot.com", "awsapps.com", "azurewebsites.net", "blogspot.com", "cloudfront.net",
        "cloudfunctions.net", "firebaseapp.com", "fly.dev", "github.io", "gitlab.io", "herokuapp.com",
        "netlify.app", "ngrok-free.app", "ngrok.io", "nip.io", "onrender.com", "pages.dev", "run.app",
        "sslip.io", "surge.sh", "trycloudflare.com", "vercel.app", "web.app", "windows.net", "workers.dev",
    }
)  # fmt: skip
"""Domains below which anybody gets a name. The Public Suffix List is longer; these are its best known."""

_LOOK_LIKE_LATIN: Final = frozenset("асеорхуіјѕһԁԛԝӏвкмнтьгпαορνικτυγχ")
"""Cyrillic and Greek letters that read as Latin ones."""


def _origins(env: Environment) -> Iterator[tuple[Path, str, ParsedOrigin]]:
    for index, text in enumerate(env.cors.additional_origins):
        yield ("cors", "additionalOrigins", index), text, parse_origin(text)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@rule(
    {
        "MA201": Code(
            "API and application on one host",
            "Both are served at `/` on port 443; one would hide the other.",
            "Give domains.api and domains.app two host names.",
        ),
    },
    reads=("domains",),
)
def api_and_application_have_two_hosts(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-1: two entry points."""
    if env.domains.api == env.domains.app:
        yield Violation("MA201", ("domains", "app"), f"{env.domains.app} is the host of the API as well")


def _look_alike(host: str) -> str | None:
    """What is wrong with a host's punycode labels: letters that read as Latin ones; None when nothing."""
    for label in host.split("."):
        if not label.startswith("xn--"):
            continue
        try:
            text = label[4:].encode("ascii").decode("punycode")
        except UnicodeError:
            return f"the label {label} is no punycode"
        letters = [letter for letter in text if letter.isalpha()]
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}:
            strange = next(c for c in letters if not unicodedata.name(c, "?").startswith("LATIN"))
            return f"the label {label} mixes Latin letters with {_named(strange)}"
        if letters and all(letter in _LOOK_LIKE_LATIN for letter in letters):
            return f"the label {label} reads as Latin letters but starts with {_named(letters[0])}"
    return None


def _named(letter: str) -> str:
    return f"U+{ord(letter):04X} {unicodedata.name(letter, 'unnamed')}"


@rule(
    {
        "MA202": Code(
            "Host name with look-alike characters",
            "A name that reads like another one but is not sends users, tokens and certificates elsewhere.",
            "Type the name in ASCII letters, or write its punycode form if it is meant.",
        ),
    },
    reads=("domains", "cors"),
)
def names_are_what_they_look_like(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-1, NET-3: punycode hides letters of other scripts."""
    places: list[tuple[Path, str]] = [
        (("domains", "api"), env.domains.api),
        (("domains", "app"), env.domains.app),
        *((path, origin.host) for path, _, origin in _origins(env)),
    ]
    for path, host in places:
        evidence = _look_alike(host)
        if evidence is not None:
            yield Violation("MA202", path, evidence)


@rule(
    {
        "MA203": Code(
            "Plain HTTP origin",
            "Anybody on the network path can change that page and so act as its user towards the API.",
            "Use an https:// origin.",
            "warning",
        ),
        "MA207": Code(
            "Local origin outside development",
            "Any program on a user's machine could call the API through the browser.",
            "Remove the origin from this environment.",
        ),
    },
    reads=("cors", "platform"),
)
def origins_are_pages_that_can_be_trusted(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-3: plain HTTP and local pages are for development."""
    tier = env.platform.tier
    for path, _text, origin in _origins(env):
        if _is_local(origin.host):
            if tier != "development":
                evidence = f"{origin.host} is the user's own machine"
                yield Violation(
                    "MA207", path, evidence, severity="error" if tier == "production" else "warning"
                )
        elif origin.scheme == "http":
            yield Violation(
                "MA203", path, "is plain HTTP", severity="error" if tier == "production" else "warning"
            )


@rule(
    {
        "MA204": Code(
            "Wildcard origin that covers other people's domains",
            "Everybody can register a name below a public suffix and would be allowed to call the API.",
            "Put the star below a domain of your own, such as https://*.example.com.",
        ),
        "MA205": Code(
            "Wildcard origins with credentials",
            "Any direct sub-domain, forgotten or taken over, could act with the signed-in user's rights.",
            "Name the origins one by one, or leave allowCredentials false.",
        ),
    },
    reads=("cors",),
)
def wildcards_stay_in_ones_own_domain(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-3: a star below a public suffix is everybody; a star with credentials is every sub-domain."""
    wildcard = False
    for path, text, origin in _origins(env):
        if not origin.wildcard:
            continue
        wildcard = True
        if origin.host in _SHARED or _SECOND_LEVEL.match(origin.host):
            yield Violation("MA204", path, f"{text}: anybody can get a name below {origin.host}")
    if wildcard and env.cors.allow_credentials:
        yield Violation("MA205", ("cors", "allowCredentials"), "is true beside a wildcard origin")


@rule(
    {
        "MA206": Code(
            "Origin that is already allowed",
            "The application's own origin is always allowed; a repeat hides which entries matter.",
            "Remove the entry.",
            "warning",
        ),
    },
    reads=("cors", "domains"),
)
def origins_are_said_once(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """NET-8: the application's own origin follows from its domain."""
    own = app_url(env)
    seen: dict[str, str] = {own: "it is the application's own origin"}
    for path, text, _origin in _origins(env):
        if text in seen:
            yield Violation("MA206", path, f"{text}: {seen[text]}")
        seen.setdefault(text, "it stands in the list already")
