"""Registered clusters: whether the platform can dispatch to each of them (REG-6)."""

from __future__ import annotations

from madeploy.clusters.checks.health import control_plane_clock, health, health_findings
from madeploy.clusters.registration import cluster_path
from madeploy.clusters.remedies import remedies
from madeploy.clusters.verification import verify_registration
from madeploy.doctor.checks import NotCheckedError, NotNeededError, Seen
from madeploy.doctor.site import Site
from madeploy.findings import Finding, find


def registration(site: Site, cluster: str) -> Seen:
    """What `clusters verify` says of one cluster: its first check that fails. Raises ClientError."""
    try:
        compute = site.client(cluster)
    except NotCheckedError:
        # What is registered can be proven without its kubeconfig.
        compute = None
    made = verify_registration(site.client(), compute, site.environment, cluster, stack=site.stack)
    found = [finding for check in made for finding in check.findings]
    skipped = [check.name for check in made if check.state == "skipped"]
    more = f", {', '.join(skipped)} skipped" if skipped else ""
    return found or f"{len(made) - len(skipped)} of {len(made)} checks of the registration{more}"


def freshness(site: Site) -> Seen:
    """Row 8 of the network guide's checklist: the controller manager itself reached every cluster just now.
    Raises ClientError."""
    clusters = site.environment.clusters
    if not clusters:
        raise NotNeededError("no cluster is registered")
    client = site.client()
    now = control_plane_clock(client)
    found: list[Finding] = []
    ages = []
    for name in clusters:
        known = remedies(site.environment, name, site.stack)
        live = client.find(cluster_path(name))
        if live is None:
            found.append(find("MA449", name, "there is no such Cluster", fix=known.up))
            continue
        found += health_findings(live, now, known)
        ages.append(health(live).age(now) or 0.0)
    return found or f"{len(clusters)} clusters, reached in the last {max(ages):.0f} s"
