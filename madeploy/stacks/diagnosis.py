"""Diagnosis of a failed update: the clusters say what it waited for in vain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from madeploy.clients.bounded import run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clients.rollouts import Reason, Workload, explain
from madeploy.engine.stack import Explain
from madeploy.errors import ToolkitError
from madeploy.findings.symptoms import told_by
from madeploy.fleet import urns
from madeploy.kubeconfigs import KubeconfigError

LIMIT_SECONDS: Final = 15.0
"""How long the look at one object may take: whoever waits has waited for the engine already."""
MOST: Final = 8
"""Objects looked at after one update. What more fail mostly fail for the same reason."""

_KUBERNETES: Final = "kubernetes:"


def explainer(client_of: Callable[[str], Kubernetes]) -> Explain:
    """Explains objects that did not become ready by asking their clusters; `client_of` gives the API server
    of a cluster by its name, `control-plane` among them."""

    def explained(resources: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[str]]:
        tasks = {
            resource["urn"]: partial(_asked, client_of, cluster, _workload(resource))
            for resource in resources
            if resource["type"].startswith(_KUBERNETES)
            and (cluster := urns.provider_of(resource)) is not None
        }
        chosen = dict(list(tasks.items())[:MOST])
        return run_bounded(chosen, lambda _: ("its cluster does not say why in time",), LIMIT_SECONDS)

    return explained


def _asked(client_of: Callable[[str], Kubernetes], cluster: str, workload: Workload) -> tuple[str, ...]:
    try:
        return tuple(map(_with_cause, explain(client_of(cluster), workload)))
    except ClientError as error:
        return (f"its cluster does not say why: {error.reason}",)
    except (ToolkitError, KubeconfigError) as error:
        return (f"its cluster cannot be asked why: {error}",)


def _with_cause(reason: Reason) -> str:
    """A reason, and what it comes from where its words tell (docs/troubleshooting.md)."""
    told = told_by(reason.text)
    if told is None or reason.kind not in ("crash", "probe", "event"):
        return str(reason)
    symptom, words = told
    return f"{reason}; {symptom.code}: {symptom.cause.format(**words)}"


def _workload(resource: Mapping[str, Any]) -> Workload:
    """Kind by the resource's type (`kubernetes:apps/v1:Deployment`), names by its id (`namespace/name`)."""
    namespace, _, name = str(resource.get("id", "")).rpartition("/")
    return Workload(resource["type"].rpartition(":")[2], namespace or "default", name)
