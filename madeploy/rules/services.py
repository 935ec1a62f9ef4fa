"""Rules about the five services: their configuration overrides, replicas and the workflow engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic.alias_generators import to_camel

from madeploy.documents.paths import Path
from madeploy.documents.words import did_you_mean, printable, type_name
from madeploy.findings.codes.code import Code
from madeploy.releases import RELEASES, Release, keys
from madeploy.releases.keys import Entry
from madeploy.rules.model import SecretNames, Violation, rule
from madeploy.schemas import service_keys
from madeploy.settings.base import split_host_port
from madeploy.settings.control_plane import services
from madeploy.settings.environment import Environment

_RISKY: Final = ("apiserver.crdSync.enableCRDDeletion", "apiserver.crdSync.skipIncompatibleCheck")
_HTTPS: Final = 443
_TEMPORAL_CLOUD: Final = (".tmprl.cloud", ".tmprl-test.cloud", ".api.temporal.io")
"""Zones of Temporal Cloud's front ends, by namespace and by region (Temporal's documentation, Cloud)."""
_ENGINE_PORTS: Final = {7233: "Temporal", 7833: "Cadence over gRPC", 7933: "Cadence over TChannel"}


@rule(
    {
        "MA120": Code(
            "Service configuration key that the service does not read",
            "Services read their configuration strictly and stop at start-up on a key they do not know (V2).",
            "Remove it, or write the key that was meant.",
        ),
        "MA121": Code(
            "Service configuration value of the wrong form",
            "The service would stop at start-up, or read another value than was meant.",
            "Write a value of the accepted type and unit.",
        ),
        "MA122": Code(
            "Service configuration key that is derived from another setting",
            "The toolkit writes it from that setting, into every place that must agree; two owners would "
            "differ.",
            "Use the setting that owns it.",
        ),
        "MA123": Code(
            "Metadata storage turned on",
            "Services of 2026.04 start no ingester: lists would come from an empty database and deletions "
            "would never be carried out; without a database the process stops.",
            "Leave metadataStorage.enableMetadataStorage false.",
        ),
        "MA124": Code(
            "CRD deletion or incompatible CRD changes turned on",
            "The API server would remove, or break, the definitions of objects that are in use.",
            "Leave it out, except for the duration of a planned migration.",
            "warning",
        ),
    },
    "MA501",
    reads=("platform", "control_plane"),
)
def overrides_hold_only_what_services_read(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-6: keys are checked against the table of the release; secrets and keys that other settings
    decide are refused."""
    for service, known in env.release.keys.items():
        config = getattr(env.control_plane, service).config
        for entry in keys.entries(known, config):
            path = ("controlPlane", service, "config", *entry.path)
            yield from _entry(env.release, service, path, entry)


def _entry(release: Release, service: str, path: Path, entry: Entry) -> Iterator[Violation]:
    dotted, name = ".".join(entry.path), entry.path[-1]
    if entry.key is None:
        accepted = ", ".join(entry.siblings)
        if name in entry.siblings:
            yield Violation("MA121", path, f"holds {type_name(entry.value)}", accepted="a mapping")
            return
        fix = release.refused.get(dotted) or _elsewhere(release, service, dotted)
        fix = fix or did_you_mean(name, entry.siblings) + "Correct or remove it."
        evidence = f"the {service} does not read {printable(dotted)}"
        yield Violation("MA120", path, evidence, fix=fix, accepted=accepted, key=True)
    elif entry.key.secret:
        fix = "Remove it: metadata storage stays off, so no database password is needed."
        if entry.key.secret.startswith("the Secret "):
            fix = f"Replace the credential, then put the new one into {entry.key.secret}."
        elif entry.key.secret != "nothing":
            fix = (
                "Replace the credential, then encrypt the new one:\n"
                f"pulumi config set --secret --path '{entry.key.secret}' --stack STACK < FILE"
            )
        yield Violation(
            "MA501", path, "is a secret; configuration files are no place for one", fix=fix, key=True
        )
    elif entry.key.owner:
        owner = f"controlPlane.{service}.logLevel" if entry.key.owner == "logLevel" else entry.key.owner
        yield Violation(
            "MA122", path, f"is decided by {owner}", fix=f"Remove it; it follows {owner}.", key=True
        )
    elif not service_keys.fits(entry.key.type, entry.value):
        accepted, why, fix = service_keys.accepted(entry.key.type), "", ""
        if entry.key.type == "bind address" and isinstance(entry.value, int):
            why = "A bare number is read as text without a colon, and the service fails to bind."
            fix = f'Write ":{entry.value}", with the quotes.'
        elif entry.key.type == "duration" and isinstance(entry.value, (int, float)):
            why = "A bare number would mean nanoseconds."
            fix = "Write the number with its unit, such as 30s."
        yield Violation("MA121", path, f"holds {type_name(entry.value)} of another form", fix, accepted, why)
    elif dotted == "metadataStorage.enableMetadataStorage" and entry.value is True:
        yield Violation("MA123", path, "is true")
    elif dotted in _RISKY and entry.value is True:
        yield Violation("MA124", path, "is true")


