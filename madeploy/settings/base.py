"""What every settings section is built from: the strict base model and the shared value types."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST_PORT = re.compile(r"^(?P<host>\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(?P<port>[0-9]{1,5})$")
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"


_SHORT = 60
"""Longest example that helps to read what is accepted."""


class Accepts(str):
    """What a value may be, in words for a person, with an example; stands in a type's annotation."""

    example: str

    def __new__(cls, words: str, example: str) -> Accepts:
        """`words` say what is accepted, `example` is a value that is."""
        self = super().__new__(cls, f"{words}, such as {example}" if len(example) <= _SHORT else words)
        self.example = example
        return self


class Section(BaseModel):
    """Base of every settings section: frozen, camelCase in YAML, unknown keys refused.

    The docstring below a field is its description in the schema and the reference (`shape.meaning`).
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        validate_default=True,
        # Most sections are read as part of the environment only, which builds what all of them need at once.
        defer_build=True,
    )

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Keys that people look for in this section and that are none, and what to do instead."""

    def to_yaml_data(self) -> dict[str, Any]:
        """The section as the operator would write it: camelCase, plain data, defaults left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _check_host(value: str) -> str:
    if len(value) > 253:
        raise ValueError(f"is {len(value)} characters long; a host name has at most 253")
    if "://" in value:
        raise ValueError("has a scheme; write the host alone")
    if re.search(r":[0-9]*$", value) and value.count(":") == 1:
        raise ValueError("has a port; write the host alone, the port is always 443")
    if value.endswith("."):
        raise ValueError("ends in a dot; write the name without it")
    try:
        ipaddress.ip_address(value)
    except ValueError:
        pass
    else:
        raise ValueError("is an IP address; certificates and Ingress rules need a DNS name")
    if not value.isascii():
        strange = next(letter for letter in value if not letter.isascii())
        raise ValueError(
            f"has U+{ord(strange):04X} {unicodedata.name(strange, 'unnamed')}, which is not ASCII; type the "
            "letter that was meant, or write the name in punycode (xn--…)"
        )
    if value != value.lower():
        raise ValueError("has capital letters; DNS names are written in lower case here")
    labels = value.split(".")
    for label in labels:
        if len(label) > 63 or not re.fullmatch(_DNS_LABEL, label):
            raise ValueError(
                f"has the label {label!r}; a label has 1 to 63 letters, digits and inner hyphens (RFC 1123)"
            )
    if len(labels) < 2:
        raise ValueError("has a single label; a fully qualified name is needed, such as api.example.com")
    if labels[-1].isdigit():
        raise ValueError("ends in a number; the last label of a DNS name is not numeric")
    return value


def split_host_port(value: str) -> tuple[str, int]:
    """Host and port of `host:port` (IPv6 in brackets). Raises ValueError when either is missing or the
    port is outside 1-65535."""
    match = _HOST_PORT.match(value)
    if match is None:
        raise ValueError("is not host:port, such as temporal.example.com:7233")
    port = int(match["port"])
    if not 1 <= port <= 65535:
        raise ValueError(f"has port {port}; ports are 1 to 65535")
    return match["host"], port


def _check_host_port(value: str) -> str:
    split_host_port(value)
    return value


def _check_cidr(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError("is no IPv4 or IPv6 network") from None
    if "/" not in value:
        raise ValueError(f"has no prefix length; one address is {network}")
    if value.partition("/")[0] != str(network.network_address):
        raise ValueError(f"has bits set beyond its prefix length; the network is {network}")
    return value


Host = Annotated[
    str,
    AfterValidator(_check_host),
    Accepts("a fully qualified DNS name in lower case, without scheme, port or final dot", "api.example.com"),
]
"""A fully qualified DNS name, lower case, no scheme, port or trailing dot (RFC 1123)."""

HostPort = Annotated[
    str,
    AfterValidator(_check_host_port),
    Accepts("host:port without a scheme, port 1 to 65535", "temporal.example.com:7233"),
]
"""`host:port`, port 1-65535, no scheme."""

Cidr = Annotated[
    str,
    AfterValidator(_check_cidr),
    Accepts("an IPv4 or IPv6 network with its prefix length and no host bits set", "10.0.0.0/8"),
]
"""An IPv4 or IPv6 network with its prefix length and no host bits set."""

DnsLabel = Annotated[
    str,
    StringConstraints(pattern=f"^{_DNS_LABEL}$", max_length=63),
    Accepts(
        "1 to 63 lower-case letters, digits and hyphens, no hyphen first or last (RFC 1123 label)", "example"
    ),
]
"""An RFC 1123 label: 1 to 63 lower-case letters, digits and inner hyphens."""

DnsSubdomain = Annotated[
    str,
    StringConstraints(pattern=rf"^{_DNS_LABEL}(\.{_DNS_LABEL})*$", max_length=253),
    Accepts(
        "at most 253 characters: labels of lower-case letters, digits and inner hyphens, joined by dots "
        "(RFC 1123 subdomain)",
        "example",
    ),
]
"""An RFC 1123 subdomain: labels joined by dots, at most 253 characters (most Kubernetes names)."""

Quantity = Annotated[
    str,
    StringConstraints(pattern=_QUANTITY),
    Accepts('a Kubernetes quantity, plain numbers in quotes ("2")', "500m"),
]
"""A Kubernetes resource quantity such as `500m`, `2`, `1Gi`."""

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, pattern=r"^\S(.*\S)?$"),
    Accepts("text of 1 to 253 characters", "example"),
]
"""A name that somebody else chose, such as a kubeconfig context."""

LabelValue = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$", max_length=63),
    Accepts(
        "1 to 63 letters, digits, hyphens, underscores and dots, a letter or digit first and last",
        "eu-west-1a",
    ),
]
"""A value of a Kubernetes label."""

AnnotationKey = Annotated[
    str,
    StringConstraints(
        pattern=rf"^({_DNS_LABEL}(\.{_DNS_LABEL})*/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$",
        max_length=317,
    ),
    Accepts("an annotation's key, name or prefix/name", "example.com/annotation"),
]
"""A qualified name of a Kubernetes annotation."""

Arn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$"),
    Accepts("arn:aws:<service>:<region>:<account>:<resource>", "arn:aws:iam::123456789012:role/example"),
]
"""An Amazon Resource Name of any service, in any partition."""

Region = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$"),
    Accepts("an AWS region", "eu-west-1"),
]
"""An AWS region."""
