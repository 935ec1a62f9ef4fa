"""Calls through the front door, as clients of the API and browsers make them (CP-10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from madeploy.clients.errors import ClientError
from madeploy.clients.front_door import Door, ask, greet, grpc_call, grpc_web
from madeploy.doctor.certificates import authorities, covers, names_of, validity
from madeploy.doctor.checks import NotCheckedError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.names.addresses import API_SERVICE_NAME, GRPC_WEB_PREFIX, allowed_origins, app_url
from madeploy.names.kubernetes import CLUSTERS_NAMESPACE, workload
from madeploy.names.oidc import endpoints
from manifests.envoy_pages import PROVIDER_SILENT

LIST_CLUSTERS: Final = f"{GRPC_WEB_PREFIX}ClusterService/ListCluster"
_REQUEST: Final = bytes([1 << 3 | 2, len(CLUSTERS_NAMESPACE)]) + CLUSTERS_NAMESPACE.encode()
"""`ListClusterRequest` with its namespace, field 1 (facts 7.1)."""
_HEADERS: Final = {"rpc-caller": "madeploy", "rpc-service": API_SERVICE_NAME, "rpc-encoding": "proto"}
"""What the API server demands of every call, besides a deadline (facts 7.1)."""
_BROWSER: Final = {**_HEADERS, "rpc-caller": "ma-studio", "context-ttl-ms": "10000", "grpc-timeout": "10000m"}
_STRANGER: Final = "https://stranger.invalid"


def door(site: Site, which: str) -> Door:
    """The door of a host (`api` or `app`), where the site is asked. Raises NotCheckedError for a host that
    does not resolve, ClientError."""
    host = str(getattr(site.environment.domains, which))
    return Door(host, site.at or (host, 443), authorities(site))


def http2(site: Site) -> Seen:
    """Whether the API's door speaks HTTP/2 (checklist of the network guide, row 1). Raises ClientError."""
    made = door(site, "api")
    try:
        shown = greet(made)
    except ClientError as error:
        return [unreachable(made, error)]
    if shown.protocol != "h2":
        agreed = shown.protocol or "nothing"
        return [find("MA941", str(made), f"agrees on {agreed} when it is offered HTTP/2")]
    return f"{made} agrees on HTTP/2"


def trust(site: Site) -> Seen:
    """Whether both doors show a certificate that clients trust, for their host, valid for a while. Raises
    ClientError."""
    found: list[Finding] = []
    seen = []
    for which in ("api", "app"):
        made = door(site, which)
        outcome = list(_distrusted(made))
        found += outcome
        if not outcome:
            seen.append(str(made))
    return found or f"trusted: {', '.join(seen)}"


def api_call(site: Site) -> Seen:
    """Whether clusters can be listed by gRPC through the API's door. Raises ClientError."""
    made = door(site, "api")
    _require_trust(made)
    status, said = grpc_call(made, LIST_CLUSTERS, _REQUEST, _HEADERS)
    if site.environment.access.guarded is not None and status == "PERMISSION_DENIED":
        return f"{made} authenticates: it refuses a call without a token from here"
    if status != "OK":
        logs = site.kubectl(f"-n {site.namespace} logs deployment/{workload('apiserver')}")
        evidence = f"answers {status} to ListCluster{f': {said}' if said else ''}"
        return [find("MA953", str(made), evidence, fix=f"See the door's log, and the API server's:\n{logs}")]
    return f"{made} lists clusters by gRPC"


def page(site: Site) -> Seen:
    """Whether the application and its configuration are served at its host. Raises ClientError."""
    made = door(site, "app")
    _require_trust(made)
    if (login := site.environment.access.login) is not None:
        return _sends_to_sign_in(site, made, urlsplit(endpoints(login).authorization).netloc)
    logs = site.kubectl(f"-n {site.namespace} logs deployment/{workload('ui')}")
    for path, sign in (("/", b"<"), ("/config.json", b"apiBaseUrl")):
        answer = ask(made, "GET", path)
        if answer.status != 200 or sign not in answer.body:
            evidence = f"answers {answer.status} to GET {path}"
            evidence += ", with something else than the application's" if answer.status == 200 else ""
            fix = f"See the door's log, and the UI's:\n{logs}"
            return [find("MA954", str(made), evidence, fix=fix)]
    return f"{made} serves the application"


