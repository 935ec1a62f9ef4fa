"""What a look at a fleet costs before an update: every cluster is asked, and some say nothing.

One HTTPS server, in this process too, answers for all clusters that are there, one that never says a word
for the others. It is no ratio: the time by the clock is that of the patience with those that do not answer.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from madeploy.clusters.preflight import unreachable
from madeploy.sandbox.kubeconfig import KubeconfigEntry, kubeconfig
from madeploy.sandbox.pki import Authority
from madeploy.settings import CONTROL_PLANE
from tests.support.http_servers import HttpServer, served
from tests.support.light_clusters import HOST, silent_listener
from tests.support.stacks import stack_text

_ANSWER = json.dumps({"status": {"userInfo": {"username": "admin"}}}).encode()


@contextmanager
def answering(folder: Path, authority: Authority) -> Iterator[str]:
    """URL of an HTTPS server that answers everybody who asks who he is."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response_only(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(_ANSWER)))
            self.end_headers()
            self.wfile.write(_ANSWER)

        def log_message(self, format: str, *args: object) -> None:
            return None

    class Server(HttpServer):
        request_queue_size = 256

    pair = authority.server("serving", "kube-apiserver", (HOST,))
    server = Server((HOST, 0), Handler)
    server.secure(pair.certificate, pair.key)
    with served(server):
        yield f"https://{HOST}:{server.server_address[1]}"


def run(clusters: int, silent: int) -> dict[str, float | int]:
    """One look at a fleet of so many clusters, of which so many are silent.

    Raises ValueError when those that are set aside are not the silent ones.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        authority = Authority(folder, "ca", "fleet")
        own = authority.pair.certificate.read_bytes()
        admin = authority.client("admin", "admin", ("system:masters",))
        names = [f"c{number:04d}" for number in range(clusters)]
        dead = set(names[:: max(clusters // silent, 1)][:silent]) if silent else set()
        with silent_listener() as deaf, answering(folder, authority) as server:
            entries = [
                KubeconfigEntry(
                    name,
                    deaf if name in dead else server,
                    own,
                    admin.certificate.read_bytes(),
                    admin.key.read_bytes(),
                )
                for name in (CONTROL_PLANE, *names)
            ]
            (folder / "kubeconfig").write_text(kubeconfig(entries), encoding="utf-8")
            os.environ["KUBECONFIG"] = str(folder / "kubeconfig")
            os.environ["NO_PROXY"] = HOST
            stack = folder / "Pulumi.fleet.yaml"
            sections: dict[str, Any] = {
                # Contexts alone: what is encrypted comes before them, and takes the Pulumi CLI to read.
                "kubeconfigs": ...,
                "platform": {"tier": "development"},
                "controlPlane": {"kubeconfigContext": CONTROL_PLANE},
                "clusters": {name: {"kubeconfigContext": name} for name in names},
            }
            stack.write_text(stack_text(sections), encoding="utf-8")
            before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
            aside = unreachable(str(stack), lambda _: None)
            seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    if aside.keys() != dead:
        raise ValueError(f"{len(aside)} clusters set aside, {len(dead)} are silent")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "clusters": clusters,
        "silent": silent,
        "seconds": round(seconds, 2),
        "cpuSeconds": round(cpu, 2),
        "peakKiB": after.ru_maxrss,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print it as one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preflight", description=__doc__)
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--silent", type=int, default=5)
    given = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(run(given.clusters, given.silent)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
