"""Kubeconfigs as registrations need them: one context's API server, its authority, its credentials.

Pure but for `read_context`, which reads the files that `$KUBECONFIG` names, and `read_eks`, which may ask
AWS. Nothing here starts a login
command. Format: Kubernetes `Config` v1 of `client.authentication`, kubectl's documentation.
"""

from madeploy.kubeconfigs.contexts import minify
from madeploy.kubeconfigs.document import load
from madeploy.kubeconfigs.eks import eks_kubeconfig, read_eks
from madeploy.kubeconfigs.endpoints import Endpoint, Instead, endpoint
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
    "read_context",
    "read_eks",
]
