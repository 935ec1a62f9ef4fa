"""What an API server says of whoever asks it: the user that a credential stands for, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from madeploy.clients.kubernetes import Kubernetes


def user(client: Kubernetes) -> str:
    """Name of the user that the client's credential is accepted for. Raises ClientError, its cause
    `unauthorized` where it is not accepted."""
    question = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = client.review("/apis/authentication.k8s.io/v1/selfsubjectreviews", question)
    return str(((answer.get("status") or {}).get("userInfo") or {}).get("username"))


def is_allowed(client: Kubernetes, access: Mapping[str, Any]) -> bool:
    """Whether the client's credential has an access: `resourceAttributes` or `nonResourceAttributes` of a
    SelfSubjectAccessReview. Raises ClientError."""
    question = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": access}
    answer = client.review("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", question)
    return bool((answer.get("status") or {}).get("allowed"))
