"""What the services' configuration files must say to work (facts 2; verified V10, V11)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .embedded import CONFIG_MAP, dotted, files, walk
from .model import ALWAYS, STRICT, Path, Resource, Violation, mapping, mappings, rule, sequence

_BIND: Final = re.compile(r"[^\s:]*:[0-9]{1,5}")
_TASKS: Final = "michelangelo-config"
_SERVICE_NAME: Final = "ma-apiserver"
_QUEUES: Final = ("trigger_run", "pipeline_run")


def _section(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return mapping(content.get(name))


@rule(
    "MA593",
    "bind-addresses-with-colon",
    title="Address that a service cannot listen on",
    why="A bare port is no address: the controller manager exits at start with `missing port in address`.",
    fix='Write address and port as text, the address may be empty: ":8091".',
    severities=ALWAYS,
    kinds=[CONFIG_MAP],
)
def bind_addresses(resource: Resource) -> Iterator[Violation]:
    for name, content, path in files(resource):
        section = _section(content, "controllermgr")
        for key in ("metricsBindAddress", "healthProbeBindAddress"):
            value = section.get(key)
            if value not in (None, "", "0") and not _BIND.fullmatch(str(value)):
                place = (*path, "controllermgr", key)
                yield Violation(place, f"{name}: controllermgr.{key} is {value!r}")


@rule(
    "MA594",
    "engine-spelling",
    title="Workflow engine spelt as the service does not know it",
    why="The controller manager takes anything but `Temporal` for Cadence, the worker anything but "
    "`temporal` and `cadence` for none: it then starts, and polls nothing.",
    fix="Write workflowClient.provider: Temporal for the controller manager, workflow-engine.provider: "
    "temporal for the worker; Cadence and cadence likewise.",
    severities=ALWAYS,
    kinds=[CONFIG_MAP],
)
def engine(resource: Resource) -> Iterator[Violation]:
    for name, content, path in files(resource):
        for section, accepted in (
            ("workflowClient", ("Temporal", "Cadence", "cadence")),
            ("workflow-engine", ("temporal", "cadence")),
        ):
            if section in content:
                given = _section(content, section).get("provider")
                if given not in accepted:
                    said = repr(given) if given is not None else "not set"
                    yield Violation((*path, section, "provider"), f"{name}: {section}.provider is {said}")


@rule(
    "MA595",
    "object-store-addresses",
    title="Address of the object store in the wrong form",
    why="The services refuse a scheme in minio.awsEndpointUrl and speak plain HTTP unless secure is true; "
    "task pods need the scheme in AWS_ENDPOINT_URL.",
    fix="Write minio.awsEndpointUrl as host[:port] with minio.secure beside it, and AWS_ENDPOINT_URL with "
    "https:// or http://.",
    severities=ALWAYS,
    kinds=[CONFIG_MAP],
)
def object_store(resource: Resource) -> Iterator[Violation]:
    for name, content, path in files(resource):
        if "minio" not in content:
            continue
        minio = _section(content, "minio")
        given = str(minio.get("awsEndpointUrl") or "")
        if "://" in given or "/" in given:
            place = (*path, "minio", "awsEndpointUrl")
            yield Violation(place, f"{name}: minio.awsEndpointUrl has a scheme or a path")
        if not isinstance(minio.get("secure"), bool):
            place = (*path, "minio", "secure")
            yield Violation(place, f"{name}: minio.secure is not set, which means plain HTTP")
    data = mapping(resource.properties.get("data"))
    endpoint = data.get("AWS_ENDPOINT_URL")
    if endpoint is not None and not str(endpoint).startswith(("http://", "https://")):
        yield Violation(
            ("data", "AWS_ENDPOINT_URL"), "AWS_ENDPOINT_URL does not start with https:// or http://"
        )
    if resource.metadata.get("name") == _TASKS:
        root = data.get("MA_FILE_SYSTEM")
        if root is not None and not str(root).startswith("s3://"):
            yield Violation(("data", "MA_FILE_SYSTEM"), "MA_FILE_SYSTEM does not start with s3://")


def _apiserver(content: Mapping[str, Any]) -> Iterator[str]:
    section = _section(content, "apiserver")
    host = _section(section, "yarpc").get("host")
    if host in ("localhost", "127.0.0.1", "::1"):
        yield f"apiserver.yarpc.host is {host}: nobody outside the pod reaches it"
    if _section(section, "crdSync").get("enableCRDDeletion") is True:
        yield "apiserver.crdSync.enableCRDDeletion is true: it deletes definitions it does not know"
    if "auth" in section:
        yield "apiserver.auth has no effect in these releases: everything is allowed"


def _controllermgr(content: Mapping[str, Any]) -> Iterator[str]:
    if "workflowClient" in content and not _section(content, "workflowClient").get("taskList"):
        yield "workflowClient.taskList is not set: pipeline runs without a queue of their own fail"
    # From release 0.12 on there is a mirror, where a database is named.
    mirrored = _section(content, "mysql").get("host")
    if _section(content, "metadataStorage").get("enableMetadataStorage") is True and not mirrored:
        yield "metadataStorage.enableMetadataStorage is true: deletions are then never carried out"


def _worker(content: Mapping[str, Any]) -> Iterator[str]:
    section = _section(content, "worker")
    if not section:
        return
    port = str(section.get("address", "")).rpartition(":")[2]
    if section.get("useTLS") is True and port == "15566":
        yield "worker.useTLS is true with port 15566, which speaks no TLS"
    if section.get("useTLS") is not True and port == "443":
        yield "worker.useTLS is not true with port 443"
    if section.get("maApiServiceName") != _SERVICE_NAME:
        yield f"worker.maApiServiceName is not {_SERVICE_NAME}"
    if "workflow-engine" in content:
        queues = {
            str(mapping(item).get("taskList"))
            for item in sequence(_section(content, "workflow-engine").get("workers"))
        }
        for queue in _QUEUES:
            if queue not in queues:
                yield f"workflow-engine.workers does not poll {queue}"


@rule(
    "MA596",
    "services-configured-to-work",
    title="Configuration with which a service does not do its work",
    why="The service starts and looks healthy, and calls, triggers or runs fail.",
    fix="Correct the key; docs/differences-from-the-guides.md says what differs from the guides.",
    severities=STRICT,
    kinds=[CONFIG_MAP],
)
def services(resource: Resource) -> Iterator[Violation]:
    for name, content, path in files(resource):
        for check in (_apiserver, _controllermgr, _worker):
            for said in check(content):
                # Every sentence starts with the key it is about.
                place = said.partition(" ")[0].rstrip(":").split(".")
                yield Violation((*path, *place), f"{name}: {said}")


_DEPRECATED: Final = {
    "cors": "typed_per_filter_config with a CorsPolicy",
    "http2_protocol_options": "typed_extension_protocol_options",
    "max_grpc_timeout": "max_stream_duration.grpc_timeout_header_max",
}
_WHERE: Final = {"cors": "virtual_hosts", "http2_protocol_options": "clusters", "max_grpc_timeout": "route"}


def _envoy(resource: Resource) -> Iterator[tuple[str, Mapping[str, Any], Path]]:
    for name, content, path in files(resource):
        if "static_resources" in content:
            yield name, content, path


def _parent(path: Path) -> str:
    """The nearest name above a value, list positions left out."""
    return next((step for step in reversed(path[:-1]) if isinstance(step, str)), "")


@rule(
    "MA597",
    "envoy-starts",
    title="Configuration that Envoy refuses or warns about",
    why="Without stat_prefix Envoy does not start; the deprecated fields go away in a later version.",
    fix="Add stat_prefix to every http_connection_manager, and use the typed forms of deprecated fields.",
    severities=ALWAYS,
    kinds=[CONFIG_MAP],
)
def envoy(resource: Resource) -> Iterator[Violation]:
    for name, content, path in _envoy(resource):
        for place, value in walk(content):
            if isinstance(value, Mapping) and str(value.get("@type", "")).endswith(".HttpConnectionManager"):
                if not value.get("stat_prefix"):
                    yield Violation((*path, *place), f"{name}: {dotted(place)} has no stat_prefix")
            elif place and place[-1] in _DEPRECATED and _parent(place) == _WHERE[str(place[-1])]:
                fix = f"Use {_DEPRECATED[str(place[-1])]}."
                yield Violation((*path, *place), f"{name}: {dotted(place)} is deprecated", fix)


_LOOSE: Final = re.compile(r"(?<!\\)(?:\\\\)*\.")


def _too_wide(pattern: str) -> str | None:
    """What is wrong with a regular expression for origins; None when nothing is."""
    if pattern.strip("^$") in (".*", ".+", "*"):
        return "accepts every origin"
    if not re.match(r"\^?https?:", pattern):
        return "accepts any scheme"
    bare = re.sub(r"\[[^\]]*\]", "", pattern)
    if _LOOSE.search(bare):
        return "has a dot that is not escaped, which stands for any character"
    return None


def _matchers(content: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """Every matcher of origins and its path."""
    for place, value in walk(content):
        if place and place[-1] == "allow_origin_string_match":
            if isinstance(value, Mapping):
                yield value, place
            yield from mappings(value, place)


@rule(
    "MA598",
    "origins-exact",
    title="Cross-origin rule that accepts strangers",
    why="A dot that is not escaped lets https://appXexample.com call the API with the browser of whoever "
    "visits it.",
    fix="Use `exact` for each origin; in a stack, cors.additionalOrigins takes origins and never patterns.",
    severities=ALWAYS,
    kinds=[CONFIG_MAP],
)
def origins(resource: Resource) -> Iterator[Violation]:
    for name, content, path in _envoy(resource):
        for matcher, place in _matchers(content):
            here = (*path, *place)
            safe = matcher.get("safe_regex", matcher.get("regex"))
            pattern = mapping(safe).get("regex") if isinstance(safe, Mapping) else safe
            if isinstance(pattern, str) and (wrong := _too_wide(pattern)):
                yield Violation(here, f"{name}: the origin pattern {pattern[:80]!r} {wrong}")
            for key in ("prefix", "suffix", "contains"):
                if key in matcher:
                    yield Violation(here, f"{name}: origins are matched by {key}, which strangers can fit")
            if matcher.get("exact") == "*":
                yield Violation(here, f"{name}: every origin is accepted")


RULES: Final = (bind_addresses, engine, object_store, services, envoy, origins)
