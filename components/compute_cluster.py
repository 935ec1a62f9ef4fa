"""One registered compute cluster: both halves of the registration guide's six steps."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components import bundles
from components.configuration import Access
from components.providers import kubernetes
from madeploy.kubeconfigs import Endpoint
from madeploy.names.kubernetes import RAY_MANAGER, RAY_MANAGER_TOKEN, RAY_NAMESPACE
from madeploy.settings import Environment
from manifests import registration
from manifests.objects import Bundle, Inputs

_JWT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
TOKEN_LIMIT = "60s"


@dataclass(frozen=True)
class ComputeClusterArgs:
    """What a registration is made from."""

    environment: Environment
    access: Access
    control_plane: pulumi.ProviderResource
    """Provider of the control plane's cluster."""

    task_credentials: pulumi.Output[dict[str, str]] | None
    """Data of the tasks' Secret, in base64 and secret; None where tasks need no static keys."""

    inputs: Inputs
    """IAM roles, the tasks' one among them."""

    after: Sequence[pulumi.Resource]
    """The control plane: definitions must exist before the `Cluster`, and its controller manager must
    outlive it."""


def registered_token(data: dict[str, str] | None, cluster: str) -> str:
    """The token of a ServiceAccount's Secret, base64 as it stands there.

    Raises ValueError, naming what to look at but never the value, when it is empty or not a token: the
    platform would register the cluster all the same and call it anonymously (facts 3.1).
    """
    encoded = (data or {}).get("token", "")
    where = f"Secret {RAY_NAMESPACE}/{RAY_MANAGER_TOKEN} on cluster {cluster}"
    if not encoded:
        raise ValueError(
            f"{where} has no token. Kubernetes writes one when the ServiceAccount {RAY_NAMESPACE}/"
            f"{RAY_MANAGER} exists and the token controller runs; see the Secret's annotations."
        )
    try:
        token = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        token = b""
    if not _JWT.fullmatch(token):
        raise ValueError(f"{where} holds something that is not a ServiceAccount token; delete it and retry.")
    return encoded


class ComputeCluster(pulumi.ComponentResource):
    """RBAC, token and storage configuration on the compute cluster (REG-2, REG-3); authority, token and
    `Cluster` on the control plane (REG-4). Removed in reverse."""

    host: str
    """API server as registered, `https://host`."""

    port: str
    """Its port."""

    secrets: dict[str, str]
    """Names of the two Secrets on the control plane, by what they hold (`ca`, `token`)."""

    def __init__(
        self, name: str, args: ComputeClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("michelangelo:index:ComputeCluster", name, {}, opts)
        endpoint = args.access.endpoint
        if endpoint is None:
            raise ValueError(f"cluster {name} has no endpoint; components.configuration reads one for each")
        compute = kubernetes(name, args.access, former_parent=self)
        there = pulumi.ResourceOptions(parent=self, provider=compute)
        here = pulumi.ResourceOptions(parent=self, provider=args.control_plane)
        credential = compute_half(name, args.environment, args.inputs, args.task_credentials, there)
        control_plane_half(name, args.environment, endpoint, credential, here, args.after)
        self.host, self.port = endpoint.host, endpoint.port
        self.secrets = registration.secret_names(name)
        self.register_outputs({"host": self.host, "port": self.port, "secrets": self.secrets})


def compute_half(
    name: str,
    environment: Environment,
    inputs: Inputs,
    task_credentials: pulumi.Output[dict[str, str]] | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[dict[str, str]]:
    """What the cluster itself gets, made with the provider in `opts`. Returns the data of the credential's
    Secret, secret; unknown where this update leaves the Secret out."""
    objects = list(registration.compute_side(environment, name, inputs).objects)
    if task_credentials is not None:
        objects.append(registration.task_credentials(task_credentials))
    access = bundles.create(Bundle(name, tuple(objects)), opts)
    request = registration.token_request_arguments()
    request["metadata"]["annotations"][bundles.WAIT_FOR_ANNOTATION] = "jsonpath={.data.token}"
    limits = pulumi.CustomTimeouts(create=TOKEN_LIMIT)
    own = pulumi.ResourceOptions(depends_on=access, custom_timeouts=limits)
    credential = k8s.core.v1.Secret(f"{name}-token", **request, opts=pulumi.ResourceOptions.merge(opts, own))
    # A Secret that is left out has no id: what follows from its data then stays unknown, instead of failing.
    return pulumi.Output.secret(pulumi.Output.all(credential.id, credential.data).apply(lambda made: made[1]))


def control_plane_half(
    name: str,
    environment: Environment,
    endpoint: Endpoint,
    credential: pulumi.Output[dict[str, str]],
    opts: pulumi.ResourceOptions,
    after: Sequence[pulumi.Resource] = (),
) -> None:
    """What the control plane gets, made with the provider in `opts` after `after`: the authority's Secret,
    the token's, and then the `Cluster`. `credential` is the data of the credential's Secret."""
    authority = bundles.create(
        Bundle(name, (registration.ca_secret(name, endpoint.certificate_authority),)), opts, after
    )
    # Where this update leaves the cluster out, the first Secret has no id, and no token is looked for.
    token = pulumi.Output.all(authority[0].id, credential).apply(lambda made: registered_token(made[1], name))
    secrets = bundles.create(
        Bundle(name, (registration.token_secret(name, pulumi.Output.secret(token)),)), opts, after
    )
    bundles.create(
        Bundle(name, (registration.cluster(environment, name, endpoint.host, endpoint.port),)),
        opts,
        [*authority, *secrets],
    )
