"""Host names, certificates, origins and the way in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from madeploy.plan.changes import Change, Comparison, Identity
from madeploy.plan.differences import opened
from madeploy.plan.text import Sentence, is_or_are, listed
from manifests.references import ISSUER_ANNOTATION

_FRONT_DOORS: Final = (
    "Ingress", "Gateway", "GRPCRoute", "HTTPRoute", "TLSRoute", "BackendTLSPolicy",
)  # fmt: skip


def _hosts(item: Mapping[str, Any] | None) -> set[str]:
    """Public host names of an Ingress or a Gateway's listeners."""
    spec = (item or {}).get("spec", {})
    rules = {str(rule["host"]) for rule in spec.get("rules") or () if rule.get("host")}
    return rules | {str(one["hostname"]) for one in spec.get("listeners") or () if one.get("hostname")}


def _served(comparison: Comparison, after: bool) -> set[str]:
    objects = comparison.after if after else comparison.before
    return {
        host
        for identity, item in objects.items()
        if identity.kind in ("Ingress", "Gateway")
        for host in _hosts(item)
    }


def about_hosts(comparison: Comparison) -> Iterator[Sentence]:
    """Names that are answered from now on or no longer, and a door that is replaced."""
    front_doors = comparison.of(*_FRONT_DOORS)
    about = tuple(change.identity for change in front_doors)
    before, after = _served(comparison, False), _served(comparison, True)
    kinds = {
        when: {i.kind for i in objects if i.kind in ("Ingress", "Gateway")}
        for when, objects in (("before", comparison.before), ("after", comparison.after))
    }
    if comparison.first:
        yield Sentence(
            "notice",
            f"{listed(sorted(after))} are served once DNS points at the front door's address.",
            about,
        )
        return
    gone, new = sorted(before - after), sorted(after - before)
    if gone:
        instead = f", {listed(new)} {is_or_are(new)} instead: DNS must point there, and" if new else ":"
        yield Sentence(
            "outage",
            f"{listed(gone)} {is_or_are(gone)} no longer answered{instead} clients, bookmarks and tasks with "
            "the old address fail at once.",
            about,
        )
    elif new:
        yield Sentence(
            "notice",
            f"{listed(new)} {is_or_are(new)} answered from now on: DNS must point at the front door.",
            about,
        )
    if kinds["before"] and kinds["after"] and kinds["before"] != kinds["after"]:
        way = {"Ingress": "Ingress", "Gateway": "the Gateway API"}
        yield Sentence(
            "outage",
            f"The front door changes from {listed(way[k] for k in sorted(kinds['before']))} to "
            f"{listed(way[k] for k in sorted(kinds['after']))}, which has another address: callers are "
            "cut off "
            "until DNS points there. Services do not restart for it.",
            about,
        )
    elif front_doors and not gone and not new:
        yield from _edited(front_doors, about)


def _edited(front_doors: list[Change], about: tuple[Identity, ...]) -> Iterator[Sentence]:
    fields = [
        field
        for change in front_doors
        for field in change.fields
        if not field.has("metadata", "annotations", ISSUER_ANNOTATION) and "secretName" not in field.path
    ]
    classes = [field for field in fields if field.path[-1] in ("ingressClassName", "gatewayClassName")]
    if classes:
        yield Sentence(
            "outage",
            f"The front door is served by {classes[0].after} instead of {classes[0].before}, at "
            "another address: "
            "callers are cut off until DNS points there.",
            about,
        )
    elif fields or any(change.operation != "update" for change in front_doors):
        what = listed(field.dotted.removeprefix("metadata.").removeprefix("spec.") for field in fields)
        yield Sentence(
            "notice",
            f"The front door is configured anew ({what or listed(c.identity for c in front_doors)}): its "
            "controller "
            "takes that over without a restart; long calls in progress may be ended.",
            about,
        )


