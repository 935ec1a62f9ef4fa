"""The workflow engine: its port, whether that speaks TLS, and the domain or namespace that is worked in."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Final

from madeploy.clients.errors import cause_of_exception
from madeploy.doctor.checks import NotCheckedError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find
from madeploy.settings.base import split_host_port
from madeploy.settings.workflow import Cadence, Temporal

SECONDS: Final = 5.0
_INSIDE: Final = (".svc", ".svc.cluster.local", ".cluster.local")
_DESCRIBE: Final = {
    "temporal": "/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace",
    "cadence": "/uber.cadence.api.v1.DomainAPI/DescribeDomain",
}
_NAME_FIELD: Final = {"temporal": 1, "cadence": 2}
"""Number of the field with the name: `DescribeNamespaceRequest.namespace` (Temporal's API),
`DescribeDomainRequest.name` (Cadence's IDL)."""
_CADENCE_HEADERS: Final = (
    ("rpc-caller", "madeploy"),
    ("rpc-service", "cadence-frontend"),
    ("rpc-encoding", "proto"),
    ("context-ttl-ms", "5000"),
)
"""What YARPC, which Cadence is served by, demands of every call (facts 7.1)."""


def workflow_engine(site: Site) -> Seen:
    """Whether the engine answers at its port as the stack says, and has the domain."""
    settings = site.environment.workflow
    host, port = split_host_port(settings.host)
    where = f"workflow.host {settings.host}"
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except OSError as error:
        cause = cause_of_exception(error)
        if host.endswith(_INSIDE) and cause == "dns":
            raise NotCheckedError(f"{host} is a name inside the cluster") from None
        said = {
            "dns": f"{host} does not resolve",
            "refused": f"nothing listens at {host}:{port}",
            "timeout": f"{host}:{port} does not answer within {SECONDS:.0f} s",
        }
        return [find("MA924", where, said.get(cause, f"{host}:{port} cannot be reached"))]
    if isinstance(settings, Cadence) and settings.transport == "tchannel":
        return f"{settings.host} takes connections (TChannel: nothing more can be asked)"
    speaks = _speaks_tls(host, port)
    if speaks != settings.tls:
        evidence = f"speaks {'TLS' if speaks else 'no TLS'}, workflow.tls is {str(settings.tls).lower()}"
        fix = f"Set workflow.tls to {str(speaks).lower()}."
        if isinstance(settings, Temporal):
            fix = "Name an address that takes connections without TLS: workers of Temporal use none."
        return [find("MA925", where, evidence, fix=fix)]
    return _domain(site, host, port)


def _speaks_tls(host: str, port: int) -> bool:
    """Whether a server answers a TLS greeting with one; whose it is makes no difference here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    # Only looked at: nothing is sent, and nothing that it says is believed.
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with contextlib.suppress(OSError):
        plain = socket.create_connection((host, port), timeout=SECONDS)
        with contextlib.closing(plain), context.wrap_socket(plain, server_hostname=host):
            return True
    return False


def _domain(site: Site, host: str, port: int) -> Seen:
    # Half a second to import, which only who asks an engine should wait for.
    import grpc

    settings = site.environment.workflow
    target = f"{host}:{port}"
    channel = (
        grpc.secure_channel(target, grpc.ssl_channel_credentials())
        if settings.tls
        else grpc.insecure_channel(target)
    )
    name = settings.domain.encode()
    request = bytes([_NAME_FIELD[settings.engine] << 3 | 2, len(name)]) + name
    word = "namespace" if settings.engine == "temporal" else "domain"
    with contextlib.closing(channel):
        try:
            channel.unary_unary(_DESCRIBE[settings.engine])(
                request,
                timeout=SECONDS,
                metadata=_CADENCE_HEADERS if settings.engine == "cadence" else (),
            )
        except grpc.RpcError as error:
            status = error.code()
            if status == grpc.StatusCode.NOT_FOUND:
                return [_missing(settings.engine, target, settings.domain, word)]
            raise NotCheckedError(f"{target} answers {status.name} when asked for its {word}") from None
    return f"{target} has {word} {settings.domain}"


def _missing(engine: str, address: str, domain: str, word: str) -> Finding:
    command = {
        "temporal": f"temporal operator namespace create --address {address} --namespace {domain}",
        "cadence": f"cadence --transport grpc --address {address} --domain {domain} domain register",
    }[engine]
    return find(
        "MA926", f"workflow.domain {domain}", f"the engine has no such {word}", fix=f"Make it:\n{command}"
    )
