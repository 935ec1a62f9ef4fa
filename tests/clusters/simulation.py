"""A control plane, a compute cluster and a stack in memory: what an update writes, what the platform
read, and which tokens are valid."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Object
from madeploy.clusters import credentials
from madeploy.clusters.registration import cluster_path, secret_path
from madeploy.documents.nodes import compose
from madeploy.documents.text import dump
from madeploy.findings import Finding
from madeploy.kubeconfigs import tokens
from madeploy.names.kubernetes import (
    RAY_MANAGER,
    SERVING_MANAGER,
    cluster_serving_token_secret,
    ray_manager_token,
    serving_manager_token,
)
from madeploy.settings import CONTROL_PLANE, SECRET_KEYS, Environment
from madeploy.stackfile.edit import remove, set_value
from madeploy.stackfile.loader import environment_from_config
from madeploy.stacks.files import Edit
from manifests import registration, serving
from tests.support.stacks import MINIMAL

NAME = "gpu"
START = 1_790_000_000
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/ray-manager"
PODS = "/api/v1/namespaces/ma-system/pods"


class EndedError(Exception):
    """The command was ended from outside."""


class World:
    """Both clusters and the platform's memory."""

    def __init__(self) -> None:
        self._ticks = itertools.count(START, 2)
        self._numbers = itertools.count(1)
        self.control_plane = FakeServer(self)
        self.compute = FakeServer(self)
        self.compute.objects[ACCOUNT] = {"metadata": {"name": "ray-manager", "uid": "account"}}
        self.cached: str | None = None
        """The token the leading pod has read."""
        self.rolls = 0
        self.switches = 0
        self.is_silent = False
        """Whether the platform reports nothing."""
        self.roll()
        self.rolls = 0

    def now(self) -> int:
        """Seconds since 1970; later every time."""
        return next(self._ticks)

    def stamp(self) -> str:
        return datetime.fromtimestamp(self.now(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def roll(self) -> None:
        """New pods, which know no credential."""
        self.rolls += 1
        self.cached = None
        for path in [path for path in self.control_plane.objects if path.startswith(PODS)]:
            del self.control_plane.objects[path]
        for _ in range(2):
            name = f"pod-{next(self._numbers)}"
            pod = {"metadata": {"name": name, "creationTimestamp": self.stamp()}}
            pod["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}  # type: ignore[dict-item]
            self.control_plane.objects[f"{PODS}/{name}"] = pod

    def beat(self) -> None:
        """What the controller manager does every 30 s: call with what it has read, and report."""
        cluster = self.control_plane.objects.get(cluster_path(NAME))
        if cluster is None or self.is_silent:
            return
        if self.cached is None:
            self.cached = self.registered()
        if self.is_valid(self.cached):
            ready = {"type": "Ready", "status": "CONDITION_STATUS_TRUE"}
            cluster["status"] = {"statusConditions": [{**ready, "lastUpdatedTimestamp": str(self.now())}]}

    def registered(self) -> str | None:
        """The token on the control plane."""
        secret = self.control_plane.objects.get(secret_path(f"cluster-{NAME}-client-token"))
        return base64.b64decode(secret["data"]["token"]).decode() if secret else None

    def mint(self, secret: Object, *, bounded: bool) -> str:
        """A token that is valid as long as this Secret exists."""
        name, uid = secret["metadata"]["name"], secret["metadata"]["uid"]
        claims: dict[str, Any] = {"sub": ACCOUNT, "jti": next(self._numbers), "uid": uid}
        if bounded:
            claims |= {"exp": START + 10**7, "kubernetes.io": {"secret": {"name": name}}}
        else:
            claims["kubernetes.io/serviceaccount/secret.name"] = name
        parts = (b"{}", json.dumps(claims).encode(), b"example")
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def is_valid(self, token: str | None) -> bool:
        """Whether the compute cluster accepts a token."""
        if token is None:
            return False
        part = token.split(".")[1]
        uid = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["uid"]
        return any(
            item["metadata"].get("uid") == uid
            for path, item in self.compute.objects.items()
            if "/secrets/" in path
        )

    def nobody_is_cut_off(self) -> None:
        """Neither what is registered nor what the platform has in mind is dead."""
        if cluster_path(NAME) in self.control_plane.objects:
            assert self.is_valid(self.registered()), "the registered credential is dead"
            assert self.cached is None or self.is_valid(self.cached), "the platform's credential is dead"


class FakeServer:
    """An API server: objects by path. With a token, only who that is and may do can be asked."""

    def __init__(self, world: World, token: str | None = None) -> None:
        self.world = world
        self.objects: dict[str, Object] = {}
        self._token = token
        self.server = "https://gpu.example.com:6443"

    def with_token(self, token: str) -> FakeServer:
        return FakeServer(self.world, token)

    def clock(self) -> float:
        return float(self.world.now())

    def find(self, path: str) -> Object | None:
        if path == cluster_path(NAME):
            self.world.beat()
        return self.objects.get(path)

    def get(self, path: str) -> Object:
        found = self.find(path)
        if found is None:
            raise ClientError(self.server, "notFound", status=404)
        return found

    def items(self, path: str, **_: Any) -> Iterator[Object]:
        yield from [item for key, item in self.objects.items() if key.rpartition("/")[0] == path]

    def review(self, path: str, item: Object) -> Object:
        if path.endswith("/token"):
            bound = item["spec"]["boundObjectRef"]["name"]
            secret = self.objects[secret_path(bound, "default")]
            return {"status": {"token": self.world.mint(secret, bounded=True)}}
        if not self.world.is_valid(self._token):
            raise ClientError(self.server, "unauthorized", status=401)
        if path.endswith("selfsubjectreviews"):
            served = str(tokens.claims(self._token or "").secret).startswith(SERVING_MANAGER)
            account = SERVING_MANAGER if served else RAY_MANAGER
            return {"status": {"userInfo": {"username": f"system:serviceaccount:default:{account}"}}}
        return {"status": {"allowed": True}}


class FakeStack:
    """A stack file's text, and updates that write what the program would, in the engine's order. Satisfies
    `madeploy.clusters.session.Stack`."""

    name = "test"

    def __init__(
        self,
        world: World,
        cluster: Mapping[str, Any] | None = None,
        more: Mapping[str, Any] | None = None,
        layout: str = "inline",
    ) -> None:
        self.world = world
        sections = {**MINIMAL, "controlPlane": {"kubeconfigContext": "a"}, "fleet": {"layout": layout}}
        sections |= more or {}
        if layout == "sharded":
            cluster = {"shard": 0, **(cluster or {})}
        sections["clusters"] = {NAME: {"kubeconfigContext": "gpu", **(cluster or {})}}
        self.text = dump({"config": {f"michelangelo:{key}": value for key, value in sections.items()}})
        self.at: Callable[[str], None] = lambda _: None
        """Told every single thing an update does, before it is done."""
        self.applied = 0
        self.destroyed = 0
        self.is_ordered = True
        """Whether an update rolls the controller manager after the credential that moves, as the program has
        it; where it does not, it has read the old one."""

    def settings(self) -> Environment:
        root, _ = compose(self.text.encode())
        assert root is not None
        config = {key.partition(":")[2]: value for key, value in root.data()["config"].items()}
        names = {key: frozenset(config.pop(key)) for key in SECRET_KEYS if key in config}
        return environment_from_config(config, names, None)

    def edit(self, edits: Sequence[Edit]) -> None:
        for path, value in edits:
            self.text = remove(self.text, path) if value is None else set_value(self.text, path, value)
        self.settings()

    def store_token(self, cluster: str, token: str) -> None:
        self.text = set_value(self.text, ("clusterTokens", cluster), {"secure": token})

    def client(self, cluster: str) -> Any:
        return self.world.control_plane if cluster == CONTROL_PLANE else self.world.compute

    def with_token(self, cluster: str, token: str) -> Any:
        return self.world.compute.with_token(token)

    def apply(
        self, clusters: Sequence[str], what: str, *, may_drop: bool = False, registers: bool = True
    ) -> Mapping[str, Finding]:
        self.applied += 1
        settings = self.settings()
        if settings.fleet.layout == "sharded":
            # The environment's own stack is one of others, and left alone with theirs.
            if NAME in clusters:
                self._write(settings, registers=registers)
                if may_drop:
                    self._drop(settings)
            else:
                self._roll(settings)
            return {}
        if not self.is_ordered:
            self._roll(settings)
        if NAME in clusters:
            self._write(settings)
            if may_drop:
                self._drop(settings)
        self._roll(settings)
        return {}

    def withdraw(self, secrets: Mapping[str, Collection[str]], what: str) -> Mapping[str, Finding]:
        self.destroyed += 1
        for name in secrets[NAME]:
            path = secret_path(name, "default")
            if path in self.world.compute.objects:
                self._do(f"delete {path}")
                del self.world.compute.objects[path]
        return {}

    def _roll(self, settings: Environment) -> None:
        revision = settings.control_plane.controllermgr.credentials_revision
        if revision != self.world.rolls:
            self._do("roll")
            self.world.roll()
            self.world.beat()

    def _write(self, settings: Environment, *, registers: bool = True) -> None:
        if NAME not in settings.clusters:
            return
        objects, world = self.world.compute.objects, self.world
        wanted = (*registration.token_requests(settings, NAME), *serving.token_requests(settings, NAME))
        for item in wanted:
            path = secret_path(item["metadata"]["name"], "default")
            if path not in objects:
                self._do("create credential")
                made = json.loads(json.dumps(item))
                made["metadata"] |= {"uid": f"uid-{world.now()}", "creationTimestamp": world.stamp()}
                objects[path] = made
                if item["type"] != "Opaque":
                    token = world.mint(made, bounded=False)
                    made["data"] = {"token": base64.b64encode(token.encode()).decode()}
        credential = settings.clusters[NAME].credential
        if credential.generation == 0 or not registers:
            return
        if credential.kind == "bounded":
            root, _ = compose(self.text.encode())
            assert root is not None
            token = root.data()["config"]["michelangelo:clusterTokens"][NAME]["secure"]
            encoded = base64.b64encode(token.encode()).decode()
        else:
            encoded = objects[secret_path(ray_manager_token(credential.generation), "default")]["data"][
                "token"
            ]
        self._register(encoded)
        if settings.clusters[NAME].serving:
            made = objects[secret_path(serving_manager_token(credential.generation), "default")]
            name = cluster_serving_token_secret(NAME)
            world.control_plane.objects[secret_path(name)] = {
                "metadata": {"name": name},
                "data": made["data"],
            }

    def _register(self, encoded: str) -> None:
        world, names = self.world, registration.secret_names(NAME)
        objects = world.control_plane.objects
        path = secret_path(names["token"])
        if path not in objects:
            stamp = world.stamp()
            objects[path] = {"metadata": {"name": names["token"], "creationTimestamp": stamp}, "data": {}}
            objects[secret_path(names["ca"])] = {"metadata": {"name": names["ca"]}, "data": {}}
        if objects[path]["data"].get("token") != encoded:
            self._do("write registered credential")
            world.switches += 1
            objects[path]["data"] = {"token": encoded}
            objects[path]["metadata"]["managedFields"] = [{"time": world.stamp()}]
        if cluster_path(NAME) not in objects:
            rest = {"host": "https://gpu.example.com", "port": "6443", "tokenTag": names["token"]}
            spec = {"kubernetes": {"rest": {**rest, "caDataTag": names["ca"]}}}
            objects[cluster_path(NAME)] = {"metadata": {"name": NAME}, "spec": spec}
        world.beat()

    def _drop(self, settings: Environment) -> None:
        entry = settings.clusters.get(NAME)
        wanted = credentials.known(entry.credential) if entry else ()
        if entry is None or entry.credential.generation == 0:
            names = (*registration.secret_names(NAME).values(), cluster_serving_token_secret(NAME))
            for path in (cluster_path(NAME), *map(secret_path, names)):
                if path in self.world.control_plane.objects:
                    self._do(f"delete {path}")
                    del self.world.control_plane.objects[path]
        kept = {
            name(item.generation) for item in wanted for name in (ray_manager_token, serving_manager_token)
        }
        secrets = [path for path in self.world.compute.objects if "/secrets/" in path]
        for path in secrets:
            if path.rpartition("/")[2] not in kept:
                self._do(f"delete {path}")
                del self.world.compute.objects[path]

    def _do(self, what: str) -> None:
        self.world.nobody_is_cut_off()
        self.at(what)
