"""The kubeconfig of a stack file's entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from madeploy.kubeconfigs.contexts import minify
from madeploy.kubeconfigs.document import load
from madeploy.kubeconfigs.eks import read_eks
from madeploy.kubeconfigs.errors import KubeconfigError
from madeploy.kubeconfigs.files import read_context
from madeploy.settings.clusters import Cluster


def of_entry(name: str, context: str | None, secret: Any, entry: Cluster | None) -> Mapping[str, Any]:
    """The kubeconfig of one cluster, of one context: the stack's encrypted one where there is one, else EKS,
    else a context of the kubeconfig at hand. Raises KubeconfigError.

    Args:
        name: the cluster, `control-plane` included.
        context: `kubeconfigContext` of its entry.
        secret: the decrypted kubeconfig, if any.
        entry: its entry; None for the control plane.
    """
    subject = f"kubeconfigs.{name}"
    if isinstance(secret, str):
        return minify(load(secret, subject), context, subject)
    if entry is not None and entry.eks is not None:
        return read_eks(name, entry.eks, entry.server, entry.certificate_authority_data)
    if context is None:
        raise KubeconfigError(subject, ["is not set, and the entry names no kubeconfigContext"])
    return read_context(context)
