"""The controller manager as far as it dispatches a job: it assigns each, has it created on its cluster, and
reports it ready."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes

HERE = "/apis/michelangelo.api/v2/namespaces/default/rayclusters"
THERE = "/apis/ray.io/v1/namespaces/default/rayclusters"


@contextlib.contextmanager
def dispatching(hub: Kubernetes, compute: Kubernetes, cluster: str) -> Iterator[threading.Event]:
    """Dispatch jobs to a cluster, once the event is set."""
    awake, over = threading.Event(), threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            for job in list(hub.items(HERE)) if awake.is_set() else ():
                name = job["metadata"]["name"]
                metadata = {"name": name, "namespace": "default"}
                with contextlib.suppress(ClientError):
                    there = {
                        "apiVersion": "ray.io/v1",
                        "kind": "RayCluster",
                        "metadata": metadata,
                        "spec": {},
                    }
                    compute.create(THERE, there)
                with contextlib.suppress(ClientError):
                    status = {"assignment": {"cluster": cluster}, "state": "RAY_CLUSTER_STATE_READY"}
                    hub.merge(f"{HERE}/{name}/status", {"status": status})

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield awake
    finally:
        over.set()
        worker.join()
