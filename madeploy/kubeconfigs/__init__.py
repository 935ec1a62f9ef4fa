"""Kubeconfigs as registrations need them: one context's API server, its authority, its credentials.

Pure but for `read_context`, which reads the files that `$KUBECONFIG` names, and `of_entry`, which may ask AWS
besides. Nothing here starts a login command. Format: Kubernetes `Config` v1 of `client.authentication`,
kubectl's documentation.
"""

from madeploy.kubeconfigs.contexts import minify
from madeploy.kubeconfigs.document import load
from madeploy.kubeconfigs.eks import eks_kubeconfig
from madeploy.kubeconfigs.endpoints import Endpoint, Instead, endpoint
from madeploy.kubeconfigs.entries import of_entry
from madeploy.kubeconfigs.errors import KubeconfigError
from madeploy.kubeconfigs.files import read_context
from madeploy.kubeconfigs.verdict import Verdict, inspect, inspect_context

__all__ = [
    "Endpoint",
    "Instead",
    "KubeconfigError",
    "Verdict",
    "eks_kubeconfig",
    "endpoint",
    "inspect",
    "inspect_context",
    "load",
    "minify",
    "of_entry",
    "read_context",
]
