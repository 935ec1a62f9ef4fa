"""One compute cluster under two names: the one it is registered under, and the one its entry has now.

A registration gives everything on the compute cluster a fixed name (registration guide, steps 1 to 3). Under
another name the engine makes the same objects once more, and then deletes those of the former name: they are
the same ones, so the cluster is left without account, rights and token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from madeploy.findings import Finding, find
from madeploy.names.servers import split_server
from madeploy.settings import Environment
from madeploy.settings.clusters import Cluster
from madeploy.settings.servers import canonical_server


def address(host: str, port: str) -> str:
    """An address in normal form, of a host with its scheme and a port as registrations have them; "" for
    one that is no address."""
    try:
        return ":".join(split_server(f"{host}:{port}"))
    except ValueError:
        return ""


def second_names(
    registered: Mapping[str, str], entries: Mapping[str, str], known: Iterable[str]
) -> dict[str, str]:
    """Former name by new name, of clusters that are registered under a name which no entry has any more.

    Args:
        registered: addresses in normal form by the names they are registered under.
        entries: addresses in normal form of entries, as far as they can be told.
        known: names of all entries.
    """
    names = set(known)
    former = {where: name for name, where in registered.items() if name not in names and where}
    return {
        name: former[where] for name, where in entries.items() if name not in registered and where in former
    }


def same_entries(before: Environment, after: Environment) -> dict[str, str]:
    """Former name by new name, of clusters that two settings reach in the same way under two names: by one
    address, one context, or one name on EKS."""
    gone = {
        way: name
        for name, entry in before.clusters.items()
        if name not in after.clusters
        for way in _ways(entry)
    }
    found: dict[str, str] = {}
    for name, entry in after.clusters.items():
        former = [gone[way] for way in _ways(entry) if way in gone]
        if name not in before.clusters and former:
            found[name] = former[0]
    return found


def _ways(entry: Cluster) -> list[tuple[str, str]]:
    """What leads to a cluster, as far as settings say it: two entries with one of them alike are one."""
    ways = []
    if entry.server is not None:
        ways.append(("server", canonical_server(entry.server)))
    if entry.kubeconfig_context is not None:
        ways.append(("context", entry.kubeconfig_context))
    if entry.eks is not None:
        ways.append(("eks", f"{entry.eks.region}/{entry.eks.cluster_name}"))
    return ways


def finding(name: str, former: str, stack: str = "STACK", where: str = "") -> Finding:
    """What is wrong with a cluster that has got another name, and the two ways out."""
    at = f" ({where})" if where else ""
    return find(
        "MA406",
        f"michelangelo:clusters.{name}",
        f"is the cluster that is registered as {former}{at}, which no entry names any more",
        fix=f"Keep the name {former}. If it has to change, let the cluster go first, with its jobs ended, "
        f"and add it again: put the entry {former} back, then\n"
        f"bin/madeploy clusters drain {former} --stack {stack}\n"
        f"bin/madeploy clusters remove {former} --stack {stack}\n"
        f"bin/madeploy clusters add {name} --stack {stack}",
    )
