"""What has to hold after a stack was deployed: the table of checks that `verify` makes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from madeploy.doctor import (
    certificates,
    checklist,
    clusters,
    data,
    doors,
    drift,
    external_secrets,
    front_door,
    reach,
    rollouts,
)
from madeploy.doctor.checks import Check, NotCheckedError, NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.stacks.object_store import Keys

CHECKED_BY_PODS = 9
"""Row of the network guide's checklist that only a pod on the compute cluster can answer."""


def checks_after(site: Site, keys: Keys, by_pods: bool = False) -> Iterator[Check]:
    """Every check, in the order of the report. `keys` reads the static keys of the object store; `by_pods`
    says whether pods are asked as well (`connectivity.checks_by_pods`)."""
    for cluster in site.objects:
        yield Check(f"reach/{cluster}", "API server, login and version", partial(reach.reach, site, cluster))
        yield Check(f"objects/{cluster}", "declared objects", partial(drift.objects, site, cluster))
        look = partial(external_secrets.synced, site, cluster)
        yield Check(f"external-secrets/{cluster}", "secrets that come from a store", look)
    yield Check("definitions", "kinds of the platform", partial(data.platform_definitions, site))
    yield Check("rollouts", "pods of every service", partial(rollouts.rollouts, site))
    yield from _network(site)
    if not by_pods:
        yield Check(
            f"network/{CHECKED_BY_PODS}", checklist.ROWS[CHECKED_BY_PODS - 1], partial(_unasked, site)
        )
    yield Check("dns", "both domains", partial(front_door.domains, site))
    yield Check("trust", "certificates as clients see them", partial(doors.trust, site))
    yield Check("api", "a gRPC call through the API's door", partial(doors.api_call, site))
    yield Check("app", "the application's page", partial(doors.page, site))
    yield Check("browser", "a browser's call", partial(doors.browser_call, site))
    yield Check("cors", "browsers' preflights", partial(doors.cors, site))
    yield Check("models", "the model registry", partial(data.model_registry, site))
    yield Check("buckets", "buckets and their safeguards", partial(data.buckets, site, keys))
    for cluster in site.environment.clusters:
        look = partial(clusters.registration, site, cluster)
        yield Check(f"clusters/{cluster}", "a job could be dispatched", look)


def _unasked(site: Site) -> Seen:
    """Row 9 without pods."""
    if not site.environment.clusters:
        raise NotNeededError("no cluster is registered")
    raise NotCheckedError("only a pod on the compute cluster can tell: bin/madeploy verify STACK --pods")


def _network(site: Site) -> Iterator[Check]:
    """The network guide's checklist, but for the row that needs a pod elsewhere."""
    looks = {
        1: partial(doors.http2, site),
        4: partial(certificates.certificates, site),
        8: partial(clusters.freshness, site),
        **{row: partial(look, site) for row, look in checklist.READ.items()},
    }
    for row, title in enumerate(checklist.ROWS, 1):
        if row != CHECKED_BY_PODS:
            yield Check(f"network/{row}", title, looks[row])
