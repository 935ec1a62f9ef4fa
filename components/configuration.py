"""The one module that reads `pulumi.Config`: stack configuration in, typed settings and secrets out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi

from madeploy import kubeconfigs
from madeploy.engine import partial
from madeploy.fleet.roles import StackRole, UnknownRoleError, role_of, shards
from madeploy.kubeconfigs import Endpoint, KubeconfigError, tokens
from madeploy.names.reachability import misled
from madeploy.settings import CONTROL_PLANE, PROJECT, SECRET_KEYS, Environment
from madeploy.settings.servers import canonical_server
from madeploy.stackfile.loader import InvalidStack, environment_from_config


@dataclass(frozen=True)
class Access:
    """One cluster's kubeconfig, and its API server's endpoint as a registration names it."""

    kubeconfig: pulumi.Output[str]
    """Kubeconfig of one context, secret."""

    minified: Mapping[str, Any]
    """The same as data, for the program's own calls; it goes into no resource."""

    endpoint: Endpoint | None
    """API server as the control plane reaches it; None for the control plane itself."""

    token: pulumi.Output[str] | None = None
    """The platform's credential, secret, where it is bounded; None where Kubernetes writes it."""


@dataclass(frozen=True)
class Configuration:
    """Inputs of the program: settings, access to clusters, secrets, the role of its stack."""

    environment: Environment
    access: Mapping[str, Access]
    """By cluster name, of those this stack works on; the control plane's is `control-plane`."""

    object_store: Mapping[str, pulumi.Output[str]] | None
    """`accessKeyId` and `secretAccessKey` of an S3-compatible store, secret."""

    role: StackRole
    """What of the environment this stack holds."""


def _stack_file() -> Path | None:
    """The file the engine read, for messages with line numbers; None when it came from elsewhere."""
    named = os.environ.get("PULUMI_OPTION_CONFIG_FILE")
    path = Path(named) if named else Path("stacks") / f"Pulumi.{pulumi.get_stack()}.yaml"
    return path if path.is_file() else None


def _read(values: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Split raw configuration into plain sections and the maps of secrets."""
    prefix = f"{PROJECT}:"
    sections: dict[str, Any] = {}
    secrets: dict[str, dict[str, str]] = {}
    for key, text in values.items():
        if not key.startswith(prefix):
            continue
        name = key.removeprefix(prefix)
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        if name in SECRET_KEYS:
            secrets[name] = value if isinstance(value, dict) else {}
        else:
            sections[name] = value
    return sections, secrets


def _access(name: str, context: str | None, secret: str | None, cluster: Any) -> Access:
    minified = kubeconfigs.of_entry(name, context, secret, cluster)
    endpoint = None
    if cluster is not None:
        instead = kubeconfigs.Instead(cluster.server, cluster.certificate_authority_data)
        endpoint = kubeconfigs.endpoint(minified, f"clusters.{name}", instead)
    # Wrapped at once: from here on the credentials reach resources only as a secret output.
    text = json.dumps(minified, sort_keys=True)
    return Access(pulumi.Output.secret(text), minified, endpoint)


def _wanted(environment: Environment, role: StackRole) -> dict[str, tuple[str | None, Any]]:
    """Context and settings of the clusters a stack works on: one bad kubeconfig stops only these stacks."""
    control_plane = {CONTROL_PLANE: (environment.control_plane.kubeconfig_context, None)}
    clusters = {name: (entry.kubeconfig_context, entry) for name, entry in environment.clusters.items()}
    if role.kind == "compute":
        return {str(role.cluster): clusters[str(role.cluster)]}
    if role.kind == "shard":
        return control_plane | {name: clusters[name] for name in shards(environment).get(role.shard or 0, [])}
    return control_plane if environment.fleet.layout == "sharded" else control_plane | clusters


def _misled(environment: Environment, access: Mapping[str, Access]) -> Iterator[str]:
    """Clusters with an address that means another machine to the control plane's pods. Those that the stack
    file gives are judged with it, but for one that only the kubeconfigs can tell: the API server of whichever
    cluster the caller runs in. Loopback is left to the registration, which says whether it answers."""
    control_plane = access.get(CONTROL_PLANE)
    for name, found in access.items():
        if found.endpoint is None:
            continue
        reason = misled(
            found.endpoint.host.removeprefix("https://"),
            development=environment.platform.tier == "development",
            is_control_plane=_calls(found) == _calls(control_plane) if control_plane else None,
        )
        if reason is None or reason.severity != "error" or reason.place == "machine":
            continue
        if reason.place == "apiService" or environment.clusters[name].server is None:
            yield f"clusters.{name}: {reason.evidence}. {reason.fix}"


def _calls(access: Access) -> str:
    """The address that administers a cluster, in normal form; as it stands where it has none."""
    server = str(access.minified["clusters"][0]["cluster"].get("server"))
    try:
        return canonical_server(server)
    except ValueError:
        return server


def load() -> Configuration:
    """Read the stack's configuration.

    Raises pulumi.RunError, which the engine prints without a traceback, with the text that
    `madeploy validate` prints, or with every kubeconfig that cannot be used.
    """
    # `pulumi.Config` gives values by name only; misspelt keys are found by looking at all of them.
    raw = {**pulumi.runtime.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    encrypted = set(pulumi.runtime.get_config_secret_keys_env())
    plain = [
        key
        for name in SECRET_KEYS
        if (key := f"{PROJECT}:{name}") in raw
        and key not in encrypted
        and not pulumi.runtime.is_config_secret(key)
    ]
    sections, secrets = _read(raw)
    try:
        names = {key: frozenset(value) for key, value in secrets.items()}
        environment = environment_from_config(sections, names, _stack_file())
    except InvalidStack as error:
        raise pulumi.RunError(f"the stack's configuration cannot be used\n{error}") from None

    if plain:
        # A stack file is refused for this with its line; values can also come by other ways.
        raise pulumi.RunError(
            f"{' and '.join(plain)} must be encrypted: set them with `pulumi config set --secret --path`"
        )

    try:
        role = role_of(pulumi.get_stack(), environment)
    except UnknownRoleError as error:
        raise pulumi.RunError(str(error)) from None
    unmade = partial.left_out()
    wanted = {name: found for name, found in _wanted(environment, role).items() if name not in unmade}
    access: dict[str, Access] = {}
    defects: list[str] = []
    for name, (context, cluster) in wanted.items():
        try:
            access[name] = _access(name, context, secrets.get("kubeconfigs", {}).get(name), cluster)
        except KubeconfigError as error:
            defects += [f"{error.subject}: {defect}" for defect in error.defects]
    for name, token in secrets.get("clusterTokens", {}).items():
        defect = tokens.defect(token)
        if defect:
            defects.append(
                f"clusterTokens.{name} {defect}; bin/madeploy clusters rotate {name} writes a new one"
            )
        elif name in access:
            access[name] = replace(access[name], token=pulumi.Output.secret(token))
    defects += _misled(environment, access)
    if defects:
        raise pulumi.RunError("clusters that cannot be reached as configured:\n  " + "\n  ".join(defects))

    keys = secrets.get("objectStore")
    object_store = {key: pulumi.Output.secret(value) for key, value in keys.items()} if keys else None
    return Configuration(environment, access, object_store, role)
