"""The resource provider: the engine's questions, answered with the cluster's help.

Behaviour follows pulumi-kubernetes 4.32; where the two differ on purpose, the difference is stated at its
place."""

from __future__ import annotations

import json
import os
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from madeploy.sandbox.plugins import endpoints, properties
from madeploy.sandbox.plugins.comparing import as_response, is_ignored, pruned, split_path
from madeploy.sandbox.plugins.kubernetes import VERSION, kubeconfig, objects, options
from madeploy.sandbox.plugins.kubernetes.applying import ConflictError
from madeploy.sandbox.plugins.kubernetes.client import (
    ApiError,
    Client,
    NoSuchKindError,
    Object,
    UnreachableError,
)
from madeploy.sandbox.plugins.kubernetes.cluster import Cluster
from madeploy.sandbox.plugins.kubernetes.conditions import WAIT_FOR, ConditionError, parse
from madeploy.sandbox.plugins.kubernetes.diff import changes, with_readable_secret
from madeploy.sandbox.plugins.kubernetes.immutable import replaced_by
from madeploy.sandbox.plugins.kubernetes.types import PatchedKind, read_type
from madeploy.sandbox.plugins.kubernetes.waiting import NotReadyError
from madeploy.sandbox.plugins.properties import Properties, keep_secret, plain
from madeploy.sandbox.plugins.server import (
    INFO,
    WARNING,
    InitializationError,
    PluginError,
    Provider,
    answering,
    as_text,
)

MANAGER = "pulumi.com/patchFieldManager"

_FORGET = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation "
    'with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)


