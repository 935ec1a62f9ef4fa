"""The resource provider: the engine's questions answered with boto3 and a table of resource types."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from madeploy.sandbox.plugins import endpoints, properties
from madeploy.sandbox.plugins.aws import VERSION, iam, kms, lifecycle, s3
from madeploy.sandbox.plugins.aws.resource import ResourceType, Session, code_of, random_suffix, same_document
from madeploy.sandbox.plugins.comparing import as_response, compared, is_ignored, pruned
from madeploy.sandbox.plugins.properties import UNKNOWN, Properties, keep_secret, plain
from madeploy.sandbox.plugins.server import INFO, PluginError, Provider, answering, as_text

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    kind.token: kind
    for kind in (
        s3.Bucket(),
        s3.BucketLogging(),
        s3.BucketObjectLockConfiguration(),
        s3.BucketOwnershipControls(),
        s3.BucketPolicy(),
        s3.BucketPublicAccessBlock(),
        s3.BucketServerSideEncryptionConfiguration(),
        s3.BucketVersioning(),
        lifecycle.BucketLifecycleConfiguration(),
        iam.OpenIdConnectProvider(),
        iam.Policy(),
        iam.Role(),
        iam.RolePolicy(),
        iam.RolePolicyAttachment(),
        kms.Alias(),
        kms.Key(),
    )
}
"""Every resource type the plugin serves, by token."""

CALLER_IDENTITY = "aws:index/getCallerIdentity:getCallerIdentity"

_HONOURED = frozenset(
    {"region", "accessKey", "secretKey", "token", "s3UsePathStyle", "endpoints", "defaultTags"}
)
# Checks of the real service that make no sense with an emulation, and how often to try again.
_WITHOUT_EFFECT = frozenset(
    {
        "allowedAccountIds",
        "insecure",
        "maxRetries",
        "profile",
        "retryMode",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "stsRegion",
        "version",
    }
)

Result = TypeVar("Result")


class AwsProvider(Provider):
    """One provider instance: one region of the AWS emulation."""

    def __init__(self) -> None:
        super().__init__("aws", VERSION)
        self._session: Session | None = None

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    @answering
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    @answering
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        olds, news = (plain(properties.decode(values)) for values in (request.olds, request.news))
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [key for key in changed if key == "region"]
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces)

    @answering
    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        self._session = session_of(as_text(request.variables, "aws"), os.environ)
        self.log(
            INFO,
            f"offline stand-in for pulumi-aws {VERSION} (sandbox only) at {self._session.endpoint}, "
            f"region {self._session.region}",
            request.urn,
        )
        return self.configured()

    @answering
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        if request.tok != CALLER_IDENTITY:
            raise PluginError(f"the offline aws plugin does not serve the function {request.tok}")
        found = self._call(
            "reading the caller's identity", {}, self._configured().client("sts").get_caller_identity
        )
        answer = {
            "accountId": found["Account"],
            "arn": found["Arn"],
            "id": found["Account"],
            "userId": found["UserId"],
        }
        return provider_pb2.InvokeResponse(**{"return": properties.encode(answer)})

    @answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        kind = type_of(request.urn)
        news, olds = properties.decode(request.news), properties.decode(request.olds)
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in rejections(kind, news)
        ]
        if failures:
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)
        if kind.named_by and kind.named_by not in news:
            prefix = plain(news.get(f"{kind.named_by}Prefix")) or f"{request.urn.rpartition('::')[2]}-"
            news[kind.named_by] = olds.get(kind.named_by) or f"{prefix}{random_suffix()}"
        return provider_pb2.CheckResponse(inputs=properties.encode(kind.checked(news, self._session)))

    @answering
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        kind = type_of(request.urn)
        olds = plain(properties.decode(request.old_inputs)) or inputs_of(
            kind, properties.decode(request.olds)
        )
        news = plain(properties.decode(request.news))
        for name in kind.documents & olds.keys() & news.keys():
            if same_document(olds[name], news[name]):
                olds[name] = news[name]
        found = [
            change
            for change in compared(olds, news, lambda path, value: path[0] in kind.replaces)
            if not is_ignored(change, request.ignoreChanges)
        ]
        # Names are unique in an account, so the old one has to be gone where the name stays.
        same_name = kind.named_by is None or olds.get(kind.named_by) == news.get(kind.named_by)
        return as_response(found, delete_first=same_name)

    @answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        kind = type_of(request.urn)
        inputs = properties.decode(request.properties)
        if request.preview:
            forecast = {**inputs, **{name: UNKNOWN for name in kind.computed if name not in inputs}}
            return provider_pb2.CreateResponse(properties=properties.encode(forecast))
        session = self._configured()
        id, outputs = self._call(f"creating {told(request.urn)}", inputs, kind.create, session, plain(inputs))
        return provider_pb2.CreateResponse(id=id, properties=self._state(outputs, inputs))

    @answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        kind = type_of(request.urn)
        state, old_inputs = properties.decode(request.properties), properties.decode(request.inputs)
        known = plain(state)
        session = self._configured()
        outputs = self._call(f"reading {request.id}", old_inputs, kind.read, session, request.id, known)
        if outputs is None:
            return provider_pb2.ReadResponse()
        for name in kind.documents & outputs.keys():
            if same_document(outputs[name], known.get(name)):
                outputs[name] = known[name]
        opened = plain(old_inputs)
        inputs = refreshed(kind, opened, outputs) if opened else inputs_of(kind, outputs)
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=self._state(outputs, {**old_inputs, **_secrets_of(state)}),
            inputs=self._state(inputs, old_inputs),
        )

    @answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        kind = type_of(request.urn)
        known, inputs = plain(properties.decode(request.olds)), properties.decode(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=self._state({**known, **plain(inputs)}, inputs))
        session = self._configured()
        outputs = self._call(
            f"updating {request.id}", inputs, kind.update, session, request.id, known, plain(inputs)
        )
        return provider_pb2.UpdateResponse(properties=self._state(outputs, inputs))

    @answering
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        kind = type_of(request.urn)
        known = properties.decode(request.properties)
        self._call(f"deleting {request.id}", known, kind.delete, self._configured(), request.id, plain(known))
        return empty_pb2.Empty()

    def _configured(self) -> Session:
        if self._session is None:
            raise PluginError("the aws provider is not configured")
        return self._session

    @staticmethod
    def _state(outputs: Properties, inputs: Properties) -> Any:
        return properties.encode(keep_secret(outputs, inputs))

    def _call(self, what: str, inputs: Properties, function: Callable[..., Result], *args: Any) -> Result:
        try:
            return function(*args)
        except ClientError as error:
            message = f"{code_of(error)}: {error.response.get('Error', {}).get('Message', '')}"
            raise PluginError(f"{what}: {properties.redacted(message, inputs)}") from None
        except BotoCoreError as error:
            raise PluginError(f"{what}: {properties.redacted(str(error), inputs)}") from None


def session_of(values: Mapping[str, str], environ: Mapping[str, str]) -> Session:
    """The connection that the provider's options and the AWS environment variables describe.

    Raises:
        PluginError: an option is unknown or cannot be honoured, or there is no region.
        EndpointError: it is not the sandbox's AWS emulation.
    """
    unknown = [
        key
        for key, value in sorted(values.items())
        if key not in _HONOURED | _WITHOUT_EFFECT and value not in ("", "false", "[]", "{}", "null")
    ]
    if unknown:
        raise PluginError(
            f"the offline aws plugin does not know the provider options {', '.join(unknown)}. "
            f"It honours {', '.join(sorted(_HONOURED))}."
        )
    region = values.get("region") or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise PluginError("the aws provider has no region: set the option `region`, or AWS_REGION")
    stated: set[str | None] = {
        url
        for services in json.loads(values.get("endpoints") or "[]")
        for url in plain(services).values()
        if isinstance(url, str) and url
    }
    stated = stated or {environ.get("AWS_ENDPOINT_URL") or None}
    allowed = endpoints.of_environment(environ)
    for url in stated:
        allowed.require_aws(url)
    tags = json.loads(values.get("defaultTags") or "{}").get("tags") or {}
    return Session(
        endpoint=str(allowed.aws),
        region=region,
        access_key=values.get("accessKey") or environ.get("AWS_ACCESS_KEY_ID") or "sandbox",
        secret_key=values.get("secretKey") or environ.get("AWS_SECRET_ACCESS_KEY") or "sandbox",
        token=values.get("token") or environ.get("AWS_SESSION_TOKEN") or None,
        # Buckets as host names would need a DNS server.
        path_style=True,
        default_tags=tags,
    )


def type_of(urn: str) -> ResourceType:
    """The resource type in a URN.

    Raises:
        PluginError: the plugin does not serve it.
    """
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in RESOURCE_TYPES:
        raise PluginError(
            f"{token}: the offline aws plugin serves only {', '.join(sorted(RESOURCE_TYPES))}. "
            "Install the official plugin for other resources."
        )
    return RESOURCE_TYPES[token]


def rejections(kind: ResourceType, news: Properties) -> list[tuple[str, str]]:
    """What is wrong with a resource's inputs: (property, reason) pairs."""
    wrong = [
        (
            name,
            f"the offline aws plugin does not serve this property; it takes {', '.join(sorted(kind.inputs))}",
        )
        for name in sorted(news.keys() - kind.inputs - {"__defaults"})
    ]
    return wrong + [(name, "is required") for name in kind.required if name not in news]


def inputs_of(kind: ResourceType, outputs: Properties) -> Properties:
    """The inputs that would make a resource with `outputs`: what an import writes into the state."""
    return {
        name: value
        for name, value in plain(outputs).items()
        if name in kind.inputs and value not in (None, "")
    }


def refreshed(kind: ResourceType, inputs: Properties, outputs: Properties) -> Properties:
    """`inputs` as the resource has them now, cut to what the program states."""
    result = {
        name: pruned(outputs[name], value, whole_lists=True) if outputs.get(name) is not None else None
        for name, value in inputs.items()
        if name in outputs
    }
    kept = {name: value for name, value in inputs.items() if name not in outputs}
    return {**kept, **{name: value for name, value in result.items() if value is not None}}


def told(urn: str) -> str:
    """A resource for a message: its type and name."""
    return f"{urn.split('::')[2].rpartition('$')[2]} {urn.rpartition('::')[2]!r}"


def _secrets_of(state: Properties) -> Properties:
    return {key: value for key, value in state.items() if properties.has_secret(value)}