def _elsewhere(release: Release, service: str, dotted: str) -> str:
    """Which other releases read a key; empty when none does."""
    others = [
        other.name
        for other in RELEASES.values()
        if other is not release
        and any(key == dotted or key.startswith(f"{dotted}.") for key in other.keys[service])
    ]
    if not others:
        return ""
    return f"Release {' and '.join(others)} reads it; this environment has {release.name}. Remove it."


@rule(
    {
        "MA130": Code(
            "Several controller managers without leader election",
            "Each replica would reconcile every object, and jobs would be created twice.",
            "Set controlPlane.controllermgr.leaderElection to true, or replicas to 1.",
        ),
    },
    reads=("control_plane",),
)
def several_controller_managers_elect_a_leader(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-2: without a Lease every replica would act."""
    manager = env.control_plane.controllermgr
    if manager.replicas > 1 and not manager.leader_election:
        path = ("controlPlane", "controllermgr", "leaderElection")
        yield Violation("MA130", path, f"is false with {manager.replicas} replicas")


@rule(
    {
        "MA131": Code(
            "Production service with a single replica",
            "One node's loss or drain interrupts the service.",
            "Set replicas to 2 or more.",
            "warning",
        ),
    },
    reads=("platform", "control_plane"),
)
def production_survives_a_node(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-1, CP-2: one replica is one node's loss away from an outage."""
    if env.platform.tier != "production":
        return
    for service, field in services().items():
        if env.control_plane.service(service).replicas == 1:
            yield Violation("MA131", ("controlPlane", to_camel(field), "replicas"), "is 1 in production")


@rule(
    {
        "MA135": Code(
            "Task list listed twice",
            "Two pollers of one queue in one worker share its work; the second only costs connections.",
            "List each queue once; the platform's own queues and workflow.taskList are always polled.",
            "warning",
        ),
    },
    reads=("platform", "workflow"),
)
def queues_are_listed_once(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-3: queues that are polled anyway, and repeats."""
    seen = {
        env.workflow.task_list: "workflow.taskList",
        **dict.fromkeys(env.release.task_lists, "the platform"),
    }
    for index, name in enumerate(env.workflow.additional_task_lists):
        if name in seen:
            path = ("workflow", "additionalTaskLists", index)
            yield Violation("MA135", path, f"{name} is polled already, because of {seen[name]}")
        seen.setdefault(name, f"item {index}")


@rule(
    {
        "MA136": Code(
            "Workflow engine's port belongs to another protocol",
            "The client speaks one protocol and the port answers with another; the worker or the controller "
            "manager never connects.",
            "Use the port of the chosen engine and transport.",
            "warning",
        ),
    },
    reads=("workflow",),
)
def the_engines_port_is_its_own(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-3: each engine and transport has a usual port; another one's is a slip (facts 2.2)."""
    workflow = env.workflow
    chosen = "Temporal"
    if workflow.engine == "cadence":
        chosen = "Cadence over gRPC" if workflow.transport == "grpc" else "Cadence over TChannel"
    port = split_host_port(workflow.host)[1]
    belongs = _ENGINE_PORTS.get(port, chosen)
    if belongs != chosen:
        usual = next(number for number, name in _ENGINE_PORTS.items() if name == chosen)
        evidence = f"port {port} is that of {belongs}; the setting chooses {chosen}"
        yield Violation(
            "MA136", ("workflow", "host"), evidence, fix=f"Use port {usual}, or the other engine."
        )


@rule(
    {
        "MA137": Code(
            "TLS that the worker does not honour",
            "Workers of 2026.04 ignore the setting for Temporal, and TChannel has none: they connect "
            "without TLS, while the controller manager uses it.",
            "Reach the engine without TLS inside a trusted network, or through a proxy that adds it.",
        ),
    },
    reads=("platform", "workflow"),
)
def tls_to_the_engine_is_honoured(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-3: workers of some releases ignore TLS for Temporal, and TChannel has none (facts 2.2)."""
    workflow = env.workflow
    if not workflow.tls:
        return
    path = ("workflow", "tls")
    if workflow.engine == "temporal":
        if not env.release.temporal_tls:
            evidence = f"is true, but workers of release {env.release.name} connect to Temporal without TLS"
            others = [release.name for release in RELEASES.values() if release.temporal_tls]
            fix = (
                "Reach the engine without TLS inside a trusted network, or through a proxy that adds it; or "
                f"take release {' or '.join(others)}, whose services both honour it (bin/madeploy upgrade)."
            )
            yield Violation("MA137", path, evidence, fix=fix)
    elif workflow.transport == "tchannel":
        yield Violation("MA137", path, "is true, but TChannel has no TLS", fix="Use transport grpc.")


@rule(
    {
        "MA141": Code(
            "Workflow engine that takes no connection of the services",
            "The services connect without TLS, or by TLS with nothing that tells who they are: the front end "
            "closes the connection, and no workflow starts.",
            "Run a proxy inside the network that takes plain gRPC and adds TLS and the credential towards "
            "the engine (Envoy or nginx with a client certificate), and name it in workflow.host; or use "
            "an engine of your own.",
        ),
    },
    reads=("platform", "workflow"),
)
def the_engine_takes_what_the_services_offer(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-3: services offer a connection without TLS, or TLS with nothing that tells who they are (facts 2.2);
    a front end that wants more, or only TLS, takes neither."""
    workflow = env.workflow
    host, port = split_host_port(workflow.host.lower())
    path = ("workflow", "host")
    if any(host.removesuffix(".").endswith(zone) for zone in _TEMPORAL_CLOUD):
        if workflow.engine == "temporal":
            evidence = (
                f"{printable(host)} is Temporal Cloud, which only takes TLS with a client certificate or an "
                f"API key; services of release {env.release.name} can be given neither"
            )
            also = ", and workflow.tls adds none" if workflow.tls else ""
            yield Violation("MA141", path, evidence + also)
        else:
            evidence = f"{printable(host)} is Temporal Cloud; the setting chooses Cadence"
            yield Violation("MA141", path, evidence, fix="Name a front end of Cadence.")
    elif port == _HTTPS and not workflow.tls:
        honoured = env.release.temporal_tls if workflow.engine == "temporal" else workflow.transport == "grpc"
        yield Violation(
            "MA141",
            path,
            f"port {port} is that of TLS, and the services connect without it",
            fix="Set workflow.tls to true, or use the port that takes connections without TLS."
            if honoured
            else "",
            severity="warning",
        )


@rule(
    {
        "MA138": Code(
            "Link template that does not parse",
            "The link to an execution would be missing or wrong in every pipeline run.",
            "Use {{.Domain}} and {{.ExecutionID}}, from 0.12 on also {{.RunID}}, and nothing else between "
            "double braces.",
        ),
    },
    reads=("platform", "workflow"),
)
def execution_links_are_templates(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-6: a Go template with the release's variables (facts 2.2)."""
    template = env.workflow.execution_url_format
    if template is None:
        return
    path = ("workflow", "executionUrlFormat")
    variables = env.release.execution_url_variables
    rest = re.sub(rf"\{{\{{ *\.({'|'.join(variables)}) *\}}\}}", "", template)
    if "{{" in rest or "}}" in rest:
        known = " or ".join(f".{name}" for name in variables)
        yield Violation("MA138", path, f"has something else than {known} between double braces")
    elif not re.match(r"https?://", template):
        yield Violation("MA138", path, "is no URL", fix="Start it with http:// or https://.")


@rule(
    {
        "MA139": Code(
            "Namespace that is somebody else's",
            "The namespace would be labelled, its pods held to Pod Security restricted, and it would be "
            "deleted with the stack.",
            "Choose a namespace of the control plane's own, such as ma-system.",
        ),
    },
    reads=("platform",),
)
def the_control_plane_has_a_namespace_of_its_own(env: Environment, _: SecretNames) -> Iterator[Violation]:
    """CP-7: Kubernetes' own namespaces are not ours to label or delete."""
    name = env.platform.namespace
    if name == "default" or name.startswith("kube-"):
        yield Violation("MA139", ("platform", "namespace"), f"{name} belongs to Kubernetes")
