"""The update to another release, step after step.

Each step is an update of the same program with the services of later steps held back. So it may be ended
anywhere, and the next run, or the plain `pulumi up`, goes on: whatever is done already stays as it is, and
the program itself puts rights before services, and each service after the definitions and services it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from madeploy.clients.definitions import wait_for_definitions
from madeploy.clients.kubernetes import Kubernetes
from madeploy.errors import ToolkitError, UsageError
from madeploy.findings import Finding
from madeploy.names.images import reference
from madeploy.names.kubernetes import Workload
from madeploy.settings import CONTROL_PLANE, Environment
from manifests.definitions import DEFINITIONS, platform


@dataclass(frozen=True)
class Step:
    """One step."""

    name: str
    """As a person names it."""

    brings: str
    """What is of the new release once it is done, in words."""

    services: tuple[Workload, ...] = ()
    """Services it rolls."""


STEPS: Final = (
    Step("rights", "rights of every service, network policies"),
    Step("apiserver", "API server, and by it the definitions", ("apiserver",)),
    Step("controllermgr", "controller manager", ("controllermgr",)),
    Step("worker", "worker", ("worker",)),
    # One after the other: this Envoy understands the application of the release before as well.
    Step("envoy", "Envoy, then the application", ("envoy", "ui")),
    Step("clusters", "compute clusters, and everything else"),
)
"""In the order that is safe: who calls after who is called, the application last."""

NAMES: Final = tuple(step.name for step in STEPS)


class Session(Protocol):
    """The stack that is worked on. Every method may raise ToolkitError."""

    def settings(self) -> Environment:
        """What the stack file says."""

    def apply_services(self, held: Collection[str], what: str) -> None:
        """Bring the control plane to it, but for the services `held` and for clusters."""

    def apply(
        self, clusters: Sequence[str], what: str, *, may_drop: bool = False, registers: bool = True
    ) -> Mapping[str, Finding]:
        """Bring everything to it. Returns why clusters could not be, by name."""

    def images(self, services: Iterable[Workload]) -> Mapping[str, str]:
        """Images of services as the last update left them, by service."""

    def client(self, cluster: str) -> Kubernetes:
        """A cluster as its administrator."""


def take(session: Session, until: str, say: Callable[[str], None]) -> Mapping[str, Finding]:
    """Take the steps up to the one called `until`, from where an earlier run ended. Returns why compute
    clusters could not be brought up, by name. Raises ToolkitError where a step fails: nothing of later ones
    is begun then."""
    settings = session.settings()
    last, begun = NAMES.index(until), _begun(session)
    failed: Mapping[str, Finding] = {}
    for number, step in enumerate(STEPS[: last + 1], start=1):
        if number <= begun:
            say(f"step {number} of {len(STEPS)}, {step.name}: done before")
            continue
        if "ui" in step.services:
            _require_descriptors(settings)
        title = f"step {number} of {len(STEPS)}, {step.name}: {step.brings}"
        if step is STEPS[-1]:
            failed = session.apply(sorted(settings.clusters), title)
        else:
            held = [service for later in STEPS[number:] for service in later.services]
            session.apply_services(held, title)
        if "apiserver" in step.services:
            _require_definitions(session.client(CONTROL_PLANE), settings)
        if not failed:
            say(f"step {number} of {len(STEPS)}, {step.name}: done")
    return failed


def _require_descriptors(settings: Environment) -> None:
    """Raise UsageError where the application of the release would be dead; a development environment
    may do without it."""
    is_needed = settings.release.envoy.transcoded and settings.control_plane.envoy.descriptors is None
    if not is_needed or settings.platform.tier == "development":
        return
    raise UsageError(
        "Envoy has no descriptor set of the release",
        f"by it Envoy translates what the browser application of {settings.release.name} sends; without it "
        "every call fails. What runs now goes on working",
        "Give the release's chart with --from-chart:\n"
        "helm pull oci://ghcr.io/michelangelo-ai/michelangelo/charts/michelangelo --version "
        f"{settings.release.newest}\n"
        "or take the set from the API server, which is of the release by now:\n"
        "bin/madeploy descriptors STACK --from-api ADDRESS\n"
        "Then run this command again.",
    )


def _begun(session: Session) -> int:
    """How many steps need not be taken again: those before the last one whose services run the images of the
    release. That one is: what it does besides may not have been finished."""
    settings = session.settings()
    there = session.images([service for step in STEPS for service in step.services])
    rolled = [
        number
        for number, step in enumerate(STEPS)
        if step.services and all(there.get(name) == reference(settings, name) for name in step.services)
    ]
    return max(rolled, default=0)


def _require_definitions(control_plane: Kubernetes, settings: Environment) -> None:
    wanted = platform(settings.release)
    try:
        wait_for_definitions(
            lambda: wanted.missing(control_plane.items(DEFINITIONS)), wanted.limit_seconds, ""
        )
    except TimeoutError as error:
        raise ToolkitError(
            f"the API server of {settings.release.name} has not made its definitions",
            str(error).strip(),
            wanted.hint.format(namespace=settings.platform.namespace),
            exit_code=1,
        ) from None
