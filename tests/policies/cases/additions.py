"""Resources that break a rule by being there."""

from __future__ import annotations

from policies.rules.model import Resource
from tests.policies.world import Object

POD_OF_ITS_OWN: Object = {
    "metadata": {"name": "debug", "namespace": "ma-system", "labels": {"app": "x"}},
    "spec": {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "main",
                "image": "example.com/app:v1",
                "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}

SECOND_CLUSTER: Object = {
    "metadata": {"name": "b", "namespace": "ma-system"},
    "spec": {
        "kubernetes": {
            "rest": {"host": "https://A.example.com", "port": "6443", "tokenTag": "t", "caDataTag": "c"}
        }
    },
}

ADDITIONS: tuple[tuple[str, Resource], ...] = (
    ("no-bare-pods", Resource("kubernetes:core/v1:Pod", POD_OF_ITS_OWN)),
    ("one-cluster-per-server", Resource("kubernetes:michelangelo.api/v2:Cluster", SECOND_CLUSTER)),
    ("no-static-keys", Resource("aws:iam/accessKey:AccessKey", {"user": "ci"}, name="ci")),
    ("no-static-keys", Resource("aws:iam/user:User", {}, name="ci")),
    ("no-bucket-acls", Resource("aws:s3/bucketAcl:BucketAcl", {"acl": "private"}, name="example")),
)
"""Resources that break a rule by being there."""
