"""Entry point of the CronJob. Writes one line of JSON for each expired model, and a last one with counts.

Its environment variables are set by the manifest: `RETENTION_DAYS`, `BUCKETS` and `NAMESPACES` (separated
by commas, the latter empty for all), `DRY_RUN` (`true` or `false`), `S3_ENDPOINT`, `S3_REGION`,
`S3_PATH_STYLE`, and `CA_FILE` where the object store has a private authority. Kubernetes sets
`KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`.

Exit codes: 0 done, 1 something is left that a person has to look into, 3 the registry or the object store
cannot be used; what is done by then stays done.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .engine import run
from .registry import ClusterRegistry
from .s3 import S3
from .signing import Provider
from .terms import Policy, StoreError, Summary
from .transport import Server

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def main(environ: Mapping[str, str]) -> int:
    """Run once; returns the exit code."""
    account = Path(environ.get("SERVICE_ACCOUNT_FOLDER", _ACCOUNT))
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    host = f"[{host}]" if ":" in host else host
    registry = ClusterRegistry(Server(f"https://{host}:{port}", str(account / "ca.crt")), account / "token")
    region = environ["S3_REGION"]
    store = S3(
        environ["S3_ENDPOINT"],
        region,
        Provider(environ, region),
        environ["S3_PATH_STYLE"] == "true",
        environ.get("CA_FILE"),
    )
    policy = Policy(
        datetime.now(timezone.utc) - timedelta(days=int(environ["RETENTION_DAYS"])),
        frozenset(environ["BUCKETS"].split(",")),
        frozenset(filter(None, environ["NAMESPACES"].split(","))),
        environ["DRY_RUN"] == "true",
    )
    summary = Summary()
    try:
        for outcome in run(registry, store, policy, summary):
            _say(outcome.to_data())
    except StoreError as error:
        _say({"error": str(error), **summary.to_data()})
        return 3
    _say(summary.to_data())
    return 1 if summary.needs_attention else 0


def _say(data: Mapping[str, object]) -> None:
    print(json.dumps(data), flush=True)  # noqa: T201 - the job's log


if __name__ == "__main__":
    sys.exit(main(os.environ))
