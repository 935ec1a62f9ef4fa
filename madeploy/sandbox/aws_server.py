"""moto's server with what moto 5.2.5 gets wrong put right: `python -m madeploy.sandbox.aws_server`.

Every correction changes one answer to what AWS documents, and is named for it. Its tests ask each question of
plain moto too, and say so when a later version no longer needs the correction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import Any

import moto.server
import xmltodict
from moto.core.responses import ActionResult, EmptyResult
from moto.eks import urls as eks_urls
from moto.eks.exceptions import ResourceInUseException, ResourceNotFoundException
from moto.eks.responses import EKSResponse
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.responses import IamResponse
from moto.kms.responses import KmsResponse
from moto.s3.models import LOGGING_SERVICE_PRINCIPAL, FakeBucket
from moto.s3.responses import S3Response

DEFAULT_ROTATION_DAYS = 365
"""Rotation period of a KMS key that was given none (KMS API, EnableKeyRotation)."""

_BY_TLS = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
"""What AWS would know of a request. It is reached by TLS; that this server, on loopback, is not, says nothing
about the policies it is asked to keep."""

_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringNotEquals": lambda value, wanted: value != wanted,
    "NumericEquals": lambda value, wanted: float(value) == float(wanted),
    "NumericNotEquals": lambda value, wanted: float(value) != float(wanted),
    "NumericLessThan": lambda value, wanted: float(value) < float(wanted),
    "NumericLessThanEquals": lambda value, wanted: float(value) <= float(wanted),
    "NumericGreaterThan": lambda value, wanted: float(value) > float(wanted),
    "NumericGreaterThanEquals": lambda value, wanted: float(value) >= float(wanted),
}

_ASSOCIATIONS = "{0}/clusters/(?P<name>[^/]+)/pod-identity-associations$"
_ASSOCIATION = "{0}/clusters/(?P<name>[^/]+)/pod-identity-associations/(?P<associationId>[^/]+)$"


def correct() -> None:
    """Apply every correction to moto in this process."""
    _keep_tags_of_new_buckets()
    _tell_blocked_encryption()
    _tell_whole_lifecycles()
    _weigh_conditions_of_bucket_policies()
    _let_log_policies_name_a_wider_prefix()
    _remember_rotation_periods()
    _leave_alone_what_update_role_does_not_name()
    _serve_pod_identity_associations()


def _keep_tags_of_new_buckets() -> None:
    """CreateBucket takes tags in its body (S3 API, CreateBucketConfiguration); moto reads only the region."""
    answered = S3Response._bucket_response_put

    def put(self: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        is_new = bucket_name not in self.backend.buckets
        answer = answered(self, request, bucket_name, querystring)
        if is_new and (tags := _tags_in(self.body)):
            self.backend.put_bucket_tagging(bucket_name, tags)
        return answer

    S3Response._bucket_response_put = put


def _tags_in(body: bytes | str) -> dict[str, str]:
    """Tags in the body of CreateBucket."""
    document = xmltodict.parse(body, force_list=("Tag",)) if body else {}
    tags = ((document.get("CreateBucketConfiguration") or {}).get("Tags") or {}).get("Tag", [])
    return {tag["Key"]: tag["Value"] or "" for tag in tags}


def _tell_blocked_encryption() -> None:
    """GetBucketEncryption tells which encryption a bucket refuses (S3 API, BlockedEncryptionTypes); moto
    keeps it and tells the rest."""
    answered = S3Response.get_bucket_encryption

    def get_bucket_encryption(self: Any) -> Any:
        rule = (self.backend.get_bucket_encryption(self.bucket_name) or {}).get("Rule") or {}
        blocked = (rule.get("BlockedEncryptionTypes") or {}).get("EncryptionType")
        if not blocked:
            return answered(self)
        told = {
            "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled") == "true",
            "BlockedEncryptionTypes": {"EncryptionType": _listed(blocked)},
        }
        self.data["Action"] = "GetBucketEncryption"
        return self.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [told]}}))

    S3Response.get_bucket_encryption = get_bucket_encryption


def _tell_whole_lifecycles() -> None:
    """GetBucketLifecycleConfiguration tells what was put (S3 API, LifecycleRule); moto forgets sizes of
    objects, the number of versions that stay, tags without a value and from which size on objects move."""
    answered, told = S3Response._bucket_response_put, S3Response.get_bucket_lifecycle

    def put(self: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        answer = answered(self, request, bucket_name, querystring)
        if "lifecycle" in querystring:
            document = xmltodict.parse(self.body, force_list=("Rule", *_LISTS_OF_LIFECYCLES))
            rules = (document["LifecycleConfiguration"] or {}).get("Rule", [])
            smallest = request.headers.get("x-amz-transition-default-minimum-object-size", _SMALLEST_MOVED)
            _bucket(self, bucket_name).lifecycle_as_put = {
                "Rules": [_as_told(rule) for rule in rules],
                "TransitionDefaultMinimumObjectSize": smallest,
            }
        return answer

    def get_bucket_lifecycle(self: Any) -> Any:
        told(self)  # refuses where there is none
        return self.serialized(ActionResult(_bucket(self, self.bucket_name).lifecycle_as_put))

    S3Response._bucket_response_put = put
    S3Response.get_bucket_lifecycle = get_bucket_lifecycle


_SMALLEST_MOVED = "all_storage_classes_128K"
"""From which size on objects move to another storage class where nothing is said of it (S3 API)."""

_LISTS_OF_LIFECYCLES: Mapping[str, str] = {
    "Transition": "Transitions",
    "NoncurrentVersionTransition": "NoncurrentVersionTransitions",
}
"""Names of repeated elements in the body, and of the lists they are in botocore's model of the answer."""