def _sends_to_sign_in(site: Site, made: Door, provider: str) -> Seen:
    """Whether a page without a session is sent to the identity provider, and nothing is served."""
    answer = ask(made, "GET", "/")
    sent_to = urlsplit(answer.headers.get("location", "")).netloc
    if (answer.status, sent_to) == (302, provider):
        return f"{made} sends people to sign in at {provider}"
    logs = site.kubectl(f"-n {site.namespace} logs deployment/{workload('envoy')}")
    if answer.status == 503 and PROVIDER_SILENT.encode() in answer.body:
        return [find("MA255", str(made), f"tells people that {provider} does not answer it")]
    evidence = f"answers {answer.status} to GET / without a session"
    return [find("MA249", str(made), evidence, fix=f"See Envoy's log:\n{logs}")]


def browser_call(site: Site) -> Seen:
    """Whether clusters can be listed through the application's host as by a browser. Raises ClientError."""
    made = door(site, "app")
    _require_trust(made)
    headers = {**_BROWSER, "Origin": app_url(site.environment)}
    if site.environment.access.login is not None:
        answer = ask(made, "POST", LIST_CLUSTERS, headers)
        if answer.status == 401:
            return f"{made} refuses a browser's call without a session"
        evidence = f"answers {answer.status} to a browser's call without a session"
        return [find("MA249", str(made), evidence)]
    status, said = grpc_web(made, LIST_CLUSTERS, _REQUEST, headers)
    if status != 0:
        logs = site.kubectl(f"-n {site.namespace} logs deployment/{workload('envoy')}")
        answered = f"gRPC status {status}" if status > 0 else said
        evidence = f"answers {answered} to a browser's ListCluster"
        evidence += f": {said}" if status > 0 and said else ""
        return [find("MA955", str(made), evidence, fix=f"See the door's log, and Envoy's:\n{logs}")]
    return f"{made} lists clusters by gRPC-Web"


def cors(site: Site) -> Seen:
    """Whether preflights of declared origins are allowed, and a stranger's is not. Raises ClientError."""
    made = door(site, "app")
    _require_trust(made)
    found: list[Finding] = []
    plain = [origin for origin in allowed_origins(site.environment) if "*" not in origin]
    fix = f"Write Envoy's configuration again, and see that its pods are rolled:\n{site.take_back}"
    for origin in plain:
        allowed = _preflight(made, origin, site.environment.release.envoy.allow_headers)
        if allowed != origin:
            evidence = f"allows {allowed or 'no origin'} to a page of {origin}, which is declared"
            found.append(find("MA956", str(made), evidence, fix=fix))
    allowed = _preflight(made, _STRANGER, site.environment.release.envoy.allow_headers)
    if allowed:
        evidence = f"allows {allowed} to a page of {_STRANGER}, which nobody declared"
        found.append(find("MA956", str(made), evidence, fix=fix))
    return found or f"{len(plain)} declared origins are allowed, a stranger is not"


def _preflight(made: Door, origin: str, allow: tuple[str, ...]) -> str:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ",".join(sorted(allow)),
    }
    answer = ask(made, "OPTIONS", LIST_CLUSTERS, headers)
    if answer.status >= 500:
        raise NotCheckedError(f"{made} answers {answer.status} to a preflight, see browser")
    return answer.headers.get("access-control-allow-origin", "")


def unreachable(made: Door, error: ClientError) -> Finding:
    """The finding for a door that gives no answer. Raises NotCheckedError where its host does not resolve:
    the check `dns` says so."""
    if error.cause == "dns":
        raise NotCheckedError(f"{made.host} does not resolve from here, see dns") from None
    return find("MA944", str(made), error.reason)


def _distrusted(made: Door) -> Iterator[Finding]:
    try:
        shown = greet(made)
    except ClientError as error:
        yield unreachable(made, error)
        return
    certificate = x509.load_der_x509_certificate(shown.certificate)
    if not covers(certificate, made.host):
        yield find("MA946", str(made), f"shows a certificate for {names_of(certificate)}")
        return
    late = list(validity(str(made), certificate))
    yield from late
    if shown.distrust and not late:
        issuer = certificate.issuer.rfc4514_string()
        yield find("MA948", str(made), f"{shown.distrust} (issued by {issuer})")


def _require_trust(made: Door) -> None:
    """Raise NotCheckedError where no call can come about: the checks `dns`, `trust` and `network` say why."""
    try:
        shown = greet(made)
    except ClientError as error:
        raise NotCheckedError(f"{made} cannot be reached: {error.reason}") from None
    if shown.distrust:
        raise NotCheckedError(f"{made} is not trusted, see trust")
