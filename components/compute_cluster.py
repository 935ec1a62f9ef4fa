"""One registered compute cluster: both halves of the registration guide's six steps."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pulumi

from components import bundles
from components.adoption import taking_over
from components.configuration import Access
from components.providers import kubernetes
from components.resources import Resource
from madeploy.kubeconfigs import Endpoint, tokens
from madeploy.names.kubernetes import RAY_MANAGER, RAY_MANAGER_TOKEN, RAY_NAMESPACE, ray_manager_token
from madeploy.settings import Environment
from madeploy.settings.clusters import KeptCredential
from manifests import registration, serving
from manifests.history_server import history_server
from manifests.inputs import Inputs
from manifests.objects import Bundle
from manifests.queues import kueue_release, queues
from manifests.token_alert import is_ending, is_watched, token_alert

TOKEN_LIMIT = "30s"
"""How long a token is waited for (registration guide, step 3); it takes less than a second (V9)."""

FINALIZER_LIMIT = "2m"
"""How long a `Cluster`'s deletion may take: its finalizer waits for a running controller manager (V16)."""

_TIMED_OUT = re.compile("time[d ]*-?out|deadline", re.IGNORECASE)


@dataclass(frozen=True)
class ComputeClusterArgs:
    """Arguments of a registration."""

    inputs: Inputs
    access: Access
    control_plane: pulumi.ProviderResource
    """Provider of the control plane's cluster."""

    task_credentials: pulumi.Output[dict[str, str]] | None
    """Data of the tasks' Secret, in base64 and secret; None where tasks need no static keys."""

    after: Sequence[pulumi.Resource]
    """The control plane: definitions must exist before the `Cluster`, and its controller manager must
    outlive it."""


def registered_token(data: dict[str, str] | None, cluster: str, secret: str = RAY_MANAGER_TOKEN) -> str:
    """The token in the data of a credential's Secret, base64 as it stands there.

    Raises ValueError, naming what to look at but never the value, when it is empty or not a token: the
    platform would register the cluster all the same and call it anonymously (facts 3.1).
    """
    encoded = (data or {}).get("token", "")
    where = f"Secret {RAY_NAMESPACE}/{secret} on cluster {cluster}"
    if not encoded:
        raise ValueError(
            f"{where} has no token. Kubernetes writes one when the ServiceAccount {RAY_NAMESPACE}/"
            f"{RAY_MANAGER} exists and the token controller runs; see the Secret's annotations."
        )
    try:
        defect = tokens.defect(base64.b64decode(encoded, validate=True).decode("ascii", errors="replace"))
    except binascii.Error:
        defect = "is not base64"
    if defect:
        raise ValueError(f"What stands in {where} {defect}; delete the Secret and retry.")
    return encoded


def _ends(encoded: str) -> float | None:
    """When a token (in base64) ends, in seconds since 1970; None for one without an end."""
    return tokens.claims(base64.b64decode(encoded).decode("ascii")).expires_at