def _as_told(part: Any) -> Any:
    """A part of a lifecycle as it is in the body, in the names of the answer."""
    if isinstance(part, list):
        return [_as_told(item) for item in part]
    if isinstance(part, Mapping):
        made = {_LISTS_OF_LIFECYCLES.get(name, name): _as_told(value) for name, value in part.items()}
        if "And" in made and "Tag" in made["And"]:
            made["And"]["Tags"] = _listed(made["And"].pop("Tag"))
        return made
    # An empty element.
    return "" if part is None else part


def _bucket(response: Any, name: str) -> Any:
    return response.backend.get_bucket(name)


def _weigh_conditions_of_bucket_policies() -> None:
    """A statement whose condition is not met says nothing (IAM user guide, policy evaluation); to moto it is
    a denial, whatever its effect."""

    def get_permission(self: Any, action: str, resource: str) -> Any:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        policy = json.loads(self.policy)
        policy["Statement"] = [
            {key: value for key, value in statement.items() if key != "Condition"}
            for statement in _listed(policy["Statement"])
            if _is_met(statement.get("Condition", {}))
        ]
        return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission


def _is_met(conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether conditions hold for a request of which nothing is known but that it came by TLS."""
    return all(
        _holds(operator, _BY_TLS.get(key), [str(item) for item in _listed(wanted)])
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, value: str | None, wanted: list[str]) -> bool:
    plain = operator.rpartition(":")[2].removesuffix("IfExists")
    if plain == "Null":
        return (value is None) == (wanted[0].lower() == "true")
    if value is None:
        # A key that a request does not have matches nothing, and so satisfies what must not match.
        return operator.endswith("IfExists") or "Not" in plain
    compared = (_COMPARISONS[plain](value, item) for item in wanted)
    return all(compared) if "Not" in plain else any(compared)


def _let_log_policies_name_a_wider_prefix() -> None:
    """S3 delivers access logs wherever the target bucket's policy lets its log service write (S3 user guide,
    permissions for log delivery); moto wants the policy to name the very prefix, as one text."""

    def permits(target_bucket: Any, target_prefix: str | None) -> bool:
        delivered = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}log"
        policy = json.loads(target_bucket.policy or b'{"Statement": []}')
        return any(
            statement["Effect"] == "Allow"
            and LOGGING_SERVICE_PRINCIPAL in _services(statement.get("Principal"))
            and _matches(statement.get("Action", []), "s3:PutObject")
            and _matches(statement.get("Resource", []), delivered)
            for statement in _listed(policy["Statement"])
        )

    FakeBucket._log_permissions_enabled_policy = staticmethod(permits)


def _services(principal: Any) -> list[Any]:
    return _listed(principal.get("Service", [])) if isinstance(principal, Mapping) else []


def _matches(patterns: Any, value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in _listed(patterns))


def _remember_rotation_periods() -> None:
    """A key's rotation has a period, told by GetKeyRotationStatus (KMS API); moto knows on and off only."""
    enabled, told = KmsResponse.enable_key_rotation, KmsResponse.get_key_rotation_status

    def enable_key_rotation(self: Any) -> Any:
        answer = enabled(self)
        days = self._get_param("RotationPeriodInDays") or DEFAULT_ROTATION_DAYS
        _key(self).rotation_period_in_days = int(days)
        return answer

    def get_key_rotation_status(self: Any) -> Any:
        status, key = json.loads(told(self)), _key(self)
        if status["KeyRotationEnabled"]:
            days = getattr(key, "rotation_period_in_days", DEFAULT_ROTATION_DAYS)
            status |= {"RotationPeriodInDays": days, "NextRotationDate": key.creation_date + days * 86_400}
        return json.dumps({**status, "KeyId": key.id})

    KmsResponse.enable_key_rotation = enable_key_rotation
    KmsResponse.get_key_rotation_status = get_key_rotation_status


def _key(response: Any) -> Any:
    backend = response.kms_backend
    return backend.keys[backend.get_key_id(response._get_param("KeyId"))]


