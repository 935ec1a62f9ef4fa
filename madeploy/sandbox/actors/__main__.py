"""The process: `python -m madeploy.sandbox.actors --server URL --authority FILE ...`."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from madeploy.clients.errors import ClientError
from madeploy.sandbox.actors.certificates import CertificateActor
from madeploy.sandbox.actors.cluster import View, Watched
from madeploy.sandbox.actors.connectivity import ConnectivityActor
from madeploy.sandbox.actors.front_doors import play_gateways, play_load_balancers
from madeploy.sandbox.actors.registrations import RegistrationActor
from madeploy.sandbox.kubeconfig import KubeconfigEntry, client

POLL_SECONDS = 1.0


def main() -> None:
    """Play until told to stop; a server that does not answer is asked again."""
    parser = argparse.ArgumentParser()
    for option in ("server", "authority", "certificate", "key", "issuing"):
        parser.add_argument(f"--{option}", required=True)
    options = parser.parse_args()
    pem = (Path(name).read_bytes() for name in (options.authority, options.certificate, options.key))
    api = client(KubeconfigEntry("actors", options.server, *pem))
    certificates = CertificateActor(Path(options.issuing))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say("playing ingress controller, load balancer, cert-manager and Gateway API; no traffic flows")
    say("playing the platform's controller manager for registered clusters")

    def front(view: View) -> None:
        play_load_balancers(view)
        certificates.play(view)
        play_gateways(view)

    watched = Watched(api)

    def play(part: Callable[[View], None]) -> None:
        _play(lambda: part(View(api, say, watched)), stop)

    # In threads of their own: a cluster, or a pod, that does not answer holds nobody else up.
    say("playing the kubelet for pods of connectivity checks: their program runs here as a process")
    connectivity = ConnectivityActor(say)
    threading.Thread(target=play, args=(connectivity.play,), daemon=True).start()
    registrations = RegistrationActor(api, say)
    threading.Thread(target=play, args=(registrations.play,), daemon=True).start()
    play(front)


def _play(look: Callable[[], None], stop: threading.Event) -> None:
    trouble = ""
    while not stop.is_set():
        try:
            look()
            trouble = ""
        except ClientError as error:
            # One line for as long as the same thing is wrong.
            if (text := f"{type(error).__name__}: {error}") != trouble:
                say(f"will try again: {text}")
                trouble = text
        stop.wait(POLL_SECONDS)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  the component's log


if __name__ == "__main__":
    main()
