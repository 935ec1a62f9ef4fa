"""One change of the small platform, and the rules it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from tests.policies.world import Object

DEPLOYMENT = "apps/Deployment"
CONFIG_MAP = "core/ConfigMap"
INGRESS = "networking.k8s.io/Ingress"
POLICY = "networking.k8s.io/NetworkPolicy"
RBAC = "rbac.authorization.k8s.io"
CLUSTER = "michelangelo.api/Cluster"
SERVER = "michelangelo.api/InferenceServer"
MODEL = "michelangelo.api/Model"
BUCKET = "aws:s3/bucket:Bucket"
ROLE = "aws:iam/role:Role"
RIGHTS = "aws:iam/rolePolicy:RolePolicy"
NGINX = "nginx.ingress.kubernetes.io/"


@dataclass(frozen=True)
class Case:
    """One change and the rules it breaks."""

    rule: str
    kind: str
    name: str
    mutate: Callable[[Object], None]
    also: frozenset[str] = frozenset()
    """Further rules that the same change breaks, by its nature."""

    label: str = ""

    def __str__(self) -> str:
        return f"{self.rule}-{self.label}" if self.label else self.rule


def case(
    rule: str, kind: str, name: str, mutate: Callable[[Object], Any], *also: str, label: str = ""
) -> Case:
    return Case(rule, kind, name, mutate, frozenset(also), label)


def put(*path: str | int, to: Any) -> Callable[[Object], None]:
    """Set the value at a path; mappings on the way are made."""

    def mutate(obj: Object) -> None:
        value: Any = obj
        for step in path[:-1]:
            value = value[step] if isinstance(step, int) else value.setdefault(step, {})
        value[path[-1]] = to

    return mutate


def drop(*path: str | int) -> Callable[[Object], None]:
    """Remove the value at a path."""

    def mutate(obj: Object) -> None:
        value: Any = obj
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return mutate


POD = ("spec", "template", "spec")
MAIN = (*POD, "containers", 0)


def deployment(rule: str, mutate: Callable[[Object], None], *also: str, label: str = "") -> Case:
    return case(rule, DEPLOYMENT, "michelangelo-apiserver", mutate, *also, label=label)


def file(key: str, mutate: Callable[[Object], None]) -> Callable[[Object], None]:
    """Change the YAML file inside a ConfigMap."""

    def inner(obj: Object) -> None:
        content = yaml.safe_load(obj["data"][key])
        mutate(content)
        obj["data"][key] = yaml.safe_dump(content)

    return inner


def base(rule: str, service: str, mutate: Callable[[Object], None], *also: str, label: str = "") -> Case:
    name = f"michelangelo-{service}-config"
    return case(rule, CONFIG_MAP, name, file("base.yaml", mutate), *also, label=label)


def envoy(rule: str, mutate: Callable[[Object], None], *also: str, label: str = "") -> Case:
    return case(rule, CONFIG_MAP, "envoy-config", file("envoy.yaml", mutate), *also, label=label)


def grant(rule: str, kind: str, name: str, *also: str, label: str = "", **given: list[str]) -> Case:
    """A further rule of a Role or ClusterRole."""
    return case(rule, f"{RBAC}/{kind}", name, lambda obj: obj["rules"].append(given), *also, label=label)


def statement(rule: str, kind: str, *also: str, label: str = "", **given: Any) -> Case:
    """Changes of the one statement of a policy document."""
    key = "assumeRolePolicy" if kind == ROLE else "policy"

    def mutate(obj: Object) -> None:
        obj[key]["Statement"][0].update(given)

    return case(rule, kind, "", mutate, *also, label=label)


def hcm(config: Object) -> Object:
    """The connection manager of an Envoy configuration."""
    filters = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
    manager: Object = filters[0]["typed_config"]
    return manager


def origins(config: Object) -> list[Object]:
    host = hcm(config)["route_config"]["virtual_hosts"][0]
    cors: Object = host["typed_per_filter_config"]["envoy.filters.http.cors"]
    matches: list[Object] = cors["allow_origin_string_match"]
    return matches
