"""What the AWS plugin asked of the sandbox's AWS, as IAM names it (AWS service authorization reference)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from madeploy.sandbox.aws import ACCOUNT
from tests.support.iam import Request

_BUCKET: Final = {
    ("HEAD", ""): "ListBucket",
    ("PUT", ""): "CreateBucket",
    ("DELETE", ""): "DeleteBucket",
    ("GET", "acl"): "GetBucketAcl",
    ("GET", "cors"): "GetBucketCORS",
    ("GET", "versions"): "ListBucketVersions",
    **{
        (method, query): f"{verb}{name}"
        for query, name in {
            "accelerate": "AccelerateConfiguration",
            "encryption": "EncryptionConfiguration",
            "lifecycle": "LifecycleConfiguration",
            "logging": "BucketLogging",
            "object-lock": "BucketObjectLockConfiguration",
            "ownershipControls": "BucketOwnershipControls",
            "policy": "BucketPolicy",
            "publicAccessBlock": "BucketPublicAccessBlock",
            "replication": "ReplicationConfiguration",
            "requestPayment": "BucketRequestPayment",
            "versioning": "BucketVersioning",
            "website": "BucketWebsite",
        }.items()
        for method, verb in (("GET", "Get"), ("PUT", "Put"))
    },
}
"""Actions on a bucket by method and query."""

_TAGS: Final = {"GET": "ListTagsForResource", "POST": "TagResource", "DELETE": "UntagResource"}
_ASSOCIATION: Final = {"GET": "Describe", "POST": "Update", "DELETE": "Delete"}


def requests(recording: Path, roles: Mapping[str, str], stack: str, after: int = 0) -> Iterator[Request]:
    """Requests of the plugin, in order.

    Args:
        recording: what the sandbox's AWS wrote down.
        roles: ARNs of roles by their names, which the requests leave out.
        stack: name of the stack, which everything it makes is tagged with.
        after: number of requests that came before.

    Raises ValueError for one that no action is known of here.
    """
    for line in recording.read_text(encoding="utf-8").splitlines()[after:]:
        asked = json.loads(line)
        headers = {key.lower(): value for key, value in asked["headers"].items()}
        scope = re.search(r"Credential=[^/]*/\d+/([^/]*)/([^/]*)/", headers.get("authorization", ""))
        if scope is None or "terraform" not in headers.get("user-agent", "").lower():
            continue
        region, service = scope.groups()
        body = str(asked.get("body") or "")
        if asked.get("body_encoded"):
            body = base64.b64decode(body).decode()
        url = urlsplit(asked["url"])
        path, query = unquote(url.path), parse_qs(url.query, keep_blank_values=True)
        if service == "s3":
            yield _of_s3(asked["method"], path, query)
        elif service == "iam":
            yield _of_iam({key: values[0] for key, values in parse_qs(body).items()}, roles)
        elif service == "kms":
            yield from _of_kms(headers["x-amz-target"].partition(".")[2], json.loads(body), region, stack)
        elif service == "eks":
            yield _of_eks(asked["method"], path, region)
        elif service != "sts":  # Who one is, everybody may ask.
            raise ValueError(line)


def _of_s3(method: str, path: str, query: Mapping[str, Any]) -> Request:
    if path.startswith("/v20180820/tags/"):
        return Request(f"s3:{_TAGS[method]}", path.removeprefix("/v20180820/tags/"))
    arn = f"arn:aws:s3:::{path.strip('/')}"
    if (method, "delete" in query) == ("POST", True):
        return Request("s3:DeleteObjectVersion", f"{arn}/a")
    named = [key for key in query if key not in ("encoding-type", "x-id")]
    return Request(f"s3:{_BUCKET[method, ''.join(named)]}", arn)


def _of_iam(form: Mapping[str, str], roles: Mapping[str, str]) -> Request:
    arn = form.get("OpenIDConnectProviderArn", "")
    if "Url" in form:
        arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{form['Url'].removeprefix('https://')}"
    if "RoleName" in form:
        arn = roles[form["RoleName"]]
    bounded = (
        {"iam:PermissionsBoundary": form["PermissionsBoundary"]} if "PermissionsBoundary" in form else {}
    )
    return Request(f"iam:{form['Action']}", arn, bounded)


def _of_kms(operation: str, asked: Mapping[str, Any], region: str, stack: str) -> Iterator[Request]:
    start = f"arn:aws:kms:{region}:{ACCOUNT}"
    tag = "michelangelo:environment"
    context = {f"aws:RequestTag/{tag}": stack, f"aws:ResourceTag/{tag}": stack}
    key = str(asked.get("KeyId") or asked.get("TargetKeyId") or "").rpartition("/")[2]
    if operation in ("CreateKey", "ListAliases"):
        yield Request(f"kms:{operation}", "*", context)
    elif key:
        yield Request(f"kms:{operation}", f"{start}:key/{key}", context)
    if "AliasName" in asked:
        yield Request(f"kms:{operation}", f"{start}:{asked['AliasName']}", context)


def _of_eks(method: str, path: str, region: str) -> Request:
    if path.startswith("/tags/"):
        return Request(f"eks:{_TAGS[method]}", path.removeprefix("/tags/"))
    _, _, cluster, _, *association = path.split("/")
    start = f"arn:aws:eks:{region}:{ACCOUNT}"
    if not association:
        return Request("eks:CreatePodIdentityAssociation", f"{start}:cluster/{cluster}")
    arn = f"{start}:podidentityassociation/{cluster}/{association[0]}"
    return Request(f"eks:{_ASSOCIATION[method]}PodIdentityAssociation", arn)
