"""Names around models."""

from __future__ import annotations

from typing import Final

from madeploy.settings.storage import Storage

RETENTION: Final = "retention"
"""The job that removes old models: its workload, and its identity on AWS."""

MODEL_SYNC: Final = "model-sync"
"""What brings models to nodes: its workload, and the start of its identities on AWS."""


def artifact_buckets(storage: Storage) -> tuple[str, ...]:
    """Buckets that hold artifacts of models, and so those in which retention may delete: what tasks write
    is in the workspace or in the models' bucket."""
    return tuple(dict.fromkeys((storage.buckets.models, storage.buckets.workspace)))