def expiry(encoded: str) -> str:
    """When a token (in base64) ends by its own `exp`, which may be sooner than what was asked for: RFC 3339,
    UTC; "" for one without an end."""
    ends = _ends(encoded)
    return "" if ends is None else datetime.fromtimestamp(ends, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class ComputeCluster(pulumi.ComponentResource):
    """RBAC, token and storage configuration on the compute cluster (REG-2, REG-3); authority, token and
    `Cluster` on the control plane (REG-4). Removed in reverse."""

    host: str
    """API server as registered, `https://host`."""

    port: str
    """Its port."""

    secrets: dict[str, str]
    """Names of the two Secrets on the control plane, by what they hold (`ca`, `token`)."""

    token: pulumi.CustomResource | None
    """The one of them with the token; None where no credential is registered."""

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
        credential = compute_half(name, args.inputs, args.task_credentials, there, args.access.token)
        self.token = control_plane_half(name, args.inputs.environment, endpoint, credential, here, args.after)
        self.host, self.port = endpoint.host, endpoint.port
        self.secrets = registration.secret_names(name)
        self.register_outputs({"host": self.host, "port": self.port, "secrets": self.secrets})


def compute_half(
    name: str,
    inputs: Inputs,
    task_credentials: pulumi.Output[dict[str, str]] | None,
    opts: pulumi.ResourceOptions,
    token: pulumi.Output[str] | None = None,
) -> pulumi.Output[dict[str, str]]:
    """What the cluster itself gets, made with the provider in `opts`: rights, storage configuration, KubeRay
    where the toolkit installs it, and one Secret for each credential.

    Returns the registered credential as the data of its Secret (`token`, in base64), secret; unknown where
    this update leaves that Secret out, empty where no credential is registered. `token` is that of a bounded
    credential, secret.
    """
    environment = inputs.environment
    opts = taking_over(name, environment.clusters[name].adopted, opts)
    objects = list(registration.compute_side(inputs, name).objects)
    if task_credentials is not None:
        objects.append(registration.task_credentials(task_credentials))
    access: list[pulumi.Resource] = [*bundles.create(Bundle(name, tuple(objects)), opts)]
    if environment.clusters[name].operators.kube_ray == "install":
        release = registration.kuberay_release(environment)
        access.append(helm_release(f"{name}-kuberay", release, opts))
    access += _queues(name, environment, opts)
    # Nothing waits for it: a cluster is registered whether or not its history can be looked at.
    bundles.create(Bundle(name, history_server(environment, name)), opts)
    made = {
        item.generation: _credential(name, item, access, opts)
        for item in registration.credentials(environment, name)
    }
    serving_token = _serving(name, inputs, access, opts)
    registered = environment.clusters[name].credential
    if not registration.is_registered(environment, name):
        return pulumi.Output.secret({})
    secret = made[registered.generation]
    # A Secret that is left out has no id: what follows from its data then stays unknown, instead of failing.
    if registered.kind == "longLived":
        data = pulumi.Output.all(secret.id, secret.output("data")).apply(lambda known: known[1])
    elif token is not None:
        data = pulumi.Output.all(secret.id, token).apply(
            lambda known: {"token": base64.b64encode(known[1].encode()).decode()}
        )
    else:
        raise ValueError(f"cluster {name} has a bounded credential, and no clusterTokens.{name}")
    if serving_token is not None:
        data = pulumi.Output.all(data, serving_token).apply(
            lambda known: {**known[0], serving.TOKEN: known[1]}
        )
    return pulumi.Output.secret(data)


def _serving(
    name: str, inputs: Inputs, after: Sequence[pulumi.Resource], opts: pulumi.ResourceOptions
) -> pulumi.Output[str] | None:
    """What a cluster that serves gets, and the token of `inference-server-manager` that has the registered
    credential's generation, in base64, as Kubernetes wrote it; None where it does not serve."""
    requests = serving.token_requests(inputs.environment, name)
    if not requests:
        return None
    account = bundles.create(Bundle(name, serving.target_side(inputs, name)), opts, after)
    own = pulumi.ResourceOptions(
        depends_on=account, custom_timeouts=pulumi.CustomTimeouts(create=TOKEN_LIMIT, update=TOKEN_LIMIT)
    )
    made = []
    for request in requests:
        described = request["metadata"]
        waited = {**described["annotations"], bundles.WAIT_FOR_ANNOTATION: "jsonpath={.data.token}"}
        made.append(
            _token_secret(
                f"{name}-{described['name']}",
                {"metadata": {**described, "annotations": waited}, "type": request["type"]},
                pulumi.ResourceOptions.merge(opts, own),
            )
        )
    # The registered credential's own generation comes first.
    token: pulumi.Output[str] = pulumi.Output.all(made[0].id, made[0].output("data")).apply(
        lambda known: (known[1] or {}).get("token", "")
    )
    return token


def _queues(name: str, environment: Environment, opts: pulumi.ResourceOptions) -> Sequence[pulumi.Resource]:
    """The cluster's queues, after Kueue where the toolkit installs it. A registration comes after them: jobs
    that find no queue end."""
    objects = queues(environment, name)
    if not objects:
        return ()
    installed: list[pulumi.Resource] = []
    if environment.clusters[name].operators.kueue == "install":
        installed.append(helm_release(f"{name}-kueue", kueue_release(), opts))
    return [*installed, *bundles.create(Bundle(name, objects), opts, installed)]


def _credential(
    cluster: str,
    credential: KeptCredential,
    access: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> Resource:
    """The Secret of one credential. The name of its resource never changes: the first has none of its own,
    because it was there before there were others."""
    suffix = "" if credential.generation == 1 else f"-{credential.generation}"
    request = registration.token_request_arguments(credential.generation, credential.kind)
    hooks = None
    if credential.kind == "longLived":
        request["metadata"]["annotations"][bundles.WAIT_FOR_ANNOTATION] = "jsonpath={.data.token}"
        secret = ray_manager_token(credential.generation)
        explain = pulumi.ErrorHook(
            f"{cluster}-token{suffix}", lambda failure: _explain(failure, cluster, secret, opts.parent)
        )
        hooks = pulumi.ResourceHookBinding(on_error=[explain])
    limits = pulumi.CustomTimeouts(create=TOKEN_LIMIT, update=TOKEN_LIMIT)
    own = pulumi.ResourceOptions(depends_on=access, custom_timeouts=limits, hooks=hooks)
    merged = pulumi.ResourceOptions.merge(opts, own)
    return _token_secret(f"{cluster}-token{suffix}", request, merged)


def _token_secret(name: str, request: Mapping[str, Any], opts: pulumi.ResourceOptions) -> Resource:
    """A Secret that Kubernetes writes a token into; whatever it holds is secret."""
    hidden = pulumi.ResourceOptions(additional_secret_outputs=["data", "stringData"])
    return Resource(
        "kubernetes:core/v1:Secret",
        name,
        {"apiVersion": "v1", "kind": "Secret", **request},
        pulumi.ResourceOptions.merge(opts, hidden),
        outputs=["data"],
    )


def helm_release(name: str, arguments: Mapping[str, Any], opts: pulumi.ResourceOptions) -> Resource:
    """A Helm release, in the spelling of `kubernetes:helm.sh/v3:Release`."""
    # `compat` is what pulumi-kubernetes' own class says: outputs are those of Helm 3 releases.
    return Resource("kubernetes:helm.sh/v3:Release", name, {"compat": "true", **arguments}, opts)


def _explain(
    failure: pulumi.ErrorHookArgs, cluster: str, secret: str, component: pulumi.Resource | None
) -> bool:
    """Say why a token does not come (REG-5): the plugin knows only that it was waited for. It is said of the
    cluster's component, so that it counts as this cluster's trouble alone. Never tried again within the same
    update."""
    if failure.errors and _TIMED_OUT.search(failure.errors[0]):
        pulumi.log.error(
            f"cluster {cluster}: Kubernetes wrote no token into Secret {RAY_NAMESPACE}/{secret} within "
            f"{TOKEN_LIMIT}. It does so when ServiceAccount {RAY_NAMESPACE}/{RAY_MANAGER} exists and the "
            "token controller of its kube-controller-manager runs. Nothing was registered with it. Look at\n"
            f"  kubectl -n {RAY_NAMESPACE} get serviceaccount {RAY_MANAGER}\n"
            f"  kubectl -n {RAY_NAMESPACE} describe secret {secret}\n"
            "on that cluster, then run the update again.",
            resource=component,
        )
    return False


def control_plane_half(
    name: str,
    environment: Environment,
    endpoint: Endpoint,
    credential: pulumi.Output[dict[str, str]],
    opts: pulumi.ResourceOptions,
    after: Sequence[pulumi.Resource] = (),
) -> pulumi.CustomResource | None:
    """What the control plane gets, made with the provider in `opts` after `after`: the authority's Secret,
    the token's, and then the `Cluster`; nothing where no credential is registered. `credential` is the data
    of the credential's Secret. Returns the token's Secret.

    While a credential takes over from another, the Secrets wait for nothing: the controller manager, which
    reads them when it starts, waits for them (`gates.after_credentials`).
    """
    if not registration.is_registered(environment, name):
        return None
    opts = taking_over(name, environment.clusters[name].adopted, opts)
    registered = environment.clusters[name].credential
    before_secrets = () if is_moving(environment, name) else after
    authority = bundles.create(
        Bundle(name, (registration.ca_secret(name, endpoint.certificate_authority),)), opts, before_secrets
    )
    # Where this update leaves the cluster out, the first Secret has no id, and no token is looked for.
    token = pulumi.Output.all(authority[0].id, credential).apply(
        lambda made: registered_token(made[1], name, ray_manager_token(registered.generation))
    )
    ends = pulumi.Output.unsecret(token.apply(expiry)) if registered.kind == "bounded" else None
    secrets = bundles.create(
        Bundle(name, (registration.token_secret(name, pulumi.Output.secret(token), ends),)),
        opts,
        before_secrets,
    )
    if is_watched(environment, name):
        since = pulumi.Output.unsecret(
            token.apply(lambda encoded: is_ending(environment, name, _ends(encoded)))
        )
        bundles.create(Bundle(name, (token_alert(environment, name, since),)), opts, after)
    if environment.serving is not None and environment.clusters[name].serving:
        handed_over: pulumi.Output[str] = credential.apply(lambda data: str(data.get(serving.TOKEN, "")))
        bundles.create(
            Bundle(name, (serving.token_secret(name, pulumi.Output.secret(handed_over)),)), opts, after
        )
    bundles.create(
        Bundle(name, (registration.cluster(environment, name, endpoint.host, endpoint.port),)),
        pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete=FINALIZER_LIMIT)),
        ),
        [*after, *authority, *secrets],
    )
    return secrets[0]


def is_moving(environment: Environment, name: str) -> bool:
    """Whether one credential of a registered cluster is taking over from another (`clusters rotate`)."""
    return registration.is_registered(environment, name) and bool(environment.clusters[name].credential.keep)