def _leave_alone_what_update_role_does_not_name() -> None:
    """UpdateRole changes what it is given (IAM API); moto takes a description that is not given for none."""

    def update_role(self: Any) -> Any:
        role = self.backend.get_role(self._get_param("RoleName"))
        description = self._get_param("Description", role.description)
        seconds = self._get_param("MaxSessionDuration", role.max_session_duration)
        self.backend.update_role(role.name, description, seconds)
        return EmptyResult()

    IamResponse.update_role = update_role


def _serve_pod_identity_associations() -> None:
    """EKS hands roles to pods by associations of a ServiceAccount with a role (EKS API); moto has none."""
    for path in (_ASSOCIATIONS, _ASSOCIATION):
        eks_urls.url_paths[path] = eks_urls.response.dispatch
    for name, method in vars(_PodIdentityAssociations).items():
        if name.endswith("_pod_identity_association") or name == "list_pod_identity_associations":
            setattr(EKSResponse, name, method)
    for name in ("tag_resource", "untag_resource", "list_tags_for_resource"):
        setattr(EKSResponse, name, _tagging(name, getattr(EKSResponse, name)))


class _PodIdentityAssociations:
    """What moto's handler of EKS gets: an operation a method, `self` being the handler."""

    def create_pod_identity_association(self: Any) -> Any:
        given = {name: self._get_param(name) for name in ("namespace", "serviceAccount", "roleArn")}
        cluster, backend = self._get_param("name"), self.eks_backend
        if cluster not in backend.clusters:
            raise _refused(ResourceNotFoundException, f"No cluster found for name: {cluster}.")
        place = f"{cluster}/{given['namespace']}/{given['serviceAccount']}"
        # AWS makes an id up. This one is the same again when requests are told to a new process.
        number = "a-" + hashlib.sha256(place.encode()).hexdigest()[:17]
        stored = _associations(backend)
        if number in stored:
            raise _refused(ResourceInUseException, f"Association already exists: {number}")
        now = datetime.now(timezone.utc)
        where = f"{backend.partition}:eks:{backend.region_name}:{backend.account_id}"
        stored[number] = {
            **given,
            "clusterName": cluster,
            "associationId": number,
            "associationArn": f"arn:{where}:podidentityassociation/{cluster}/{number}",
            "tags": self._get_param("tags") or {},
            "disableSessionTags": bool(self._get_param("disableSessionTags")),
            "createdAt": now,
            "modifiedAt": now,
        }
        return ActionResult({"association": stored[number]})

    def describe_pod_identity_association(self: Any) -> Any:
        return ActionResult({"association": _association(self)})

    def list_pod_identity_associations(self: Any) -> Any:
        wanted = {"clusterName": self._get_param("name")}
        wanted |= {
            name: value for name in ("namespace", "serviceAccount") if (value := self._get_param(name))
        }
        found = [item for item in _associations(self.eks_backend).values() if wanted.items() <= item.items()]
        return ActionResult({"associations": found})

    def update_pod_identity_association(self: Any) -> Any:
        association = _association(self)
        for name in ("roleArn", "disableSessionTags"):
            if (value := self._get_param(name)) is not None:
                association[name] = value
        # Times have no fraction on the wire: an update within a second must show all the same.
        association["modifiedAt"] = association["modifiedAt"] + timedelta(seconds=1)
        return ActionResult({"association": association})

    def delete_pod_identity_association(self: Any) -> Any:
        association = _association(self)
        del _associations(self.eks_backend)[association["associationId"]]
        return ActionResult({"association": association})


def _associations(backend: Any) -> dict[str, dict[str, Any]]:
    stored: dict[str, dict[str, Any]] = vars(backend).setdefault("pod_identity_associations", {})
    return stored


def _association(response: Any) -> dict[str, Any]:
    number, cluster = response._get_param("associationId"), response._get_param("name")
    found = _associations(response.eks_backend).get(number)
    if found is None or found["clusterName"] != cluster:
        raise _refused(ResourceNotFoundException, f"Association {number} not found for cluster {cluster}")
    return found


def _tagging(name: str, otherwise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An operation on tags that knows associations; `otherwise` knows clusters."""

    def answer(self: Any) -> Any:
        arn = self._extract_arn_from_path()
        for item in _associations(self.eks_backend).values():
            if item["associationArn"] == arn:
                return _tagged(item["tags"], name, self)
        return otherwise(self)

    return answer


def _tagged(tags: dict[str, str], name: str, response: Any) -> Any:
    if name == "list_tags_for_resource":
        return ActionResult({"tags": tags})
    if name == "tag_resource":
        tags.update(response._get_param("tags"))
    if name == "untag_resource":
        for key in response.querystring.get("tagKeys", []):
            tags.pop(key, None)
    return EmptyResult()


def _refused(kind: Any, message: str) -> Exception:
    refusal: Exception = kind(message=message)
    return refusal


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


if __name__ == "__main__":
    correct()
    moto.server.main()
