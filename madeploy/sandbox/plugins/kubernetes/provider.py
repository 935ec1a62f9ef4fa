"""The resource provider: the engine's questions answered with the API server's help.

Behaviour follows pulumi-kubernetes 4.32; where the two differ on purpose, the difference is stated at its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from madeploy.sandbox.plugins import endpoints, properties
from madeploy.sandbox.plugins.comparing import as_response, is_ignored, pruned, split_path
from madeploy.sandbox.plugins.kubernetes import VERSION, kubeconfig, objects, options
from madeploy.sandbox.plugins.kubernetes.applying import Applier, Conflict
from madeploy.sandbox.plugins.kubernetes.client import ApiError, Client, NoSuchKind, Object, Unreachable
from madeploy.sandbox.plugins.kubernetes.conditions import WAIT_FOR, ConditionError, parse
from madeploy.sandbox.plugins.kubernetes.diff import changes, with_readable_secret
from madeploy.sandbox.plugins.kubernetes.immutable import replaced_by
from madeploy.sandbox.plugins.kubernetes.readiness import Failed, Rule, wait_for
from madeploy.sandbox.plugins.kubernetes.types import PatchedKind, read_type
from madeploy.sandbox.plugins.kubernetes.waiting import NotReady, Waiter
from madeploy.sandbox.plugins.properties import Properties, has_unknown, keep_secret, plain
from madeploy.sandbox.plugins.server import (
    INFO,
    WARNING,
    InitFailed,
    PluginError,
    Provider,
    answering,
    as_text,
)

SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
DELETION_SECONDS = 600.0

_UNREACHABLE_READ = (
    "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove this "
    'resource from Pulumi state by rerunning the operation with PULUMI_K8S_DELETE_UNREACHABLE set to "true"'
)
_UNREACHABLE_DELETE = (
    "configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove this resource from "
    'Pulumi state by rerunning the operation with PULUMI_K8S_DELETE_UNREACHABLE set to "true"'
)


class KubernetesProvider(Provider):
    """One provider instance: one cluster, one set of options."""

    def __init__(self) -> None:
        super().__init__("kubernetes", VERSION)
        self._options = options.parse({}, {})
        self._client: Client | None = None
        self._namespace = "default"
        self._unreachable = "the provider is not configured"

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "kubernetes", "version": VERSION}))

    @answering
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        news = properties.decode(request.news)
        is_default = request.urn.rpartition("::")[2].startswith("default")
        configured = json.loads(os.environ.get("PULUMI_CONFIG") or "{}")
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in options.check_strict(news, is_default, configured)
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @answering
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        changed, replaces = options.diff(properties.decode(request.olds), properties.decode(request.news))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces)

    @answering
    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        self._options = chosen = options.parse(as_text(request.variables, "kubernetes"), os.environ)
        allowed = endpoints.of_environment(os.environ)
        try:
            connection = kubeconfig.load(
                chosen.kubeconfig, os.environ, chosen.context, chosen.cluster, chosen.namespace
            )
        except kubeconfig.KubeconfigError as error:
            self._unreachable = (
                f"unable to load Kubernetes client configuration from kubeconfig file: {error}"
            )
            return self.configured()
        allowed.require_cluster(connection.server)
        self._namespace = connection.namespace
        try:
            self._client = Client(connection, chosen.timeout, chosen.throttle)
            version = self._client.request("GET", "/version").get("gitVersion", "unknown")
        except (Unreachable, ApiError, ValueError, OSError) as error:
            self._unreachable = f"unable to load schema information from the API server: {error}"
            return self.configured()
        self._unreachable = ""
        self.log(
            INFO,
            f"offline stand-in for pulumi-kubernetes {VERSION} (sandbox only) at {connection.server}, "
            f"Kubernetes {version}",
            request.urn,
        )
        return self.configured()

    @answering
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        raise PluginError(
            f"{request.tok}: the offline kubernetes plugin reads no YAML files, charts or kustomizations. "
            "Declare the objects in the program, or install the official plugin."
        )

    @answering
    def Construct(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConstructResponse:
        read_type(request.type)
        raise PluginError(f"{request.type} is no component")

    @answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        if self._unreachable and self._options.skip_update_unreachable:
            self.log(
                WARNING,
                "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...",
                request.urn,
            )
            return provider_pb2.CheckResponse(inputs=request.olds)
        kind = read_type(request.urn)
        news = objects.without_server_fields(objects.from_sdk(properties.decode(request.news)))
        olds = objects.from_sdk(properties.decode(request.olds))
        news = self._named(news, olds, request, kind)
        if "generateName" in objects.metadata(news):
            raise PluginError("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
        if not objects.metadata(news).get("namespace") and self._is_namespaced(kind.api_version, kind.kind):
            news = objects.with_metadata(news, namespace=self._namespace)
        return provider_pb2.CheckResponse(
            inputs=properties.encode(objects.for_sdk(objects.shielded(news))), failures=self._rejections(kind)
        )

    @answering
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        kind = read_type(request.urn)
        state = properties.decode(request.olds)
        old_inputs, live = objects.parsed_checkpoint(state)
        old_inputs = plain(objects.without_server_fields(old_inputs))
        inputs = objects.from_sdk(properties.decode(request.news))
        new = plain(objects.without_server_fields(inputs))
        live = with_readable_secret(live, old_inputs)
        old = pruned(live, old_inputs)
        self._align_identity(kind, old, new, live)

        def expected() -> Object | None:
            if self._client is None or self._unreachable or not objects.is_built_in(kind.api_version):
                return None
            outcome = Applier(self._client, self.cancelled, True, False).expected(
                new, state[objects.MANAGER_KEY]
            )
            return with_readable_secret(outcome, new) if outcome else None

        patterns = replaced_by(
            {} if kind.is_patch else new,
            self._options.enable_secret_mutable,
            self._options.enable_config_map_mutable,
        )
        found = [
            change
            for change in changes(old, new, patterns, expected, live)
            if not is_ignored(change, request.ignoreChanges)
        ]
        return as_response(found, delete_first=_keeps_identity(new, live))

    @answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        kind = read_type(request.urn)
        inputs = objects.from_sdk(properties.decode(request.properties))
        target = plain(inputs)
        manager = objects.annotation(inputs, "pulumi.com/patchFieldManager") or objects.field_manager()
        if request.preview:
            outcome = self._preview_create(kind, target, manager)
            forecast = objects.forecast(target, outcome, None)
            state = objects.checkpoint(inputs, forecast, target["apiVersion"], manager)
            return provider_pb2.CreateResponse(properties=properties.encode(state))
        client = self._reachable()
        try:
            live = self._applier(client).create(
                target, manager, lambda text: self.log(INFO, text, request.urn, True), kind.is_patch
            )
        except NoSuchKind as error:
            raise PluginError(
                f"creation of resource {request.urn} with kind {kind.api_version}/{kind.kind} failed because the "
                "Kubernetes API server reported that the apiVersion for this resource does not exist. "
                f"Verify that any required CRDs have been created: {error}"
            ) from None
        except (ApiError, Conflict, Unreachable) as error:
            raise PluginError(
                f"resource {request.urn} was not successfully created by the Kubernetes API server: "
                f"{self._told(error, inputs)}"
            ) from None
        if kind.kind == "CustomResourceDefinition":
            client.forget_kinds()
        live, failure = self._awaited(client, inputs, live, request)
        state = objects.checkpoint(inputs, live, target["apiVersion"], manager)
        if failure:
            raise InitFailed(
                f"resource {request.urn} was successfully created, but the Kubernetes API server reported that it "
                f"failed to fully initialize or become live: {failure.message}",
                objects.object_id(live),
                state,
                reasons=tuple(failure.reasons),
            )
        return provider_pb2.CreateResponse(id=objects.object_id(live), properties=properties.encode(state))

    @answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        kind = read_type(request.urn)
        if self._unreachable:
            return self._read_unreachable(request)
        client = self._reachable()
        state = properties.decode(request.properties)
        old_inputs = objects.from_sdk(properties.decode(request.inputs))
        namespace, _, name = request.id.rpartition("/")
        identity = {"name": name, **({"namespace": namespace} if namespace else {})}
        wanted = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": identity}
        try:
            live = client.get(wanted)
        except NoSuchKind:
            return provider_pb2.ReadResponse()
        except ApiError as error:
            if error.status == 404:
                return provider_pb2.ReadResponse()
            raise PluginError(f"reading {request.id} failed: {error.message}") from None
        except Unreachable as error:
            raise PluginError(f"reading {request.id} failed: {error}") from None
        # An import, or the `get` of a program, has no inputs yet: they are what a program would have to say.
        opened = plain(old_inputs)
        inputs = pruned(with_readable_secret(live, opened), opened) if opened else _importable(live)
        marked = keep_secret(inputs, old_inputs)
        manager = str(state.get(objects.MANAGER_KEY) or objects.field_manager())
        result = objects.checkpoint(
            marked, live, str(state.get(objects.API_VERSION_KEY) or kind.api_version), manager
        )
        shown = objects.for_sdk(objects.shielded(marked))
        reasons = self._unready(client, marked, live) if opened and not kind.is_patch else []
        if reasons:
            message = f"Resource '{name}' was created but failed to initialize"
            raise InitFailed(message, request.id, result, shown, tuple(reasons))
        return provider_pb2.ReadResponse(
            id=request.id, properties=properties.encode(result), inputs=properties.encode(shown)
        )

    @answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        kind = read_type(request.urn)
        state = properties.decode(request.olds)
        _, old_live = objects.parsed_checkpoint(state)
        inputs = objects.without_server_fields(objects.from_sdk(properties.decode(request.news)))
        target = plain(inputs)
        manager = objects.annotation(inputs, "pulumi.com/patchFieldManager") or str(
            state[objects.MANAGER_KEY]
        )
        api_version = str(state.get(objects.API_VERSION_KEY) or kind.api_version)
        ignored = [[str(step) for step in split_path(path)] for path in request.ignoreChanges]
        name = old_live["metadata"]["name"]
        if request.preview:
            outcome = self._preview_update(target, name, manager, ignored, inputs)
            forecast = objects.forecast(target, outcome, old_live)
            return provider_pb2.UpdateResponse(
                properties=properties.encode(objects.checkpoint(inputs, forecast, api_version, manager))
            )
        client = self._reachable()
        try:
            live = self._applier(client).update(target, name, manager, ignored)
            if manager != state[objects.MANAGER_KEY]:
                self._applier(client).release(target, str(state[objects.MANAGER_KEY]))
        except (ApiError, Conflict, Unreachable, NoSuchKind) as error:
            raise PluginError(
                f"update of resource {request.urn} failed: {self._told(error, inputs)}"
            ) from None
        if kind.kind == "CustomResourceDefinition":
            client.forget_kinds()
        live, failure = self._awaited(client, inputs, live, request)
        result = objects.checkpoint(inputs, live, api_version, manager)
        if failure:
            raise InitFailed(
                f"the Kubernetes API server reported that {objects.object_id(live)!r} failed to fully initialize "
                f"or become live: {failure.message}",
                objects.object_id(live),
                result,
                reasons=tuple(failure.reasons),
            )
        return provider_pb2.UpdateResponse(properties=properties.encode(result))

    @answering
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        kind = read_type(request.urn)
        if self._unreachable:
            self.log(
                WARNING, f"configured Kubernetes cluster is unreachable: {self._unreachable}", request.urn
            )
            if self._options.delete_unreachable:
                self._tell_forgotten(request.urn)
                return empty_pb2.Empty()
            raise PluginError(_UNREACHABLE_DELETE)
        client = self._reachable()
        state = properties.decode(request.properties)
        inputs, live = objects.parsed_checkpoint(state)
        name = request.id.rpartition("/")[2]
        applier = self._applier(client)
        try:
            if kind.is_patch:
                applier.release(live, str(state[objects.MANAGER_KEY]))
                return empty_pb2.Empty()
            target = {**live, "metadata": {**live["metadata"], **_annotations(inputs)}}
            applier.delete(target, name)
            if objects.annotation(inputs, SKIP_AWAIT) != "true":
                self._waiter(client, request.urn).until_gone(
                    live, name, self._seconds(inputs, request, DELETION_SECONDS)
                )
        except NoSuchKind:
            return empty_pb2.Empty()
        except NotReady as failure:
            state = objects.checkpoint(
                inputs, failure.live, kind.api_version, str(state[objects.MANAGER_KEY])
            )
            raise InitFailed(failure.message, request.id, state, reasons=tuple(failure.reasons)) from None
        except ApiError as error:
            if error.status != 404:
                raise PluginError(f"deleting {request.id} failed: {self._told(error, inputs)}") from None
        except Unreachable as error:
            raise PluginError(f"deleting {request.id} failed: {error}") from None
        if kind.kind == "CustomResourceDefinition":
            client.forget_kinds()
        return empty_pb2.Empty()

    def _named(self, news: Properties, olds: Properties, request: Any, kind: PatchedKind) -> Properties:
        if objects.metadata(news).get("name") or news.get("metadata") is properties.UNKNOWN:
            return news
        if kind.is_patch:
            raise PluginError("patch resources require the `.metadata.name` field to be set")
        if objects.metadata(olds).get("name") and objects.annotation(olds, objects.AUTONAMED) == "true":
            name = objects.metadata(olds)["name"]
        elif request.HasField("autonaming"):
            if request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.Mode.DISABLE:
                raise PluginError("autonaming is disabled, and the resource has no `.metadata.name`")
            name = request.autonaming.proposed_name
        else:
            name = objects.unique_name(request.urn.rpartition("::")[2], request.randomSeed)
        return objects.annotated(objects.with_metadata(news, name=name), objects.AUTONAMED, "true")

    def _is_namespaced(self, api_version: str, kind: str) -> bool:
        if objects.is_built_in(api_version):
            return not objects.is_cluster_scoped(api_version, kind)
        if self._client is None or self._unreachable:
            return True
        try:
            return self._client.kind(api_version, kind).namespaced
        except (NoSuchKind, ApiError, Unreachable):
            # Its definition may be part of the same program; Create drops the namespace if it was wrong.
            return True

    def _rejections(self, kind: PatchedKind) -> list[provider_pb2.CheckFailure]:
        if not self._options.reject_unknown_resources or self._client is None or self._unreachable:
            return []
        try:
            self._client.kind(kind.api_version, kind.kind)
        except NoSuchKind as error:
            return [provider_pb2.CheckFailure(property="kind", reason=str(error))]
        return []

    def _align_identity(self, kind: PatchedKind, old: Object, new: Object, live: Object) -> None:
        """Make `old` and `new` differ in name and namespace only where the object would be another one."""
        for target in (old, new):
            target.setdefault("metadata", {})
        if self._is_namespaced(kind.api_version, kind.kind):
            old["metadata"]["namespace"] = live["metadata"].get("namespace") or "default"
            new["metadata"]["namespace"] = new["metadata"].get("namespace") or "default"
        else:
            old["metadata"].pop("namespace", None)
            new["metadata"].pop("namespace", None)
        old["metadata"]["name"] = live["metadata"]["name"]

    def _preview_create(self, kind: PatchedKind, target: Object, manager: str) -> Object | None:
        """What the server would make of `target`, or `None` where it cannot say yet."""
        if has_unknown(target) or self._unreachable or self._client is None or kind.is_patch:
            return None
        try:
            return self._applier(self._client).preview_create(target, manager)
        except (NoSuchKind, Unreachable):
            return None
        except ApiError as error:
            # Its namespace comes first, we may not look, or it is about to be replaced: none of these is an error yet.
            if error.is_missing_namespace or error.status == 403 or error.reason == "AlreadyExists":
                return None
            raise PluginError(
                f"the Kubernetes API server would refuse {target['kind']} {objects.object_id(target)}: "
                f"{self._told(error, target)}"
            ) from None

    def _preview_update(
        self, target: Object, name: str, manager: str, ignored: Sequence[Sequence[str]], inputs: Properties
    ) -> Object | None:
        if has_unknown(target) or self._unreachable or self._client is None:
            return None
        if target["kind"] == "CustomResourceDefinition":
            return None
        try:
            return self._applier(self._client).preview_update(target, name, manager, ignored)
        except (NoSuchKind, Unreachable):
            return None
        except (ApiError, Conflict) as error:
            if isinstance(error, ApiError) and error.status in (403, 404):
                return None
            raise PluginError(
                f"the Kubernetes API server would refuse the update of {objects.object_id(target)}: "
                f"{self._told(error, inputs)}"
            ) from None

    def _awaited(
        self, client: Client, inputs: Properties, live: Object, request: Any
    ) -> tuple[Object, NotReady | None]:
        """`live` once it is ready, or as last seen together with why it is not."""
        chosen = self._rule(inputs, live)
        if chosen is None:
            return live, None
        rule, seconds, adjustable = chosen
        limit = self._seconds(inputs, request, seconds) if adjustable else seconds
        try:
            return self._waiter(client, request.urn).until_ready(live, rule, limit), None
        except NotReady as failure:
            return failure.live, failure

    def _rule(self, inputs: Properties, live: Object) -> tuple[Rule, float, bool] | None:
        if objects.annotation(inputs, SKIP_AWAIT) == "true":
            return None
        if stated := objects.annotation(inputs, WAIT_FOR):
            try:
                return parse(stated), DELETION_SECONDS, True
            except ConditionError as error:
                raise PluginError(str(error)) from None
        wait = wait_for(live["apiVersion"], live["kind"])
        return (wait.rule, wait.seconds, wait.adjustable) if wait else None

    def _unready(self, client: Client, inputs: Properties, live: Object) -> list[str]:
        wait = wait_for(live["apiVersion"], live["kind"])
        if not wait or not wait.on_read or objects.annotation(inputs, SKIP_AWAIT) == "true":
            return []
        try:
            return wait.rule(client, live)
        except Failed as failure:
            return [str(failure)]

    def _seconds(self, inputs: Properties, request: Any, default: float) -> float:
        if request.timeout:
            return float(request.timeout)
        stated = objects.annotation(inputs, TIMEOUT)
        return float(stated) if stated.isdecimal() else default

    def _read_unreachable(self, request: Any) -> provider_pb2.ReadResponse:
        self.log(WARNING, f"configured Kubernetes cluster is unreachable: {self._unreachable}", request.urn)
        if self._options.delete_unreachable:
            self._tell_forgotten(request.urn)
            return provider_pb2.ReadResponse()
        if self._options.skip_update_unreachable:
            return provider_pb2.ReadResponse(
                id=request.id, properties=request.properties, inputs=request.inputs
            )
        raise PluginError(_UNREACHABLE_READ)

    def _tell_forgotten(self, urn: str) -> None:
        self.log(
            INFO,
            "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. "
            "Deleting the unreachable resource from Pulumi state",
            urn,
        )

    def _reachable(self) -> Client:
        if self._unreachable or self._client is None:
            raise PluginError(f"configured Kubernetes cluster is unreachable: {self._unreachable}")
        return self._client

    def _applier(self, client: Client) -> Applier:
        return Applier(
            client, self.cancelled, self._options.enable_patch_force, self._options.upsert_existing_objects
        )

    def _waiter(self, client: Client, urn: str) -> Waiter:
        return Waiter(client, self.cancelled, lambda text: self.log(INFO, text, urn, True))

    @staticmethod
    def _told(error: Exception, inputs: Properties) -> str:
        """The server's words, without the secrets that it may quote."""
        return properties.redacted(str(error), objects.shielded(inputs))


def _keeps_identity(new: Object, live: Object) -> bool:
    """Whether the new object would have the old one's name, so that the old one has to go first."""
    found = new["metadata"]
    return (
        objects.annotation(new, objects.AUTONAMED) != "true"
        and found.get("name") == live["metadata"]["name"]
        and found.get("namespace") == live["metadata"].get("namespace")
    )


def _annotations(inputs: Properties) -> dict[str, Any]:
    annotations = objects.metadata(inputs).get("annotations")
    return {"annotations": annotations} if annotations else {}


def _importable(live: Object) -> Object:
    """The part of a live object that a program would state."""
    inputs = {key: value for key, value in live.items() if key != "status"}
    inputs = objects.without_server_fields(inputs)
    annotations = dict(inputs["metadata"].get("annotations") or {})
    for key in ("deployment.kubernetes.io/revision", objects.LAST_APPLIED):
        annotations.pop(key, None)
    return objects.with_metadata(inputs, annotations=annotations or None)