class KubernetesProvider(Provider):
    """One provider instance: one cluster, one set of options."""

    def __init__(self) -> None:
        super().__init__("kubernetes", VERSION)
        self._cluster = self._connected(options.parse({}, {}), None, "", "default")

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "kubernetes", "version": VERSION}))

    @answering
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        is_default = request.urn.rpartition("::")[2].startswith("default")
        configured = json.loads(os.environ.get("PULUMI_CONFIG") or "{}")
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in options.check_strict(properties.decode(request.news), is_default, configured)
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @answering
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        changed, replaces = options.diff(properties.decode(request.olds), properties.decode(request.news))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces)

    @answering
    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        chosen = options.parse(as_text(request.variables, "kubernetes"), os.environ)
        allowed = endpoints.of_environment(os.environ)
        try:
            connection = kubeconfig.load(
                chosen.kubeconfig, os.environ, chosen.context, chosen.cluster, chosen.namespace
            )
        except kubeconfig.KubeconfigError as error:
            # As a cluster that is down: a preview goes on, and states can be dealt with.
            why = f"unable to load Kubernetes client configuration from kubeconfig file: {error}"
            self._cluster = self._connected(chosen, None, why, "default")
            return self.configured()
        allowed.require_cluster(connection.server)
        client, why, version = None, "", ""
        try:
            client = Client(connection, chosen.timeout, chosen.throttle)
            version = str(client.request("GET", "/version").get("gitVersion", "unknown"))
        except (UnreachableError, ApiError, ValueError, OSError) as error:
            why = f"unable to load schema information from the API server: {error}"
        self._cluster = self._connected(chosen, client, why, connection.namespace)
        state = f"Kubernetes {version}" if version else "which does not answer"
        self.log(
            INFO,
            f"offline stand-in for pulumi-kubernetes {VERSION} (sandbox only) at {connection.server}, "
            f"{state}",
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
        if self._cluster.unreachable and self._cluster.options.skip_update_unreachable:
            text = "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping..."
            self.log(WARNING, text, request.urn)
            return provider_pb2.CheckResponse(inputs=request.olds)
        kind = read_type(request.urn)
        news = objects.without_server_fields(objects.from_sdk(properties.decode(request.news)))
        olds = objects.from_sdk(properties.decode(request.olds))
        news = _named(news, olds, request, kind)
        if "generateName" in objects.metadata(news):
            raise PluginError("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
        if not objects.metadata(news).get("namespace") and self._cluster.is_namespaced(kind):
            news = objects.with_metadata(news, namespace=self._cluster.namespace)
        return provider_pb2.CheckResponse(
            inputs=properties.encode(objects.for_sdk(objects.shielded(news))),
            failures=self._rejections(kind, news),
        )

    @answering
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        kind = read_type(request.urn)
        state = properties.decode(request.olds)
        old_inputs, live = objects.parsed_checkpoint(state)
        old_inputs = plain(objects.without_server_fields(old_inputs))
        new = plain(objects.without_server_fields(objects.from_sdk(properties.decode(request.news))))
        live = with_readable_secret(live, old_inputs)
        old = pruned(live, old_inputs)
        self._align_identity(kind, old, new, live)

        def expected() -> Object | None:
            outcome = self._cluster.expected(new, _manager(state))
            return with_readable_secret(outcome, new) if outcome else None

        chosen = self._cluster.options
        patterns = replaced_by(
            {} if kind.is_patch else new, chosen.enable_secret_mutable, chosen.enable_config_map_mutable
        )
        found = [
            change
            for change in changes(old, new, patterns, expected, live)
            if not is_ignored(change, request.ignoreChanges)
        ]
        return as_response(found, delete_first=objects.keeps_identity(new, live))

    @answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        kind = read_type(request.urn)
        inputs = objects.from_sdk(properties.decode(request.properties))
        target = plain(inputs)
        manager = objects.annotation(inputs, MANAGER) or objects.field_manager()
        if request.preview:
            outcome = self._cluster.preview_create(target, manager, kind.is_patch)
            forecast = objects.forecast(target, outcome, None)
            state = objects.checkpoint(inputs, forecast, target["apiVersion"], manager)
            return provider_pb2.CreateResponse(properties=properties.encode(state))
        try:
            live = self._cluster.applier.create(
                target, manager, lambda text: self.log(INFO, text, request.urn, True), kind.is_patch
            )
        except NoSuchKindError as error:
            raise PluginError(
                f"creation of resource {request.urn} with kind {kind.api_version}/{kind.kind} failed because "
                "the Kubernetes API server reported that the apiVersion for this resource does not exist. "
                f"Verify that any required CRDs have been created: {error}"
            ) from None
        except (ApiError, ConflictError, UnreachableError) as error:
            raise PluginError(
                f"resource {request.urn} was not successfully created by the Kubernetes API server: "
                f"{_told(error, inputs)}"
            ) from None
        self._defined(kind)
        live, failure = self._cluster.await_ready(inputs, live, request.urn, request.timeout)
        state = objects.checkpoint(inputs, live, target["apiVersion"], manager)
        if failure:
            raise InitializationError(
                f"resource {request.urn} was successfully created, but the Kubernetes API server reported "
                f"that it failed to fully initialize or become live: {failure.message}",
                objects.object_id(live),
                state,
                reasons=tuple(failure.reasons),
            )
        return provider_pb2.CreateResponse(id=objects.object_id(live), properties=properties.encode(state))

    @answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        kind = read_type(request.urn)
        if self._cluster.unreachable:
            return self._read_unreachable(request)
        state = properties.decode(request.properties)
        old_inputs = objects.from_sdk(properties.decode(request.inputs))
        namespace, _, name = request.id.rpartition("/")
        identity = {"name": name, **({"namespace": namespace} if namespace else {})}
        wanted = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": identity}
        try:
            live = self._cluster.client.get(wanted)
        except NoSuchKindError:
            return provider_pb2.ReadResponse()
        except (ApiError, UnreachableError) as error:
            if isinstance(error, ApiError) and error.status == 404:
                return provider_pb2.ReadResponse()
            raise PluginError(f"reading {request.id} failed: {error}") from None
        # An import, or the `get` of a program, has no inputs yet: they are what a program would have to say.
        opened = plain(old_inputs)
        inputs = pruned(with_readable_secret(live, opened), opened) if opened else objects.importable(live)
        marked = keep_secret(inputs, old_inputs)
        api_version = str(state.get(objects.API_VERSION_KEY) or kind.api_version)
        result = objects.checkpoint(marked, live, api_version, _manager(state))
        shown = objects.for_sdk(objects.shielded(marked))
        if opened and not kind.is_patch and (reasons := self._cluster.unready(marked, live)):
            message = f"Resource '{name}' was created but failed to initialize"
            raise InitializationError(message, request.id, result, shown, tuple(reasons))
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
        old_manager = _manager(state)
        manager = objects.annotation(inputs, MANAGER) or old_manager
        api_version = str(state.get(objects.API_VERSION_KEY) or kind.api_version)
        ignored = [[str(step) for step in split_path(path)] for path in request.ignoreChanges]
        name = old_live["metadata"]["name"]
        if request.preview:
            outcome = self._cluster.preview_update(target, name, manager, ignored)
            forecast = objects.forecast(target, outcome, old_live)
            state = objects.checkpoint(inputs, forecast, api_version, manager)
            return provider_pb2.UpdateResponse(properties=properties.encode(state))
        applier = self._cluster.applier
        try:
            live = applier.update(target, name, manager, ignored)
            if manager != old_manager:
                applier.release(target, old_manager)
        except (ApiError, ConflictError, UnreachableError, NoSuchKindError) as error:
            raise PluginError(f"update of resource {request.urn} failed: {_told(error, inputs)}") from None
        self._defined(kind)
        live, failure = self._cluster.await_ready(inputs, live, request.urn, request.timeout)
        state = objects.checkpoint(inputs, live, api_version, manager)
        if failure:
            id = objects.object_id(live)
            raise InitializationError(
                f"the Kubernetes API server reported that {id!r} failed to fully initialize or become live: "
                f"{failure.message}",
                id,
                state,
                reasons=tuple(failure.reasons),
            )
        return provider_pb2.UpdateResponse(properties=properties.encode(state))

    @answering
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        kind = read_type(request.urn)
        if self._cluster.unreachable:
            self._warn_unreachable(request.urn)
            if not self._cluster.options.delete_unreachable:
                raise PluginError(f"configured Kubernetes cluster is unreachable. {_FORGET}")
            self._tell_forgotten(request.urn)
            return empty_pb2.Empty()
        state = properties.decode(request.properties)
        inputs, live = objects.parsed_checkpoint(state)
        name = request.id.rpartition("/")[2]
        try:
            if kind.is_patch:
                self._cluster.applier.release(live, _manager(state))
                return empty_pb2.Empty()
            self._cluster.applier.delete(live, name, inputs)
            self._cluster.await_gone(inputs, live, name, request.urn, request.timeout)
        except NotReadyError as failure:
            known = objects.checkpoint(inputs, failure.live, kind.api_version, _manager(state))
            raise InitializationError(
                failure.message, request.id, known, reasons=tuple(failure.reasons)
            ) from None
        except NoSuchKindError:
            # Without its definition the object is gone as well.
            return empty_pb2.Empty()
        except (ApiError, UnreachableError) as error:
            if not (isinstance(error, ApiError) and error.status == 404):
                raise PluginError(f"deleting {request.id} failed: {_told(error, inputs)}") from None
        self._defined(kind)
        return empty_pb2.Empty()

    def _connected(
        self, chosen: options.Options, client: Client | None, unreachable: str, namespace: str
    ) -> Cluster:
        return Cluster(
            chosen,
            client,
            unreachable,
            namespace,
            self.cancelled,
            lambda text, urn: self.log(INFO, text, urn, True),
        )

    def _rejections(self, kind: PatchedKind, news: Properties) -> list[provider_pb2.CheckFailure]:
        failures = []
        try:
            if stated := objects.annotation(news, WAIT_FOR):
                parse(stated)
        except ConditionError as error:
            failures.append(provider_pb2.CheckFailure(property="metadata.annotations", reason=str(error)))
        if self._cluster.options.reject_unknown_resources and not self._cluster.knows(kind):
            reason = f"unable to fetch schema for resource type {kind.api_version}/{kind.kind}"
            failures.append(provider_pb2.CheckFailure(property="kind", reason=reason))
        return failures

    def _align_identity(self, kind: PatchedKind, old: Object, new: Object, live: Object) -> None:
        """Make `old` and `new` differ in name and namespace only where the object would be another one."""
        for target in (old, new):
            target.setdefault("metadata", {})
        if self._cluster.is_namespaced(kind):
            old["metadata"]["namespace"] = live["metadata"].get("namespace") or "default"
            new["metadata"]["namespace"] = new["metadata"].get("namespace") or "default"
        else:
            old["metadata"].pop("namespace", None)
            new["metadata"].pop("namespace", None)
        old["metadata"]["name"] = live["metadata"]["name"]

    def _defined(self, kind: PatchedKind) -> None:
        """After a definition came, changed or went: ask again which kinds there are."""
        if kind.kind == "CustomResourceDefinition":
            self._cluster.client.forget_kinds()

    def _read_unreachable(self, request: Any) -> provider_pb2.ReadResponse:
        self._warn_unreachable(request.urn)
        if self._cluster.options.delete_unreachable:
            self._tell_forgotten(request.urn)
            return provider_pb2.ReadResponse()
        if self._cluster.options.skip_update_unreachable:
            return provider_pb2.ReadResponse(
                id=request.id, properties=request.properties, inputs=request.inputs
            )
        raise PluginError(f"failed to read resource state due to unreachable cluster. {_FORGET}")

    def _warn_unreachable(self, urn: str) -> None:
        self.log(WARNING, f"configured Kubernetes cluster is unreachable: {self._cluster.unreachable}", urn)

    def _tell_forgotten(self, urn: str) -> None:
        self.log(
            INFO,
            "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. "
            "Deleting the unreachable resource from Pulumi state",
            urn,
        )


def _named(news: Properties, olds: Properties, request: Any, kind: PatchedKind) -> Properties:
    """`news` with a name: its own, the automatic one it had, or a new automatic one."""
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


def _manager(state: Properties) -> str:
    return str(state.get(objects.MANAGER_KEY) or objects.field_manager())


def _told(error: Exception, inputs: Properties) -> str:
    """The server's words, without the secrets that it may quote."""
    return properties.redacted(str(error), objects.shielded(inputs))