def _wanted(comparison: Comparison, after: bool) -> dict[tuple[str, str], tuple[str, ...]]:
    """Issuer and Secret of every certificate asked for, with its host names."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for item in (comparison.after if after else comparison.before).values():
        spec = item.get("spec") or {}
        issuer = (item.get("metadata", {}).get("annotations") or {}).get(ISSUER_ANNOTATION)
        if item.get("kind") == "Certificate":
            found[spec["issuerRef"]["name"], spec["secretName"]] = tuple(spec["dnsNames"])
        elif issuer and item.get("kind") == "Ingress":
            for entry in spec.get("tls") or ():
                found[issuer, entry["secretName"]] = tuple(entry["hosts"])
        elif issuer and item.get("kind") == "Gateway":
            for listener in spec.get("listeners") or ():
                for ref in (listener.get("tls") or {}).get("certificateRefs") or ():
                    found[issuer, ref["name"]] = (str(listener.get("hostname")),)
    return found


def _authority(comparison: Comparison, issuer: str) -> str:
    named = (i for k, i in comparison.after.items() if (k.kind, k.name) == ("ClusterIssuer", issuer))
    spec = next(named, {}).get("spec", {})
    if "acme" in spec:
        return f"the ACME authority behind {issuer}"
    return f"the internal authority {issuer}" if "ca" in spec else issuer


def about_certificates(comparison: Comparison) -> Iterator[Sentence]:
    """Certificates that are issued, and by whom."""
    before, after = _wanted(comparison, False), _wanted(comparison, True)
    issuers = tuple(change.identity for change in comparison.of("ClusterIssuer", "Certificate"))
    edited = {c.identity.name for c in comparison.of("ClusterIssuer") if c.operation == "update"}
    fresh = {key: hosts for key, hosts in after.items() if before.get(key) != hosts}
    by_issuer: dict[str, list[str]] = {}
    for (issuer, _), hosts in fresh.items():
        by_issuer.setdefault(issuer, []).extend(hosts)
    for issuer, names in by_issuer.items():
        text = f"Certificates for {listed(names)} are issued by {_authority(comparison, issuer)}"
        changed = bool(before) and issuer not in {key[0] for key in before}
        text += (
            ": clients must trust that authority before, and the old certificates serve until then."
            if changed
            else "; until they are there, the front door shows its own."
            if not comparison.first and not before
            else "."
        )
        yield Sentence("notice", text, issuers)
    for issuer in sorted(edited - set(by_issuer)):
        yield Sentence(
            "notice",
            f"{issuer} is configured anew: certificates there are stay valid, the next renewal uses it.",
            issuers,
        )
    if before and not after:
        yield Sentence(
            "notice",
            "Certificates are provided by hand from now on: nothing renews the present ones any more, "
            "and the "
            "named Secrets must hold what the front door serves.",
            issuers,
        )


def _origins(comparison: Comparison, after: bool) -> set[str]:
    for identity, item in (comparison.after if after else comparison.before).items():
        if identity.kind == "ConfigMap" and identity.name == "envoy-config":
            return set(_matchers(opened(next(iter(item.get("data", {}).values()), ""))))
    return set()


def _matchers(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "allow_origin_string_match":
                for one in value:
                    yield str(one.get("exact") or one.get("safe_regex", {}).get("regex"))
            else:
                yield from _matchers(value)
    elif isinstance(node, list):
        for value in node:
            yield from _matchers(value)


def about_origins(comparison: Comparison) -> Iterator[Sentence]:
    """Origins whose pages may call the API from now on, or no longer."""
    change = comparison.find("ConfigMap", "envoy-config")
    if change is None or change.operation != "update":
        return
    before, after = _origins(comparison, False), _origins(comparison, True)
    gone, new = sorted(before - after), sorted(after - before)
    if gone:
        instead = f", those of {listed(new)} may" if new else ""
        yield Sentence(
            "outage",
            f"Pages of {listed(gone)} may no longer call the API{instead}; browsers that have asked "
            "before may "
            "go on until their preflight answer expires.",
            (change.identity,),
        )
    elif new:
        yield Sentence("notice", f"Pages of {listed(new)} may call the API from now on.", (change.identity,))
