"""Hypothesis strategies for everything the settings can say, derived from their shape: a new field is
covered without a line here, a new type of value with its example until it gets a strategy."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from madeploy.releases import RELEASES
from madeploy.releases.keys import Type
from madeploy.settings import (
    Environment,
    base,
    buckets,
    clusters,
    identities,
    images,
    shape,
    storage,
    workflow,
)
from madeploy.settings.origins import Origin
from madeploy.settings.shape import Shape

Data = dict[str, Any]
Strategy = st.SearchStrategy[Any]

labels = st.from_regex(r"[a-z]([a-z0-9]{0,9}[a-z0-9])?", fullmatch=True)
hosts = st.builds(lambda first, rest: f"{first}.{rest}.example.com", labels, labels)
ports = st.integers(1, 65535)
names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789._-", min_size=1, max_size=20)
cidrs = st.just("2001:db8::/32") | st.builds(
    lambda a, b, bits: f"{a}.{b}.0.0/{bits}", st.integers(1, 223), st.integers(0, 255), st.integers(16, 24)
)
origins = st.just("http://localhost:3000") | st.builds(
    lambda scheme, star, host, port: f"{scheme}://{star}{host}{port}",
    st.sampled_from(["https", "http"]),
    st.sampled_from(["", "*."]),
    hosts,
    st.sampled_from(["", ":443", ":80"]) | ports.map(lambda port: f":{port}"),
)
servers = st.builds(
    lambda host, port: f"https://{host}{port}", hosts, st.just("") | ports.map(lambda port: f":{port}")
)

BY_TYPE: dict[str, Strategy] = {
    shape.of(annotation).accepts: strategy
    for annotation, strategy in (
        (base.Host, hosts),
        (base.HostPort, st.builds(lambda host, port: f"{host}:{port}", hosts, ports)),
        (base.Cidr, cidrs),
        (base.DnsLabel, labels),
        (base.DnsSubdomain, labels | hosts),
        (base.Quantity, st.sampled_from(["100m", "1", "2.5", "64Mi", "1Gi", "3G"])),
        (base.Name, names),
        (base.LabelValue, labels),
        (base.AnnotationKey, labels.map(lambda name: f"example.com/{name}")),
        (base.Arn, names.map(lambda name: f"arn:aws:iam::123456789012:role/{name}")),
        (base.Region, st.sampled_from(["eu-west-1", "us-east-2", "ap-southeast-4"])),
        (Origin, origins),
        (images.Tag, st.from_regex(r"sha-[0-9a-f]{7}", fullmatch=True) | st.sampled_from(["main", "v1.2.3"])),
        (images.Digest, st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)),
        (images.Repository, labels.map("registry.example.com:5000/{}".format)),
        (buckets.BucketName, labels.map("example-{}-bucket".format)),
        (buckets.Prefix, st.just("") | labels.map("{}/".format)),
        (identities.OidcProviderArn, labels.map("arn:aws:iam::123456789012:oidc-provider/{}".format)),
        (identities.RoleArn, labels.map("arn:aws:iam::123456789012:role/{}".format)),
        (storage.TagKey, names),
        (storage.TagValue, names),
        (clusters.Size, st.integers(1, 4096).map("{}G".format)),
        (clusters.Server, servers),
        (workflow.TaskList, names),
    )
}
"""Strategy of each type of text, by what it accepts."""

SERVICE_VALUES: dict[Type, Strategy] = {
    "text": names,
    "whole number": st.integers(0, 10_000),
    "number": st.integers(0, 10_000),
    "true or false": st.booleans(),
    "duration": st.sampled_from(["30s", "1m30s", "2h"]),
    "bind address": ports.map(":{}".format),
    "encoding": st.sampled_from(["json", "console"]),
    "counts by kind": st.dictionaries(st.sampled_from(["Pipeline", "Model"]), st.integers(0, 9)),
    "durations by kind": st.dictionaries(st.sampled_from(["Pipeline", "Model"]), st.just("30s")),
    "texts by name": st.dictionaries(labels, names, max_size=2),
    "CRD versions": st.just({"models.michelangelo.api": {"versions": ["v2"], "storageVersion": "v2"}}),
}
"""Strategy of each type of a service's configuration."""


def _value(here: Shape, bounds: Data) -> Strategy:
    if shape.choices(here.annotation):
        return st.sampled_from(shape.choices(here.annotation))
    if here.annotation is bool:
        return st.booleans()
    if here.annotation is int:
        return st.integers(bounds.get("ge", 0), bounds.get("le", 1_000))
    return BY_TYPE.get(here.accepts, st.just(here.example))


def _bounds(section: type[BaseModel], key: str) -> Data:
    _, info = shape.fields(section)[key]
    return {
        name: getattr(item, name)
        for item in info.metadata
        for name in ("ge", "le", "min_length")
        if hasattr(item, name)
    }


def _overrides(service: str) -> Strategy:
    """Configuration of a service, of the keys that are its own to decide."""
    free = {
        dotted: SERVICE_VALUES[key.type]
        for release in RELEASES.values()
        for dotted, key in release.keys[service].items()
        if not key.owner and not key.secret
    }
    return st.fixed_dictionaries({}, optional=free).map(_nested)


def _nested(flat: Data) -> Data:
    data: Data = {}
    for dotted, value in flat.items():
        *groups, last = dotted.split(".")
        level = data
        for group in groups:
            level = level.setdefault(group, {})
        level[last] = value
    return data


def _of(here: Shape, path: tuple[str, ...], bounds: Data) -> Strategy:
    if path[0] == "controlPlane" and path[-1] == "config":
        return _overrides(path[1])
    if here.kind == "value":
        return _value(here, bounds)
    if here.kind == "list" and here.item is not None:
        return st.lists(_of(here.item, path, {}), min_size=bounds.get("min_length", 0), max_size=2)
    if here.kind == "map" and here.item is not None and here.key is not None:
        least = bounds.get("min_length", 0)
        return st.dictionaries(_value(here.key, {}), _of(here.item, path, {}), min_size=least, max_size=2)
    return st.one_of([_section(option, path) for option in here.sections])


def _section(section: type[BaseModel], path: tuple[str, ...] = ()) -> st.SearchStrategy[Data]:
    required: dict[str, Strategy] = {}
    optional: dict[str, Strategy] = {}
    for key, (_, info) in shape.fields(section).items():
        strategy = _of(shape.field_shape(section, key), (*path, key), _bounds(section, key))
        (required if info.is_required() else optional)[key] = strategy
    return st.fixed_dictionaries(required, optional=optional)


def environments() -> st.SearchStrategy[Data]:
    """Plain data of any environment whose sections are each valid, as a stack file holds it. Rules
    between sections may have something against it."""
    return _section(Environment)
