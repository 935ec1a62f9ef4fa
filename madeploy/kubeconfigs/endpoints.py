"""The API server of a kubeconfig as a registration names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from madeploy.findings import Finding
from madeploy.kubeconfigs.document import Document, Entry
from madeploy.kubeconfigs.errors import KubeconfigError
from madeploy.names.public_servers import PublicServer, how_to_trust, public_server, vouches_for
from madeploy.names.servers import split_server
from madeploy.settings.authorities import authority_text
from madeploy.settings.servers import parse_server

_NO_PATH = (
    "Give the cluster's own address, without a path, in its entry: server (--server https://HOST:PORT), and "
    "certificateAuthorityData (--certificate-authority FILE, PEM) if its authority is another. With Rancher, "
    "that is the authorized cluster endpoint."
)


@dataclass(frozen=True)
class Endpoint:
    """An API server as a `Cluster` object names it (registration guide, step 5; V5)."""

    host: str
    """`https://` and the host, IPv6 in brackets, no port."""

    port: str
    """Port as text, 443 where the address has none."""

    certificate_authority: str = field(repr=False)
    """Certificate authority of the server, PEM."""


@dataclass(frozen=True)
class Instead:
    """Address and authority that take the place of the kubeconfig's own."""

    server: str | None = None
    """`https://host:port`, already checked."""

    certificate_authority_data: str | None = None
    """PEM in base64, already checked."""


def defects(document: Document, entry: Entry, instead: Instead) -> Iterator[Finding]:
    """Why an API server cannot be registered as it stands in a kubeconfig."""
    cluster, path = entry.body, entry.path
    yield from _address(document, cluster, (*path, "server"), instead.server)
    if instead.server is None and cluster.get("proxy-url"):
        yield document.finding(
            "MA424", (*path, "proxy-url"), "names a proxy, which the control plane will not use"
        )
    if instead.server is None and cluster.get("tls-server-name"):
        evidence = "asks for a certificate of another name than the address has"
        yield document.finding("MA425", (*path, "tls-server-name"), evidence)
    data = cluster.get("certificate-authority-data")
    if cluster.get("insecure-skip-tls-verify"):
        yield document.finding(
            "MA417",
            (*path, "insecure-skip-tls-verify"),
            "turns verification off, which the platform has no setting for",
            fix="Take it out, and put the cluster's authority in its place as certificate-authority-data.",
        )
    elif not data and not cluster.get("certificate-authority") and instead.certificate_authority_data is None:
        public = _public(cluster, instead)
        evidence = "has no certificate-authority-data"
        if public is not None:
            evidence += f"; {public.what} shows a certificate of a public authority, which must be named too"
        yield document.finding(
            "MA417",
            path,
            evidence,
            accepted="certificate-authority-data",
            fix=how_to_trust(public) if public is not None else "",
        )
    if data:
        try:
            authority_text(str(data))
        except ValueError as error:
            yield document.finding("MA418", (*path, "certificate-authority-data"), str(error))


def _public(cluster: Mapping[str, Any], instead: Instead) -> PublicServer | None:
    """What is known of the server to be registered, where a public authority signs its certificate."""
    try:
        return public_server(parse_server(str(instead.server or cluster.get("server")))[0])
    except ValueError:
        return None


def strangers(document: Document, entry: Entry, instead: Instead) -> Iterator[Finding]:
    """A warning when the authority cannot be the one that signs what the server is known to show."""
    encoded = instead.certificate_authority_data or entry.body.get("certificate-authority-data")
    public = _public(entry.body, instead)
    if public is None or not encoded or vouches_for(public, authority_text(str(encoded))):
        return
    evidence = (
        f"is not of a public authority, and {public.what} shows a public authority's certificate: the "
        "control plane would refuse it"
    )
    path = (*entry.path, "certificate-authority-data")
    yield document.finding("MA418", path, evidence, fix=how_to_trust(public), severity="warning")


def _address(
    document: Document, cluster: Mapping[str, Any], path: Any, instead: str | None
) -> Iterator[Finding]:
    given = cluster.get("server")
    if not given:
        if instead is None:
            yield document.finding("MA416", path[:-1], "has no server")
        return
    try:
        host, _ = parse_server(str(given))
        if "_" in host and instead is None:
            yield document.finding("MA224", path, f"{host} has an underscore")
    except ValueError as error:
        url = _split(str(given))
        if instead is not None and url is not None and url.scheme == "https" and "@" not in url.netloc:
            return
        fix = _NO_PATH if url is not None and url.path not in ("", "/") else ""
        yield document.finding("MA416", path, str(error), fix=fix)


def _split(address: str) -> Any:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def endpoint(minified: Mapping[str, Any], subject: str, instead: Instead = Instead()) -> Endpoint:
    """The API server of a minified kubeconfig as a registration names it.

    What is not to be seen from the text itself, such as an authority that has expired, is not looked for: a
    cluster that cannot be reached must not keep the others from being updated (REG-10).

    Raises KubeconfigError with every defect.
    """
    document = Document(subject, minified)
    (entry,) = document.entries("clusters")
    found = list(defects(document, entry, instead))
    made = None if found else registered(entry, instead)
    if made is None:
        lacking = document.finding("MA417", entry.path, "has no certificate-authority-data")
        raise KubeconfigError(subject, found or [lacking])
    return made


def registered(cluster: Entry, instead: Instead) -> Endpoint | None:
    """The endpoint of a cluster that is free of defects; None where its authority is only referred to."""
    encoded = instead.certificate_authority_data or cluster.body.get("certificate-authority-data")
    host, port = split_server(str(instead.server or cluster.body.get("server")))
    return Endpoint(host, port, authority_text(str(encoded))) if encoded else None
