"""Kubernetes objects as Pulumi keeps them: names, annotations, checkpoints, what only the server knows.

The state of a resource is the live object plus three keys of pulumi-kubernetes (`__inputs`,
`__initialApiVersion`, `__fieldManager`), so that a stack made with one of the two plugins can be carried on
with the other."""

from __future__ import annotations

import base64
import copy
import hashlib
import uuid
from typing import Any

from madeploy.sandbox.plugins.properties import (
    UNKNOWN,
    Properties,
    Secret,
    has_unknown,
    keep_secret,
    plain,
    rename_keys,
)

INPUTS_KEY = "__inputs"
API_VERSION_KEY = "__initialApiVersion"
MANAGER_KEY = "__fieldManager"
_OWN_KEYS = frozenset({INPUTS_KEY, API_VERSION_KEY, MANAGER_KEY})

AUTONAMED = "pulumi.com/autonamed"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
TOKEN_SECRET = "kubernetes.io/service-account-token"

# The SDKs cannot have dashes in argument names.
_DASHED = {
    name.replace("-", "_"): name
    for name in (
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    )
}
_UNDERSCORED = {dashed: name for name, dashed in _DASHED.items()}

_SET_BY_SERVER = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)

# Groups whose kinds are part of Kubernetes: of these the API server knows the meaning of every field.
_BUILT_IN_GROUPS = frozenset(
    ["", "apps", "autoscaling", "batch", "extensions", "policy"]
    + [
        f"{name}.k8s.io"
        for name in [
            "admissionregistration",
            "apiextensions",
            "apiregistration",
            "authentication",
            "authorization",
            "certificates",
            "coordination",
            "discovery",
            "events",
            "flowcontrol.apiserver",
            "internal.apiserver",
            "networking",
            "node",
            "rbac.authorization",
            "resource",
            "scheduling",
            "storage",
            "storagemigration",
        ]
    ]
)
_CLUSTER_SCOPED = frozenset(
    [
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersion",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ]
)


def from_sdk(inputs: Properties) -> Properties:
    """Inputs with Kubernetes' own field names."""
    renamed: Properties = rename_keys(inputs, lambda key: _DASHED.get(key, key))
    return renamed


def for_sdk(outputs: Properties) -> Properties:
    """Outputs with the field names that the SDKs expect."""
    renamed: Properties = rename_keys(outputs, lambda key: _UNDERSCORED.get(key, key))
    return renamed


def metadata(target: Properties) -> dict[str, Any]:
    """The metadata of `target`, opened; empty where it has none or it is unknown."""
    found = plain(target.get("metadata"))
    return found if isinstance(found, dict) else {}


def annotation(target: Properties, key: str) -> str:
    """An annotation's value, or the empty string."""
    annotations = metadata(target).get("annotations")
    value = annotations.get(key) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else ""


def with_metadata(target: Properties, **fields: Any) -> Properties:
    """`target` with metadata `fields` set (removed where `None`), secret where the metadata was."""
    current = target.get("metadata")
    if current is UNKNOWN:
        return target
    inner = current.value if isinstance(current, Secret) else current or {}
    if inner is UNKNOWN:
        return target
    merged = {key: value for key, value in {**inner, **fields}.items() if value is not None}
    return {**target, "metadata": Secret(merged) if isinstance(current, Secret) else merged}


def annotated(target: Properties, key: str, value: str) -> Properties:
    """`target` with one annotation more."""
    annotations = metadata(target).get("annotations", {})
    if annotations is UNKNOWN:
        return target
    given = (
        (target.get("metadata") or {}).get("annotations", {})
        if isinstance(target.get("metadata"), dict)
        else {}
    )
    kept = (
        Secret({**annotations, key: value})
        if isinstance(given, Secret)
        else {**(given or annotations), key: value}
    )
    return with_metadata(target, annotations=kept)


def without_server_fields(target: Properties) -> Properties:
    """`target` without the metadata that nobody but the server may set."""
    return with_metadata(target, **dict.fromkeys(_SET_BY_SERVER)) if "metadata" in target else target


def unique_name(prefix: str, seed: bytes) -> str:
    """`prefix` and eight characters that follow from `seed`."""
    digest = hashlib.sha256(seed).hexdigest() if seed else uuid.uuid4().hex
    return f"{prefix}-{digest[:8]}"


def field_manager() -> str:
    """A new name for the manager of an object's fields; every object has its own."""
    return f"pulumi-kubernetes-{uuid.uuid4().hex[:8]}"


def object_id(target: Properties) -> str:
    """The resource's id: `namespace/name`, or `name`."""
    found = metadata(target)
    return "/".join(filter(None, (found.get("namespace"), found["name"])))


def is_built_in(api_version: str) -> bool:
    """Whether a kind of `api_version` comes with Kubernetes."""
    return api_version.rpartition("/")[0] in _BUILT_IN_GROUPS


def is_cluster_scoped(api_version: str, kind: str) -> bool:
    """Whether a kind is known to live outside namespaces, without asking a server."""
    return kind in _CLUSTER_SCOPED and is_built_in(api_version)


def checkpoint(inputs: Properties, live: Properties, api_version: str, manager: str) -> Properties:
    """The resource's state: `live`, and `inputs` beside it, with all that is secret marked."""
    outputs = shielded(keep_secret(copy.deepcopy(live), inputs))
    outputs[INPUTS_KEY] = shielded(inputs)
    outputs[API_VERSION_KEY] = api_version
    outputs[MANAGER_KEY] = manager
    return for_sdk(outputs)


def parsed_checkpoint(state: Properties) -> tuple[Properties, Properties]:
    """The inputs (secrets still marked) and the live object (opened) in a state that `checkpoint` made."""
    state = from_sdk(state)
    inputs = state.get(INPUTS_KEY)
    inner = inputs.value if isinstance(inputs, Secret) else inputs
    live = {key: plain(value) for key, value in state.items() if key not in _OWN_KEYS}
    return inner if isinstance(inner, dict) else {}, live


def shielded(value: Any) -> Any:
    """`value` with the contents of every Kubernetes Secret in it marked, whoever made it."""
    if isinstance(value, list):
        return [shielded(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: shielded(item) for key, item in value.items()}
    if value.get("kind") == "Secret":
        for key in ("data", "stringData"):
            if key in result and not isinstance(result[key], Secret):
                result[key] = Secret(plain(result[key]))
        # kubectl's copy of what it applied holds the data once more.
        annotations = (
            result["metadata"].get("annotations") if isinstance(result.get("metadata"), dict) else None
        )
        if isinstance(annotations, dict) and isinstance(annotations.get(LAST_APPLIED), str):
            annotations[LAST_APPLIED] = Secret(annotations[LAST_APPLIED])
    return result


def keeps_identity(new: Properties, live: Properties) -> bool:
    """Whether the new object would have the old one's name, so that the old one has to go first."""
    found = new["metadata"]
    return (
        annotation(new, AUTONAMED) != "true"
        and found.get("name") == live["metadata"]["name"]
        and found.get("namespace") == live["metadata"].get("namespace")
    )


def importable(live: Properties) -> Properties:
    """The part of a live object that a program would state."""
    inputs = without_server_fields({key: value for key, value in live.items() if key != "status"})
    annotations = dict(inputs["metadata"].get("annotations") or {})
    for key in ("deployment.kubernetes.io/revision", LAST_APPLIED):
        annotations.pop(key, None)
    return with_metadata(inputs, annotations=annotations or None)


def forecast(inputs: Properties, outcome: Properties | None, live: Properties | None) -> Properties:
    """What a preview answers: the outcome of a dry run, or the inputs, with what cannot be known left open.

    Args:
        inputs: the new inputs, opened; may hold `UNKNOWN`.
        outcome: what the server would make of them, where it was asked.
        live: the object as it is, for an update; `None` for a creation.
    """
    result: Properties = copy.deepcopy(outcome) if outcome else _merged(copy.deepcopy(live or {}), inputs)
    found = result.get("metadata")
    if isinstance(found, dict):
        for key in ("resourceVersion", "managedFields"):
            found[key] = UNKNOWN
        if live is None:
            for key in ("uid", "creationTimestamp", "generation"):
                found[key] = UNKNOWN
    if live is None and result.get("kind") not in ("ConfigMap", "Secret", "ServiceAccount"):
        result["status"] = UNKNOWN
    if live is None and result.get("kind") == "Service" and isinstance(result.get("spec"), dict):
        _leave_addresses_open(result["spec"], inputs.get("spec"))
    if result.get("kind") == "Secret":
        _forecast_secret(result, inputs, live is None)
    return result


def _leave_addresses_open(spec: dict[str, Any], given: Any) -> None:
    given = given if isinstance(given, dict) else {}
    if spec.get("type") == "ExternalName":
        return
    for key in ("clusterIP", "clusterIPs"):
        if key not in given and given.get("clusterIP") is None:
            spec[key] = UNKNOWN
    for port, wanted in zip(spec.get("ports") or [], given.get("ports") or [], strict=False):
        if (
            isinstance(port, dict)
            and isinstance(wanted, dict)
            and "nodePort" not in wanted
            and "nodePort" in port
        ):
            port["nodePort"] = UNKNOWN


def _forecast_secret(result: Properties, inputs: Properties, new: bool) -> None:
    if new and inputs.get("type") == TOKEN_SECRET:
        result["data"] = UNKNOWN
        return
    given = inputs.get("stringData")
    if given is UNKNOWN or inputs.get("data") is UNKNOWN:
        result["data"] = UNKNOWN
    elif isinstance(given, dict):
        data = result.get("data")
        result["data"] = (data if isinstance(data, dict) else {}) | {
            key: UNKNOWN if has_unknown(value) else base64.b64encode(str(value).encode()).decode()
            for key, value in given.items()
        }


def _merged(base: Any, overlay: Any) -> Any:
    if isinstance(base, dict) and isinstance(overlay, dict):
        return {**base, **{key: _merged(base.get(key), value) for key, value in overlay.items()}}
    return copy.deepcopy(overlay)
